#include "orchestrator/net/send_window.hpp"

#include "orchestrator/net/curl_http_client.hpp"
#include "orchestrator/net/http_server.hpp"
#include "tests/unit/net/scripted_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace bailey {
namespace {

using std::chrono::milliseconds;

/// Open for the first `looks` times that somebody asks.
class CountedWindow final : public SendWindow {
 public:
  explicit CountedWindow(int looks, milliseconds length = std::chrono::minutes(1))
      : looks_(looks), length_(length) {}
  [[nodiscard]] milliseconds remaining() const override {
    return looks_-- > 0 ? length_ : milliseconds(0);
  }

 private:
  mutable std::atomic<int> looks_;
  milliseconds length_;
};

class SendWindowTest : public testing::Test {
 protected:
  SendWindowTest() {
    server_ = *HttpServer::listen({}, [this](const ServerRequest& request) -> ServerResponse {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request.method);
      return {};
    });
  }
  Result<HttpResponse> send(const std::string& method) {
    HttpRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + "/";
    return client_.send(request, {});
  }
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  std::mutex mutex_;
  std::vector<std::string> seen_;
  std::unique_ptr<HttpServer> server_;
  CurlHttpClient client_;
};

TEST_F(SendWindowTest, NothingThatMayChangeSomethingIsSentOnceItIsOver) {
  const SendingWithin over(std::make_shared<CountedWindow>(0));
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE", "WHATEVER"}) {
    const auto answer = send(method);
    ASSERT_FALSE(answer) << method;
    EXPECT_EQ(answer.error().kind(), ErrorKind::Unavailable) << method;
  }
  EXPECT_EQ(seen(), std::vector<std::string>{});
}

TEST_F(SendWindowTest, ReadsGoOn) {
  const SendingWithin over(std::make_shared<CountedWindow>(0));
  for (const auto* method : {"GET", "HEAD", "OPTIONS"}) EXPECT_TRUE(send(method)) << method;
  EXPECT_EQ(seen().size(), 3U);
}

TEST_F(SendWindowTest, ItIsLookedAtAgainWhenTheConnectionIsThere) {
  {
    // Once for how long to wait, then before the request leaves.
    const SendingWithin ends_meanwhile(std::make_shared<CountedWindow>(1));
    const auto answer = send("POST");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind(), ErrorKind::Unavailable);
    EXPECT_EQ(answer.error().code(), kWindowOver);
    EXPECT_EQ(seen(), std::vector<std::string>{});
  }
  const SendingWithin open(std::make_shared<CountedWindow>(2));
  EXPECT_TRUE(send("POST"));
  EXPECT_EQ(seen(), std::vector<std::string>{"POST"});
}

TEST_F(SendWindowTest, AKeptConnectionIsNoWayAroundIt) {
  ASSERT_TRUE(send("POST"));
  const SendingWithin ends_meanwhile(std::make_shared<CountedWindow>(1));
  EXPECT_FALSE(send("POST"));
  EXPECT_EQ(seen().size(), 1U);
}

TEST_F(SendWindowTest, NoAnswerIsWaitedForBeyondIt) {
  test::ScriptedServer silent([](test::Peer& peer) { peer.read_all(); });
  const SendingWithin brief(std::make_shared<CountedWindow>(1000, milliseconds(50)));
  HttpRequest request;
  request.method = "POST";
  request.url = "http://127.0.0.1:" + std::to_string(silent.port()) + "/";
  request.timeout = std::chrono::hours(1);
  const auto answer = client_.send(request, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), ErrorKind::Timeout);  // It was sent, and may have been acted on.
}

TEST_F(SendWindowTest, TheInnermostCountsInItsThreadAlone) {
  const SendingWithin outer(std::make_shared<CountedWindow>(0));
  {
    const SendingWithin inner(nullptr);
    EXPECT_TRUE(send("POST"));
  }
  EXPECT_FALSE(send("POST"));
  std::thread([this] { EXPECT_TRUE(send("POST")); }).join();
  EXPECT_EQ(seen().size(), 2U);
}

}  // namespace
}  // namespace bailey
