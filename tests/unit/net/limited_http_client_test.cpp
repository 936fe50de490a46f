#include "orchestrator/net/limited_http_client.hpp"

#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace bailey {
namespace {

using namespace std::chrono_literals;

// Holds every request until told to let one go.
class HoldingClient final : public HttpClient {
 public:
  Result<HttpResponse> send(const HttpRequest& request, std::stop_token) override {
    std::unique_lock lock(mutex_);
    started_.push_back(request.url);
    most_ = std::max(most_, ++running_);
    changed_.notify_all();
    changed_.wait(lock, [&] { return allowed_ > 0; });
    --allowed_;
    --running_;
    return HttpResponse{.status = 200, .headers = {}, .body = ""};
  }
  void allow(int count) {
    const std::lock_guard lock(mutex_);
    allowed_ += count;
    changed_.notify_all();
  }
  std::vector<std::string> wait_for_started(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return started_.size() >= count; });
    return started_;
  }
  int most() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> started_;
  int allowed_ = 0;
  int running_ = 0;
  int most_ = 0;
};

HttpRequest to(const std::string& url) {
  return {.url = url};
}

TEST(LimitedHttpClient, HoldsTheLimitOnWhatIsInFlight) {
  HoldingClient inner;
  test::FakeClock clock;
  LimitedHttpClient client(inner, clock, 3, 0);
  inner.allow(1000);
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 50; ++i) {
      callers.emplace_back([&] { EXPECT_TRUE(client.send(to("a"), {})); });
    }
  }
  EXPECT_EQ(inner.wait_for_started(50).size(), 50U);
  EXPECT_LE(inner.most(), 3);
  EXPECT_TRUE(clock.sleeps().empty());
}

TEST(LimitedHttpClient, SpreadsStartsOverTheSecond) {
  HoldingClient inner;
  test::FakeClock clock;
  LimitedHttpClient client(inner, clock, 8, 4);
  inner.allow(10);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(client.send(to("a"), {}));
  EXPECT_EQ(clock.sleeps(), (std::vector<std::chrono::milliseconds>{250ms, 250ms, 250ms}));
  clock.advance(10s);
  EXPECT_TRUE(client.send(to("a"), {}));
  EXPECT_EQ(clock.sleeps().size(), 3U);
}

TEST(LimitedHttpClient, AWaitingCallerCanBeStoppedAndLosesNobodysPlace) {
  HoldingClient inner;
  test::FakeClock clock;
  LimitedHttpClient client(inner, clock, 1, 0);
  std::jthread first([&] { EXPECT_TRUE(client.send(to("first"), {})); });
  (void)inner.wait_for_started(1);
  std::stop_source stop;
  std::jthread stopped([&] {
    EXPECT_EQ(client.send(to("stopped"), stop.get_token()).error().kind(), ErrorKind::Cancelled);
  });
  std::jthread last([&] { EXPECT_TRUE(client.send(to("last"), {})); });
  stop.request_stop();
  stopped.join();
  inner.allow(2);
  EXPECT_EQ(inner.wait_for_started(2), (std::vector<std::string>{"first", "last"}));
}

TEST(LimitedHttpClient, AStoppedCallerIsNotSent) {
  HoldingClient inner;
  test::FakeClock clock;
  LimitedHttpClient client(inner, clock, 1, 1);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(client.send(to("a"), stop.get_token()).error().kind(), ErrorKind::Cancelled);
  inner.allow(1);
  EXPECT_TRUE(client.send(to("b"), {}));
  EXPECT_EQ(inner.wait_for_started(1), std::vector<std::string>{"b"});
}

}  // namespace
}  // namespace bailey
