#include "providers/openstack/watch.hpp"

#include <algorithm>

namespace bailey::openstack {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortestPause{200};
constexpr milliseconds kLongestPause{5'000};

milliseconds between(MonotonicTime from, MonotonicTime to) {
  return std::chrono::duration_cast<milliseconds>(to - from);
}

}  // namespace

milliseconds Watch::pause(MonotonicTime now, MonotonicTime began) const {
  const auto youngest = between(*waits_.rbegin(), now);
  const auto interval =
      std::clamp(std::max(youngest / 10, 4 * took_), kShortestPause, kLongestPause);
  auto due = began + kShortestPause;
  if (ended_) due = std::max(due, *ended_ + interval);
  return std::max(milliseconds(0), between(now, due));
}

/// Asks for all. Under the lock, which it lets go of meanwhile.
Status Watch::look(std::unique_lock<std::mutex>& lock, const List& list, const Wait& wait,
                   MonotonicTime began) {
  looking_ = true;
  const auto rest = pause(wait.clock.monotonic_now(), began);
  lock.unlock();
  const bool rested = wait.clock.sleep_for(rest, wait.stop);
  lock.lock();
  Status status;
  if (rested) {
    const auto number = ++asked_;
    lock.unlock();
    const auto sent = wait.clock.monotonic_now();
    auto answer = list();
    const auto now = wait.clock.monotonic_now();
    lock.lock();
    // What only this thread met, such as its own stop, is no answer for the others.
    if (!answer && answer.error().kind() == ErrorKind::Cancelled) {
      status = fail(answer.error());
    } else {
      last_ = std::move(answer);
      number_ = number;
      took_ = between(sent, now);
      ended_ = now;
    }
  } else {
    status = fail(ErrorKind::Cancelled, "stopped while waiting for " + wait.awaited);
  }
  looking_ = false;
  answered_.notify_all();
  return status;
}

Status Watch::until(const std::string& id, const Done& done, const List& list, const Wait& wait) {
  const auto began = wait.clock.monotonic_now();
  std::unique_lock lock(mutex_);
  const auto entry = waits_.insert(began);
  auto needed = asked_ + 1;
  const auto status = [&]() -> Status {
    for (;;) {
      if (number_ >= needed) {
        if (!*last_) return fail(last_->error());
        const auto found = (*last_)->find(id);
        if (done(found == (*last_)->end() ? nullptr : &found->second)) return {};
        needed = number_ + 1;
        if (wait.clock.monotonic_now() - began >= wait.limit) {
          return fail(ErrorKind::Timeout, "gave up waiting for " + wait.awaited);
        }
      }
      if (!looking_) {
        if (auto looked = look(lock, list, wait, began); !looked) return looked;
      } else if (!answered_.wait(lock, wait.stop, [this] { return !looking_; })) {
        return fail(ErrorKind::Cancelled, "stopped while waiting for " + wait.awaited);
      }
    }
  }();
  waits_.erase(entry);
  return status;
}

}  // namespace bailey::openstack
