#include "orchestrator/provision/apply/scheduler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace bailey {
namespace {

using Steps = std::vector<Scheduler::Step>;

TEST(Scheduler, StartsTheLongestPathFirst) {
  // 0 <- 1 <- 2, and 3 alone.
  Scheduler scheduler(Steps{{{}, 1}, {{0}, 1}, {{1}, 1}, {{}, 1}});
  EXPECT_EQ(scheduler.next(), 0U);
  EXPECT_EQ(scheduler.next(), 3U);
  EXPECT_EQ(scheduler.next(), std::nullopt);
  EXPECT_TRUE(scheduler.done(0, true).empty());
  EXPECT_EQ(scheduler.next(), 1U);
}

TEST(Scheduler, WeighsSteps) {
  Scheduler scheduler(Steps{{{}, 1}, {{0}, 1}, {{}, 10}});
  EXPECT_EQ(scheduler.next(), 2U);
}

TEST(Scheduler, SkipsOnlyWhatDependsOnAFailure) {
  Scheduler scheduler(Steps{{{}, 1}, {{0}, 1}, {{1}, 1}, {{}, 1}, {{3}, 1}, {{1, 3}, 1}});
  EXPECT_EQ(scheduler.next(), 0U);
  EXPECT_EQ(scheduler.done(0, false), (std::vector<std::size_t>{1, 2, 5}));
  EXPECT_EQ(scheduler.next(), 3U);
  EXPECT_TRUE(scheduler.done(3, true).empty());
  EXPECT_EQ(scheduler.next(), 4U);
  EXPECT_FALSE(scheduler.finished());
  EXPECT_TRUE(scheduler.done(4, true).empty());
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, CancelsWhatWasNotStarted) {
  Scheduler scheduler(Steps{{{}, 1}, {{0}, 1}, {{}, 1}});
  ASSERT_EQ(scheduler.next(), 0U);
  EXPECT_EQ(scheduler.cancel(), (std::vector<std::size_t>{1, 2}));
  EXPECT_FALSE(scheduler.finished());
  EXPECT_TRUE(scheduler.done(0, true).empty());
  EXPECT_EQ(scheduler.next(), std::nullopt);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, RunsEveryStepOnceAndAfterItsDependencies) {
  std::mt19937 random(7);
  for (int round = 0; round < 30; ++round) {
    Steps steps(60);
    for (std::size_t i = 1; i < steps.size(); ++i) {
      for (int edge = 0; edge < 3; ++edge) steps[i].depends_on.push_back(random() % i);
      auto& edges = steps[i].depends_on;
      std::sort(edges.begin(), edges.end());
      edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    }
    Scheduler scheduler(steps);
    std::vector<bool> over(steps.size());
    std::vector<std::size_t> running;
    std::size_t count = 0;
    while (!scheduler.finished()) {
      while (auto step = scheduler.next()) {
        for (const auto dependency : steps[*step].depends_on) ASSERT_TRUE(over[dependency]);
        running.push_back(*step);
        ++count;
      }
      ASSERT_FALSE(running.empty());
      std::swap(running[random() % running.size()], running.back());
      over[running.back()] = true;
      EXPECT_TRUE(scheduler.done(running.back(), true).empty());
      running.pop_back();
    }
    EXPECT_EQ(count, steps.size());
  }
}

TEST(Scheduler, IsFinishedAtOnceWithoutSteps) {
  EXPECT_TRUE(Scheduler(Steps{}).finished());
}

TEST(CriticalPath, IsTheHeaviestChain) {
  EXPECT_EQ(critical_path(Steps{{{}, 5}, {{0}, 7}, {{}, 9}, {{2}, 1}}), 12);
  EXPECT_EQ(critical_path({}), 0);
}

}  // namespace
}  // namespace bailey
