#include "orchestrator/base/clock.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace bailey {
namespace {

using namespace std::chrono;

TEST(ParseTime, ReadsRfc3339) {
  const std::map<std::string, std::string> times = {
      {"2026-11-24T03:23:10Z", "2026-11-24T03:23:10.000Z"},
      {"2026-11-24t03:23:10z", "2026-11-24T03:23:10.000Z"},
      {"2026-11-24T03:23:10.5Z", "2026-11-24T03:23:10.500Z"},
      {"2026-11-24T03:23:10.123987654321Z", "2026-11-24T03:23:10.123Z"},
      {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000Z"},
      {"2026-12-31T23:30:00-00:45", "2027-01-01T00:15:00.000Z"},
      {"2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z"},
      {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
      {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"},
  };
  for (const auto& [text, want] : times) {
    const auto time = parse_time(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(format_time(*time), want) << text;
  }
}

TEST(ParseTime, RefusesEverythingElse) {
  for (const char* text : {"",
                           "2026-11-24",
                           "2026-11-24T03:23Z",
                           "2026-11-24T03:23:10",
                           "2026-11-24 03:23:10Z",
                           "2026-13-24T03:23:10Z",
                           "2026-02-29T03:23:10Z",
                           "2026-11-31T03:23:10Z",
                           "2026-11-24T24:00:00Z",
                           "2026-11-24T03:60:10Z",
                           "2026-11-24T03:23:60Z",
                           "2026-11-24T03:23:10.Z",
                           "2026-11-24T03:23:10+1:00",
                           "2026-11-24T03:23:10+24:00",
                           "2026-11-24T03:23:10+01:60",
                           "2026-11-24T03:23:10+0100",
                           "2026-11-24T03:23:10Zx",
                           " 2026-11-24T03:23:10Z",
                           "2026-11-24T03:23:10Z ",
                           "+026-11-24T03:23:10Z",
                           "2026-00-24T03:23:10Z",
                           "2026-11-00T03:23:10Z",
                           "2026/11/24T03:23:10Z"}) {
    EXPECT_FALSE(parse_time(text).has_value()) << text;
  }
}

TEST(FormatTime, SortsAsTimeDoes) {
  WallTime time = sys_days(year(2026) / 1 / 30);
  for (int step = 0; step < 2000; ++step) {
    const auto later = time + milliseconds(1) + seconds(step * 37);
    EXPECT_LT(format_time(time), format_time(later));
    EXPECT_EQ(parse_time(format_time(later)), later);
    time = later;
  }
}

TEST(ParseDuration, ReadsUnitsFromLargeToSmall) {
  EXPECT_EQ(parse_duration("90s"), seconds(90));
  EXPECT_EQ(parse_duration("30m"), minutes(30));
  EXPECT_EQ(parse_duration("24h"), hours(24));
  EXPECT_EQ(parse_duration("7d"), hours(168));
  EXPECT_EQ(parse_duration("1h30m"), minutes(90));
  EXPECT_EQ(parse_duration("1d2h3m4s"), seconds(93784));
  EXPECT_EQ(parse_duration("0h5s"), seconds(5));
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text : {"", "0s", "0h0m", "5", "s", "-5s", "+5s", "5 s", "1.5h", "30m1h", "1h1h",
                           "5w", "5S", "1h30", "99999999999s", "1h ", "\xC2\xB5s"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(FormatDuration, IsShortAndReadsBack) {
  EXPECT_EQ(format_duration(seconds(90)), "1m30s");
  EXPECT_EQ(format_duration(hours(36)), "36h");
  EXPECT_EQ(format_duration(minutes(90)), "1h30m");
  EXPECT_EQ(format_duration(hours(168)), "7d");
  EXPECT_EQ(format_duration(seconds(0)), "0s");
  EXPECT_EQ(format_duration(seconds(-5)), "0s");
  for (std::int64_t count = 1; count < 2'000'000; count = count * 3 + 1) {
    EXPECT_EQ(parse_duration(format_duration(seconds(count))), seconds(count)) << count;
  }
}

TEST(SystemClock, DoesNotSleepOnceStopped) {
  SystemClock clock;
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(clock.sleep_for(hours(1), source.get_token()));
  EXPECT_TRUE(clock.sleep_for(milliseconds(0), {}));
  const auto before = clock.monotonic_now();
  EXPECT_LE(before, clock.monotonic_now());
}

}  // namespace
}  // namespace bailey
