#include "orchestrator/net/retry.hpp"

#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace bailey {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Answers what it was told to, one after the other; the last for ever.
class ScriptedClient final : public HttpClient {
 public:
  ScriptedClient(test::FakeClock& clock, std::deque<Result<HttpResponse>> script)
      : clock_(clock), script_(std::move(script)) {}
  Result<HttpResponse> send(const HttpRequest& request, std::stop_token) override {
    timeouts.push_back(request.timeout);
    clock_.advance(duration);
    auto result = script_.front();
    if (script_.size() > 1) script_.pop_front();
    return result;
  }
  std::vector<milliseconds> timeouts;
  milliseconds duration{0};

 private:
  test::FakeClock& clock_;
  std::deque<Result<HttpResponse>> script_;
};

// Always the largest or always the smallest number that it may give.
class ExtremeRandom final : public Random {
 public:
  explicit ExtremeRandom(bool largest) : largest_(largest) {}
  std::string bytes(std::size_t count) override { return std::string(count, '\0'); }
  std::uint64_t below(std::uint64_t bound) override { return largest_ ? bound - 1 : 0; }

 private:
  bool largest_;
};

Result<HttpResponse> status(int code, const std::string& retry_after = "") {
  HttpResponse response{.status = code, .headers = {}, .body = ""};
  if (!retry_after.empty()) response.headers = {{"retry-after", retry_after}};
  return response;
}

Result<HttpResponse> failure(ErrorKind kind) {
  return fail(kind, "no");
}

class RetryTest : public testing::Test {
 protected:
  Result<HttpResponse> run(Repeat repeat, std::deque<Result<HttpResponse>> script,
                           bool largest = true, milliseconds duration = 0ms) {
    ScriptedClient client(clock_, std::move(script));
    client.duration = duration;
    ExtremeRandom random(largest);
    auto result = send_with_retry({client, health_, clock_, random}, request_, repeat, policy_,
                                  stop_.get_token());
    timeouts_ = client.timeouts;
    return result;
  }
  [[nodiscard]] std::size_t calls() const { return timeouts_.size(); }

  test::FakeClock clock_;
  ServiceHealth health_;
  HttpRequest request_{.url = "http://a/"};
  RetryPolicy policy_;
  std::stop_source stop_;
  std::vector<milliseconds> timeouts_;
};

TEST_F(RetryTest, DoublesAndCapsTheLongestWait) {
  policy_ = {.attempts = 6, .base = 200ms, .cap = 1000ms};
  EXPECT_EQ(run(Repeat::Safe, {status(500)})->status, 500);
  EXPECT_EQ(clock_.sleeps(), (std::vector<milliseconds>{200ms, 400ms, 800ms, 1000ms, 1000ms}));
}

TEST_F(RetryTest, MayNotWaitAtAllButHalfAfterARateLimit) {
  policy_.attempts = 3;
  EXPECT_TRUE(run(Repeat::Safe, {status(502), status(502), status(200)}, false));
  EXPECT_EQ(clock_.sleeps(), (std::vector<milliseconds>{0ms, 0ms}));
  EXPECT_TRUE(run(Repeat::Safe, {status(429), status(429), status(200)}, false));
  EXPECT_EQ(clock_.sleeps(), (std::vector<milliseconds>{0ms, 0ms, 100ms, 200ms}));
}

TEST_F(RetryTest, ReadsAreRepeatedAfterLostAnswersAndServerErrors) {
  for (const auto& first : {failure(ErrorKind::Unavailable), failure(ErrorKind::Timeout),
                            failure(ErrorKind::RateLimited), status(429), status(500), status(502),
                            status(503), status(504)}) {
    EXPECT_EQ(run(Repeat::Safe, {first, status(200)})->status, 200);
    EXPECT_EQ(calls(), 2U);
  }
}

TEST_F(RetryTest, CreatesAreRepeatedOnlyWhenNothingHappened) {
  for (const auto& first : {failure(ErrorKind::Unavailable), failure(ErrorKind::RateLimited),
                            status(429), status(503, "0")}) {
    EXPECT_EQ(run(Repeat::Never, {first, status(201)})->status, 201);
    EXPECT_EQ(calls(), 2U);
  }
  for (const auto& first :
       {failure(ErrorKind::Timeout), status(500), status(502), status(503), status(504)}) {
    const auto result = run(Repeat::Never, {first, status(201)});
    EXPECT_FALSE(result && result->status == 201);
    EXPECT_EQ(calls(), 1U);
  }
}

TEST_F(RetryTest, WhatCannotSucceedLaterIsNotRepeated) {
  for (const auto& first : {failure(ErrorKind::Protocol), failure(ErrorKind::InvalidArgument),
                            failure(ErrorKind::Cancelled), status(200), status(301), status(400),
                            status(401), status(404), status(409), status(501)}) {
    (void)run(Repeat::Safe, {first});
    EXPECT_EQ(calls(), 1U);
  }
}

TEST_F(RetryTest, GivesTheLastAnswerWhenAllAttemptsAreUsed) {
  policy_.attempts = 2;
  EXPECT_EQ(
      run(Repeat::Safe, {status(500), failure(ErrorKind::Timeout), status(200)}).error().kind(),
      ErrorKind::Timeout);
  policy_.attempts = 1;
  EXPECT_EQ(run(Repeat::Safe, {status(503)})->status, 503);
  EXPECT_EQ(calls(), 1U);
}

TEST_F(RetryTest, RetryAfterInSecondsIsAFloor) {
  EXPECT_TRUE(run(Repeat::Never, {status(503, "3"), status(200)}, false));
  EXPECT_EQ(clock_.sleeps(), std::vector<milliseconds>{3000ms});
}

TEST_F(RetryTest, RetryAfterAsADateIsAFloor) {
  EXPECT_TRUE(
      run(Repeat::Never, {status(503, "Wed, 04 Mar 2026 10:00:07 GMT"), status(200)}, false));
  EXPECT_EQ(clock_.sleeps(), std::vector<milliseconds>{7000ms});
}

TEST_F(RetryTest, ADateInThePastOrNoDateIsNoFloor) {
  EXPECT_TRUE(
      run(Repeat::Never, {status(503, "Wed, 04 Mar 2026 09:00:00 GMT"), status(200)}, false));
  EXPECT_TRUE(run(Repeat::Safe, {status(503, "soon"), status(200)}, false));
  EXPECT_TRUE(run(Repeat::Safe, {status(503, "-5"), status(200)}, false));
  EXPECT_EQ(clock_.sleeps(), (std::vector<milliseconds>{0ms, 0ms, 0ms}));
}

TEST_F(RetryTest, ARetryAfterBeyondTheDeadlineGivesUpAtOnce) {
  for (const auto* after : {"120", "99999999999999999999999", "Wed, 04 Mar 2026 10:02:01 GMT"}) {
    EXPECT_EQ(run(Repeat::Safe, {status(429, after), status(200)})->status, 429) << after;
    EXPECT_EQ(calls(), 1U);
  }
  EXPECT_TRUE(clock_.sleeps().empty());
}

TEST_F(RetryTest, NoAttemptGetsMoreTimeThanIsLeft) {
  policy_ = {.attempts = 9, .base = 1000ms, .cap = 1000ms, .deadline = 10s};
  request_.timeout = 6s;
  EXPECT_EQ(run(Repeat::Safe, {failure(ErrorKind::Timeout)}, true, 4s).error().kind(),
            ErrorKind::Timeout);
  EXPECT_EQ(timeouts_, (std::vector<milliseconds>{6000ms, 5000ms}));
}

TEST_F(RetryTest, StopsWhileWaiting) {
  stop_.request_stop();
  EXPECT_EQ(run(Repeat::Safe, {status(503), status(200)}).error().kind(), ErrorKind::Cancelled);
  EXPECT_EQ(calls(), 1U);
}

TEST_F(RetryTest, AnApiThatAlwaysFailsGetsOneRequestACallOnceTheBudgetIsSpent) {
  constexpr std::size_t kCalls = 10'000;
  std::size_t sent = 0;
  for (std::size_t i = 0; i < kCalls; ++i) {
    request_.url = "http://" + std::to_string(i) + "/";  // Each its own breaker: only the budget.
    EXPECT_EQ(run(Repeat::Safe, {status(503)})->status, 503);
    sent += calls();
  }
  EXPECT_GT(sent, kCalls);
  EXPECT_LE(sent, kCalls + 100);
}

TEST_F(RetryTest, SuccessFillsTheBudgetAgain) {
  policy_.attempts = 2;
  while (health_.take_retry()) {
  }
  (void)run(Repeat::Safe, {status(503), status(200)});
  EXPECT_EQ(calls(), 1U);
  for (int i = 0; i < 5; ++i) (void)run(Repeat::Safe, {status(200)});
  for (int i = 0; i < 3; ++i) {
    (void)run(Repeat::Safe, {status(503), status(200)});
    EXPECT_EQ(calls(), 2U) << "a retry that succeeds costs nothing";
  }
}

TEST_F(RetryTest, NothingIsSentWhileTheBreakerIsOpen) {
  policy_ = {.attempts = 1, .deadline = 4s};
  for (int i = 0; i < 20; ++i) (void)run(Repeat::Never, {status(503)});
  const auto refused = run(Repeat::Never, {status(200)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(calls(), 0U);
  EXPECT_EQ(refused.error().kind(), ErrorKind::Unavailable);
  EXPECT_EQ(refused.error().retry_after(), 5s);
  request_.url = "http://b/";
  EXPECT_TRUE(run(Repeat::Never, {status(200)})) << "another service has its own";
}

TEST_F(RetryTest, WhoHasTheTimeWaitsUntilTheBreakerLetsOneTry) {
  policy_ = {.attempts = 1};
  for (int i = 0; i < 20; ++i) (void)run(Repeat::Never, {status(502)});
  const auto before = clock_.monotonic_now();
  EXPECT_EQ(run(Repeat::Never, {status(502)})->status, 502);
  EXPECT_GE(clock_.monotonic_now() - before, 5s);
  EXPECT_EQ(calls(), 1U);
  EXPECT_EQ(health_.admit("http://a", clock_.monotonic_now()), 5s) << "its failure opens it again";
  EXPECT_EQ(run(Repeat::Never, {status(200)})->status, 200);
  EXPECT_EQ(health_.admit("http://a", clock_.monotonic_now()), 0s);
}

/// One time for many threads: it goes on when all of them sleep, to where the first one wakes.
class SharedClock final : public Clock {
 public:
  explicit SharedClock(int threads) : awake_(threads) {}
  WallTime wall_now() const override { return WallTime(now()); }
  MonotonicTime monotonic_now() const override { return MonotonicTime(now()); }
  bool sleep_for(milliseconds duration, std::stop_token) override {
    std::unique_lock lock(mutex_);
    bool woken = false;
    sleepers_.emplace(now_ + duration, &woken);
    --awake_;
    go_on();
    changed_.wait(lock, [&] { return woken; });
    return true;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    --awake_;
    go_on();
  }
  milliseconds now() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }

 private:
  void go_on() {
    if (awake_ > 0 || sleepers_.empty()) return;
    now_ = sleepers_.begin()->first;
    *sleepers_.begin()->second = true;
    sleepers_.erase(sleepers_.begin());
    ++awake_;
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<milliseconds, bool*> sleepers_;
  milliseconds now_{0};
  int awake_;
};

/// Down for its first ten seconds; counts who comes in which second afterwards.
class RecoveringService final : public HttpClient {
 public:
  explicit RecoveringService(SharedClock& clock) : clock_(clock) {}
  Result<HttpResponse> send(const HttpRequest&, std::stop_token) override {
    clock_.sleep_for(10ms, {});
    const auto now = clock_.now();
    if (now < 10s) return status(503);
    const std::lock_guard lock(mutex_);
    ++arrivals[std::chrono::duration_cast<std::chrono::seconds>(now).count()];
    return status(200);
  }
  std::map<long, int> arrivals;

 private:
  SharedClock& clock_;
  std::mutex mutex_;
};

TEST(Retry, ManyClientsComeBackSpreadOverTimeAfterAnOutage) {
  constexpr int kClients = 50;
  constexpr int kRuns = 20;
  std::map<long, int> arrivals;
  for (int run = 0; run < kRuns; ++run) {
    SharedClock clock(kClients);
    RecoveringService service(clock);
    ServiceHealth health;
    test::FakeRandom random(static_cast<std::uint64_t>(run) + 1);
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&] {
        const RetryPolicy patient{.attempts = 100, .deadline = 600s};
        EXPECT_EQ(send_with_retry({service, health, clock, random}, {.url = "http://a/"},
                                  Repeat::Safe, patient, {})
                      ->status,
                  200);
        clock.leave();
      });
    }
    clients.clear();
    for (const auto& [second, count] : service.arrivals) arrivals[second] += count;
  }
  int peak = 0;
  for (const auto& [second, count] : arrivals) peak = std::max(peak, count);
  const auto seconds = arrivals.rbegin()->first - arrivals.begin()->first + 1;
  EXPECT_LE(peak * seconds, 2 * kClients * kRuns) << peak << " at most, over " << seconds << " s";
}

}  // namespace
}  // namespace bailey
