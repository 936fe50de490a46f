#pragma once

#include "orchestrator/base/clock.hpp"

#include <chrono>
#include <mutex>
#include <vector>

namespace bailey::test {

/// Time moves only when told to or when somebody sleeps: a sleep returns at once, moves both clocks
/// and is recorded, so that a test can assert a whole schedule.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime start = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4) +
                                      std::chrono::hours(10))
      : start_(start) {}

  [[nodiscard]] WallTime wall_now() const override {
    const std::lock_guard lock(mutex_);
    return start_ + elapsed_ - set_back_;
  }
  [[nodiscard]] MonotonicTime monotonic_now() const override {
    const std::lock_guard lock(mutex_);
    return MonotonicTime(elapsed_);
  }
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    const std::lock_guard lock(mutex_);
    sleeps_.push_back(duration);
    elapsed_ += duration;
    return true;
  }

  void advance(std::chrono::milliseconds duration) {
    const std::lock_guard lock(mutex_);
    elapsed_ += duration;
  }
  /// Somebody sets the wall clock back; time passes as before.
  void set_back(std::chrono::milliseconds duration) {
    const std::lock_guard lock(mutex_);
    set_back_ += duration;
  }
  [[nodiscard]] std::vector<std::chrono::milliseconds> sleeps() const {
    const std::lock_guard lock(mutex_);
    return sleeps_;
  }

 private:
  mutable std::mutex mutex_;
  WallTime start_;
  std::chrono::milliseconds elapsed_{0};
  std::chrono::milliseconds set_back_{0};
  std::vector<std::chrono::milliseconds> sleeps_;
};

}  // namespace bailey::test
