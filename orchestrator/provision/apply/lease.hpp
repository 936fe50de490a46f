#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/base/threads.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

namespace bailey {

inline constexpr std::chrono::seconds kDefaultLeaseTtl{60};

/// Proof of having the lease of an environment. `epoch` grows with every acquisition, so that
/// whoever had it before is refused by the next write it tries.
struct Fence {
  std::string environment;
  std::uint64_t epoch = 0;
  bool operator==(const Fence&) const = default;
};

/// The lease is the record Collection::Setting `lease/<environment>`,
/// `{holder, epoch, expires_at, ttl_seconds}`. Conflict, code `lease.held`, while anybody has an
/// unexpired one, the same holder included. Nothing takes a lease away by hand: it expires.
[[nodiscard]] Result<Fence> acquire_lease(Transaction& transaction, const std::string& environment,
                                          const std::string& holder, std::chrono::seconds ttl,
                                          WallTime now);
/// Conflict, code `lease.lost`, when somebody else acquired it since or it was released. An expired
/// lease that nobody took is still ours and is extended. Success: two thirds of it are left at
/// least.
[[nodiscard]] Status renew_lease(Transaction& transaction, const Fence& fence, WallTime now);
/// As renew_lease(), without extending: for writing down what already happened.
[[nodiscard]] Status check_fence(Transaction& transaction, const Fence& fence);
/// Ends the lease; a lost one is left to whoever has it now.
[[nodiscard]] Status release_lease(Transaction& transaction, const Fence& fence);

struct Heartbeat {
  std::chrono::milliseconds interval = kDefaultLeaseTtl / 3;
  Threads& threads = system_threads();
};

/// Renews a lease from a thread of its own until destroyed. It does not release it.
class LeaseKeeper {
 public:
  /// The references outlive it.
  LeaseKeeper(StateStore& store, Clock& clock, Fence fence, Heartbeat heartbeat = {});
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  /// Stop is requested once the lease is lost, or could not be renewed before it ran out: whatever
  /// is under way must end.
  [[nodiscard]] std::stop_token lost() const noexcept { return lost_.get_token(); }
  /// The lease is ours for long enough that a call which starts now comes to its end, renewed here
  /// when that was not sure. Asked right before each remote act: a process that was stopped for a
  /// while does not know. Conflict, code `lease.lost`, or whatever the store failed with. Any
  /// thread.
  [[nodiscard]] Status confirm();
  /// Says so at once, for a writer that met the fence first.
  void give_up() noexcept { lost_.request_stop(); }

 private:
  void run();
  [[nodiscard]] Status renew();
  [[nodiscard]] std::chrono::milliseconds age() const;

  StateStore& store_;
  Clock& clock_;
  Fence fence_;
  std::chrono::milliseconds interval_;
  std::stop_source lost_;
  std::stop_source ended_;
  mutable std::mutex mutex_;
  MonotonicTime kept_;  ///< When it was ours for sure; from then on for two intervals at least.
  std::unique_ptr<WaitPoint> beat_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace bailey
