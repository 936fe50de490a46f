#pragma once

#include "orchestrator/base/threads.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

namespace bailey {

/// How many operations may be at the provider at once. Of those that wait, the most urgent goes
/// first, ties in order of arrival. Any thread.
class RemoteSlots {
 public:
  explicit RemoteSlots(int count, Threads& threads = system_threads())
      : threads_(threads), free_(count > 1 ? static_cast<std::size_t>(count) : 1) {}

  /// Held while at the provider; destroying it lets the next one in.
  using Slot = std::unique_ptr<RemoteSlots, void (*)(RemoteSlots*)>;

  /// Waits while all are taken.
  [[nodiscard]] Slot take(double urgency);
  /// Threads that wait.
  [[nodiscard]] std::size_t waiting() const;

 private:
  void give_back();

  struct Waiting {
    double urgency;
    std::size_t ticket;
    bool admitted;
    std::unique_ptr<WaitPoint> wake;
  };
  struct MoreUrgent {
    bool operator()(const Waiting* left, const Waiting* right) const {
      return std::pair(-left->urgency, left->ticket) < std::pair(-right->urgency, right->ticket);
    }
  };

  Threads& threads_;
  mutable std::mutex mutex_;
  std::size_t free_;
  std::size_t next_ticket_ = 0;
  std::set<Waiting*, MoreUrgent> waiting_;
};

}  // namespace bailey
