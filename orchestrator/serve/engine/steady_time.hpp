#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace bailey {

/// The time by which lives are measured. It runs with the wall clock, and goes on at its own pace
/// when that is set back, also over a restart: setting a clock never lengthens a life. A clock that
/// is set ahead and back again leaves it ahead. Between two processes of one boot of the machine
/// the monotonic clock tells as well how long nobody ran. Thread-safe.
class SteadyTime {
 public:
  /// Both outlive it.
  SteadyTime(StateStore& store, Clock& clock) : store_(store), clock_(clock) {}

  /// Not within a transaction: once a minute it writes down where it is.
  [[nodiscard]] Result<WallTime> now();

  /// How often it could not be told how long nobody had run: the machine was started anew, and its
  /// wall clock stood before what was last seen. Whoever must not live a moment too long ends when
  /// this has grown. Not within a transaction.
  [[nodiscard]] Result<std::uint64_t> doubts();

 private:
  struct Mark {
    WallTime time;
    MonotonicTime at;
  };
  /// Reads where the process before was, and sets the first mark.
  [[nodiscard]] Status begin(WallTime wall, MonotonicTime monotonic);

  StateStore& store_;
  Clock& clock_;
  std::mutex mutex_;
  std::optional<Mark> mark_;
  std::optional<WallTime> written_;
  std::uint64_t doubts_ = 0;
};

}  // namespace bailey
