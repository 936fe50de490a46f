#include "orchestrator/serve/engine/check_drift.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "orchestrator/serve/engine/settle_drift.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

/// `dev` and `test` stand with one artifact, verified.
struct DriftTest : testing::Test {
  void SetUp() override {
    digest = world.registry.push("one");
    world.reach_test(digest);
  }
  [[nodiscard]] std::string id_of(const std::string& resource, const std::string& stage = "dev") {
    const auto found =
        world.cloud.with_marker({world.state_of(stage).uid, {stage, resource, std::nullopt}, 1});
    EXPECT_TRUE(found) << resource;
    return found ? found->id : std::string();
  }
  [[nodiscard]] DriftReport look(const std::string& stage = "dev") {
    auto report = look_for_drift(world.engine(), stage, {});
    EXPECT_TRUE(report) << report.error().render();
    return report ? *std::move(report) : DriftReport{};
  }
  [[nodiscard]] std::string only(const std::string& stage = "dev") {
    const auto report = look(stage);
    EXPECT_EQ(report.findings.size(), 1U);
    return report.findings.empty() ? std::string() : report.findings.front().id;
  }
  [[nodiscard]] Result<Change> settle(DriftAction action, const std::string& finding,
                                      const std::string& stage = "dev",
                                      const std::string& who = "alice") {
    return settle_drift(world.engine(), EngineWorld::as(who),
                        {stage, action, {finding}, "because", std::chrono::hours(2)}, {});
  }
  [[nodiscard]] Json recorded(const std::string& resource, const std::string& stage = "dev") {
    auto all = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
      return resources_of(transaction, stage);
    });
    for (const auto& each : *all) {
      if (each.address.resource == resource) return each.inputs;
    }
    return {};
  }
  [[nodiscard]] Plan plan(const std::string& stage = "dev") {
    const auto bundle = *world.engine().bundle();
    auto made = plan_environment(world.engine(), {*bundle, *bundle->environment(stage)}, {});
    EXPECT_TRUE(made) << made.error().render();
    return made ? *std::move(made) : Plan{};
  }
  EngineWorld world;
  std::string digest;
};

TEST_F(DriftTest, IsFoundKeptAndLoggedOnce) {
  EXPECT_TRUE(look().findings.empty());
  EXPECT_EQ(world.logged("drift.found", Outcome::Ok), 0U);
  world.cloud.drift(id_of("web"), "flavor", "huge");
  const auto stray = world.cloud.plant("network", world.state_of("dev").boundary, std::nullopt,
                                       {{"cidr", "10.9.0.0/24"}});
  const auto first = look();
  ASSERT_EQ(first.findings.size(), 2U);
  world.clock.advance(std::chrono::hours(1));
  const auto second = look();
  EXPECT_EQ(second.findings, first.findings) << "the time of the first look stays";
  EXPECT_NE(second.looked_at, first.looked_at);
  EXPECT_EQ(world.logged("drift.found", Outcome::Ok), 2U);
  const auto shown = show_environment(world.engine(), EngineWorld::as("alice"), "dev");
  ASSERT_TRUE(shown) << shown.error().render();
  EXPECT_EQ(shown->at("drifted"), 2);
  EXPECT_EQ(shown->at("drift").at("findings").size(), 2U);
  world.cloud.vanish(stray);
  EXPECT_EQ(look().findings.size(), 1U);
  EXPECT_EQ(world.logged("drift.gone", Outcome::Ok), 1U);
}

TEST_F(DriftTest, NeedsThePowerToRead) {
  EXPECT_EQ(code_of(check_drift(world.engine(), EngineWorld::as("mallory"), "dev", {})),
            "identity.power-missing");
  EXPECT_TRUE(check_drift(world.engine(), EngineWorld::as("gina"), "dev", {}));
  EXPECT_EQ(code_of(check_drift(world.engine(), EngineWorld::as("gina"), "nowhere", {})),
            "[not-found]");
}

TEST_F(DriftTest, NothingIsLookedAtWhileAChangeRuns) {
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.30.0.0/24");
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto id = world.waiting_in("dev").id;
  auto claim = claim_change(world.engine(), id, std::nullopt, {});
  ASSERT_TRUE(claim) << claim.error().render();
  EXPECT_EQ(code_of(look_for_drift(world.engine(), "dev", {})), "drift.busy");
  ASSERT_TRUE(run_change(world.engine(), *std::move(claim), {}, {}));
  EXPECT_TRUE(look().findings.empty());
}

TEST_F(DriftTest, WhatChangedWhileItLookedIsNotKept) {
  world.cloud.drift(id_of("web"), "flavor", "huge");
  world.store->before_write(1, [&] {
    auto touched = in_transaction(*world.store, Access::Write, [&](Transaction& transaction) {
      auto state = *find_environment_state(transaction, "dev");
      ++state->serial;
      return save(transaction, *state);
    });
    ASSERT_TRUE(touched);
  });
  EXPECT_EQ(code_of(look_for_drift(world.engine(), "dev", {})), "drift.busy");
  EXPECT_EQ(world.logged("drift.found", Outcome::Ok), 0U);
}

TEST_F(DriftTest, AFailedLookIsSeenAndTheFindingsStay) {
  world.cloud.drift(id_of("web"), "flavor", "huge");
  ASSERT_EQ(look().findings.size(), 1U);
  for (int i = 0; i < 3; ++i) {
    world.provider->fake.fail_call(1, test::FakeFault::FailBefore);
    EXPECT_FALSE(look_for_drift(world.engine(), "dev", {}));
  }
  const auto shown = show_environment(world.engine(), EngineWorld::as("alice"), "dev");
  ASSERT_TRUE(shown);
  EXPECT_TRUE(shown->at("drift").at("error").is_string());
  EXPECT_EQ(shown->at("drift").at("findings").size(), 1U);
  EXPECT_EQ(world.logged("drift.look", Outcome::Failed), 1U) << "the same failure is logged once";
  EXPECT_TRUE(to_json(look()).at("error") == "");
}

TEST_F(DriftTest, NothingIsKeptWhenTheLogCannotBeWritten) {
  world.cloud.drift(id_of("web"), "flavor", "huge");
  world.store->log_is_broken = true;
  EXPECT_FALSE(look_for_drift(world.engine(), "dev", {}));
  world.store->log_is_broken = false;
  EXPECT_EQ(look().findings.size(), 1U);
  EXPECT_EQ(world.logged("drift.found", Outcome::Ok), 1U);
}

TEST_F(DriftTest, RestoreIsAChangeThatPutsBackWhatWasApplied) {
  world.cloud.drift(id_of("web"), "flavor", "huge");
  const auto change = settle(DriftAction::Restore, only());
  ASSERT_TRUE(change) << change.error().render();
  EXPECT_EQ(change->kind, ChangeKind::Drift);
  EXPECT_TRUE(change->introduces.empty());
  world.drive();
  EXPECT_EQ(world.load(change->id).state, ChangeState::Done);
  EXPECT_TRUE(look().findings.empty());
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
  EXPECT_EQ(world.state_of("dev").artifacts["web"], world.reference(digest));
}

TEST_F(DriftTest, RestoreDoesNotBringInWhatTheSpecsSayByNow) {
  world.edit("default: small", "default: large");
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  // Accepted, and in `test` not applied.
  world.cloud.drift(id_of("web", "test"), "flavor", "huge");
  const auto change = settle(DriftAction::Restore, only("test"), "test");
  ASSERT_TRUE(change) << change.error().render();
  ASSERT_EQ(change->plan.operations.size(), 3U) << "the server and what it needs";
  EXPECT_EQ((*change->plan.operations[2].after)["flavor"], "small");
  world.drive();
  EXPECT_EQ(world.load(change->id).state, ChangeState::Done);
  EXPECT_EQ(recorded("web", "test")["flavor"], "small");
  EXPECT_FALSE(plan("test").empty());
}

TEST_F(DriftTest, RestoreMakesAnewWhatIsGone) {
  world.cloud.vanish(id_of("web"));
  const auto change = settle(DriftAction::Restore, only());
  ASSERT_TRUE(change) << change.error().render();
  world.drive();
  EXPECT_TRUE(look().findings.empty());
  EXPECT_EQ(world.cloud.violations().total(), 0);
}

TEST_F(DriftTest, GoesThroughTheGateLikeAnyOther) {
  EngineWorld other;
  other.reach_staging(other.registry.push("one"));
  const auto server =
      other.cloud.with_marker({other.state_of("staging").uid, {"staging", "web", std::nullopt}, 1});
  ASSERT_TRUE(server);
  other.cloud.drift(server->id, "flavor", "huge");
  const auto report = look_for_drift(other.engine(), "staging", {});
  ASSERT_TRUE(report);
  const auto change =
      settle_drift(other.engine(), EngineWorld::as("alice"),
                   {"staging", DriftAction::Restore, {report->findings.at(0).id}, "", {}}, {});
  ASSERT_TRUE(change) << change.error().render();
  other.drive();
  EXPECT_EQ(other.load(change->id).state, ChangeState::Waiting) << "nobody has approved it";
  const auto own = other.decide(change->id, "alice");
  EXPECT_FALSE(own && other.run(change->id)) << "not by the one who asked for it";
  ASSERT_TRUE(other.decide(change->id, "bob"));
  other.drive();
  EXPECT_EQ(other.load(change->id).state, ChangeState::Done);
  EXPECT_TRUE(look_for_drift(other.engine(), "staging", {})->findings.empty());
}

TEST_F(DriftTest, AcceptIsRefusedWhileTheSpecsWantAnotherValue) {
  world.cloud.drift(id_of("web"), "flavor", "large");
  const auto refused = settle(DriftAction::Accept, only());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "drift.spec-says-otherwise");
  EXPECT_NE(refused.error().hint().find("Change the specs"), std::string::npos);
  world.edit("default: small", "default: large");
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_EQ(recorded("web")["flavor"], "small") << "there was nothing to do, and nothing was";
  const auto before = world.cloud.snapshot();
  const auto change = settle(DriftAction::Accept, only());
  ASSERT_TRUE(change) << change.error().render();
  ASSERT_EQ(change->plan.operations.size(), 1U);
  EXPECT_EQ(change->plan.operations[0].action, Action::Record);
  world.drive();
  EXPECT_EQ(world.load(change->id).state, ChangeState::Done);
  EXPECT_EQ(recorded("web")["flavor"], "large");
  EXPECT_EQ(world.cloud.snapshot(), before) << "nothing happened at the provider";
  EXPECT_TRUE(look().findings.empty());
}

TEST_F(DriftTest, IgnoreHoldsForAWhileAndNoPlanTouchesTheField) {
  world.cloud.drift(id_of("web"), "flavor", "huge");
  const auto change = settle(DriftAction::Ignore, only());
  ASSERT_TRUE(change) << change.error().render();
  EXPECT_FALSE(plan().empty());
  EXPECT_EQ(look().open(world.engine().now()), 1U) << "it is not decided yet";
  world.drive();
  EXPECT_EQ(world.load(change->id).state, ChangeState::Done);
  auto report = look();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.open(world.engine().now()), 0U);
  EXPECT_TRUE(plan().empty());
  // Another value is another finding.
  world.cloud.drift(id_of("web"), "flavor", "vast");
  EXPECT_EQ(look().open(world.engine().now()), 1U);
  EXPECT_FALSE(plan().empty());
  world.cloud.drift(id_of("web"), "flavor", "huge");
  EXPECT_EQ(look().open(world.engine().now()), 0U);
  world.clock.advance(std::chrono::hours(2));
  EXPECT_EQ(look().open(world.engine().now()), 1U);
  EXPECT_FALSE(plan().empty());
}

TEST_F(DriftTest, WhatCannotBeDecidedIsRefusedWithTheWayOut) {
  const auto stray = world.cloud.plant("network", world.state_of("dev").boundary, std::nullopt,
                                       {{"cidr", "10.9.0.0/24"}});
  const auto unmanaged = only();
  EXPECT_EQ(code_of(settle(DriftAction::Restore, unmanaged)), "drift.not-ours");
  EXPECT_EQ(code_of(settle(DriftAction::Accept, unmanaged)), "drift.not-a-field");
  EXPECT_TRUE(settle(DriftAction::Ignore, unmanaged));
  world.cloud.vanish(stray);
  EXPECT_EQ(code_of(settle(DriftAction::Ignore, unmanaged)), "drift.unknown");
  world.cloud.vanish(id_of("web"));
  const auto gone = only();
  EXPECT_EQ(code_of(settle(DriftAction::Accept, gone)), "drift.not-a-field");
  EXPECT_EQ(code_of(settle(DriftAction::Ignore, gone)), "drift.not-a-field");
  EXPECT_EQ(code_of(settle(DriftAction::Restore, "drift-nonsense")), "drift.unknown");
  EXPECT_EQ(code_of(settle(DriftAction::Restore, gone, "dev", "mallory")),
            "identity.power-missing");
  EXPECT_EQ(
      code_of(settle_drift(world.engine(), EngineWorld::as("alice"),
                           {"dev", DriftAction::Ignore, {gone}, "", std::chrono::hours(1)}, {})),
      "[invalid-argument]");
  EXPECT_EQ(code_of(settle_drift(
                world.engine(), EngineWorld::as("alice"),
                {"dev", DriftAction::Ignore, {gone}, "why", std::chrono::hours(24 * 91)}, {})),
            "[invalid-argument]");
}

TEST_F(DriftTest, ADecisionWhoseFindingHasGoneIsSuperseded) {
  const auto id = id_of("web");
  world.cloud.drift(id, "flavor", "huge");
  const auto change = settle(DriftAction::Restore, only());
  ASSERT_TRUE(change);
  world.cloud.drift(id, "flavor", "small");
  // Something else moves the state on, so that it is planned anew.
  world.edit("10.20.0.0/24}", "10.20.0.0/24, description: inner}");
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_EQ(world.load(change->id).state, ChangeState::Superseded);
}

TEST_F(DriftTest, RestoreDoesNotReplaceWhatIsProtected) {
  world.edit("net: {type: network,", "net: {type: network, protect: true,");
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  ASSERT_TRUE(look().findings.empty());
  world.cloud.drift(id_of("net"), "cidr", "10.99.0.0/24");
  EXPECT_EQ(code_of(settle(DriftAction::Restore, only())), "plan.protected");
}

}  // namespace
}  // namespace bailey
