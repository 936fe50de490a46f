#include "orchestrator/net/retry.hpp"

#include "orchestrator/net/http_date.hpp"

#include <algorithm>

namespace bailey {

namespace {

using std::chrono::milliseconds;

constexpr int kTooManyRequests = 429;
constexpr int kServiceUnavailable = 503;
constexpr std::size_t kMaxSecondsDigits = 9;

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

}  // namespace

Result<HttpResponse> send_with_retry(HttpClient& client, const HttpRequest& request, Repeat repeat,
                                     const RetryPolicy& policy, Clock& clock, Random& random,
                                     std::stop_token stop) {
  const auto end = clock.monotonic_now() + policy.deadline;
  const auto left = [&] {
    return std::chrono::duration_cast<milliseconds>(end - clock.monotonic_now());
  };
  HttpRequest attempt = request;
  for (int tries = 1;; ++tries) {
    attempt.timeout = std::min(request.timeout, std::max(left(), milliseconds(1)));
    auto result = client.send(attempt, stop);
    if (tries >= policy.attempts || !may_repeat(result, repeat)) return result;
    const auto floor = retry_after(result, clock).value_or(milliseconds(0));
    const auto time = left();
    if (floor >= time) return result;
    const auto wait = floor + jitter(policy, tries, is_rate_limited(result), random);
    if (wait >= time) return result;
    if (!clock.sleep_for(wait, stop)) {
      return fail(Error(ErrorKind::Cancelled, "stopped while waiting to try again"));
    }
  }
}

}  // namespace bailey
