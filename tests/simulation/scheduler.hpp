#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/threads.hpp"
#include "tests/simulation/trace.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bailey::test {

/// Chance of one run; every draw happens on the turn of whoever draws.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// Uniform in [0, bound); `bound` > 0.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  /// Uniform in [from, to].
  int between(int from, int to) {
    return from + static_cast<int>(below(static_cast<std::uint64_t>(to - from + 1)));
  }
  VirtualTime time_between(VirtualTime from, VirtualTime to) {
    return from + VirtualTime(static_cast<std::int64_t>(
                      below(static_cast<std::uint64_t>((to - from).count() + 1))));
  }
  bool happens(double probability) {
    return static_cast<double>(engine_() >> 11U) * 0x1.0p-53 < probability;
  }

 private:
  std::mt19937_64 engine_;
};

/// One life of the program under test: threads that stop and end together.
struct Process {
  std::string name;
  bool frozen = false;  ///< SIGSTOP: none of its threads gets a turn.
  bool dead = false;    ///< SIGKILL: its doors to the world are shut, and its sleeps end at once.
};

/// Lets real threads run one at a time on a time of its own. Whoever would wait passes the turn; it
/// goes to one of those who can run, by the seed's choice, and when there is none the time moves on
/// to the next thing that will happen. Threads and not fibers: sanitizers, debuggers and
/// thread-locals work as they are, and a pass of the turn costs some microseconds.
class Scheduler {
 public:
  Scheduler(std::uint64_t seed, Trace& trace);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  [[nodiscard]] VirtualTime now() const { return now_; }

  /// Runs as the first task, for everything that is started in it.
  void run(const std::function<void()>& body);
  [[nodiscard]] std::unique_ptr<Thread> start(Process& process, std::function<void()> body);
  /// When the time has come, on nobody's turn. It must not wait.
  void at(VirtualTime time, std::function<void()> event);

  /// Others may go first.
  void yield();
  enum class Woken : std::uint8_t { ByOther, ByStop, ByTime };
  /// Until wake(), a request to stop or `until`.
  Woken block(std::stop_token stop, std::optional<VirtualTime> until);
  struct Task;
  [[nodiscard]] Task* current() const;
  void wake(Task* task);

  void freeze(Process& process, VirtualTime duration);
  /// Its tasks run to their end with every door shut.
  void kill(Process& process);
  [[nodiscard]] bool is_current_dead() const;

 private:
  class Handle;

  void pass_turn();
  void end_task(Task& task);
  [[nodiscard]] Task* choose();
  void move_time();
  [[noreturn]] void report_deadlock() const;

  Dice dice_;
  Trace& trace_;
  VirtualTime now_{0};
  Process outside_{"conductor"};
  std::vector<std::unique_ptr<Task>> tasks_;
  std::multimap<VirtualTime, std::function<void()>> events_;
  int started_ = 0;
};

/// The engine's doors to time and concurrency, for one process.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Scheduler& scheduler) : scheduler_(scheduler) {}
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] MonotonicTime monotonic_now() const override;
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) override;

 private:
  Scheduler& scheduler_;
};

class VirtualThreads final : public Threads {
 public:
  VirtualThreads(Scheduler& scheduler, Process& process)
      : scheduler_(scheduler), process_(process) {}
  std::unique_ptr<Thread> start(std::function<void()> body) override;
  std::unique_ptr<WaitPoint> wait_point() override;

 private:
  Scheduler& scheduler_;
  Process& process_;
};

}  // namespace bailey::test
