#include "tests/simulation/scheduler.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace bailey::test {

namespace {

/// Not std::binary_semaphore: libstdc++ 12's can sleep through a release (GCC bug 104928).
class Turn {
 public:
  void give() {
    const std::lock_guard lock(mutex_);
    given_ = true;
    changed_.notify_one();
  }
  void take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return given_; });
    given_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool given_ = false;
};

}  // namespace

struct Scheduler::Task {
  int number = 0;
  Process* process = nullptr;
  std::function<void()> body;
  std::thread thread;
  Turn turn;
  bool runnable = true;
  bool done = false;
  Woken woken = Woken::ByOther;
  std::optional<VirtualTime> until;
  Task* joiner = nullptr;
};

namespace {

thread_local Scheduler::Task* current_task = nullptr;

const WallTime kBegin = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4);

}  // namespace

class Scheduler::Handle final : public Thread {
 public:
  Handle(Scheduler& scheduler, Task& task) : scheduler_(scheduler), task_(task) {}
  ~Handle() override {
    while (!task_.done) {
      task_.joiner = scheduler_.current();
      scheduler_.block({}, {});
    }
    task_.thread.join();
    std::erase_if(scheduler_.tasks_, [&](const auto& each) { return each.get() == &task_; });
  }

 private:
  Scheduler& scheduler_;
  Task& task_;
};

Scheduler::Scheduler(std::uint64_t seed, Trace& trace) : dice_(seed), trace_(trace) {}
Scheduler::~Scheduler() = default;

Scheduler::Task* Scheduler::current() const {
  return current_task;
}

bool Scheduler::is_current_dead() const {
  return current_task != nullptr && current_task->process->dead;
}

void Scheduler::run(const std::function<void()>& body) {
  auto task = std::make_unique<Task>();
  task->process = &outside_;
  current_task = task.get();
  tasks_.push_back(std::move(task));
  body();
  tasks_.clear();
  events_.clear();
  current_task = nullptr;
}

std::unique_ptr<Thread> Scheduler::start(Process& process, std::function<void()> body) {
  auto owned = std::make_unique<Task>();
  auto& task = *owned;
  task.number = ++started_;
  task.process = &process;
  task.body = std::move(body);
  tasks_.push_back(std::move(owned));
  task.thread = std::thread([this, &task] {
    task.turn.take();
    current_task = &task;
    task.body();
    end_task(task);
  });
  return std::make_unique<Handle>(*this, task);
}

void Scheduler::end_task(Task& task) {
  task.done = true;
  task.runnable = false;
  if (task.joiner != nullptr) wake(task.joiner);
  choose()->turn.give();  // Nothing of the task may be touched from here on.
}

void Scheduler::at(VirtualTime time, std::function<void()> event) {
  events_.emplace(std::max(time, now_), std::move(event));
}

void Scheduler::pass_turn() {
  auto* self = current_task;
  auto* next = choose();
  if (next == self) return;
  next->turn.give();
  self->turn.take();
}

void Scheduler::yield() {
  pass_turn();
}

Scheduler::Woken Scheduler::block(std::stop_token stop, std::optional<VirtualTime> until) {
  auto* self = current_task;
  if (stop.stop_requested()) return Woken::ByStop;
  self->runnable = false;
  self->woken = Woken::ByOther;
  self->until = until;
  const std::stop_callback on_stop(std::move(stop), [this, self] {
    if (self->runnable) return;
    wake(self);
    self->woken = Woken::ByStop;
  });
  pass_turn();
  return self->woken;
}

void Scheduler::wake(Task* task) {
  if (task->runnable || task->done) return;
  task->runnable = true;
  task->until.reset();
  task->woken = Woken::ByOther;
}

Scheduler::Task* Scheduler::choose() {
  for (;;) {
    std::vector<Task*> able;
    for (const auto& task : tasks_) {
      if (task->runnable && !task->process->frozen) able.push_back(task.get());
    }
    if (able.size() == 1) return able[0];
    if (!able.empty()) return able[dice_.below(able.size())];
    move_time();
  }
}

void Scheduler::move_time() {
  std::optional<VirtualTime> next;
  if (!events_.empty()) next = events_.begin()->first;
  for (const auto& task : tasks_) {
    if (!task->until || task->process->frozen) continue;
    next = next ? std::min(*next, *task->until) : *task->until;
  }
  if (!next) report_deadlock();
  now_ = std::max(now_, *next);
  while (!events_.empty() && events_.begin()->first <= now_) {
    const auto event = std::move(events_.extract(events_.begin()).mapped());
    event();
  }
  for (const auto& task : tasks_) {
    if (!task->until || *task->until > now_ || task->process->frozen) continue;
    wake(task.get());
    task->woken = Woken::ByTime;
  }
}

void Scheduler::freeze(Process& process, VirtualTime duration) {
  if (process.dead || process.frozen) return;
  trace_.add(now_, "{} is stopped for {} ms", process.name, duration.count());
  process.frozen = true;
  at(now_ + duration, [this, &process] {
    if (!process.dead) trace_.add(now_, "{} goes on", process.name);
    process.frozen = false;
  });
  if (current_task->process == &process) yield();
}

void Scheduler::kill(Process& process) {
  if (process.dead) return;
  trace_.add(now_, "{} is killed", process.name);
  process.dead = true;
  process.frozen = false;
  for (const auto& task : tasks_) {
    if (task->process == &process && task->until) wake(task.get());
  }
}

void Scheduler::report_deadlock() const {
  std::fprintf(stderr, "everybody waits and nothing will happen\n%s", trace_.tail(60).c_str());
  std::abort();
}

WallTime VirtualClock::wall_now() const {
  return kBegin + scheduler_.now();
}

MonotonicTime VirtualClock::monotonic_now() const {
  return MonotonicTime(scheduler_.now());
}

bool VirtualClock::sleep_for(std::chrono::milliseconds duration, std::stop_token stop) {
  const auto end = scheduler_.now() + duration;
  while (scheduler_.now() < end) {
    if (stop.stop_requested() || scheduler_.is_current_dead()) return false;
    scheduler_.block(stop, end);
  }
  return !stop.stop_requested();
}

namespace {

class VirtualWaitPoint final : public WaitPoint {
 public:
  explicit VirtualWaitPoint(Scheduler& scheduler) : scheduler_(scheduler) {}

  bool wait(std::unique_lock<std::mutex>& lock, std::stop_token stop,
            std::optional<std::chrono::milliseconds> at_most) override {
    // A dead one does not wait for time to pass; for its own kind it does, since they end as well.
    if (at_most && scheduler_.is_current_dead()) return false;
    std::optional<VirtualTime> until;
    if (at_most) until = scheduler_.now() + *at_most;
    auto* self = scheduler_.current();
    waiting_.push_back(self);
    lock.unlock();
    const auto woken = scheduler_.block(std::move(stop), until);
    lock.lock();
    std::erase(waiting_, self);
    return woken == Scheduler::Woken::ByOther;
  }
  void wake_one() override {
    if (waiting_.empty()) return;
    scheduler_.wake(waiting_.front());
    waiting_.erase(waiting_.begin());
  }
  void wake_all() override {
    for (auto* task : waiting_) scheduler_.wake(task);
    waiting_.clear();
  }

 private:
  Scheduler& scheduler_;
  std::vector<Scheduler::Task*> waiting_;
};

}  // namespace

std::unique_ptr<Thread> VirtualThreads::start(std::function<void()> body) {
  return scheduler_.start(process_, std::move(body));
}

std::unique_ptr<WaitPoint> VirtualThreads::wait_point() {
  return std::make_unique<VirtualWaitPoint>(scheduler_);
}

}  // namespace bailey::test
