#include "orchestrator/net/limited_http_client.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace bailey {

using std::chrono::nanoseconds;

struct LimitedHttpClient::State {
  int concurrency;
  nanoseconds interval;  // between two starts

  std::mutex mutex;
  std::condition_variable_any turn;
  std::deque<std::uint64_t> queue;
  std::uint64_t next_ticket = 0;
  int in_flight = 0;
  std::optional<MonotonicTime> next_start;

  // Takes a place in flight, in the order of arrival; false when stopped first. Gives the time to
  // start at.
  bool enter(Clock& clock, const std::stop_token& stop, MonotonicTime& start) {
    std::unique_lock lock(mutex);
    const auto ticket = next_ticket++;
    queue.push_back(ticket);
    const bool admitted =
        turn.wait(lock, stop, [&] { return queue.front() == ticket && in_flight < concurrency; });
    std::erase(queue, ticket);
    if (admitted) {
      ++in_flight;
      start = clock.monotonic_now();
      if (next_start) start = std::max(start, *next_start);
      next_start = start + interval;
    }
    lock.unlock();
    turn.notify_all();  // whoever stood behind is first now
    return admitted;
  }

  void leave() {
    {
      const std::lock_guard lock(mutex);
      --in_flight;
    }
    turn.notify_all();
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
  MonotonicTime start;
  if (!state_->enter(clock_, stop, start)) return cancelled();
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(start - clock_.monotonic_now());
  if (wait.count() > 0 && !clock_.sleep_for(wait, stop)) {
    state_->leave();
    return cancelled();
  }
  auto result = inner_.send(request, stop);
  state_->leave();
  return result;
}

}  // namespace bailey
