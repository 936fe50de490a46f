// Which of two changes that wait ends the other, and which stand in a queue.

#include "orchestrator/serve/engine/open_change.hpp"

#include "orchestrator/serve/engine/manage_changes.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

struct OpenChange : testing::Test {
  void SetUp() override {
    digest = world.registry.push("one");
    world.reach_test(digest);
    // Only what this test opens waits.
    for (const auto& change : world.changes()) {
      if (change.finished()) continue;
      ASSERT_TRUE(cancel_change(world.engine(), EngineWorld::as("alice"), change.id));
    }
    plan = world.load(world.changes().front().id).plan;
    plan.environment = "staging";
  }
  /// A promotion of these slots, told apart from others by `mark`.
  [[nodiscard]] ChangeId open(ChangeKind kind, std::map<std::string, std::string> brings,
                              const std::string& mark) {
    auto different = plan;
    different.spec_digest = mark;
    Proposal proposal{kind, different, (*world.engine().bundle())->digest, {}};
    proposal.brings = std::move(brings);
    auto change = open_change(world.engine(), EngineWorld::as("alice"), proposal);
    EXPECT_TRUE(change) << change.error().render();
    return change ? change->id : ChangeId();
  }
  [[nodiscard]] ChangeState state(const ChangeId& id) { return world.load(id).state; }

  EngineWorld world;
  std::string digest;
  Plan plan;
};

TEST_F(OpenChange, APromotionReplacesAnotherOfTheSameArtifacts) {
  const auto first = open(ChangeKind::Promotion, {{"web", "a"}}, "1");
  const auto second = open(ChangeKind::Promotion, {{"web", "b"}}, "2");
  EXPECT_EQ(state(first), ChangeState::Superseded);
  EXPECT_EQ(world.load(first).history.back().detail, "by " + second.str());
  EXPECT_EQ(state(second), ChangeState::Waiting);
  EXPECT_EQ(world.logged("change.supersede", Outcome::Ok), 1U);
}

TEST_F(OpenChange, APromotionOfAnotherArtifactEndsNothing) {
  const auto web = open(ChangeKind::Promotion, {{"web", "a"}}, "1");
  const auto api = open(ChangeKind::Promotion, {{"api", "a"}}, "2");
  EXPECT_EQ(state(web), ChangeState::Waiting);
  EXPECT_EQ(state(api), ChangeState::Waiting);
  const auto both = open(ChangeKind::Promotion, {{"web", "b"}, {"api", "b"}}, "3");
  EXPECT_EQ(state(web), ChangeState::Superseded);
  EXPECT_EQ(state(api), ChangeState::Superseded);
  const auto one = open(ChangeKind::Promotion, {{"web", "c"}}, "4");
  EXPECT_EQ(state(both), ChangeState::Waiting) << "it brings more than that";
  EXPECT_EQ(state(one), ChangeState::Waiting);
}

TEST_F(OpenChange, ChangesOfAnotherKindWaitBesideEachOther) {
  const auto promotion = open(ChangeKind::Promotion, {{"web", "a"}}, "1");
  const auto apply = open(ChangeKind::Apply, {}, "2");
  const auto rollback = open(ChangeKind::Rollback, {}, "3");
  for (const auto& id : {promotion, apply, rollback}) EXPECT_EQ(state(id), ChangeState::Waiting);
  const auto another = open(ChangeKind::Rollback, {}, "4");
  EXPECT_EQ(state(rollback), ChangeState::Superseded);
  EXPECT_EQ(state(another), ChangeState::Waiting);
  const auto grant = open(ChangeKind::Grant, {}, "5");
  const auto second = open(ChangeKind::Grant, {}, "6");
  EXPECT_EQ(state(grant), ChangeState::Waiting) << "grants to different people";
  EXPECT_EQ(state(second), ChangeState::Waiting);
}

TEST_F(OpenChange, WhatIsBeingExecutedIsNamedToWhatWaitsBehindIt) {
  const auto apply = open(ChangeKind::Apply, {}, "1");
  const auto promotion = open(ChangeKind::Promotion, {{"web", "a"}}, "2");
  auto running = world.load(apply);
  step(running, ChangeState::Executing, world.engine().now());
  ASSERT_TRUE(in_transaction(*world.store, Access::Write,
                             [&](Transaction& transaction) { return save(transaction, running); }));
  const auto shown = show_change(world.engine(), EngineWorld::as("amy"), promotion);
  ASSERT_TRUE(shown) << shown.error().render();
  const auto& last = shown->at("gate").back();
  EXPECT_EQ(last.at("condition"), "queue");
  EXPECT_NE(last.at("detail").get<std::string>().find(apply.str()), std::string::npos);
  const auto third = open(ChangeKind::Apply, {}, "3");
  EXPECT_EQ(state(apply), ChangeState::Executing) << "what runs is not ended by what comes";
  EXPECT_EQ(state(third), ChangeState::Waiting);
}

}  // namespace
}  // namespace bailey
