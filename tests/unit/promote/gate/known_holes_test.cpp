// The ways in which gates of other systems are or were passed, each tried on ours. A name begins
// with the system; issues are theirs. What needs a whole server is in
// serve/engine/known_holes_test.cpp.

#include "orchestrator/promote/gate/decisions.hpp"
#include "tests/unit/promote/gate_story.hpp"

namespace bailey {
namespace {

using std::chrono::hours;
using test::group;
using test::kNow;
using test::person;
using test::service;
using test::TestKey;

using Names = std::vector<std::string>;

class KnownHoles : public test::GateStory {
 protected:
  ApprovalsCondition& approvals_condition() {
    return std::get<ApprovalsCondition>(environment_.gate[2]);
  }
  [[nodiscard]] std::string may_decide_code(const Subject& who) {
    change_.state = ChangeState::Waiting;
    const auto may = may_decide({bundle_, environment_, change_, change_.authors}, who, {});
    return may ? "" : may.error().code();
  }
};

// Kargo Enterprise, wait-for-approval: without `approvers` whoever may see the promotion approves
// it.
TEST_F(KnownHoles, KargoEnterpriseNoApproversNamedMeansAnybody) {
  approvals_condition().rules.clear();
  EXPECT_EQ(unmet(), Names{"approvals"});
  EXPECT_EQ(condition("approvals").who_can_unblock, Names{});
  EXPECT_FALSE(condition("approvals").waits_for_people);
}

// Kargo: a manual approval stands in for verification and soak.
TEST_F(KnownHoles, KargoAnApprovalReplacesVerificationAndSoak) {
  for (const char* name : {"bob"}) approvals_.push_back(approval(name));
  verified_.clear();
  EXPECT_EQ(unmet(), (Names{"verified", "soak"}));
}

// Kargo: the rights of all roles of a person are united, so nothing can exclude anything.
TEST_F(KnownHoles, KargoMoreRolesTakeAnExclusionAway) {
  environment_.bindings["auditor"].push_back(person("alice"));
  environment_.bindings["approver"].push_back(person("alice"));
  approvals_ = {approval("alice"), approval("carol")};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// GitHub: preventing self-review looks at who started the run, and not at who wrote the commit.
TEST_F(KnownHoles, GitHubTheAuthorApprovesWhatSomebodyElseStarted) {
  change_.requester = person("bob");
  approvals_ = {approval("alice"), approval("carol")};
  EXPECT_EQ(unmet(), Names{"approvals"});
  EXPECT_EQ(may_decide_code(person("alice")), "gate.not-independent");
}

// GitHub: of up to six required reviewers one is enough.
TEST_F(KnownHoles, GitHubOneOfTheReviewersIsEnough) {
  approvals_condition().rules = {{group("managers"), 2}};
  approvals_ = {approval("erin")};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// GitHub and GitLab: an administrator approves or goes around the rules.
TEST_F(KnownHoles, GitHubAndGitLabAdministratorsAreAboveTheRules) {
  bundle_.directory.people["admin"] = {"admin@x", {TestKey("admin").line()}};
  bundle_.organization = Organization{"acme", {person("admin")}, 1};
  approvals_ = {approval("erin"), approval("admin")};
  EXPECT_EQ(unmet(), Names{"approvals"});
  approvals_ = {approval("admin"), approval("carol")};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// GitLab #425759: approvers are given to rules greedily, and a gate that is met stays shut.
TEST_F(KnownHoles, GitLabGreedyAssignmentOfApproversDeadlocks) {
  bundle_.directory.groups["managers"] = {person("bob"), person("erin")};
  bundle_.directory.groups["guards"] = {person("bob")};
  approvals_ = {approval("bob"), approval("erin")};
  EXPECT_EQ(unmet(), Names{});
  std::swap(approvals_[0], approvals_[1]);
  EXPECT_EQ(unmet(), Names{});
}

// GitLab #381877: when the group of approvers is deleted, its rule goes with it.
TEST_F(KnownHoles, GitLabDeletingAGroupDeletesItsRule) {
  bundle_.directory.groups.erase("guards");
  EXPECT_EQ(unmet(), Names{"approvals"});
  bundle_.directory.groups.erase("security");
  EXPECT_EQ(unmet(), Names{"approvals"});
  bundle_.directory.groups.erase("managers");
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// GitLab #419834: "one of these groups" was taken for "each of these groups".
TEST_F(KnownHoles, GitLabEitherOfTwoGroupsIsTakenForBoth) {
  bundle_.directory.groups["either"] = {group("managers"), group("security")};
  approvals_condition().rules = {{group("either"), 2}};
  approvals_ = {approval("bob"), approval("erin")};
  EXPECT_EQ(unmet(), Names{});
}

// GitLab #323794: who was removed could still deploy; here, whose approval still counted.
TEST_F(KnownHoles, GitLabARemovedMemberStillCounts) {
  bundle_.directory.groups["managers"] = {person("alice"), person("bob"), person("dave")};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// GitLab #437988: crafted history makes a code owner's approval cover what others wrote.
TEST_F(KnownHoles, GitLabOneOfManyAuthorsIsOverlooked) {
  change_.authors = {{"stranger@x", ""}, {"ERIN@X", ""}, {"alice@x", "alice"}};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// Octopus Approvals: of several matching rules the approvers are united and the largest minimum
// taken, so that a stricter rule weakens the gate.
TEST_F(KnownHoles, OctopusAStricterRuleUnitesTheApproversOfAll) {
  bundle_.directory.groups["others"] = {person("bob"), person("erin")};
  approvals_ = {approval("erin"), approval("bob")};
  approvals_condition().rules = {{group("guards"), 2}};
  ASSERT_EQ(unmet(), Names{"approvals"});
  approvals_condition().rules.push_back({group("others"), 1});
  EXPECT_EQ(unmet(), Names{"approvals"});
  environment_.gate.push_back(ApprovalsCondition{{{group("others"), 1}}, hours(8)});
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// Octopus manual intervention: with no team set, whoever may deploy may say yes.
TEST_F(KnownHoles, OctopusNoTeamMeansAnyDeployer) {
  bundle_.templates["web"].roles["deployer"] = {{Power::Read, Power::Deploy}, {}};
  environment_.bindings = {{"deployer", {person("erin"), person("carol")}}};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// Spacelift's published example of "DevOps and Security" is met by one person in both teams; so are
// OpenBao's control groups, which count one entity in every factor that fits.
TEST_F(KnownHoles, SpaceliftAndOpenBaoOnePersonStandsForTwoTeams) {
  approvals_ = {approval("bob")};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// Spacelift: with no policy attached, anybody with write access runs.
TEST_F(KnownHoles, SpaceliftNoPolicyMeansYes) {
  environment_.gate.clear();
  EXPECT_EQ(unmet(), Names{"floor"});
}

// Teleport: `submit_for_users` lets a plugin review in the name of anybody.
TEST_F(KnownHoles, TeleportAPluginReviewsForPeople) {
  environment_.bindings["approver"].push_back(service("ci"));
  EXPECT_EQ(may_decide_code(service("ci")), "gate.not-a-person");
  approvals_[0].key_fingerprint = TestKey("ci").print();
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// Teleport: thresholds of one role are alternatives, and the weakest decides.
TEST_F(KnownHoles, TeleportTheWeakestOfSeveralThresholdsDecides) {
  environment_.gate.push_back(ApprovalsCondition{{{group("managers"), 1}}, hours(8)});
  approvals_ = {approval("erin")};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// hoop.dev: a review counts for every group of the reviewer.
TEST_F(KnownHoles, HoopOneReviewMarksEveryGroup) {
  bundle_.directory.groups["managers"].push_back(person("carol"));
  approvals_ = {approval("carol")};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// hoop.dev: `approved == needed`, so that one approval too many leaves the gate shut for ever.
TEST_F(KnownHoles, HoopMoreThanEnoughIsNotEnough) {
  approvals_ = {approval("erin"), approval("carol"), approval("bob")};
  EXPECT_EQ(unmet(), Names{});
}

// hoop.dev: administrators approve their own requests.
TEST_F(KnownHoles, HoopAdministratorsApproveTheirOwn) {
  bundle_.organization = Organization{"acme", {person("erin")}, 1};
  change_.requester = person("erin");
  EXPECT_EQ(unmet(), Names{"approvals"});
  EXPECT_EQ(may_decide_code(person("erin")), "gate.not-independent");
}

// Atlantis #1508: an approval of one directory's plan is good for another's.
TEST_F(KnownHoles, AtlantisAnApprovalIsReusedForAnotherPlan) {
  for (auto& each : approvals_) each.change = ChangeId("chg-0");
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// Atlantis #5795, #3372: an approval from before the plan counts for it.
TEST_F(KnownHoles, AtlantisAnApprovalFromBeforeThePlanCounts) {
  change_.state = ChangeState::Planned;
  const auto may = may_decide({bundle_, environment_, change_, {}}, person("bob"), {});
  ASSERT_FALSE(may);
  EXPECT_EQ(may.error().kind(), ErrorKind::FailedPrecondition);
}

// Atlantis #2605: a requirement that could not be evaluated was passed over.
TEST_F(KnownHoles, AtlantisWhatCannotBeEvaluatedIsPassedOver) {
  checks_.clear();
  EXPECT_EQ(unmet(), Names{"check"});
  std::get<WindowCondition>(environment_.gate[5]).zone = "Nowhere/Land";
  EXPECT_EQ(unmet(), (Names{"check", "window"}));
}

// Argo CD: a sync window that ends lets the sync that it held go on outside of it.
TEST_F(KnownHoles, ArgoWhatBeganInAWindowGoesOnOutside) {
  now_ = test::time_of("2026-03-04T15:00:00Z");
  EXPECT_EQ(unmet(), Names{"window"});
}

// Argo CD #29558 the other way round: nobody's role overrides a freeze.
TEST_F(KnownHoles, ArgoAFreezeIsOverriddenByARole) {
  bundle_.organization = Organization{"acme", {person("erin"), person("carol")}, 1};
  bundle_.freezes["close"] = {"close", {}, {}, kNow, kNow + hours(1), ""};
  EXPECT_EQ(unmet(), Names{"freeze"});
}

// Google Binary Authorization: an attestation binds a digest, and anybody's key of the attestor.
TEST_F(KnownHoles, BinaryAuthorizationAnyEvidenceOfTheDigestWillDo) {
  evidence_[0].signer = service("other");
  EXPECT_EQ(unmet(), Names{"evidence"});
}

// Everywhere: the author approves through a second account, or through a robot.
TEST_F(KnownHoles, AnAuthorApprovesThroughASecondAccountOrARobot) {
  bundle_.directory.people["erin"].email = "Alice@X";
  EXPECT_EQ(unmet(), Names{"approvals"});
  bundle_.directory.people["erin"].email = "erin@x";
  bundle_.directory.services["ci"].controlled_by = {group("robots")};
  bundle_.directory.groups["robots"] = {service("robot")};
  bundle_.directory.services["robot"] = {{person("erin")}, {}, {}};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

// Everywhere: two keys of one person are counted as two people.
TEST_F(KnownHoles, TwoKeysOfOnePersonCountAsTwo) {
  bundle_.directory.people["bob"].keys.push_back(TestKey("bob's second").line());
  approvals_ = {approval("bob"), approval("bob")};
  approvals_[1].key_fingerprint = TestKey("bob's second").print();
  EXPECT_EQ(unmet(), Names{"approvals"});
  approvals_condition().rules = {{group("managers"), 2}};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

}  // namespace
}  // namespace bailey
