#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

namespace bailey {

/// Where threads wait for each other. All functions are called with the lock held that guards what
/// is waited for.
class WaitPoint {
 public:
  virtual ~WaitPoint() = default;
  /// Lets go of `lock` until it is woken, a request to stop, or the end of `at_most`, and has it
  /// again on return. True when it was woken.
  virtual bool wait(std::unique_lock<std::mutex>& lock, std::stop_token stop,
                    std::optional<std::chrono::milliseconds> at_most = {}) = 0;
  virtual void wake_one() = 0;
  virtual void wake_all() = 0;
};

/// One that runs. Its end is waited for when it is destroyed.
class Thread {
 public:
  virtual ~Thread() = default;
};

/// The only source of concurrency in provisioning, as Clock is of time: code that starts threads or
/// lets them wait for each other does it here, so that a test can decide whose turn it is.
/// Implementations are safe to call from any thread.
class Threads {
 public:
  virtual ~Threads() = default;
  /// Runs `body`, which does not throw. Null when the system has no thread left.
  [[nodiscard]] virtual std::unique_ptr<Thread> start(std::function<void()> body) = 0;
  [[nodiscard]] virtual std::unique_ptr<WaitPoint> wait_point() = 0;
};

/// Threads with a small stack each. Provider calls block, and hundreds may: what they need is
/// address space, not memory (tests/bench/waiting).
[[nodiscard]] Threads& system_threads();

/// Runs `body` on up to `count` threads and returns when all have ended. When the system has no
/// thread left, fewer run it; at worst the caller does.
void run_on_threads(Threads& threads, std::size_t count, const std::function<void()>& body);

}  // namespace bailey
