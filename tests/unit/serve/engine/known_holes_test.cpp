// As promote/gate/known_holes_test.cpp: what other systems let through, where it takes a whole
// server to try.

#include "orchestrator/serve/engine/manage_changes.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using std::chrono::hours;
using test::code_of;
using test::EngineWorld;

/// A promotion to production that waits with both its approvals, long enough in staging.
class KnownHolesOfServers : public testing::Test {
 protected:
  void SetUp() override {
    digest = world.registry.push("one");
    world.reach_staging(digest);
    world.clock.advance(hours(1));
    ASSERT_TRUE(
        world.submit("service:ci", digest, {world.authorship(digest, {"alice@acme.example"})}));
    const auto first = world.waiting_in("production");
    ASSERT_TRUE(cancel_change(world.engine(), EngineWorld::as("alice"), first.id));
    world.clock.advance(hours(25));
    const auto promoted = world.promote("service:ci", digest, "production");
    ASSERT_TRUE(promoted && *promoted) << code_of(promoted);
    id = (*promoted)->id;
    ASSERT_TRUE(world.decide(id, "carol"));
    ASSERT_TRUE(world.decide(id, "dave"));
  }

  [[nodiscard]] std::string execute(const std::string& who) {
    return code_of(claim_by_operator(world.engine(), EngineWorld::as(who), id, {}));
  }
  /// A policy change, agreed to by the administrators.
  void accept(const std::string& from, const std::string& to) {
    world.edit(from, to);
    const auto proposed = world.apply("alice");
    ASSERT_TRUE(proposed) << proposed.error().render();
    const ChangeId policy(member(*proposed, "changes").at(0).get<std::string>());
    ASSERT_TRUE(world.decide(policy, "ann"));
    ASSERT_TRUE(world.decide(policy, "abe"));
    const auto done = world.run(policy);
    ASSERT_TRUE(done) << done.error().render();
  }

  EngineWorld world;
  std::string digest;
  ChangeId id;
};

TEST_F(KnownHolesOfServers, IsLetThroughWhereNothingIsTried) {
  EXPECT_EQ(execute("erin"), "");
}

// GitHub: naming an environment that does not exist makes it, without any rule.
TEST_F(KnownHolesOfServers, GitHubAnUnknownEnvironmentIsMadeBare) {
  EXPECT_EQ(code_of(world.promote("service:ci", digest, "prodution")), "[not-found]");
  EXPECT_EQ(world.state_of("prodution").name, "");
}

// GitLab #323794: a removed user could still deploy.
TEST_F(KnownHolesOfServers, GitLabARemovedUserStillDeploys) {
  accept("deployer: [alice, bob, erin, \"service:ci\"]", "deployer: [alice, bob, \"service:ci\"]");
  EXPECT_EQ(execute("erin"), "identity.power-missing");
}

// GitLab: approvals outlive the membership they were given with.
TEST_F(KnownHolesOfServers, GitLabTheApproverIsRemovedBetweenApprovingAndApplying) {
  accept("security: [dave]", "security: [bob]");
  EXPECT_EQ(execute("erin"), "gate.not-met");
}

// Octopus #4564, #5666 and Terraform: a plan runs though another one came between.
TEST_F(KnownHolesOfServers, OctopusAStalePlanRuns) {
  world.edit("image: cirros", "image: debian");
  ASSERT_TRUE(world.apply("gina", "staging"));
  accept("managers: [alice, bob, carol, frank, gina, zed]",
         "managers: [alice, bob, carol, gina, zed]");
  EXPECT_NE(execute("erin"), "");
  EXPECT_EQ(world.load(id).state, ChangeState::Waiting);
}

// Spinnaker #4792: anybody may judge; that they have no right is found out later, or never.
TEST_F(KnownHolesOfServers, SpinnakerAnybodyMayJudge) {
  EXPECT_EQ(code_of(world.payload_for(id, "mallory")), "identity.power-missing");
  EXPECT_EQ(code_of(world.payload_for(id, "erin")), "identity.power-missing");
}

// Kargo #2729: the button is off, and the request behind it still works.
TEST_F(KnownHolesOfServers, KargoTheButtonIsOffAndTheRequestWorks) {
  ASSERT_TRUE(cancel_change(world.engine(), EngineWorld::as("service:ci"), id));
  EXPECT_EQ(code_of(world.payload_for(id, "bob")), "[failed-precondition]");
  EXPECT_EQ(execute("erin"), "[failed-precondition]");
}

// Administrators of GitHub, GitLab and hoop.dev are above the gate.
TEST_F(KnownHolesOfServers, GitHubAdministratorsGoAroundTheGate) {
  for (const char* who : {"ann", "abe", "amy"}) {
    EXPECT_EQ(execute(who), "identity.power-missing") << who;
    EXPECT_EQ(code_of(world.payload_for(id, who)), "identity.power-missing") << who;
  }
}

// Argo CD #11817: who writes the status goes around the window. Here whatever the server remembers
// about the gate is judged anew when the change is claimed.
TEST_F(KnownHolesOfServers, ArgoARecordedStatusIsBelieved) {
  auto change = world.load(id);
  change.state = ChangeState::Approved;
  change.executor = Subject{SubjectKind::Person, "mallory"};
  ASSERT_TRUE(in_transaction(*world.store, Access::Write, [&](Transaction& transaction) -> Status {
    if (auto saved = save(transaction, change); !saved) return saved;
    const auto given = approvals_of(transaction, id);
    for (const auto& approval : *given) {
      auto forged = approval;
      forged.approver = approval.approver == "dave" ? "bob" : "gina";
      if (auto saved = save(transaction, forged); !saved) return saved;
    }
    return {};
  }));
  EXPECT_EQ(execute("erin"), "gate.not-met");
}

// Atlantis: the rules are read from the branch that is being proposed.
TEST_F(KnownHolesOfServers, AtlantisTheProposalBringsItsOwnRules) {
  world.edit(
      "approvals: {rules: [{from: group:managers, count: 1}, {from: group:security, count: "
      "1}], expire: 8h}",
      "approvals: {rules: [{from: group:managers, count: 2}], expire: 8h}");
  ASSERT_TRUE(world.apply("alice"));
  const auto shown = show_change(world.engine(), EngineWorld::as("carol"), id);
  ASSERT_TRUE(shown);
  EXPECT_NE(member(*shown, "gate").dump().find("group:security"), std::string::npos);
}

// Bytes: jfrog-cli#2211, mcp-data-server#413: production runs other bytes than were approved.
TEST_F(KnownHolesOfServers, AnotherDigestUnderTheSameNameIsRun) {
  const auto other = world.registry.push("other");
  EXPECT_EQ(code_of(world.promote("service:ci", other, "production")), "");
  EXPECT_EQ(execute("erin"), "[failed-precondition]");  // Superseded.
  id = world.waiting_in("production").id;
  ASSERT_TRUE(world.decide(id, "carol"));
  ASSERT_TRUE(world.decide(id, "dave"));
  EXPECT_EQ(execute("erin"), "gate.not-met");  // In no stage before.
}

// Gardener: four eyes for some acts only. Taking production down goes through the same gate.
TEST_F(KnownHolesOfServers, GardenerSomeActsHaveNoGate) {
  const auto asked = request_destroy(world.engine(), EngineWorld::as("gina"), "staging", {});
  ASSERT_TRUE(asked && *asked) << code_of(asked);
  EXPECT_EQ(code_of(world.run((*asked)->id)), "gate.not-met");
  EXPECT_EQ(code_of(world.payload_for((*asked)->id, "gina")), "gate.not-independent");
}

}  // namespace
}  // namespace bailey
