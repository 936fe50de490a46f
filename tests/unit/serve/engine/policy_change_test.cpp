#include "orchestrator/serve/engine/policy_change.hpp"

#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

constexpr const char* kOneManager =
    "approvals: {rules: [{from: group:managers, count: 1}], expire: 8h}";
constexpr const char* kTwoManagers =
    "approvals: {rules: [{from: group:managers, count: 2}], expire: 8h}";

struct PolicyChange : testing::Test {
  void SetUp() override {
    world.init();
    ASSERT_TRUE(world.apply("alice"));
    world.drive();
  }
  /// The change that a proposal by alice opens.
  [[nodiscard]] ChangeId propose() {
    const auto answer = world.apply("alice");
    EXPECT_TRUE(answer) << answer.error().render();
    EXPECT_EQ(member(*answer, "accepted"), false);
    EXPECT_EQ(member(*answer, "changes").size(), 1U);
    return ChangeId(member(*answer, "changes").at(0).get<std::string>());
  }
  void approve(const ChangeId& id) {
    for (const char* who : {"ann", "abe"}) {
      const auto decided = world.decide(id, who);
      ASSERT_TRUE(decided) << decided.error().render();
    }
  }
  [[nodiscard]] std::string accepted() { return (*world.engine().bundle())->digest; }

  EngineWorld world;
};

TEST_F(PolicyChange, NeedsTheAdministratorsNumberAndNothingHappensBefore) {
  const auto before = accepted();
  const auto changes = world.changes().size();
  world.edit(kOneManager, kTwoManagers);
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  const auto id = propose();
  EXPECT_EQ(world.load(id).kind, ChangeKind::Policy);
  EXPECT_EQ(world.changes().size(), changes + 1) << "no environment is changed by it";
  EXPECT_EQ(code_of(world.run(id)), "gate.not-met");
  for (const char* who : {"bob", "dave", "mallory", "erin"}) {
    EXPECT_EQ(code_of(world.payload_for(id, who)), "identity.power-missing") << who;
  }
  EXPECT_EQ(code_of(world.payload_for(id, "alice")), "gate.not-independent");
  ASSERT_TRUE(world.decide(id, "ann"));
  ASSERT_TRUE(world.decide(id, "ann"));
  EXPECT_EQ(code_of(world.run(id)), "gate.not-met");
  EXPECT_EQ(accepted(), before);
  ASSERT_TRUE(world.decide(id, "amy"));
  const auto done = world.run(id);
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->state, ChangeState::Done);
  EXPECT_FALSE(done->receipt.empty());
  EXPECT_EQ(accepted(), done->bundle_digest);
  EXPECT_EQ(world.logged("bundle.accept", Outcome::Ok), 2U);
}

TEST_F(PolicyChange, AnAdministratorWhoProposesDoesNotCount) {
  world.edit(
      "bindings: {developer: [group:developers, \"service:ci\"], auditor: [amy]}\n"
      "  credentials",
      "bindings: {developer: [group:developers, ann, \"service:ci\"], auditor: [amy]}\n"
      "  credentials");
  const auto first = propose();
  for (const char* who : {"abe", "amy"}) ASSERT_TRUE(world.decide(first, who));
  ASSERT_TRUE(world.run(first));
  world.edit(kOneManager, kTwoManagers);
  const auto answer = world.apply("ann");
  ASSERT_TRUE(answer) << answer.error().render();
  const ChangeId id(member(*answer, "changes").at(0).get<std::string>());
  EXPECT_EQ(code_of(world.payload_for(id, "ann")), "gate.not-independent");
  ASSERT_TRUE(world.decide(id, "abe"));
  EXPECT_EQ(code_of(world.run(id)), "gate.not-met");
  ASSERT_TRUE(world.decide(id, "amy"));
  EXPECT_EQ(code_of(world.run(id)), "");
}

// A policy counts for what is asked for after it, be it easier to pass or harder.
TEST_F(PolicyChange, EndsWhatWasAskedForUnderAnother) {
  const auto waiting = world.waiting_in("staging");
  const auto half = world.payload_for(waiting.id, "carol");
  ASSERT_TRUE(half);
  world.edit("security: [dave]", "security: [dave, erin]");
  const auto id = propose();
  approve(id);
  ASSERT_TRUE(world.run(id));
  ASSERT_TRUE(submit_decision(world.engine(), EngineWorld::as("carol"), waiting.id,
                              to_json(world.key("carol").envelope(*half))));
  EXPECT_EQ(code_of(world.run(waiting.id)), "plan.stale") << "approved, and not let in";
  const auto ended = replan_if_stale(world.engine(), world.load(waiting.id), {});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->state, ChangeState::Superseded);
  EXPECT_EQ(ended->plan.policy_digest, waiting.plan.policy_digest);
  ASSERT_TRUE(world.apply("alice", "staging"));
  const auto anew = world.waiting_in("staging");
  EXPECT_NE(anew.id, waiting.id);
  ASSERT_TRUE(world.decide(anew.id, "bob"));
  EXPECT_EQ(code_of(world.run(anew.id)), "");
}

TEST_F(PolicyChange, NobodyApprovesAChangeOfTheirOwnRights) {
  world.edit("security: [dave]", "security: [dave, ann]");
  const auto id = propose();
  EXPECT_EQ(world.load(id).affects, std::vector<std::string>{"ann"});
  EXPECT_EQ(code_of(world.payload_for(id, "ann")), "gate.not-independent");
  ASSERT_TRUE(world.decide(id, "abe"));
  EXPECT_EQ(code_of(world.run(id)), "gate.not-met");
  ASSERT_TRUE(world.decide(id, "amy"));
  const auto done = world.run(id);
  ASSERT_TRUE(done) << done.error().render();
  const auto receipt = show_receipt(world.engine(), EngineWorld::as("amy"), done->receipt);
  ASSERT_TRUE(receipt);
  const auto report = verify_receipt(*receipt, world.log_key->verifier().str());
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->ok) << to_json(*report).dump(1);
}

TEST_F(PolicyChange, IsRefusedWhenItLeavesTooFewToApproveIt) {
  world.edit("security: [dave]", "security: [dave, ann, abe]");
  const auto refused = world.apply("alice");
  EXPECT_EQ(code_of(refused), "policy.own-rights");
}

TEST_F(PolicyChange, AnAdministratorDoesNotAdmitAnother) {
  world.edit("members: [ann, abe, amy]", "members: [ann, abe, amy, erin]");
  const auto id = propose();
  EXPECT_EQ(world.load(id).affects, std::vector<std::string>{"erin"});
  approve(id);
  ASSERT_TRUE(world.run(id));
  EXPECT_EQ(code_of(world.payload_for(id, "erin")), "[failed-precondition]");
}

// Approved against what was accepted then, it would take back what was accepted since.
TEST_F(PolicyChange, IsRefusedOnceAnotherWasAcceptedAndPlannedAnew) {
  const auto plain = world.specs;
  world.edit(kOneManager, kTwoManagers);
  const auto first = propose();
  approve(first);
  auto claim = claim_change(world.engine(), first, std::nullopt, {});
  ASSERT_TRUE(claim) << claim.error().render();
  world.specs = plain;
  world.edit("security: [dave]", "security: [dave, erin]");
  const auto second = propose();
  approve(second);
  const auto planned = world.load(second).plan.digest;
  ASSERT_TRUE(run_change(world.engine(), *std::move(claim), {}, {}));
  EXPECT_EQ(code_of(world.run(second)), "plan.stale");
  EXPECT_EQ(accepted(), world.load(first).bundle_digest);
  const auto moved = replan_if_stale(world.engine(), world.load(second), {});
  ASSERT_TRUE(moved);
  EXPECT_NE(moved->plan.digest, planned);
  EXPECT_EQ(code_of(world.run(second)), "gate.not-met") << "its approvals were for another plan";
}

TEST_F(PolicyChange, AChangedProgramIsOne) {
  auto sources = world.sources();
  sources.programs["checks/ticket"] = "#!/bin/sh\nexit 0\n";
  const auto answer = apply_bundle(world.engine(), EngineWorld::as("alice"), {sources, "", {}}, {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(member(*answer, "accepted"), false);
  const ChangeId id(member(*answer, "changes").at(0).get<std::string>());
  EXPECT_EQ(world.load(id).kind, ChangeKind::Policy);
}

TEST_F(PolicyChange, NeverLeavesTheServerWithoutAnOrganization) {
  world.edit(
      "kind: Organization\nmetadata: {name: acme}\n"
      "spec: {administrators: {members: [ann, abe, amy], approvals: 2}}\n",
      "kind: Freeze\nmetadata: {name: f}\nspec: {classes: [test], from: "
      "2020-01-01T00:00:00Z, to: 2020-01-02T00:00:00Z, reason: none}\n");
  EXPECT_EQ(code_of(world.apply("alice")), "bundle.no-organization");
}

TEST_F(PolicyChange, ARejectionEndsIt) {
  const auto before = accepted();
  world.edit(kOneManager, kTwoManagers);
  const auto id = propose();
  approve(id);
  ASSERT_TRUE(world.decide(id, "amy", Decision::Reject));
  EXPECT_EQ(code_of(world.run(id)), "[failed-precondition]");
  EXPECT_EQ(accepted(), before);
}

/// A server whose first bundle nobody has signed yet.
struct Root : testing::Test {
  void SetUp() override {
    const auto answer = accept_first_bundle(world.engine(), world.bootstrap(), world.sources(), {});
    ASSERT_TRUE(answer) << answer.error().render();
    id = ChangeId(string_member(*answer, "change"));
    ASSERT_TRUE(world.apply("alice"));
    world.drive();
  }
  [[nodiscard]] std::vector<std::string> unmet(const std::string& environment) {
    const auto shown =
        show_change(world.engine(), EngineWorld::as("amy"), world.waiting_in(environment).id);
    EXPECT_TRUE(shown);
    std::vector<std::string> names;
    for (const auto& each : member(*shown, "gate")) {
      if (each.at("met") == false) names.push_back(each.at("condition"));
    }
    return names;
  }
  EngineWorld world;
  ChangeId id;
};

TEST_F(Root, NothingGoesIntoStagingBeforeItsAdministratorsHaveSigned) {
  EXPECT_EQ(world.load(id).kind, ChangeKind::Policy);
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready) << "below staging it does";
  const auto waiting = world.waiting_in("staging").id;
  ASSERT_TRUE(world.decide(waiting, "bob"));
  EXPECT_EQ(code_of(world.run(waiting)), "gate.not-met");
  EXPECT_EQ(unmet("staging"), std::vector<std::string>{"root"});
  ASSERT_TRUE(world.decide(id, "ann"));
  EXPECT_EQ(code_of(world.run(id)), "gate.not-met") << "two of them";
  EXPECT_EQ(code_of(world.payload_for(id, "bob")), "identity.power-missing");
  ASSERT_TRUE(world.decide(id, "amy"));
  ASSERT_TRUE(world.run(id));
  EXPECT_EQ(unmet("staging"), std::vector<std::string>{});
  EXPECT_EQ(code_of(world.run(waiting)), "");
}

TEST_F(Root, AnotherBundleThatTheySignConfirmsItToo) {
  world.edit(kOneManager, kTwoManagers);
  const auto proposed = world.apply("alice");
  ASSERT_TRUE(proposed) << proposed.error().render();
  const ChangeId next(proposed->at("changes").at(0).get<std::string>());
  for (const char* who : {"ann", "abe"}) ASSERT_TRUE(world.decide(next, who));
  const auto done = world.run(next);
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(world.load(id).state, ChangeState::Waiting) << "a proposal alone ends nothing";
  ASSERT_TRUE(world.decide(id, "ann"));
  ASSERT_TRUE(world.decide(id, "abe"));
  EXPECT_EQ(code_of(world.run(id)), "plan.stale") << "the first bundle does not come back";
  EXPECT_EQ(replan_if_stale(world.engine(), world.load(id), {})->state, ChangeState::Superseded);
  EXPECT_EQ((*world.engine().bundle())->digest, world.load(next).bundle_digest);
  ASSERT_TRUE(world.apply("alice", "staging"));
  EXPECT_EQ(unmet("staging"), std::vector<std::string>{"approvals"});
}

TEST_F(Root, ChangesOfResourcesAloneConfirmNothing) {
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  ASSERT_TRUE(world.apply("alice"));
  world.drive();
  ASSERT_TRUE(world.decide(id, "ann"));
  ASSERT_TRUE(world.decide(id, "abe"));
  const auto newest = (*world.engine().bundle())->digest;
  ASSERT_TRUE(world.run(id));
  EXPECT_EQ((*world.engine().bundle())->digest, newest) << "and it does not come back either";
}

TEST_F(PolicyChange, AFreezeStopsEveryChangeOfItsClass) {
  world.specs += R"(---
apiVersion: bailey/v1
kind: Freeze
metadata: {name: close}
spec: {classes: [development], from: 2026-03-01T00:00:00Z, to: 2026-04-01T00:00:00Z, reason: close}
)";
  const auto id = propose();
  approve(id);
  ASSERT_TRUE(world.run(id));
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto frozen = world.waiting_in("dev");
  EXPECT_EQ(code_of(world.run(frozen.id)), "gate.not-met");
  world.clock.advance(std::chrono::days(30));
  EXPECT_EQ(code_of(world.run(frozen.id)), "");
}

}  // namespace
}  // namespace bailey
