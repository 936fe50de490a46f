#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <mutex>
#include <optional>

namespace bailey {

/// The time by which lives are measured. It runs with the wall clock, and goes on at its own pace
/// when that is set back, also over a restart: setting a clock never lengthens a life. A clock that
/// is set ahead and back again leaves it ahead. Thread-safe.
class SteadyTime {
 public:
  /// Both outlive it.
  SteadyTime(StateStore& store, Clock& clock) : store_(store), clock_(clock) {}

  /// Not within a transaction: once a minute it writes down where it is.
  [[nodiscard]] Result<WallTime> now();

 private:
  struct Mark {
    WallTime time;
    MonotonicTime at;
  };
  [[nodiscard]] Result<WallTime> last_known(WallTime wall);

  StateStore& store_;
  Clock& clock_;
  std::mutex mutex_;
  std::optional<Mark> mark_;
  std::optional<WallTime> written_;
};

}  // namespace bailey
