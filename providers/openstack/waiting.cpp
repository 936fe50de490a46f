#include "providers/openstack/waiting.hpp"

#include <algorithm>

namespace bailey::openstack {

namespace {
constexpr std::chrono::milliseconds kLongestPause{5'000};
constexpr std::chrono::milliseconds kReleaseLimit{12'000};
}  // namespace

Patience::Patience(Clock& clock, std::stop_token stop, std::chrono::milliseconds limit)
    : clock_(clock), stop_(std::move(stop)), end_(clock.monotonic_now() + limit) {}

Status Patience::wait(const std::string& awaited) {
  if (clock_.monotonic_now() >= end_) {
    return fail(ErrorKind::Timeout, "gave up waiting for " + awaited);
  }
  if (!clock_.sleep_for(pause_, stop_)) {
    return fail(ErrorKind::Cancelled, "stopped while waiting for " + awaited);
  }
  pause_ = std::min(pause_ * 5 / 4, kLongestPause);
  return {};
}

Status while_in_use(Clock& clock, const std::stop_token& stop, const std::function<Status()>& act) {
  Patience patience(clock, stop, kReleaseLimit);
  for (;;) {
    auto done = act();
    if (done || done.error().kind() != ErrorKind::Conflict) return done;
    if (auto waited = patience.wait("the last users to let go"); !waited) {
      return waited.error().kind() == ErrorKind::Timeout ? std::move(done) : std::move(waited);
    }
  }
}

}  // namespace bailey::openstack
