#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/net/http_client.hpp"
#include "orchestrator/net/service_health.hpp"

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace bailey {

/// `Never`: a repeated call could act twice, so only refusals that prove that nothing happened (no
/// connection, 429, 503 with Retry-After) are tried again. `Safe`: reads and idempotent writes;
/// lost answers, 500, 502, 503 and 504 are tried again too.
enum class Repeat : std::uint8_t { Never, Safe };

struct RetryPolicy {
  int attempts = 5;
  std::chrono::milliseconds base{200};
  std::chrono::milliseconds cap{20'000};
  std::chrono::milliseconds deadline{120'000};  ///< Over all attempts and waits.
};

/// What calls to the services of one account go through. The references outlive it.
struct Doors {
  HttpClient& http;
  ServiceHealth& health;
  Clock& clock;
  Random& random;
};

/// Sends, and sends again what may succeed later. The wait is full jitter below base * 2^n, capped;
/// after 429 at least half of that, since everybody was told so at once. A Retry-After (seconds or
/// HTTP date) is a floor to which the jitter is added; a wait that would pass the deadline gives up
/// at once. No request gets more time than is left. Nothing is sent again once the account's budget
/// of retries is spent, and nothing at all to a service while its breaker is open: that is waited
/// for as well, within the deadline. Returns the last answer or failure, Unavailable when nothing
/// could be sent in time, and Cancelled when stopped while waiting.
[[nodiscard]] Result<HttpResponse> send_with_retry(const Doors& doors, const HttpRequest& request,
                                                   Repeat repeat, const RetryPolicy& policy,
                                                   std::stop_token stop);

}  // namespace bailey
