#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace bailey::openstack {

/// One listing for all who wait for things of one kind: while many servers are built, one of the
/// waiting threads asks for all of them and the others take its answer. Thread-safe.
///
/// The pauses follow what is waited for: a tenth of the youngest wait, at least 200 ms and four
/// times what a listing takes, at most 5 s. So a thing that is ready is seen after a tenth of its
/// time, and looking takes a fifth of a service's one worker at the most.
class Watch {
 public:
  /// Status by id.
  using Listing = std::map<std::string, std::string>;
  using List = std::function<Result<Listing>()>;
  /// Of one thing: its status, or null when the listing lacks it.
  using Done = std::function<bool(const std::string*)>;

  struct Wait {
    Clock& clock;
    std::stop_token stop;
    std::chrono::milliseconds limit;
    std::string awaited;  ///< For the failure: "server 12 to be built".
  };

  /// Returns once `done` holds in a listing that was asked for after this call. Fails with Timeout
  /// after the limit, with Cancelled when stopped, and with what the listing failed with.
  [[nodiscard]] Status until(const std::string& id, const Done& done, const List& list,
                             const Wait& wait);

 private:
  [[nodiscard]] std::chrono::milliseconds pause(MonotonicTime now, MonotonicTime began) const;
  [[nodiscard]] Status look(std::unique_lock<std::mutex>& lock, const List& list, const Wait& wait,
                            MonotonicTime began);

  std::mutex mutex_;
  std::condition_variable_any answered_;
  bool looking_ = false;
  std::uint64_t asked_ = 0;   ///< How many listings have been asked for.
  std::uint64_t number_ = 0;  ///< Which of them `last_` is.
  std::optional<Result<Listing>> last_;
  std::multiset<MonotonicTime> waits_;  ///< When each wait began.
  std::optional<MonotonicTime> ended_;  ///< When the last listing came.
  std::chrono::milliseconds took_{0};   ///< And how long it was on its way.
};

}  // namespace bailey::openstack
