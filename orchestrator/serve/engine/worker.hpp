#pragma once

#include "orchestrator/serve/engine/backoff.hpp"
#include "orchestrator/serve/engine/execute_change.hpp"
#include "orchestrator/serve/engine/progress.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace bailey {

/// Moves changes on: plans stale ones anew, judges the waiting ones, executes those whose gate is
/// met, takes up what a crash left behind, and carries on with a destroy that could not end, again
/// and again and ever more seldom. One thread looks; each change that is executed has a thread of
/// its own. What ends sandboxes is not among them: see Housekeeper. Stopping finishes what is in
/// flight at the provider and starts nothing.
class Worker {
 public:
  explicit Worker(Engine& engine);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Look now rather than at the next tick: something has changed.
  void wake();
  /// Executes a change that an operator has claimed.
  void execute(Claim claim);
  /// Nothing unless this worker is executing it.
  [[nodiscard]] std::optional<Progress> progress(const ChangeId& id) const;

 private:
  struct Executor {
    std::shared_ptr<std::atomic<bool>> done;
    std::jthread thread;
  };

  void run(std::stop_token stop);
  void look(std::stop_token stop);
  void consider(const Change& change, std::stop_token stop);
  void carry_on(const Change& change);
  void judge_waiting(const Change& change, std::stop_token stop);
  void forget(const ChangeId& id);
  [[nodiscard]] bool runs(const ChangeId& id) const;

  Engine& engine_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool woken_ = false;
  std::map<ChangeId, std::shared_ptr<ProgressTracker>> running_;
  std::map<ChangeId, MonotonicTime> retry_at_;
  MonotonicTime rollbacks_at_{};  ///< When those that are due are looked at again.
  std::map<ChangeId, Backoff> destroys_;
  std::vector<Executor> executors_;
  std::jthread thread_;
};

}  // namespace bailey
