#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/base/threads.hpp"
#include "orchestrator/net/send_window.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace bailey {

inline constexpr std::chrono::seconds kDefaultLeaseTtl{60};
/// So long before its lease ends a holder has given up what it sent: what is still on its way then
/// has time to arrive.
inline constexpr std::chrono::seconds kLeaseMargin{2};

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

/// A store as the holder of a lease may write it: every write transaction begins with
/// check_fence(), so that nothing is written any more once somebody else has the lease.
class FencedStore final : public StateStore {
 public:
  /// The store outlives it.
  FencedStore(StateStore& store, Fence fence) : store_(store), fence_(std::move(fence)) {}
  Result<std::unique_ptr<Transaction>> begin(Access access) override;

 private:
  StateStore& store_;
  Fence fence_;
};

/// Until when a lease surely holds, less kLeaseMargin: by the wall clock, by which it is given to
/// others, and by the monotonic one; the earlier counts. Any thread.
class LeaseTerm final : public SendWindow {
 public:
  /// Over from the start. The clock outlives it.
  explicit LeaseTerm(Clock& clock) : clock_(clock) {}
  [[nodiscard]] std::chrono::milliseconds remaining() const override;

  /// Read before the store is asked, so that the time that it takes counts against the term.
  struct Moment {
    MonotonicTime monotonic;
    WallTime wall;
  };
  [[nodiscard]] Moment now() const { return {clock_.monotonic_now(), clock_.wall_now()}; }
  void hold_until(const Moment& asked, WallTime expires_at);
  void end();

 private:
  Clock& clock_;
  mutable std::mutex mutex_;
  std::optional<Moment> until_;
};

struct Heartbeat {
  /// Nothing: a third of the lease's time to live.
  std::optional<std::chrono::milliseconds> interval = {};
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
  /// For SendingWithin, in each thread that acts under the lease. A holder that was held up (a
  /// stopped process, a suspended machine) finds it over before lost() can have told it.
  [[nodiscard]] std::shared_ptr<const SendWindow> term() const noexcept { return term_; }
  /// Says so at once, for a writer that met the fence first.
  void give_up() noexcept;

 private:
  void run();
  void look_up();
  [[nodiscard]] Status renew();
  [[nodiscard]] std::chrono::milliseconds age() const;

  StateStore& store_;
  Clock& clock_;
  Fence fence_;
  std::chrono::milliseconds interval_ = kDefaultLeaseTtl / 3;
  std::shared_ptr<LeaseTerm> term_;
  std::stop_source lost_;
  std::stop_source ended_;
  mutable std::mutex mutex_;
  MonotonicTime kept_{};  ///< When it was given or renewed; from then on for three intervals.
  std::unique_ptr<WaitPoint> beat_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace bailey
