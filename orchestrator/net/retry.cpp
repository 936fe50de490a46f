#include "orchestrator/net/retry.hpp"

#include "orchestrator/net/http_date.hpp"

#include <algorithm>

namespace bailey {

namespace {

using std::chrono::milliseconds;

constexpr int kTooManyRequests = 429;
constexpr int kServiceUnavailable = 503;
constexpr std::size_t kMaxSecondsDigits = 9;
// Over which those who wait for one breaker come back: all at once they would be the next outage.
constexpr milliseconds kSpread{5'000};

std::optional<milliseconds> retry_after(const HttpResponse& response, const Clock& clock) {
  const auto text = response.header("retry-after");
  if (!text || text->empty()) return std::nullopt;
  if (std::all_of(text->begin(), text->end(), [](char c) { return c >= '0' && c <= '9'; })) {
    // A longer number is beyond every deadline, whatever it is.
    if (text->size() > kMaxSecondsDigits) return milliseconds::max();
    return std::chrono::seconds(std::stol(*text));
  }
  const auto date = parse_http_date(*text);
  if (!date) return std::nullopt;
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*date - clock.wall_now()));
}

std::optional<milliseconds> retry_after(const Result<HttpResponse>& result, const Clock& clock) {
  return result ? retry_after(*result, clock) : result.error().retry_after();
}

bool is_rate_limited(const Result<HttpResponse>& result) {
  return result ? result->status == kTooManyRequests
                : result.error().kind() == ErrorKind::RateLimited;
}

bool may_repeat(const Result<HttpResponse>& result, Repeat repeat) {
  const bool safe = repeat == Repeat::Safe;
  if (!result)
    return result.error().retryable() && (safe || result.error().kind() != ErrorKind::Timeout);
  switch (result->status) {
    case kTooManyRequests:
      return true;
    case kServiceUnavailable:
      // With a Retry-After it is the service that refused; without, it may be a proxy that lost
      // the answer of one that acted.
      return safe || result->header("retry-after").has_value();
    case 500:
    case 502:
    case 504:
      return safe;
    default:
      return false;
  }
}

milliseconds jitter(const RetryPolicy& policy, int failures, bool rate_limited, Random& random) {
  auto ceiling = std::max(policy.base, milliseconds(1));
  for (int i = 1; i < failures && ceiling < policy.cap; ++i) ceiling *= 2;
  ceiling = std::clamp(ceiling, milliseconds(1), std::max(policy.cap, milliseconds(1)));
  const auto floor = rate_limited ? ceiling / 2 : milliseconds(0);
  const auto span = static_cast<std::uint64_t>((ceiling - floor).count());
  return floor + milliseconds(random.below(span + 1));
}

bool tells_of_trouble(const Result<HttpResponse>& result) {
  if (!result) return result.error().retryable() && !is_rate_limited(result);
  return result->status == 500 || (result->status >= 502 && result->status <= 504);
}

/// One call with its repetitions.
class Sending {
 public:
  Sending(const Doors& doors, const HttpRequest& request, const RetryPolicy& policy,
          const std::stop_token& stop)
      : doors_(doors),
        policy_(policy),
        stop_(stop),
        attempt_(request),
        timeout_(request.timeout),
        origin_(origin_of(request.url)),
        end_(doors.clock.monotonic_now() + policy.deadline) {}

  Result<HttpResponse> run(Repeat repeat) {
    auto result = attempt();
    if (result && !tells_of_trouble(result)) doors_.health.reward_success();
    for (int tries = 1;; ++tries) {
      if (tries >= policy_.attempts || !may_repeat(result, repeat)) return result;
      const auto floor = retry_after(result, doors_.clock).value_or(milliseconds(0));
      if (floor >= left()) return result;
      const auto wait = floor + jitter(policy_, tries, is_rate_limited(result), doors_.random);
      if (wait >= left() || !doors_.health.take_retry()) return result;
      if (!doors_.clock.sleep_for(wait, stop_)) return stopped();
      result = attempt();
      if (result && !tells_of_trouble(result)) doors_.health.give_back_retry();
    }
  }

 private:
  /// Once the service may be asked.
  Result<HttpResponse> attempt() {
    for (;;) {
      const auto closed = doors_.health.admit(origin_, doors_.clock.monotonic_now());
      if (closed.count() == 0) break;
      const auto spread = static_cast<std::uint64_t>(kSpread.count());
      const auto wait = closed + milliseconds(doors_.random.below(spread + 1));
      if (wait >= left()) {
        return fail(Error(ErrorKind::Unavailable,
                          "nothing was sent: " + origin_ + " has failed too often of late")
                        .with_retry_after(closed));
      }
      if (!doors_.clock.sleep_for(wait, stop_)) return stopped();
    }
    attempt_.timeout = std::min(timeout_, std::max(left(), milliseconds(1)));
    auto result = doors_.http.send(attempt_, stop_);
    if (!result && !result.error().retryable()) {
      doors_.health.withdraw(origin_);
    } else {
      doors_.health.note(origin_, tells_of_trouble(result), doors_.clock.monotonic_now());
    }
    return result;
  }

  milliseconds left() const {
    return std::chrono::duration_cast<milliseconds>(end_ - doors_.clock.monotonic_now());
  }
  static tl::unexpected<Error> stopped() {
    return fail(Error(ErrorKind::Cancelled, "stopped while waiting to try again"));
  }

  const Doors& doors_;
  const RetryPolicy& policy_;
  const std::stop_token& stop_;
  HttpRequest attempt_;
  milliseconds timeout_;
  std::string origin_;
  MonotonicTime end_;
};

}  // namespace

Result<HttpResponse> send_with_retry(const Doors& doors, const HttpRequest& request, Repeat repeat,
                                     const RetryPolicy& policy, std::stop_token stop) {
  return Sending(doors, request, policy, stop).run(repeat);
}

}  // namespace bailey
