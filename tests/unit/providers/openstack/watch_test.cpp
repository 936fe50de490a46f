#include "providers/openstack/watch.hpp"

#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace bailey::openstack {
namespace {

using std::chrono::milliseconds;

class WatchTest : public ::testing::Test {
 protected:
  static bool is_gone(const std::string* status) { return status == nullptr; }
  Watch::Wait wait(milliseconds limit = std::chrono::minutes(1), std::stop_token stop = {}) {
    return {clock, std::move(stop), limit, "a thing"};
  }

  test::FakeClock clock;
  Watch watch;
};

TEST_F(WatchTest, EndsWithTheListingThatShowsIt) {
  int asked = 0;
  const auto list = [&]() -> Result<Watch::Listing> {
    if (++asked < 4) return Watch::Listing{{"a", "busy"}};
    return Watch::Listing{};
  };
  EXPECT_TRUE(watch.until("a", is_gone, list, wait()));
  EXPECT_EQ(asked, 4);
}

TEST_F(WatchTest, AnswerFromBeforeTheCallDoesNotCount) {
  int asked = 0;
  const auto list = [&]() -> Result<Watch::Listing> {
    ++asked;
    return Watch::Listing{};
  };
  EXPECT_TRUE(watch.until("a", is_gone, list, wait()));
  EXPECT_TRUE(watch.until("a", is_gone, list, wait()));
  EXPECT_EQ(asked, 2);
}

TEST_F(WatchTest, GivesUpAfterItsLimit) {
  const auto list = []() -> Result<Watch::Listing> { return Watch::Listing{{"a", "busy"}}; };
  const auto left = watch.until("a", is_gone, list, wait(std::chrono::seconds(10)));
  ASSERT_FALSE(left);
  EXPECT_EQ(left.error().kind(), ErrorKind::Timeout);
}

TEST_F(WatchTest, StopsWhenTold) {
  std::stop_source stop;
  const auto list = [&]() -> Result<Watch::Listing> {
    stop.request_stop();
    return Watch::Listing{{"a", "busy"}};
  };
  const auto left =
      watch.until("a", is_gone, list, wait(std::chrono::minutes(1), stop.get_token()));
  ASSERT_FALSE(left);
  EXPECT_EQ(left.error().kind(), ErrorKind::Cancelled);
}

TEST_F(WatchTest, TellsWhatTheListingFailedWith) {
  const auto list = []() -> Result<Watch::Listing> { return fail(ErrorKind::Unavailable, "down"); };
  const auto left = watch.until("a", is_gone, list, wait());
  ASSERT_FALSE(left);
  EXPECT_EQ(left.error().kind(), ErrorKind::Unavailable);
}

TEST_F(WatchTest, ManyWhoWaitShareListings) {
  constexpr int kWaiting = 16;
  std::atomic<int> asked{0};
  std::latch there(kWaiting);
  // The first listing ends once everybody waits, so the second one serves them all.
  const auto list = [&]() -> Result<Watch::Listing> {
    if (++asked == 1) there.wait();
    return Watch::Listing{};
  };
  std::atomic<int> ended{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kWaiting; ++i) {
      threads.emplace_back([&, i] {
        there.count_down();
        if (watch.until(std::to_string(i), is_gone, list, wait())) ++ended;
      });
    }
  }
  EXPECT_EQ(ended, kWaiting);
  EXPECT_LE(asked, kWaiting);
  EXPECT_GE(asked, 1);
}

}  // namespace
}  // namespace bailey::openstack
