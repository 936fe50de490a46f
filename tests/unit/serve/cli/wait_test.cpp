#include "orchestrator/serve/cli/wait.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/net/http_server.hpp"
#include "orchestrator/serve/cli/exit_code.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

namespace bailey {
namespace {

Json change_in(const std::string& id, const std::string& state, bool waits_for_people = false) {
  return {{"id", id},
          {"environment", id},
          {"state", state},
          {"gate", Json::array()},
          {"history", Json::array()},
          {"outcome", nullptr},
          {"receipt", nullptr},
          {"progress", nullptr},
          {"waits_for_people", waits_for_people}};
}

/// A server whose changes stand as told.
class Follow : public testing::Test {
 protected:
  void SetUp() override {
    auto listening = HttpServer::listen({}, [this](const ServerRequest& request) {
      const auto found = changes_.find(request.path.substr(std::string("/v1/changes/").size()));
      ServerResponse response;
      response.headers = {{"Content-Type", "application/json"}};
      response.status = found == changes_.end() ? 404 : 200;
      response.body = found == changes_.end() ? "{}" : found->second.dump();
      return response;
    });
    ASSERT_TRUE(listening);
    server_ = *std::move(listening);
  }

  int follow_all(bool wait) {
    const Programs programs;
    Connection connection;
    connection.server = "http://127.0.0.1:" + std::to_string(server_->port());
    const Context context(programs, connection, true);
    auto client = context.client();
    std::vector<std::string> ids;
    for (const auto& [id, change] : changes_) ids.push_back(id);
    return follow(context, client, ids, wait);
  }

  void stands(const std::string& id, const std::string& state, bool waits_for_people = false) {
    changes_[id] = change_in(id, state, waits_for_people);
  }

 private:
  std::map<std::string, Json> changes_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Follow, EndsWhenAStageBeforeHasFailed) {
  stands("dev", "failed");
  stands("test", "waiting");
  EXPECT_EQ(follow_all(true), kFailed);
}

TEST_F(Follow, EndsWhenTheFailedStageIsLookedAtLast) {
  stands("a-test", "waiting");
  stands("b-dev", "failed");
  EXPECT_EQ(follow_all(true), kFailed);
}

TEST_F(Follow, SaysThatPeopleAreMissing) {
  stands("dev", "done");
  stands("staging", "waiting", true);
  EXPECT_EQ(follow_all(true), kWaitsForPeople);
  EXPECT_EQ(follow_all(false), kWaitsForPeople);
}

TEST_F(Follow, SaysTheWorst) {
  stands("a", "rejected");
  stands("b", "waiting", true);
  EXPECT_EQ(follow_all(true), kRefused);
  stands("c", "failed");
  EXPECT_EQ(follow_all(true), kFailed);
}

TEST_F(Follow, IsDoneWhenAllAre) {
  stands("dev", "done");
  stands("test", "superseded");
  EXPECT_EQ(follow_all(true), kDone);
}

}  // namespace
}  // namespace bailey
