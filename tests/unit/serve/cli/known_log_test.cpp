#include "orchestrator/serve/cli/known_log.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/net/http_server.hpp"
#include "orchestrator/record/audit/log_key.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"
#include "tests/support/fake_random.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

namespace bailey {
namespace {

/// A server that shows the head of a log which the test writes, and another log on demand.
struct KnownLog : testing::Test {
  void SetUp() override {
    folder = std::make_unique<test::TemporaryFolder>();
    key = std::make_unique<LogKey>(*LogKey::generate("acme.example/log", random));
    log = open("one.db");
    auto listening = HttpServer::listen({}, [this](const ServerRequest& request) {
      return head_from(std::stoull(request.parameter("from").value_or("0")));
    });
    ASSERT_TRUE(listening);
    server = *std::move(listening);
  }
  void TearDown() override { server.reset(); }

  [[nodiscard]] std::unique_ptr<StateStore> open(const char* name) {
    return *SqliteStateStore::open(folder->path() / name);
  }
  void append(StateStore& store, const std::string& action, int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(in_transaction(store, Access::Write, [&](Transaction& transaction) {
        AuditEntry entry;
        entry.action = action;
        return transaction.append(entry);
      }));
    }
  }
  ServerResponse head_from(std::uint64_t from) {
    auto answer = in_transaction(*log, Access::Read, [&](Transaction& transaction) -> Result<Json> {
      const auto size = *transaction.log_size();
      if (from > size) return fail(ErrorKind::InvalidArgument, "never");
      Sha256 root;
      const auto bytes = *transaction.log_root(size);
      std::copy(bytes.begin(), bytes.end(), root.begin());
      Json proof = Json::array();
      if (from > 0 && from < size) {
        const auto hashes = transaction.consistency_proof(from, size);
        for (const auto& hash : *hashes) {
          proof.push_back(base64(hash));
        }
      }
      return Json{{"checkpoint", *key->sign(size, root)},
                  {"key", key->verifier().str()},
                  {"consistency", proof}};
    });
    ServerResponse response;
    response.headers = {{"Content-Type", "application/json"}};
    response.status = answer ? 200 : 400;
    response.body =
        answer ? answer->dump() : Json{{"title", "invalid-argument"}, {"detail", "never"}}.dump();
    return response;
  }
  [[nodiscard]] Result<std::string> head() {
    Connection connection;
    connection.server = "http://127.0.0.1:" + std::to_string(server->port());
    ApiClient client(connection);
    return verified_head(client, connection.server, folder->path() / "known");
  }
  [[nodiscard]] std::string refusal() {
    const auto got = head();
    return got ? "none" : got.error().code();
  }

  test::FakeRandom random;
  std::unique_ptr<test::TemporaryFolder> folder;
  std::unique_ptr<LogKey> key;
  std::unique_ptr<StateStore> log;
  std::unique_ptr<HttpServer> server;
};

TEST_F(KnownLog, FollowsALogThatGrows) {
  append(*log, "one", 3);
  const auto first = head();
  ASSERT_TRUE(first) << first.error().render();
  EXPECT_EQ(*head(), *first) << "nothing was added";
  for (int i = 0; i < 20; ++i) {
    append(*log, "more", i % 3);
    const auto next = head();
    ASSERT_TRUE(next) << next.error().render();
  }
}

TEST_F(KnownLog, BeginsWithAnEmptyOne) {
  ASSERT_TRUE(head());
  append(*log, "one", 2);
  EXPECT_TRUE(head());
}

TEST_F(KnownLog, RefusesAnotherHistoryOfTheSameKey) {
  append(*log, "one", 5);
  ASSERT_TRUE(head());
  log = open("two.db");
  append(*log, "other", 5);
  EXPECT_EQ(refusal(), "log.rewritten") << "as long";
  append(*log, "other", 4);
  EXPECT_EQ(refusal(), "log.rewritten") << "longer";
  log = open("three.db");
  append(*log, "one", 3);
  EXPECT_EQ(refusal(), "log.rewritten") << "rolled back";
  log = open("one.db");
  EXPECT_EQ(refusal(), "none") << "and what was seen before is what counts";
}

TEST_F(KnownLog, RefusesAnotherKey) {
  append(*log, "one", 1);
  ASSERT_TRUE(head());
  key = std::make_unique<LogKey>(*LogKey::generate("acme.example/log", random));
  EXPECT_EQ(refusal(), "log.other-key");
}

TEST_F(KnownLog, ForgetsNothingWhenItsFileCannotBeRead) {
  append(*log, "one", 1);
  ASSERT_TRUE(head());
  for (const auto& file : std::filesystem::directory_iterator(folder->path() / "known")) {
    std::ofstream(file.path()) << "{";
  }
  EXPECT_FALSE(head()) << "a broken file is no first time";
}

}  // namespace
}  // namespace bailey
