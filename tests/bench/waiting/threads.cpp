// Blocking provider code on a bounded pool of small-stack threads.
//   --mode shared  (B) requests go to one libcurl multi I/O thread, the caller waits
//   --mode plain   (C) each thread performs its own curl_easy transfer
#include "common.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <pthread.h>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <vector>

class Http {
 public:
  virtual ~Http() = default;
  virtual Result<Response> send(const Request& request, std::stop_token stop) = 0;
};

// False if a stop was requested before the time was over.
bool sleep_for(milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

// [sequence]
Result<std::string> wait_until_ready(Http& http, const std::string& path, std::stop_token stop) {
  for (int poll = 0; poll < kMaxPolls; ++poll) {
    if (poll > 0 && !sleep_for(kPollPause, stop)) return cancelled_error();
    const auto state = http.send({"GET", path + "/state", ""}, stop);
    if (!state) return state.error();
    if (state->body == "ready") return path;
    if (state->body == "failed") return Error{"machine failed to start"};
  }
  return Error{"machine not ready in time"};
}

Result<std::string> create_machine(Http& http, std::string name, std::stop_token stop) {
  const auto created = http.send({"POST", "/machines", "{\"name\":\"" + name + "\"}"}, stop);
  if (!created) return created.error();
  const auto path = "/machines/" + created->body;
  const auto ready = wait_until_ready(http, path, stop);
  if (!ready) {
    http.send({"DELETE", path, ""}, stop);
    return ready.error();
  }
  const auto machine = http.send({"GET", path, ""}, stop);
  if (!machine) return machine.error();
  return machine->body;
}
// [/sequence]

// [support]
class SharedLoopHttp : public Http {
 public:
  SharedLoopHttp(std::string base, long max_connects)
      : base_(std::move(base)), multi_(make_multi(max_connects)), thread_([this] { run(); }) {}

  ~SharedLoopHttp() override {
    quit_ = true;
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }

  Result<Response> send(const Request& request, std::stop_token stop) override {
    if (stop.stop_requested()) return cancelled_error();
    auto transfer = std::make_shared<Transfer>();
    prepare(transfer->easy.get(), base_, request, &transfer->response);
    post({transfer, false});
    {
      std::unique_lock lock(transfer->mutex);
      if (transfer->wake.wait(lock, stop, [&] { return transfer->done; })) {
        return finish(transfer->easy.get(), transfer->code, std::move(transfer->response));
      }
    }
    post({transfer, true});  // the I/O thread lets go of it; nobody has to wait for that
    return cancelled_error();
  }

 private:
  struct Transfer {
    Easy easy{curl_easy_init()};
    Response response;
    std::mutex mutex;
    std::condition_variable_any wake;
    CURLcode code = CURLE_OK;
    bool done = false;
  };
  struct Command {
    std::shared_ptr<Transfer> transfer;
    bool remove;
  };

  void post(Command command) {
    {
      std::lock_guard lock(mutex_);
      commands_.push_back(std::move(command));
    }
    curl_multi_wakeup(multi_.get());
  }

  void run() {
    while (!quit_) {
      apply_commands();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      int left = 0;
      while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE) complete(message->easy_handle, message->data.result);
      }
      curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
    }
    apply_commands();
    for (auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_.get(), easy);
    active_.clear();
  }

  void apply_commands() {
    std::vector<Command> commands;
    {
      std::lock_guard lock(mutex_);
      commands.swap(commands_);
    }
    for (auto& [transfer, remove] : commands) {
      CURL* easy = transfer->easy.get();
      if (!remove) {
        active_.emplace(easy, std::move(transfer));
        curl_multi_add_handle(multi_.get(), easy);
      } else if (active_.erase(easy) > 0) {
        curl_multi_remove_handle(multi_.get(), easy);
      }
    }
  }

  void complete(CURL* easy, CURLcode code) {
    curl_multi_remove_handle(multi_.get(), easy);
    const auto node = active_.extract(easy);
    auto& transfer = *node.mapped();
    std::lock_guard lock(transfer.mutex);
    transfer.code = code;
    transfer.done = true;
    transfer.wake.notify_one();
  }

  std::string base_;
  Multi multi_;
  std::mutex mutex_;
  std::vector<Command> commands_;
  std::unordered_map<CURL*, std::shared_ptr<Transfer>> active_;  // I/O thread only
  std::atomic<bool> quit_ = false;
  std::thread thread_;
};

class Pool {
 public:
  Pool(int threads, size_t stack_bytes) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    for (int i = 0; i < threads; ++i) {
      pthread_t thread;
      if (pthread_create(&thread, &attributes, &Pool::entry, this) != 0) break;
      threads_.push_back(thread);
    }
    pthread_attr_destroy(&attributes);
    if (threads_.empty()) throw std::runtime_error("no pool thread could be created");
  }

  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      quit_ = true;
    }
    wake_.notify_all();
    for (const auto thread : threads_) pthread_join(thread, nullptr);
  }

  void submit(std::function<void()> job) {
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

 private:
  static void* entry(void* self) {
    static_cast<Pool*>(self)->work();
    return nullptr;
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return quit_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<pthread_t> threads_;
  bool quit_ = false;
};
// [/support]

class PlainHttp : public Http {
 public:
  explicit PlainHttp(std::string base) : base_(std::move(base)) {}

  Result<Response> send(const Request& request, std::stop_token stop) override {
    if (stop.stop_requested()) return cancelled_error();
    thread_local Easy easy(curl_easy_init());  // keeps this thread's connection open
    curl_easy_reset(easy.get());
    Response response;
    prepare(easy.get(), base_, request, &response);
    curl_easy_setopt(easy.get(), CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy.get(), CURLOPT_XFERINFOFUNCTION, &PlainHttp::progress);
    curl_easy_setopt(easy.get(), CURLOPT_XFERINFODATA, &stop);
    const auto code = curl_easy_perform(easy.get());
    if (code == CURLE_ABORTED_BY_CALLBACK) return cancelled_error();
    return finish(easy.get(), code, std::move(response));
  }

 private:
  static int progress(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<std::stop_token*>(stop)->stop_requested() ? 1 : 0;
  }

  std::string base_;
};

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  curl_global_init(CURL_GLOBAL_ALL);
  const Baseline baseline;
  std::unique_ptr<Http> http;
  if (options.mode == "plain") {
    http = std::make_unique<PlainHttp>(options.base);
  } else {
    http = std::make_unique<SharedLoopHttp>(options.base, options.max_connects);
  }
  std::stop_source stop;
  std::mutex mutex;
  std::condition_variable all_done;
  Tally tally;
  auto pool = std::make_unique<Pool>(options.calls, static_cast<size_t>(options.stack_kib) * 1024);
  for (int i = 0; i < options.calls; ++i) {
    pool->submit([&, i] {
      const auto result = create_machine(*http, "m" + std::to_string(i), stop.get_token());
      std::lock_guard lock(mutex);
      tally.add(result);
      if (tally.total() == options.calls) all_done.notify_one();
    });
  }
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
  pool.reset();
  http.reset();
  report(baseline, tally, wall_ms, returned_ms, ms_since(stop_time));
}
