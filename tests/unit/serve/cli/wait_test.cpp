#include "orchestrator/serve/cli/wait.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/net/http_server.hpp"
#include "orchestrator/serve/cli/exit_code.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <unistd.h>

namespace bailey {
namespace {

Json change_in(const std::string& id, const std::string& state, bool waits_for_people = false) {
  return {{"id", id},
          {"environment", id},
          {"state", state},
          {"gate", Json::array()},
          {"history", Json::array()},
          {"outcome", nullptr},
          {"failures", Json::array()},
          {"receipt", nullptr},
          {"progress", nullptr},
          {"waits_for_people", waits_for_people}};
}

/// A server whose changes stand as told.
class Follow : public testing::Test {
 protected:
  void SetUp() override {
    auto listening = HttpServer::listen({}, [this](const ServerRequest& request) {
      ++asked_;
      if (on_request_) on_request_();
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
  void TearDown() override { server_.reset(); }

  int follow_all(bool wait, bool json = true) {
    const Programs programs;
    Connection connection;
    connection.server = "http://127.0.0.1:" + std::to_string(server_->port());
    const Context context(programs, connection, json);
    auto client = context.client();
    std::vector<std::string> ids;
    for (const auto& [id, change] : changes_) ids.push_back(id);
    return follow(context, client, ids, wait,
                  {std::chrono::milliseconds(1), std::chrono::milliseconds(0)});
  }
  /// The same, with what was written to stdout and stderr.
  int follow_watched() {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = follow_all(true, false);
    output_ = testing::internal::GetCapturedStdout();
    errors_ = testing::internal::GetCapturedStderr();
    return code;
  }

  void stands(const std::string& id, const std::string& state, bool waits_for_people = false) {
    changes_[id] = change_in(id, state, waits_for_people);
  }

  std::function<void()> on_request_;
  std::atomic<int> asked_ = 0;
  std::string output_;
  std::string errors_;
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

TEST_F(Follow, SaysHowItEndedOnce) {
  stands("dev", "executing");
  on_request_ = [this] {
    if (asked_ == 3) stands("dev", "done");
  };
  EXPECT_EQ(follow_watched(), kDone);
  EXPECT_EQ(output_, "dev  dev  done\n");
  EXPECT_EQ(errors_, "dev  dev  executing\n");
}

TEST_F(Follow, AnInterruptionStopsTheWatchingAndSaysHowToGoOn) {
  stands("dev", "executing");
  on_request_ = [this] {
    if (asked_ == 2) ::kill(::getpid(), SIGINT);
  };
  EXPECT_EQ(follow_watched(), kInterrupted);
  EXPECT_NE(errors_.find("nothing was stopped"), std::string::npos) << errors_;
  EXPECT_NE(errors_.find("\n    bailey change follow dev\n"), std::string::npos) << errors_;
  EXPECT_EQ(output_, "");
}

TEST_F(Follow, AnInterruptionEndsACallThatIsUnderWay) {
  stands("dev", "executing");
  std::promise<void> answer;
  on_request_ = [answered = answer.get_future().share()] {
    ::kill(::getpid(), SIGTERM);
    answered.wait();  // Not before the watching has ended.
  };
  EXPECT_EQ(follow_watched(), kInterrupted);
  answer.set_value();
}

TEST_F(Follow, GivesUpOnAServerThatStaysAwayAndSaysHowToGoOn) {
  stands("dev", "executing");
  changes_["dev"]["pad"] = "";
  const auto port = server_->port();
  server_.reset();
  const Programs programs;
  Connection connection;
  connection.server = "http://127.0.0.1:" + std::to_string(port);
  const Context context(programs, connection, false);
  auto client = context.client();
  testing::internal::CaptureStderr();
  const int code = follow(context, client, {"dev"}, true,
                          {std::chrono::milliseconds(1), std::chrono::milliseconds(20)});
  const auto errors = testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, kFailed);
  const auto word = errors.find("does not answer; asking again");
  ASSERT_NE(word, std::string::npos) << errors;
  EXPECT_EQ(errors.find("does not answer; asking again", word + 1), std::string::npos) << errors;
  EXPECT_NE(errors.find("    bailey change follow dev"), std::string::npos) << errors;
}

TEST_F(Follow, GivesUpAtOnceOnWhatTimeDoesNotMend) {
  stands("dev", "executing");
  on_request_ = [this] { changes_.clear(); };
  EXPECT_EQ(follow_watched(), kFailed);
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace bailey
