#include "tests/unit/provision/apply/apply_world.hpp"

namespace bailey {
namespace {

using test::ApplyWorld;
using test::FakeFault;
using test::FaultyStore;

/// Where each story begins, what it does to the declaration, and how often a fault may leave it
/// unfinished before it has to be at its end.
struct Story {
  const char* name;
  void (*prepare)(ApplyWorld&);
  void (*change)(ApplyWorld&);
  PlanKind kind = PlanKind::Apply;
};

void stand_all(ApplyWorld& world) {
  world.declare_all();
  ASSERT_TRUE(world.apply(world.plan()).ok());
  // What was made before is old: each story is about what comes now.
  world.clock.advance(std::chrono::minutes(1));
}

const Story kStories[] = {
    {"create", [](ApplyWorld&) {}, [](ApplyWorld& world) { world.declare_all(); }},
    {"replace", stand_all,
     [](ApplyWorld& world) {
       world.declared("net").fields["cidr"] = "10.30.0.0/24";
       world.declared("password").fields["generate"]["length"] = 48;
     }},
    {"update and delete", stand_all,
     [](ApplyWorld& world) {
       world.declared("sg").fields["description"] = "web";
       world.declared("web[0]").fields["metadata"]["artifact"] = "b";
       world.desired.resources.pop_back();
     }},
    {"destroy", stand_all, [](ApplyWorld&) {}, PlanKind::Destroy},
};

void set_up(ApplyWorld& world, const Story& story) {
  story.prepare(world);
  story.change(world);
}

Json undisturbed_end(const Story& story) {
  ApplyWorld world;
  set_up(world, story);
  EXPECT_TRUE(world.apply(world.plan(story.kind)).ok());
  return world.cloud.snapshot();
}

/// Every record has its resource and the other way round: nothing lost, nothing twice.
void expect_consistent(ApplyWorld& world) {
  EXPECT_EQ(world.cloud.duplicates(), 0);
  EXPECT_EQ(world.cloud.violations().created_twice, 0);
  EXPECT_EQ(world.cloud.violations().overlapping, 0);
  EXPECT_TRUE(world.intents().empty());
  const auto states = world.states();
  EXPECT_EQ(states.size(), world.cloud.resources().size());
  for (const auto& state : states) {
    const Marker marker{EnvironmentUid("env-1"), state.address, state.generation};
    const auto there = world.cloud.with_marker(marker);
    ASSERT_TRUE(there) << marker.str();
    EXPECT_EQ(there->id, state.provider_id);
    EXPECT_TRUE(there->complete);
  }
}

/// A new process takes the lease, settles the journal, and carries on: first the plan it had, then
/// whatever a new plan still finds.
void resume(ApplyWorld& world, const Plan& planned, PlanKind kind) {
  world.restart();
  world.take_lease();
  world.recover_all();
  world.apply(planned);
  for (int round = 0; round < 3; ++round) {
    const auto next = world.plan(kind);
    if (next.empty() && world.intents().empty()) break;
    world.apply(next);
    world.recover_all();
  }
  EXPECT_TRUE(world.plan(kind).empty());
}

class ApplyFault : public ::testing::TestWithParam<Story> {};

void break_provider(const Story& story, FakeFault fault, std::chrono::milliseconds hidden) {
  const auto expected = undisturbed_end(story);
  for (int nth = 1; nth < 200; ++nth) {
    ApplyWorld world;
    set_up(world, story);
    const auto planned = world.plan(story.kind);
    world.cloud.set_visibility_delay(hidden);
    world.provider->fail_call(nth, fault);
    world.apply(planned);
    const bool fired = world.provider->fired();
    resume(world, planned, story.kind);
    expect_consistent(world);
    ASSERT_EQ(world.cloud.snapshot(), expected) << "after fault " << nth;
    if (::testing::Test::HasFailure()) FAIL() << "after fault " << nth;
    if (!fired) return;
  }
  FAIL() << "it never ran to its end untouched";
}

TEST_P(ApplyFault, EndsTheSameWhenACallIsRefused) {
  break_provider(GetParam(), FakeFault::Refuse, {});
}
TEST_P(ApplyFault, EndsTheSameWhenACallFailsBeforeItActs) {
  break_provider(GetParam(), FakeFault::FailBefore, {});
}
TEST_P(ApplyFault, EndsTheSameWhenAnAnswerIsLost) {
  break_provider(GetParam(), FakeFault::LoseAnswer, std::chrono::seconds(3));
}
TEST_P(ApplyFault, EndsTheSameWhenACreateIsHalfMade) {
  break_provider(GetParam(), FakeFault::HalfMade, {});
}
TEST_P(ApplyFault, EndsTheSameAfterACrashBeforeACall) {
  break_provider(GetParam(), FakeFault::CrashBefore, {});
}
TEST_P(ApplyFault, EndsTheSameAfterACrashBehindACall) {
  break_provider(GetParam(), FakeFault::CrashAfter, std::chrono::seconds(3));
}

void break_store(const Story& story, FaultyStore::Fault fault) {
  const auto expected = undisturbed_end(story);
  for (int nth = 1; nth < 200; ++nth) {
    ApplyWorld world;
    set_up(world, story);
    const auto planned = world.plan(story.kind);
    world.store->fail_write(nth, fault);
    const auto report = world.try_apply(planned);
    const bool fired = world.store->fired();
    resume(world, planned, story.kind);
    expect_consistent(world);
    ASSERT_EQ(world.cloud.snapshot(), expected) << "after fault " << nth;
    if (::testing::Test::HasFailure()) FAIL() << "after fault " << nth;
    if (!fired) return;
  }
  FAIL() << "it never ran to its end untouched";
}

TEST_P(ApplyFault, EndsTheSameWhenAWriteFails) {
  break_store(GetParam(), FaultyStore::Fault::Once);
}
TEST_P(ApplyFault, EndsTheSameWhenTheDiskDies) {
  break_store(GetParam(), FaultyStore::Fault::Stay);
}

std::string name_of(const ::testing::TestParamInfo<Story>& story) {
  std::string name = story.param.name;
  std::erase(name, ' ');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Stories, ApplyFault, ::testing::ValuesIn(kStories), name_of);

}  // namespace
}  // namespace bailey
