#include "orchestrator/provision/apply/remote_slots.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace bailey {
namespace {

TEST(RemoteSlots, NeverHasMoreThanItsNumberTaken) {
  RemoteSlots slots(3);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 16; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 50; ++i) {
          const auto slot = slots.take(thread % 4);
          const int now = ++inside;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
          --inside;
        }
      });
    }
  }
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 1);
}

TEST(RemoteSlots, TheMostUrgentGoesFirstAndTiesInOrderOfArrival) {
  RemoteSlots slots(1);
  std::optional<RemoteSlots::Slot> held = slots.take(0);
  std::vector<int> order;
  {
    std::vector<std::jthread> threads;
    const auto wait = [&](int name, double urgency) {
      threads.emplace_back([&, name, urgency] {
        const auto slot = slots.take(urgency);
        order.push_back(name);  // One at a time: there is one slot.
      });
      while (slots.waiting() < threads.size()) std::this_thread::yield();
    };
    wait(1, 1);
    wait(2, 5);
    wait(3, 5);
    wait(4, 9);
    held.reset();
  }
  EXPECT_EQ(order, (std::vector<int>{4, 2, 3, 1}));
}

TEST(RemoteSlots, HasAtLeastOne) {
  RemoteSlots slots(0);
  EXPECT_NE(slots.take(1), nullptr);
  EXPECT_NE(slots.take(1), nullptr);  // The first was given back.
}

}  // namespace
}  // namespace bailey
