#include "orchestrator/base/threads.hpp"

#include <condition_variable>
#include <pthread.h>
#include <utility>
#include <vector>

namespace bailey {

namespace {

/// Twice what was measured to suffice for a call, for the store's sake.
constexpr std::size_t kStackBytes = 512U * 1024;

class SystemWaitPoint final : public WaitPoint {
 public:
  bool wait(std::unique_lock<std::mutex>& lock, std::stop_token stop,
            std::optional<std::chrono::milliseconds> at_most) override {
    const auto woken = [this, before = wakes_] { return wakes_ != before; };
    if (!at_most) return woken_.wait(lock, std::move(stop), woken);
    return woken_.wait_for(lock, std::move(stop), *at_most, woken);
  }
  void wake_one() override {
    ++wakes_;
    woken_.notify_one();
  }
  void wake_all() override {
    ++wakes_;
    woken_.notify_all();
  }

 private:
  std::condition_variable_any woken_;
  std::uint64_t wakes_ = 0;
};

class SystemThread final : public Thread {
 public:
  explicit SystemThread(std::function<void()> body) : body_(std::move(body)) {}
  ~SystemThread() override {
    if (running_) pthread_join(thread_, nullptr);
  }
  SystemThread(const SystemThread&) = delete;
  SystemThread& operator=(const SystemThread&) = delete;

  [[nodiscard]] bool start() {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setstacksize(&attributes, kStackBytes);
    running_ = pthread_create(&thread_, &attributes, &enter, this) == 0;
    pthread_attr_destroy(&attributes);
    return running_;
  }

 private:
  static void* enter(void* self) {
    static_cast<SystemThread*>(self)->body_();
    return nullptr;
  }

  std::function<void()> body_;
  pthread_t thread_{};
  bool running_ = false;
};

class SystemThreads final : public Threads {
 public:
  std::unique_ptr<Thread> start(std::function<void()> body) override {
    auto thread = std::make_unique<SystemThread>(std::move(body));
    if (!thread->start()) return nullptr;
    return thread;
  }
  std::unique_ptr<WaitPoint> wait_point() override { return std::make_unique<SystemWaitPoint>(); }
};

}  // namespace

Threads& system_threads() {
  static SystemThreads threads;
  return threads;
}

void run_on_threads(Threads& threads, std::size_t count, const std::function<void()>& body) {
  std::vector<std::unique_ptr<Thread>> running;
  running.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto thread = threads.start(body);
    if (!thread) break;
    running.push_back(std::move(thread));
  }
  if (running.empty()) body();
}

}  // namespace bailey
