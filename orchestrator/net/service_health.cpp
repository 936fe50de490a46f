#include "orchestrator/net/service_health.hpp"

#include <algorithm>

namespace bailey {

namespace {

using std::chrono::milliseconds;

constexpr int kFullBudget = 500;
constexpr int kRetryCost = 5;
constexpr std::chrono::seconds kWindow{30};
constexpr std::size_t kFewestCalls = 20;
constexpr std::chrono::seconds kPause{5};
// For whoever comes while another call is trying the service out.
constexpr milliseconds kLookAgain{500};

}  // namespace

milliseconds ServiceHealth::admit(const std::string& origin, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  auto& breaker = breakers_[origin];
  if (!breaker.open) return milliseconds(0);
  if (now < breaker.until) return std::chrono::ceil<milliseconds>(breaker.until - now);
  if (breaker.trying) return kLookAgain;
  breaker.trying = true;
  return milliseconds(0);
}

void ServiceHealth::withdraw(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  breakers_[origin].trying = false;
}

void ServiceHealth::trip(Breaker& breaker, MonotonicTime now) {
  breaker.calls.clear();
  breaker.failures = 0;
  breaker.open = true;
  breaker.trying = false;
  breaker.until = now + kPause;
}

void ServiceHealth::note(const std::string& origin, bool failed, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  auto& breaker = breakers_[origin];
  if (breaker.open) {
    // What was under way when it opened says nothing new; only the one that tries does.
    if (!breaker.trying) return;
    if (failed) return trip(breaker, now);
    breaker.open = breaker.trying = false;
    return;
  }
  auto& calls = breaker.calls;
  calls.push_back({now, failed});
  breaker.failures += failed ? 1 : 0;
  while (calls.front().at + kWindow < now) {
    breaker.failures -= calls.front().failed ? 1 : 0;
    calls.pop_front();
  }
  if (failed && calls.size() >= kFewestCalls && 2 * breaker.failures >= calls.size()) {
    trip(breaker, now);
  }
}

bool ServiceHealth::take_retry() {
  const std::lock_guard lock(mutex_);
  if (budget_ < kRetryCost) return false;
  budget_ -= kRetryCost;
  return true;
}

void ServiceHealth::give_back_retry() {
  const std::lock_guard lock(mutex_);
  budget_ = std::min(kFullBudget, budget_ + kRetryCost);
}

void ServiceHealth::reward_success() {
  const std::lock_guard lock(mutex_);
  budget_ = std::min(kFullBudget, budget_ + 1);
}

std::string origin_of(const std::string& url) {
  const auto scheme = url.find("://");
  const auto host = scheme == std::string::npos ? 0 : scheme + 3;
  return url.substr(0, url.find_first_of("/?#", host));
}

}  // namespace bailey
