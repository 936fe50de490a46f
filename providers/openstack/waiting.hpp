#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

namespace bailey::openstack {

/// The pauses between two looks at something that takes its time: 200 ms, then a quarter longer
/// each time, up to 5 s, for `limit` in all. So a look comes late by a tenth of the wait, on
/// average.
class Patience {
 public:
  Patience(Clock& clock, std::stop_token stop, std::chrono::milliseconds limit);
  /// Fails with Cancelled when stopped, and with Timeout once the limit has passed.
  [[nodiscard]] Status wait(const std::string& awaited);

 private:
  Clock& clock_;
  std::stop_token stop_;
  MonotonicTime end_;
  std::chrono::milliseconds pause_{200};
};

/// Repeats what fails with Conflict because others are still letting go of the thing: ports of a
/// server that has just been deleted. Gives back the last Conflict after about twelve seconds.
[[nodiscard]] Status while_in_use(Clock& clock, const std::stop_token& stop,
                                  const std::function<Status()>& act);

}  // namespace bailey::openstack
