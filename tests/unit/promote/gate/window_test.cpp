#include "orchestrator/promote/gate/window.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

WallTime time_of(const char* text) {
  return *parse_time(text);
}

WindowCondition berlin(std::set<unsigned> days, minutes from, minutes to) {
  return {std::move(days), from, to, "Europe/Berlin"};
}

bool open(const WindowCondition& window, const char* now) {
  return window_at(window, time_of(now)).open;
}

TEST(Window, IsOpenFromItsFirstMinuteUntilBeforeItsLast) {
  const auto window = berlin({3}, hours(9), hours(16));  // Wednesday; winter, so UTC+1.
  EXPECT_FALSE(open(window, "2026-03-04T07:59:59.999Z"));
  EXPECT_TRUE(open(window, "2026-03-04T08:00:00Z"));
  EXPECT_TRUE(open(window, "2026-03-04T14:59:59.999Z"));
  EXPECT_FALSE(open(window, "2026-03-04T15:00:00Z"));
  EXPECT_FALSE(open(window, "2026-03-05T09:00:00Z"));
}

TEST(Window, GoesByTheLocalDay) {
  const WindowCondition window{{1}, hours(0), hours(2), "Asia/Tokyo"};
  EXPECT_TRUE(open(window, "2026-03-01T15:30:00Z"));  // Sunday in UTC, Monday in Tokyo.
  EXPECT_FALSE(open(window, "2026-03-02T00:30:00Z"));
}

TEST(Window, FollowsSummerTime) {
  const auto window = berlin({1, 2, 3, 4, 5, 6, 7}, hours(9), hours(10));
  EXPECT_TRUE(open(window, "2026-03-28T08:30:00Z"));
  EXPECT_TRUE(open(window, "2026-03-29T07:30:00Z"));
  EXPECT_FALSE(open(window, "2026-03-29T08:30:00Z"));
}

TEST(Window, OpensAtTheJumpWhereItsBeginningDoesNotExist) {
  const auto window = berlin({7}, hours(2) + minutes(30), hours(5));
  const auto state = window_at(window, time_of("2026-03-29T00:00:00Z"));
  EXPECT_FALSE(state.open);
  EXPECT_EQ(state.opens_at, time_of("2026-03-29T01:00:00Z"));
  EXPECT_TRUE(open(window, "2026-03-29T01:00:00Z"));
}

TEST(Window, RunsOverMidnightFromTheDayItBegins) {
  const auto window = berlin({5}, hours(22), hours(4));
  EXPECT_TRUE(open(window, "2026-03-06T22:00:00Z"));  // Friday, 23:00.
  EXPECT_TRUE(open(window, "2026-03-07T02:59:00Z"));  // Saturday, 03:59.
  EXPECT_FALSE(open(window, "2026-03-07T03:00:00Z"));
  EXPECT_FALSE(open(window, "2026-03-06T02:00:00Z"));  // Friday, 03:00: no Thursday window.
}

TEST(Window, SaysWhenItOpensNext) {
  const auto window = berlin({1}, hours(9), hours(16));
  EXPECT_EQ(window_at(window, time_of("2026-03-02T15:00:00Z")).opens_at,
            time_of("2026-03-09T08:00:00Z"));
  EXPECT_EQ(window_at(window, time_of("2026-03-23T15:00:00Z")).opens_at,
            time_of("2026-03-30T07:00:00Z"));  // After the change to summer time.
  EXPECT_FALSE(window_at(window, time_of("2026-03-02T09:00:00Z")).opens_at);
}

TEST(Window, IsShutWhenItCannotBeTold) {
  for (const auto& window : {WindowCondition{{1, 2, 3}, hours(0), hours(24), "Middle/Earth"},
                             WindowCondition{{1, 2, 3}, hours(0), hours(24), ""},
                             WindowCondition{{}, hours(0), hours(24), "UTC"},
                             WindowCondition{{1, 2, 3}, hours(9), hours(9), "UTC"}}) {
    const auto state = window_at(window, time_of("2026-03-04T10:00:00Z"));
    EXPECT_FALSE(state.known);
    EXPECT_FALSE(state.open);
  }
}

TEST(Window, MayLastTheWholeDay) {
  const WindowCondition window{{3}, hours(0), hours(24), "UTC"};
  EXPECT_TRUE(open(window, "2026-03-04T00:00:00Z"));
  EXPECT_TRUE(open(window, "2026-03-04T23:59:59.999Z"));
  EXPECT_FALSE(open(window, "2026-03-05T00:00:00Z"));
}

}  // namespace
}  // namespace bailey
