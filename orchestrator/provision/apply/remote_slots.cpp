#include "orchestrator/provision/apply/remote_slots.hpp"

namespace bailey {

RemoteSlots::Slot RemoteSlots::take(double urgency) {
  std::unique_lock lock(mutex_);
  if (free_ > 0) {
    --free_;
  } else {
    Waiting own{urgency, next_ticket_++, false, threads_.wait_point()};
    waiting_.insert(&own);
    while (!own.admitted) own.wake->wait(lock, {});
  }
  return {this, [](RemoteSlots* slots) { slots->give_back(); }};
}

std::size_t RemoteSlots::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

/// Whoever waits takes the slot over, so that nobody slips in between.
void RemoteSlots::give_back() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  auto* next = *waiting_.begin();
  waiting_.erase(waiting_.begin());
  next->admitted = true;
  next->wake->wake_one();
}

}  // namespace bailey
