#include "orchestrator/net/limited_http_client.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace bailey {

using std::chrono::nanoseconds;

struct LimitedHttpClient::State {
  struct Waiting {
    std::condition_variable_any turn;
    std::optional<MonotonicTime> start;
  };

  int concurrency;
  nanoseconds interval;  // between two starts

  std::mutex mutex;
  std::deque<Waiting*> queue;
  int in_flight = 0;
  std::optional<MonotonicTime> next_start;

  // Takes a place in flight, in the order of arrival, and gives the time to start at; nothing when
  // stopped first.
  std::optional<MonotonicTime> enter(Clock& clock, const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    Waiting own;
    queue.push_back(&own);
    admit(clock);
    if (!own.turn.wait(lock, stop, [&] { return own.start.has_value(); })) {
      std::erase(queue, &own);
    }
    return own.start;
  }

  void leave(Clock& clock) {
    const std::lock_guard lock(mutex);
    --in_flight;
    admit(clock);
  }

 private:
  // Wakes only those whose turn it is: to wake hundreds for each request takes longer than it.
  void admit(Clock& clock) {
    while (!queue.empty() && in_flight < concurrency) {
      auto& next = *queue.front();
      queue.pop_front();
      ++in_flight;
      next.start = clock.monotonic_now();
      if (next_start) next.start = std::max(*next.start, *next_start);
      next_start = *next.start + interval;
      next.turn.notify_one();
    }
  }
};

namespace {

nanoseconds interval_of(int requests_per_second) {
  if (requests_per_second <= 0) return nanoseconds(0);
  return nanoseconds(std::chrono::seconds(1)) / requests_per_second;
}

}  // namespace

LimitedHttpClient::LimitedHttpClient(HttpClient& inner, Clock& clock, int concurrency,
                                     int requests_per_second)
    : inner_(inner), clock_(clock), state_(std::make_unique<State>()) {
  state_->concurrency = std::max(concurrency, 1);
  state_->interval = interval_of(requests_per_second);
}

LimitedHttpClient::~LimitedHttpClient() = default;

Result<HttpResponse> LimitedHttpClient::send(const HttpRequest& request, std::stop_token stop) {
  const auto cancelled = [] {
    return fail(ErrorKind::Cancelled, "stopped while waiting for a turn");
  };
  if (stop.stop_requested()) return cancelled();
  const auto start = state_->enter(clock_, stop);
  if (!start) return cancelled();
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*start - clock_.monotonic_now());
  if (wait.count() > 0 && !clock_.sleep_for(wait, stop)) {
    state_->leave(clock_);
    return cancelled();
  }
  auto result = inner_.send(request, stop);
  state_->leave(clock_);
  return result;
}

}  // namespace bailey
