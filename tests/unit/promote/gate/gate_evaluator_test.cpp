#include "orchestrator/promote/gate/gate_evaluator.hpp"

#include "orchestrator/model/grant.hpp"
#include "tests/unit/promote/gate_story.hpp"

namespace bailey {
namespace {

using std::chrono::hours;
using test::group;
using test::kNow;
using test::person;
using test::service;
using test::TestKey;
using test::time_of;

class EvaluateGate : public test::GateStory {};

using Names = std::vector<std::string>;

TEST_F(EvaluateGate, LetsThroughWhatMeetsEveryCondition) {
  const auto result = judge();
  EXPECT_TRUE(result.met) << gate_json(result).dump(2);
  EXPECT_FALSE(result.rejected);
  ASSERT_EQ(result.conditions.size(), environment_.gate.size() + 1);
  EXPECT_EQ(result.conditions.back().condition, "freeze");
}

TEST_F(EvaluateGate, RefusesWhatIsNotVerifiedInTheStageBefore) {
  verified_.erase(web_);
  EXPECT_EQ(unmet(), (Names{"verified", "soak"}));
  verified_ = {{web_, "2026-03-03T10:00:00Z"}};
  EXPECT_EQ(unmet(), (Names{"verified", "soak"}));
}

TEST_F(EvaluateGate, AsksForTheTemplateOnlyWhereTheStageUsesIt) {
  verified_.erase(template_);
  bundle_.environments["staging"].template_name = "other";
  EXPECT_EQ(unmet(), Names{});
}

TEST_F(EvaluateGate, RefusesAnUnknownStageAndAnAbsentOrForeignAnswer) {
  bundle_.environments.clear();
  EXPECT_EQ(unmet(), (Names{"verified", "soak"}));
  bundle_.environments["staging"].template_name = "web";
  auto silent = inputs();
  silent.verified = nullptr;
  EXPECT_FALSE(evaluate_gate(silent).met);
  auto foreign = inputs();
  foreign.verified = [&](const std::string&, const std::string& digest) {
    return std::optional(VerifiedItem{"development", digest, "2026-01-01T00:00:00Z", "chg-0"});
  };
  EXPECT_FALSE(evaluate_gate(foreign).met);
}

TEST_F(EvaluateGate, SaysWhenTheSoakEnds) {
  verified_[web_] = "2026-03-03T10:00:01Z";
  EXPECT_EQ(unmet(), Names{"soak"});
  EXPECT_EQ(condition("soak").opens_at, time_of("2026-03-04T10:00:01Z"));
  verified_[web_] = "yesterday";
  EXPECT_EQ(unmet(), Names{"soak"});
}

TEST_F(EvaluateGate, CountsNeitherAuthorNorRequesterNorExecutor) {
  approvals_ = {approval("alice"), approval("carol")};
  EXPECT_EQ(unmet(), Names{"approvals"});
  approvals_ = {approval("dave"), approval("carol")};  // Controls the service that asks.
  EXPECT_EQ(unmet(), Names{"approvals"});
  approvals_ = {approval("erin"), approval("carol")};
  change_.executor = person("erin");
  EXPECT_EQ(unmet(), Names{"approvals"});
}

TEST_F(EvaluateGate, KnowsAnAuthorByAddressUnderAnyNameAndInTheEvidence) {
  change_.authors = {{"ERIN@X", ""}};
  EXPECT_EQ(unmet(), Names{"approvals"});
  change_.authors.clear();
  evidence_[0].authors = {{"erin@x", "erin"}};
  EXPECT_EQ(unmet(), Names{"approvals"});
  evidence_[0].authors.clear();
  bundle_.directory.people["erin"].email = "alice@x";  // A second account of the author.
  change_.authors = {{"alice@x", "alice"}};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

TEST_F(EvaluateGate, FollowsControlThroughServicesAndGroups) {
  bundle_.directory.services["robot"] = {{group("guards")}, {}, {}};
  bundle_.directory.services["ci"].controlled_by = {service("robot"), service("ci")};
  EXPECT_EQ(unmet(), Names{"approvals"});
  EXPECT_EQ(eligible_approvers(inputs()), (std::set<std::string>{"dave", "erin"}));
}

TEST_F(EvaluateGate, CountsNobodyTwice) {
  approvals_ = {approval("bob"), approval("bob")};  // In both groups.
  EXPECT_EQ(unmet(), Names{"approvals"});
  approvals_ = {approval("bob"), approval("erin")};
  EXPECT_EQ(unmet(), Names{});
  approvals_ = {approval("bob"), approval("carol")};
  EXPECT_EQ(unmet(), Names{});
}

TEST_F(EvaluateGate, ForgetsApprovalsOfThoseWhoLostMembershipKeyOrPower) {
  bundle_.directory.groups["guards"] = {person("bob")};
  EXPECT_EQ(unmet(), Names{"approvals"});
  bundle_.directory.groups["guards"] = {person("carol")};
  EXPECT_EQ(unmet(), Names{});
  bundle_.directory.people["carol"].keys = {TestKey("new key of carol").line()};
  EXPECT_EQ(unmet(), Names{"approvals"});
  bundle_.directory.people.erase("carol");
  EXPECT_EQ(unmet(), Names{"approvals"});
}

TEST_F(EvaluateGate, DemandsThePowerToApprove) {
  environment_.bindings["approver"] = {group("managers")};
  EXPECT_EQ(unmet(), Names{"approvals"});
  environment_.bindings.clear();
  EXPECT_EQ(unmet(), Names{"approvals"});
}

TEST_F(EvaluateGate, CountsApprovalsOnlyWhileTheyAreValidAndForThisChange) {
  const auto with = [&](auto alter) {
    approvals_ = {approval("erin"), approval("carol")};
    alter(approvals_[0]);
    return unmet();
  };
  EXPECT_EQ(with([](Approval& a) { a.expires_at = "2026-03-04T10:00:00Z"; }), Names{"approvals"});
  EXPECT_EQ(with([](Approval& a) { a.issued_at = "2026-03-04T02:00:00Z"; }), Names{"approvals"});
  EXPECT_EQ(with([](Approval& a) { a.issued_at = "2026-03-04T02:00:01Z"; }), Names{});
  EXPECT_EQ(with([](Approval& a) { a.issued_at = "2026-03-04T10:00:01Z"; }), Names{"approvals"});
  EXPECT_EQ(with([](Approval& a) { a.issued_at = ""; }), Names{"approvals"});
  EXPECT_EQ(with([](Approval& a) { a.expires_at = "never"; }), Names{"approvals"});
  EXPECT_EQ(with([](Approval& a) { a.change = ChangeId("chg-2"); }), Names{"approvals"});
  EXPECT_EQ(with([](Approval& a) { a.key_fingerprint = TestKey("bob").print(); }),
            Names{"approvals"});
}

TEST_F(EvaluateGate, IsNeverMetByARuleWithoutPeopleOrWithoutRules) {
  bundle_.directory.groups.erase("security");
  EXPECT_EQ(unmet(), Names{"approvals"});
  EXPECT_FALSE(condition("approvals").waits_for_people);
  environment_.gate[2] = ApprovalsCondition{{}, hours(8)};
  EXPECT_EQ(unmet(), Names{"approvals"});
}

TEST_F(EvaluateGate, NamesWhoCanUnblock) {
  approvals_ = {approval("erin")};
  const auto missing = condition("approvals");
  EXPECT_TRUE(missing.waits_for_people);
  EXPECT_EQ(missing.who_can_unblock, (Names{"bob", "carol"}));
  EXPECT_TRUE(judge().waits_for_people_only());
  checks_.clear();
  EXPECT_FALSE(judge().waits_for_people_only());
}

TEST_F(EvaluateGate, IsClosedByARejectionOfWhoMay) {
  approvals_.push_back(approval("alice", Decision::Reject));  // An author: counts for nothing.
  EXPECT_FALSE(judge().rejected);
  approvals_.push_back(approval("bob", Decision::Reject));
  approvals_.back().expires_at = "2026-03-04T09:30:00Z";
  const auto result = judge();
  EXPECT_TRUE(result.rejected);
  EXPECT_FALSE(result.met);
  EXPECT_FALSE(result.waits_for_people_only());
}

TEST_F(EvaluateGate, DemandsEvidenceForEveryArtifactByWhoMayGiveIt) {
  evidence_[0].signer = service("other");
  EXPECT_EQ(unmet(), Names{"evidence"});
  EXPECT_EQ(condition("evidence").who_can_unblock, Names{"service:ci"});
  evidence_[0].signer = person("ci");
  EXPECT_EQ(unmet(), Names{"evidence"});
  evidence_[0].signer = service("ci");
  evidence_[0].predicate_type = "urn:other";
  EXPECT_EQ(unmet(), Names{"evidence"});
  evidence_[0].predicate_type = kAuthorshipPredicate;
  change_.plan.artifacts["api"] = "r:1/payments/api@" + digest_of(std::string_view("api"));
  EXPECT_EQ(unmet(), Names{"evidence"});
  change_.plan.artifacts = {{"web", "r:1/payments/web"}};
  EXPECT_EQ(unmet(), Names{"evidence"});
  change_.plan.artifacts.clear();
  EXPECT_EQ(unmet(), Names{});
  bundle_.directory.services.erase("ci");
  change_.plan.artifacts = {{"web", "r:1/payments/web@" + web_}};
  EXPECT_EQ(unmet(), Names{"evidence"});
}

TEST_F(EvaluateGate, TakesAMissingAnswerOfACheckForNo) {
  checks_ = {{3, {true, ""}}};
  EXPECT_EQ(unmet(), Names{"check"});
  checks_ = {{4, {false, "no ticket"}}};
  EXPECT_EQ(unmet(), Names{"check"});
}

TEST_F(EvaluateGate, IsShutOutsideItsWindow) {
  now_ = time_of("2026-03-04T15:00:00Z");  // 16:00 in Berlin.
  EXPECT_EQ(unmet(), Names{"window"});
  EXPECT_EQ(condition("window").opens_at, time_of("2026-03-05T08:00:00Z"));
}

TEST_F(EvaluateGate, IsShutByAFreezeOfItsClassOrItself) {
  Freeze freeze{"year-end", {EnvironmentClass::Production}, {}, kNow, kNow + hours(1), "close"};
  bundle_.freezes["year-end"] = freeze;
  EXPECT_EQ(unmet(), Names{"freeze"});
  EXPECT_EQ(condition("freeze").opens_at, kNow + hours(1));
  freeze.to = kNow + hours(2);
  freeze.classes = {};
  freeze.environments = {"production"};
  bundle_.freezes["longer"] = freeze;
  EXPECT_EQ(condition("freeze").opens_at, kNow + hours(2));
  now_ = kNow + hours(2);
  EXPECT_EQ(unmet(), Names{});
}

TEST_F(EvaluateGate, IsNotShutByAFreezeOfOthers) {
  bundle_.freezes["other"] = {
      "other", {EnvironmentClass::Staging}, {"staging"}, kNow, kNow + hours(1), ""};
  EXPECT_EQ(unmet(), Names{});
  bundle_.freezes["all"] = {"all", {}, {}, kNow, kNow + hours(1), ""};
  EXPECT_EQ(unmet(), Names{"freeze"});
}

TEST_F(EvaluateGate, HoldsTheFloorOfTheClassWhateverTheGateSays) {
  environment_.gate = {};
  EXPECT_EQ(unmet(), Names{"floor"});
  environment_.environment_class = EnvironmentClass::Test;
  EXPECT_EQ(unmet(), Names{"floor"});
  environment_.environment_class = EnvironmentClass::Development;
  EXPECT_EQ(unmet(), Names{});
  environment_.gate = {VerifiedCondition{"staging"},
                       ApprovalsCondition{{{group("managers"), 1}}, hours(8)}};
  environment_.environment_class = EnvironmentClass::Staging;
  approvals_ = {approval("erin")};
  EXPECT_EQ(unmet(), Names{});
  environment_.environment_class = EnvironmentClass::Production;
  EXPECT_EQ(unmet(), Names{"floor"});
  approvals_ = {approval("erin"), approval("carol")};
  EXPECT_EQ(unmet(), Names{"floor"});  // Two people, and nobody asks who wrote it.
  environment_.gate.push_back(
      EvidenceCondition{std::string(kAuthorshipPredicate), {service("ci")}});
  EXPECT_EQ(unmet(), Names{});
  approvals_ = {approval("erin"), approval("erin")};
  EXPECT_EQ(unmet(), Names{"floor"});
}

TEST_F(EvaluateGate, OfAGrantAsksForSomebodyElseInEveryClass) {
  change_.kind = ChangeKind::Grant;
  change_.plan = {};
  change_.introduces = {};
  environment_.gate = {};
  for (const auto each : all_environment_classes()) {
    environment_.environment_class = each;
    EXPECT_EQ(unmet(), Names{"floor"}) << to_string(each);  // A yes that no rule asks for.
  }
  environment_.gate = {ApprovalsCondition{{{group("managers"), 1}}, hours(8)}};
  for (const auto each : all_environment_classes()) {
    environment_.environment_class = each;
    approvals_ = {approval("erin")};
    EXPECT_EQ(unmet(), Names{}) << to_string(each);
    approvals_ = {approval("dave")};  // He stands behind who asked.
    EXPECT_EQ(unmet(), Names{"approvals"}) << to_string(each);
  }
}

TEST_F(EvaluateGate, IsShutWhileTheReviewOfAnEmergencyIsOwed) {
  auto frozen = inputs();
  frozen.owed_reviews = {{"grt-1",
                          "erin",
                          "INC-1",
                          "2026-03-04T09:00:00Z",
                          true,
                          "group:security",
                          0,
                          2,
                          "",
                          false,
                          {"bob", "carol"}},
                         {"grt-2",
                          "bob",
                          "INC-2",
                          "2026-03-04T09:30:00Z",
                          false,
                          "group:security",
                          1,
                          2,
                          "2026-03-05T09:30:00Z",
                          true,
                          {}}};
  const auto result = evaluate_gate(frozen);
  EXPECT_FALSE(result.met);
  std::vector<ConditionResult> owed;
  for (const auto& each : result.conditions) {
    EXPECT_EQ(each.met, each.condition != "review");
    if (each.condition == "review") owed.push_back(each);
  }
  ASSERT_EQ(owed.size(), 2U);
  EXPECT_EQ(owed[0].who_can_unblock, (Names{"bob", "carol"}));
  EXPECT_TRUE(owed[0].waits_for_people);
  for (const char* word : {"erin", "INC-1", "grt-1", "0 of 2", "group:security", "not ended"}) {
    EXPECT_NE(owed[0].detail.find(word), std::string::npos) << owed[0].detail;
  }
  for (const char* word : {"1 of 2", "late", "2026-03-05T09:30:00Z", "Nobody can sign"}) {
    EXPECT_NE(owed[1].detail.find(word), std::string::npos) << owed[1].detail;
  }
}

TEST_F(EvaluateGate, IsNotShutToAnotherEmergency) {
  GrantTerms terms;
  terms.holder = service("ci");
  terms.ttl = hours(1);
  change_.kind = ChangeKind::Grant;
  change_.introduces = {};
  change_.plan = {};
  change_.plan.environment = "production";
  environment_.gate = {ApprovalsCondition{{{group("managers"), 1}}, hours(8)}};
  for (const auto kind : {GrantKind::Access, GrantKind::BreakGlass}) {
    terms.kind = kind;
    change_.plan.operations = {grant_operation("production", terms)};
    auto frozen = inputs();
    frozen.owed_reviews = {{"grt-1", "erin", "INC-1", "", false, "", 0, 1, "", false, {}}};
    EXPECT_EQ(evaluate_gate(frozen).met, kind == GrantKind::BreakGlass);
    change_.kind = ChangeKind::Apply;  // It is by what it is, and not by what it looks like.
    EXPECT_FALSE(evaluate_gate(frozen).met);
    change_.kind = ChangeKind::Grant;
  }
}

TEST_F(EvaluateGate, GivesTheJsonOfTheCommandLine) {
  const auto json = gate_json(judge());
  ASSERT_EQ(json.size(), 7U);
  for (const auto& each : json) {
    EXPECT_EQ(each.size(), 4U);
    for (const char* name : {"condition", "met", "detail", "who_can_unblock"}) {
      EXPECT_TRUE(each.contains(name)) << name;
    }
  }
}

TEST_F(EvaluateGate, RecordsWhatItWasJudgedBy) {
  const auto record = gate_record(inputs(), judge());
  EXPECT_EQ(record.at("evaluated_at"), "2026-03-04T10:00:00.000Z");
  EXPECT_EQ(record.at("met"), true);
  EXPECT_EQ(record.at("inputs").at("approvals").size(), 2U);
  EXPECT_EQ(record.at("inputs").at("verified").size(), 2U);
  EXPECT_EQ(record.at("inputs").at("evidence").size(), 1U);
  EXPECT_EQ(record.at("inputs").at("checks").size(), 1U);
}

TEST_F(EvaluateGate, LetsNobodyDoInOneChangeWhatADutyKeepsApart) {
  environment_.project = "payments";
  bundle_.duties.exclusive = {
      {"author-never-asks", {{"author", "payments"}, {"request", "production"}}, {}}};
  EXPECT_TRUE(judge().met);
  // Dave stands behind the service that asks; only the evidence names him as an author.
  evidence_[0].authors.push_back({"dave@x", "dave"});
  const auto result = judge();
  EXPECT_FALSE(result.met);
  EXPECT_FALSE(result.waits_for_people_only());
  EXPECT_EQ(result.conditions.back().condition, "duty");
  EXPECT_NE(result.conditions.back().detail.find("dave wrote it and asks for it"),
            std::string::npos)
      << result.conditions.back().detail;
  bundle_.duties.exclusive[0].holds[1] = {"request", "staging"};
  EXPECT_TRUE(judge().met);
}

TEST_F(EvaluateGate, LetsNobodyExecuteWhatADutyKeepsFromThem) {
  environment_.project = "payments";
  bundle_.duties.exclusive = {
      {"asker-never-deploys", {{"request", "production"}, {"deploy", "production"}}, {}}};
  change_.executor = person("mallory");
  EXPECT_TRUE(judge().met);
  change_.executor = person("dave");
  EXPECT_FALSE(judge().met);
  change_.kind = ChangeKind::Policy;
  EXPECT_TRUE(judge().met);
}

}  // namespace
}  // namespace bailey
