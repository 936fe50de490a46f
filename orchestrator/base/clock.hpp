#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace bailey {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using MonotonicTime = std::chrono::steady_clock::time_point;

/// The only source of time in the program. Code that waits must wait here, so that a test can run
/// a day of backoff in a microsecond. Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// For timestamps shown to people or stored. May jump.
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  /// For measuring intervals. Never goes back.
  [[nodiscard]] virtual MonotonicTime monotonic_now() const = 0;
  /// Returns false when `stop` was requested before the time had passed.
  virtual bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] MonotonicTime monotonic_now() const override;
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) override;
};

/// RFC 3339 in UTC with milliseconds: `2026-11-24T03:23:10.000Z`. Sorts as text.
[[nodiscard]] std::string format_time(WallTime time);
/// Reads RFC 3339 with `Z` or an offset; fractions beyond milliseconds are dropped.
[[nodiscard]] std::optional<WallTime> parse_time(std::string_view text);

/// Reads `90s`, `30m`, `24h`, `7d` or a sum such as `1h30m`. Positive whole numbers only.
[[nodiscard]] std::optional<std::chrono::seconds> parse_duration(std::string_view text);
/// The shortest such spelling: `36h`, `90s`, `1h30m`.
[[nodiscard]] std::string format_duration(std::chrono::seconds duration);

}  // namespace bailey
