#pragma once

#include "orchestrator/base/clock.hpp"

#include <algorithm>
#include <chrono>

namespace bailey {

/// When something that fails is to be tried again: after 10 seconds, and twice as long each time,
/// up to an hour.
class Backoff {
 public:
  [[nodiscard]] bool due(MonotonicTime now) const { return now >= next_; }
  void failed(MonotonicTime now) {
    next_ = now + pause_;
    pause_ = std::min(pause_ * 2, kLongest);
  }

 private:
  static constexpr std::chrono::seconds kFirst{10};
  static constexpr std::chrono::seconds kLongest{3600};
  MonotonicTime next_{};
  std::chrono::seconds pause_ = kFirst;
};

}  // namespace bailey
