#include "orchestrator/promote/evidence/statement.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/evidence/review_statement.hpp"
#include "orchestrator/promote/evidence/verification.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace bailey {
namespace {

std::string digest(std::string_view text) {
  return digest_of(text);
}

ApprovalStatement some_approval() {
  ApprovalStatement approval;
  approval.reason = "looks right";
  approval.checkpoint = "log\n1\nroot\n";
  approval.change = ChangeId("chg-1");
  approval.change_digest = digest("change");
  approval.environment = "payments-production";
  approval.environment_uid = EnvironmentUid("env-1");
  approval.plan_digest = digest("plan");
  approval.spec_digest = digest("spec");
  approval.policy_digest = digest("policy");
  approval.state_serial = 7;
  approval.gate_digest = digest("gate");
  approval.acting_role = "approver";
  approval.evidence = {digest("evidence")};
  approval.artifacts = {{"web", "127.0.0.1:5001/payments/web@" + digest("web")}};
  approval.template_digest = digest("template");
  approval.approver = "bob";
  approval.authors = {"alice@acme.example"};
  approval.requester = "service:ci";
  approval.issued_at = "2026-03-04T10:00:00.000Z";
  approval.not_before = "2026-03-04T10:00:00.000Z";
  approval.expires_at = "2026-03-04T18:00:00.000Z";
  approval.nonce = "nonce";
  return approval;
}

TEST(Statement, SurvivesARoundTrip) {
  const Statement statement{{{"web", digest("web")}}, "urn:x", Json{{"a", 1}}};
  const auto read = parse_statement(payload_of(statement));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, statement);
}

TEST(Statement, PassesOverUnknownMembersAndRefusesBrokenOnes) {
  auto json = to_json(Statement{{{"web", digest("web")}}, "urn:x", Json::object()});
  json["extra"] = 1;
  EXPECT_TRUE(statement_from_json(json));
  const auto with = [&](const char* name, const Json& value) {
    auto changed = json;
    changed[name] = value;
    return changed;
  };
  for (const auto& broken :
       {Json(), with("_type", "https://in-toto.io/Statement/v0.1"), with("predicateType", ""),
        with("predicate", Json::array()), with("subject", Json::array()),
        with("subject", Json::array({Json{{"name", "x"}}})),
        with("subject", Json::array({Json{{"digest", {{"sha256", "abc"}}}}}))}) {
    EXPECT_FALSE(statement_from_json(broken)) << broken.dump();
  }
  EXPECT_FALSE(parse_statement("{\"_type\":1,\"_type\":2}"));
}

TEST(ApprovalStatement, SurvivesARoundTrip) {
  const auto approval = some_approval();
  const auto read = approval_from_statement(*parse_statement(payload_of(to_statement(approval))));
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(*read, approval);
  auto bare = approval;
  bare.checkpoint.reset();
  bare.artifacts.clear();
  bare.decision = Decision::Reject;
  const auto again = approval_from_statement(to_statement(bare));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, bare);
}

TEST(ApprovalStatement, RefusesAMissingOrAdditionalMember) {
  const auto statement = to_statement(some_approval());
  for (const auto& [name, value] : statement.predicate.items()) {
    auto without = statement;
    without.predicate.erase(name);
    EXPECT_FALSE(approval_from_statement(without)) << name;
    auto mistyped = statement;
    mistyped.predicate[name] = Json::array({Json::object()});
    EXPECT_FALSE(approval_from_statement(mistyped)) << name;
  }
  auto more = statement;
  more.predicate["also"] = true;
  EXPECT_FALSE(approval_from_statement(more));
}

TEST(ApprovalStatement, RefusesSubjectsThatAreNotWhatItApproves) {
  auto statement = to_statement(some_approval());
  statement.subjects[0].digest = digest("other");
  EXPECT_FALSE(approval_from_statement(statement));
  statement = to_statement(some_approval());
  statement.subjects.pop_back();
  EXPECT_FALSE(approval_from_statement(statement));
  statement = to_statement(some_approval());
  statement.predicate_type = "urn:other";
  EXPECT_FALSE(approval_from_statement(statement));
}

using Alter = std::function<void(ApprovalStatement&)>;

std::vector<Alter> alterations() {
  return {
      [](auto& a) { a.change = ChangeId("chg-2"); },
      [](auto& a) { a.change_digest = digest("x"); },
      [](auto& a) { a.environment = "payments-staging"; },
      [](auto& a) { a.environment_uid = EnvironmentUid("env-2"); },
      [](auto& a) { a.environment_class = EnvironmentClass::Staging; },
      [](auto& a) { a.plan_digest = digest("x"); },
      [](auto& a) { a.spec_digest = digest("x"); },
      [](auto& a) { a.policy_digest = digest("x"); },
      [](auto& a) { a.state_serial = 8; },
      [](auto& a) { a.gate_digest = digest("x"); },
      [](auto& a) { a.acting_role = "auditor"; },
      [](auto& a) { a.evidence = {}; },
      [](auto& a) { a.artifacts["web"] += "0"; },
      [](auto& a) { a.template_digest = digest("x"); },
      [](auto& a) { a.approver = "carol"; },
      [](auto& a) { a.authors = {}; },
      [](auto& a) { a.requester = "alice"; },
      [](auto& a) { a.issued_at = "2026-03-04T10:00:01.000Z"; },
      [](auto& a) { a.not_before = "2026-03-04T10:00:01.000Z"; },
      [](auto& a) { a.expires_at = "2027-03-04T10:00:01.000Z"; },
      [](auto& a) { a.nonce = "other"; },
  };
}

TEST(ApprovalMatches, IsRefusedByEveryBoundFieldAloneAndInPairs) {
  const auto expected = some_approval();
  const auto changes = alterations();
  for (std::size_t first = 0; first < changes.size(); ++first) {
    for (std::size_t second = first; second < changes.size(); ++second) {
      auto altered = expected;
      changes[first](altered);
      if (second != first) changes[second](altered);
      const auto status = approval_matches(altered, expected);
      ASSERT_FALSE(status) << first << " and " << second;
      EXPECT_EQ(status.error().code(), "approval.mismatch");
    }
  }
}

TEST(ApprovalMatches, LeavesTheApproverItsOwnWords) {
  const auto expected = some_approval();
  auto own = expected;
  own.reason = "no";
  own.decision = Decision::Reject;
  own.checkpoint.reset();
  EXPECT_TRUE(approval_matches(own, expected));
}

TEST(ChangeDigest, CoversWhatIsAskedForAndNotHowFarItIs) {
  Change change;
  change.id = ChangeId("chg-1");
  change.environment_uid = EnvironmentUid("env-1");
  change.plan.digest = digest("plan");
  change.plan.artifacts = {{"web", "r/web@" + digest("web")}};
  change.requester = {SubjectKind::Person, "alice"};
  change.authors = {{"a@x", "alice"}};
  const auto before = change_digest_of(change);
  auto moved = change;
  moved.state = ChangeState::Waiting;
  moved.history.push_back({});
  EXPECT_EQ(change_digest_of(moved), before);
  const std::vector<std::function<void(Change&)>> changes{
      [](auto& c) { c.id = ChangeId("chg-2"); },
      [](auto& c) { c.environment_uid = EnvironmentUid("env-2"); },
      [](auto& c) { c.kind = ChangeKind::Destroy; },
      [](auto& c) { c.plan.digest = digest("other"); },
      [](auto& c) { c.plan.artifacts.clear(); },
      [](auto& c) {
        c.requester = {SubjectKind::Service, "alice"};
      },
      [](auto& c) {
        c.authors.push_back({"b@x", ""});
      },
  };
  for (const auto& alter : changes) {
    auto altered = change;
    alter(altered);
    EXPECT_NE(change_digest_of(altered), before);
  }
}

TEST(VerificationStatement, SurvivesARoundTripAndCannotLieAboutItsResults) {
  VerificationStatement verification{
      "payments-test", EnvironmentUid("env-1"),    ChangeId("chg-1"),
      digest("plan"),  "2026-03-04T10:00:00.000Z", {{{"checks/smoke"}, 0, "ok"}},
      {digest("web")}};
  EXPECT_TRUE(verification.passed());
  auto statement = to_statement(verification);
  const auto read = verification_from_statement(statement);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, verification);
  statement.predicate["results"][0]["exitCode"] = 1;
  EXPECT_FALSE(verification_from_statement(statement));
  verification.results[0].exit_code = 1;
  EXPECT_FALSE(verification.passed());
}

Grant some_grant() {
  Grant grant;
  grant.id = GrantId("grt-1");
  grant.change = ChangeId("chg-1");
  grant.environment = "payments-production";
  grant.environment_uid = EnvironmentUid("env-1");
  grant.terms.kind = GrantKind::BreakGlass;
  grant.terms.holder = {SubjectKind::Person, "erin"};
  grant.terms.ttl = std::chrono::hours(1);
  grant.terms.incident = "INC-1";
  grant.agreed = {"carol"};
  grant.uses = {{"2026-03-04T10:00:00.000Z", CredentialId("cred-1"), 7}};
  return grant;
}

TEST(ReviewStatement, SurvivesARoundTripAndBindsEveryField) {
  auto review = review_of(some_grant());
  review.conclusion = "nothing odd";
  review.reviewer = "dave";
  review.issued_at = "2026-03-04T12:00:00.000Z";
  review.nonce = "n";
  const auto statement = to_statement(review);
  const auto read = review_from_statement(statement);
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(*read, review);
  EXPECT_TRUE(review_matches(review, review));
  auto own = review;
  own.conclusion = "something odd";
  EXPECT_TRUE(review_matches(own, review)) << "that is the reviewer's own";
  const std::vector<std::function<void(ReviewStatement&)>> alterations{
      [](auto& r) { r.grant = GrantId("grt-2"); },
      [](auto& r) { r.grant_digest = digest("other"); },
      [](auto& r) { r.change = ChangeId("chg-2"); },
      [](auto& r) { r.environment = "payments-staging"; },
      [](auto& r) { r.environment_uid = EnvironmentUid("env-2"); },
      [](auto& r) { r.holder = "carol"; },
      [](auto& r) { r.incident = "INC-2"; },
      [](auto& r) { r.reviewer = "erin"; },
      [](auto& r) { r.issued_at = "2026-03-05T12:00:00.000Z"; },
      [](auto& r) { r.nonce = "m"; }};
  for (const auto& alter : alterations) {
    auto altered = review;
    alter(altered);
    EXPECT_EQ(review_matches(altered, review).error().code(), "review.mismatch");
  }
}

TEST(ReviewStatement, IsReadStrictly) {
  const auto good = to_statement(review_of(some_grant()));
  for (const auto& [name, ignored] : good.predicate.items()) {
    auto less = good;
    less.predicate.erase(name);
    EXPECT_FALSE(review_from_statement(less)) << name;
  }
  auto more = good;
  more.predicate["more"] = 1;
  EXPECT_FALSE(review_from_statement(more));
  auto other = good;
  other.subjects[0].digest = digest("other");
  EXPECT_EQ(review_from_statement(other).error().code(), "statement.wrong-subjects");
  other = good;
  other.predicate_type = kApprovalPredicate;
  EXPECT_EQ(review_from_statement(other).error().code(), "statement.wrong-predicate");
  EXPECT_FALSE(approval_from_statement(good));
}

TEST(ReviewStatement, TheDigestOfAGrantCoversAllButItsReviews) {
  const auto grant = some_grant();
  const auto before = grant_digest_of(grant);
  const std::vector<std::function<void(Grant&)>> alterations{
      [](Grant& g) { g.terms.reason = "other"; },
      [](Grant& g) { g.agreed.clear(); },
      [](Grant& g) { g.uses.clear(); },
      [](Grant& g) { g.uses[0].entry = 8; },
      [](Grant& g) { g.ended_because = "other"; },
      [](Grant& g) { g.entries.push_back(1); },
      [](Grant& g) { g.state = GrantState::Closed; }};
  for (const auto& alter : alterations) {
    auto altered = grant;
    alter(altered);
    EXPECT_NE(grant_digest_of(altered), before);
  }
  auto reviewed = grant;
  reviewed.reviews.push_back({"dave", "", "", {}});
  reviewed.reviewed_at = "2026-03-04T12:00:00.000Z";
  reviewed.overdue = true;
  EXPECT_EQ(grant_digest_of(reviewed), before);
}

}  // namespace
}  // namespace bailey
