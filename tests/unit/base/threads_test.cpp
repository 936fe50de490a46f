#include "orchestrator/base/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace bailey {
namespace {

TEST(Threads, RunTheBodyOnEachAndWaitForAll) {
  std::atomic<int> runs{0};
  run_on_threads(system_threads(), 5, [&] { ++runs; });
  EXPECT_EQ(runs, 5);
}

TEST(Threads, LeaveTheWorkToTheCallerWhenThereIsNone) {
  class NoThreads final : public Threads {
   public:
    std::unique_ptr<Thread> start(std::function<void()>) override { return nullptr; }
    std::unique_ptr<WaitPoint> wait_point() override { return nullptr; }
  };
  NoThreads none;
  int runs = 0;
  run_on_threads(none, 5, [&] { ++runs; });
  EXPECT_EQ(runs, 1);
}

TEST(WaitPoint, IsLeftWhenWokenWhenStoppedAndWhenTheTimeHasPassed) {
  const auto point = system_threads().wait_point();
  std::mutex mutex;
  std::unique_lock lock(mutex);
  EXPECT_FALSE(point->wait(lock, {}, std::chrono::milliseconds(1)));

  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(point->wait(lock, stop.get_token()));

  const auto waker = system_threads().start([&] {
    const std::lock_guard theirs(mutex);
    point->wake_all();
  });
  EXPECT_TRUE(point->wait(lock, {}));
  EXPECT_TRUE(lock.owns_lock());

  std::stop_source late;
  const auto stopper = system_threads().start([&] {
    const std::lock_guard theirs(mutex);
    late.request_stop();
  });
  EXPECT_FALSE(point->wait(lock, late.get_token()));
}

}  // namespace
}  // namespace bailey
