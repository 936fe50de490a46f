// (A) Provider code as C++20 coroutines over one libcurl multi loop.
#include "common.hpp"

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <vector>

// [support]
template <class T>
class Task {
 public:
  struct promise_type {
    struct FinalAwaiter {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        return self.promise().caller;
      }
      void await_resume() noexcept {}
    };

    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    FinalAwaiter final_suspend() noexcept { return {}; }
    void return_value(T result) { value.emplace(std::move(result)); }
    void unhandled_exception() { exception = std::current_exception(); }

    std::optional<T> value;
    std::exception_ptr exception;
    std::coroutine_handle<> caller = std::noop_coroutine();
  };

  Task(Task&& other) noexcept : self_(std::exchange(other.self_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (self_) self_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    self_.promise().caller = caller;
    return self_;
  }
  T await_resume() {
    if (self_.promise().exception) std::rethrow_exception(self_.promise().exception);
    return std::move(*self_.promise().value);
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> self) : self_(self) {}

  std::coroutine_handle<promise_type> self_;
};

// Starts at once and frees itself; the root of each chain of tasks.
struct Detached {
  struct promise_type {
    Detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

class Loop {
 public:
  class Send;
  class Sleep;

  Loop(std::string base, long max_connects)
      : base_(std::move(base)), multi_(make_multi(max_connects)) {}

  Send send(Request request, std::stop_token stop);
  Sleep sleep_for(milliseconds time, std::stop_token stop);

  // From any thread.
  void quit() {
    quit_ = true;
    curl_multi_wakeup(multi_.get());
  }

  void run() {
    while (!quit_) {
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      int left = 0;
      while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE) complete(message->easy_handle, message->data.result);
      }
      resume_cancelled();
      resume_timers();
      curl_multi_poll(multi_.get(), nullptr, 0, next_timeout(), nullptr);
    }
  }

 private:
  // One suspended wait; lives in the coroutine's frame.
  struct Operation {
    std::uint64_t id = 0;
    CURL* easy = nullptr;  // null: a timer
    Clock::time_point due;
    CURLcode code = CURLE_OK;
    bool cancelled = false;
    std::coroutine_handle<> waiter;
  };

  struct Canceller {
    Loop* loop;
    std::uint64_t id;
    void operator()() const {
      {
        std::lock_guard lock(loop->mutex_);
        loop->cancelled_.push_back(id);
      }
      curl_multi_wakeup(loop->multi_.get());
    }
  };

  class Wait {
   public:
    Wait(Loop& loop, std::stop_token stop) : loop_(loop), stop_(std::move(stop)) {}
    Wait(const Wait&) = delete;  // the operation's address is registered while suspended

    bool await_ready() {
      operation_.cancelled = stop_.stop_requested();
      return operation_.cancelled;
    }
    void await_suspend(std::coroutine_handle<> waiter) {
      operation_.waiter = waiter;
      loop_.add(operation_);
      on_stop_.emplace(stop_, Canceller{&loop_, operation_.id});
    }

   protected:
    Loop& loop_;
    std::stop_token stop_;
    Operation operation_;
    std::optional<std::stop_callback<Canceller>> on_stop_;
  };

  void add(Operation& operation) {
    operation.id = ++last_id_;
    pending_.emplace(operation.id, &operation);
    if (operation.easy != nullptr) {
      curl_easy_setopt(operation.easy, CURLOPT_PRIVATE, &operation);
      curl_multi_add_handle(multi_.get(), operation.easy);
    } else {
      timers_.emplace(operation.due, operation.id);
    }
  }

  void resume(Operation& operation) {
    pending_.erase(operation.id);
    if (operation.easy != nullptr) curl_multi_remove_handle(multi_.get(), operation.easy);
    operation.waiter.resume();
  }

  void complete(CURL* easy, CURLcode code) {
    Operation* operation = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &operation);
    operation->code = code;
    resume(*operation);
  }

  void resume_cancelled() {
    std::vector<std::uint64_t> ids;
    {
      std::lock_guard lock(mutex_);
      ids.swap(cancelled_);
    }
    for (const auto id : ids) {
      const auto found = pending_.find(id);
      if (found == pending_.end()) continue;
      found->second->cancelled = true;
      resume(*found->second);
    }
  }

  void resume_timers() {
    while (!timers_.empty() && timers_.begin()->first <= Clock::now()) {
      const auto found = pending_.find(timers_.begin()->second);
      timers_.erase(timers_.begin());
      if (found != pending_.end()) resume(*found->second);
    }
  }

  int next_timeout() const {
    if (timers_.empty()) return 1000;
    const auto left = std::chrono::ceil<milliseconds>(timers_.begin()->first - Clock::now());
    return left.count() < 0 ? 0 : left.count() > 1000 ? 1000 : static_cast<int>(left.count());
  }

  std::string base_;
  Multi multi_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, Operation*> pending_;
  std::multimap<Clock::time_point, std::uint64_t> timers_;
  std::mutex mutex_;
  std::vector<std::uint64_t> cancelled_;
  std::atomic<bool> quit_ = false;
};

class Loop::Send : public Loop::Wait {
 public:
  Send(Loop& loop, const Request& request, std::stop_token stop) : Wait(loop, std::move(stop)) {
    prepare(easy_.get(), loop.base_, request, &response_);
    operation_.easy = easy_.get();
  }

  Result<Response> await_resume() {
    if (operation_.cancelled) return cancelled_error();
    return finish(easy_.get(), operation_.code, std::move(response_));
  }

 private:
  Response response_;
  Easy easy_{curl_easy_init()};
};

class Loop::Sleep : public Loop::Wait {
 public:
  Sleep(Loop& loop, milliseconds time, std::stop_token stop) : Wait(loop, std::move(stop)) {
    operation_.due = Clock::now() + time;
  }

  bool await_resume() const { return !operation_.cancelled; }
};

Loop::Send Loop::send(Request request, std::stop_token stop) {
  return Send(*this, request, std::move(stop));
}

Loop::Sleep Loop::sleep_for(milliseconds time, std::stop_token stop) {
  return Sleep(*this, time, std::move(stop));
}
// [/support]

// [sequence]
Task<Result<std::string>> wait_until_ready(Loop& loop, std::string path, std::stop_token stop) {
  for (int poll = 0; poll < kMaxPolls; ++poll) {
    if (poll > 0 && !co_await loop.sleep_for(kPollPause, stop)) co_return cancelled_error();
    const auto state = co_await loop.send({"GET", path + "/state", ""}, stop);
    if (!state) co_return state.error();
    if (state->body == "ready") co_return path;
    if (state->body == "failed") co_return Error{"machine failed to start"};
  }
  co_return Error{"machine not ready in time"};
}

Task<Result<std::string>> create_machine(Loop& loop, std::string name, std::stop_token stop) {
  const auto created =
      co_await loop.send({"POST", "/machines", "{\"name\":\"" + name + "\"}"}, stop);
  if (!created) co_return created.error();
  const auto path = "/machines/" + created->body;
  const auto ready = co_await wait_until_ready(loop, path, stop);
  if (!ready) {
    co_await loop.send({"DELETE", path, ""}, stop);
    co_return ready.error();
  }
  const auto machine = co_await loop.send({"GET", path, ""}, stop);
  if (!machine) co_return machine.error();
  co_return machine->body;
}
// [/sequence]

Detached run_call(Loop& loop, std::string name, std::stop_token stop,
                  std::function<void(const Result<std::string>&)>& done) {
  const auto result = co_await create_machine(loop, name, stop);
  done(result);
}

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  curl_global_init(CURL_GLOBAL_ALL);
  const Baseline baseline;
  auto loop = std::make_unique<Loop>(options.base, options.max_connects);
  std::stop_source stop;
  std::mutex mutex;
  std::condition_variable all_done;
  Tally tally;
  std::function<void(const Result<std::string>&)> done = [&](const Result<std::string>& result) {
    std::lock_guard lock(mutex);
    tally.add(result);
    if (tally.total() == options.calls) all_done.notify_one();
  };
  std::thread thread([&] {
    for (int i = 0; i < options.calls; ++i) {
      run_call(*loop, "m" + std::to_string(i), stop.get_token(), done);
    }
    loop->run();
  });
  const auto finished = [&] { return tally.total() == options.calls; };
  std::unique_lock lock(mutex);
  auto stop_time = Clock::now();
  if (options.cancel_after_ms > 0 &&
      !all_done.wait_for(lock, milliseconds(options.cancel_after_ms), finished)) {
    lock.unlock();
    stop_time = Clock::now();
    stop.request_stop();
    lock.lock();
  }
  all_done.wait(lock, finished);
  lock.unlock();
  const double wall_ms = ms_since(baseline.start);
  const double returned_ms = ms_since(stop_time);
  loop->quit();
  thread.join();
  loop.reset();
  report(baseline, tally, wall_ms, returned_ms, ms_since(stop_time));
}
