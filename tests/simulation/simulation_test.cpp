#include "tests/simulation/simulation.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::Sabotage;
using test::simulate;

/// Ranges, so that several can run at once.
class Simulation : public ::testing::TestWithParam<std::uint64_t> {};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeedsOfOne =
    20;  // Several times as slow, and about the code's own faults.
#else
constexpr std::uint64_t kSeedsOfOne = 125;
#endif

TEST_P(Simulation, KeepsEveryPromiseWhateverFails) {
  for (auto seed = GetParam(); seed < GetParam() + kSeedsOfOne; ++seed) {
    const auto trace = simulate(seed);
    if (trace.violations().empty()) continue;
    ADD_FAILURE() << trace.violations()[0] << "\n    " << test::replay_command(seed) << "\n"
                  << trace.tail(40);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation,
                         ::testing::Range<std::uint64_t>(1, 1 + 4 * kSeedsOfOne, kSeedsOfOne));

TEST(SimulationReplay, DoesTheSameFromTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto once = simulate(seed);
    const auto again = simulate(seed);
    ASSERT_EQ(once.lines(), again.lines()) << "seed " << seed;
    EXPECT_EQ(once.digest(), again.digest());
    EXPECT_NE(once.digest(), simulate(seed + 1).digest());
  }
}

/// A simulation that cannot fail proves nothing: each betrayal of the engine must be noticed.
class SimulationNotices : public ::testing::TestWithParam<std::pair<Sabotage, const char*>> {};

TEST_P(SimulationNotices, WhenTheEngineLeavesSomethingOut) {
  const auto [sabotage, what] = GetParam();
  constexpr std::uint64_t kEnough = 60;
  for (std::uint64_t seed = 1; seed <= kEnough; ++seed) {
    const auto trace = simulate(seed, sabotage);
    if (!trace.violations().empty() && trace.violations()[0].find(what) != std::string::npos) {
      return;
    }
  }
  FAIL() << "nobody noticed in " << kEnough << " runs";
}

INSTANTIATE_TEST_SUITE_P(Betrayals, SimulationNotices,
                         ::testing::Values(std::pair(Sabotage::NoFence, "under epoch"),
                                           std::pair(Sabotage::NoGrace, "created twice"),
                                           std::pair(Sabotage::NoLookUp, "created twice"),
                                           std::pair(Sabotage::NoIntent,
                                                     "without a durable intent"),
                                           std::pair(Sabotage::NoAudit, "the log does not tell")));

}  // namespace
}  // namespace bailey
