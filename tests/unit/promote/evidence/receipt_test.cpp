#include "orchestrator/promote/evidence/receipt.hpp"

#include "orchestrator/base/json.hpp"
#include "tests/unit/promote/receipt_story.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace bailey {
namespace {

using test::altered;
using test::digest;
using test::is_signed;
using test::kEvaluated;
using test::leaves;
using test::Story;
using test::TestKey;

bool accepted(const Json& receipt, const std::optional<std::string>& key) {
  const auto report = verify_receipt(receipt, key);
  return report && report->ok;
}

/// The names of the checks that failed.
std::vector<std::string> failed(const Story& story) {
  const auto report = verify_receipt(story.receipt(), story.vkey());
  if (!report) return {"unreadable"};
  std::vector<std::string> names;
  for (const auto& check : report->checks) {
    if (!check.ok) names.push_back(check.name);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(VerifyReceipt, AcceptsAWholeReceipt) {
  const Story story;
  const auto report = verify_receipt(story.receipt(), story.vkey());
  ASSERT_TRUE(report) << report.error().render();
  EXPECT_TRUE(report->ok) << to_json(*report).dump(2);
  EXPECT_EQ(report->change, "chg-1");
  EXPECT_EQ(report->environment, "production");
  EXPECT_TRUE(accepted(story.receipt(), std::nullopt));
}

TEST(VerifyReceipt, SurvivesBeingWrittenAndReadAgain) {
  const Story story;
  EXPECT_TRUE(accepted(*parse_json(pretty(story.receipt())), story.vkey()));
}

TEST(VerifyReceipt, RefusesAChangeOfAnySingleLeaf) {
  const Story story;
  const auto receipt = story.receipt();
  const auto all = leaves(receipt);
  EXPECT_GT(all.size(), 80U);
  for (const auto& leaf : all) {
    auto tampered = receipt;
    tampered[leaf] = altered(receipt.at(leaf));
    EXPECT_FALSE(accepted(tampered, story.vkey())) << leaf.to_string();
  }
}

TEST(VerifyReceipt, RefusesAChangeOfAnySingleLeafThatIsSealedAnew) {
  const Story story;
  const auto receipt = story.receipt();
  for (const auto& leaf : leaves(receipt)) {
    if (leaf.to_string() == "/digest" || leaf.to_string().starts_with("/log")) continue;
    auto tampered = receipt;
    tampered[leaf] = altered(receipt.at(leaf));
    tampered["digest"] = receipt_digest_of(tampered);
    EXPECT_FALSE(accepted(tampered, story.vkey())) << leaf.to_string();
  }
}

// A server that writes its own log can claim what only it has seen, and cannot claim what people or
// services have signed.
TEST(VerifyReceipt, RefusesAForgedReceiptThatALogWasMadeFor) {
  const Story story;
  const auto receipt = story.receipt();
  for (const auto& leaf : leaves(receipt)) {
    const auto at = leaf.to_string();
    if (!is_signed(at)) continue;
    auto tampered = receipt;
    tampered[leaf] = altered(receipt.at(leaf));
    tampered["log"] = nullptr;
    tampered["digest"] = receipt_digest_of(tampered);
    EXPECT_FALSE(accepted(story.logged(tampered), story.vkey())) << at;
  }
}

TEST(VerifyReceipt, RefusesMissingAndAdditionalMembers) {
  const Story story;
  const auto receipt = story.receipt();
  for (const auto& [name, value] : receipt.items()) {
    auto without = receipt;
    without.erase(name);
    EXPECT_FALSE(accepted(without, story.vkey())) << name;
  }
  auto more = receipt;
  more["also"] = 1;
  EXPECT_FALSE(accepted(more, story.vkey()));
  for (const auto& value : {Json(), Json::array(), Json("text"), Json::object()}) {
    EXPECT_FALSE(verify_receipt(value, std::nullopt));
  }
}

TEST(VerifyReceipt, NeedsTheLog) {
  const Story story;
  auto receipt = story.receipt();
  receipt["log"] = nullptr;
  EXPECT_FALSE(accepted(receipt, story.vkey()));
  EXPECT_FALSE(accepted(receipt, std::nullopt));
  test::FakeRandom random(99);
  const auto other = NoteSigner::generate("bailey.example/log", random);
  EXPECT_FALSE(accepted(story.receipt(), other->verifier().str()));
  EXPECT_FALSE(verify_receipt(story.receipt(), "not a key"));
}

TEST(VerifyReceipt, CountsNeitherAuthorsNorRequesters) {
  Story story;
  story.approvers = {"alice", "carol"};
  EXPECT_EQ(failed(story), Names{"quorum"});
  // dave controls the service that asked.
  story.approvers = {"dave", "carol"};
  EXPECT_EQ(failed(story), Names{"quorum"});
  story.approvers = {"bob"};
  EXPECT_EQ(failed(story), Names{"quorum"});
  story.approvers = {"bob", "bob"};
  EXPECT_EQ(failed(story), (Names{"approval", "quorum"}));
  story.approvers = {"bob", "mallory"};
  EXPECT_EQ(failed(story), (Names{"approval", "quorum"}));
}

TEST(VerifyReceipt, CountsNotTheExecutor) {
  Story story;
  story.alter_content = [](ReceiptContent& content) {
    content.change.executor = Subject{SubjectKind::Person, "bob"};
  };
  EXPECT_EQ(failed(story), Names{"quorum"});
}

TEST(VerifyReceipt, DemandsAnOperatorWhereTheSpecDoes) {
  Story story;
  story.environment["execute"] = "by-operator";
  EXPECT_EQ(failed(story), Names{"executor"});
  story.alter_content = [](ReceiptContent& content) {
    content.change.executor = Subject{SubjectKind::Service, "ci"};
  };
  EXPECT_EQ(failed(story), Names{"executor"});
}

TEST(VerifyReceipt, RefusesApprovalsForSomethingElse) {
  Story story;
  const std::vector<std::function<void(ApprovalStatement&)>> changes{
      [](auto& a) { a.plan_digest = digest("x"); },
      [](auto& a) { a.policy_digest = digest("x"); },
      [](auto& a) { a.gate_digest = digest("x"); },
      [](auto& a) { a.environment_uid = EnvironmentUid("env-0"); },
      [](auto& a) { a.evidence = {}; },
      [](auto& a) { a.approver = "dave"; },
      [](auto& a) { a.nonce = "the same"; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    story.alter_approval = changes[i];
    const auto names = failed(story);
    EXPECT_TRUE(std::count(names.begin(), names.end(), "approval") > 0) << i;
    EXPECT_EQ(names.back(), "quorum") << i;
  }
}

TEST(VerifyReceipt, CountsNoApprovalOutsideItsTimeOrWithoutTheRole) {
  Story story;
  const std::vector<std::function<void(ApprovalStatement&)>> changes{
      [](auto& a) { a.acting_role = "auditor"; },
      [](auto& a) { a.expires_at = kEvaluated; },
      [](auto& a) { a.not_before = "2026-03-04T10:00:00.001Z"; },
      [](auto& a) { a.issued_at = "2026-03-04T11:00:00.000Z"; },
      [](auto& a) { a.issued_at = "soon"; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    story.alter_approval = changes[i];
    EXPECT_EQ(failed(story), Names{"quorum"}) << i;
  }
}

TEST(VerifyReceipt, RefusesARejectionAndAnOldApproval) {
  Story story;
  story.alter_approval = [](auto& a) { a.decision = Decision::Reject; };
  EXPECT_EQ(failed(story), Names{"quorum"});
  story.alter_approval = [](auto& a) { a.issued_at = "2026-03-04T02:00:00.000Z"; };
  EXPECT_EQ(failed(story), Names{"quorum"});
}

TEST(VerifyReceipt, HoldsTheFloorOfTheClassAgainstAWeakGate) {
  Story story;
  story.environment["gate"].erase(2);
  story.approvers = {"bob"};
  EXPECT_EQ(failed(story), Names{"quorum"});
}

TEST(VerifyReceipt, DemandsEvidenceByWhoMayGiveIt) {
  Story story;
  story.evidence_signer = "alice";
  EXPECT_EQ(failed(story), Names{"evidence"});
  story.evidence_signer = "mallory";
  EXPECT_EQ(failed(story), Names{"evidence"});
  story = Story();
  story.alter_content = [](ReceiptContent& content) { content.evidence.clear(); };
  EXPECT_EQ(failed(story), (Names{"evidence", "approval", "approval", "quorum"}));
  story = Story();
  story.commit_author = "BOB@x";  // Whom the change does not name.
  EXPECT_EQ(failed(story), Names{"quorum"});
}

TEST(VerifyReceipt, DemandsTheStageBeforeAndItsTime) {
  Story story;
  story.verified_since = "2026-03-03T10:00:01.000Z";
  EXPECT_EQ(failed(story), Names{"gate"});
  story.verified_since = "2026-03-03T10:00:00.000Z";
  EXPECT_EQ(failed(story), Names{});
  story.alter_content = [](ReceiptContent& content) { content.gate["inputs"]["verified"].clear(); };
  EXPECT_EQ(failed(story), Names{"gate"});
}

TEST(VerifyReceipt, RefusesAGateThatWasNotMet) {
  Story story;
  const std::vector<std::function<void(ReceiptContent&)>> changes{
      [](auto& c) { c.gate["met"] = false; },
      [](auto& c) { c.gate["rejected"] = true; },
      [](auto& c) { c.gate["conditions"][1]["met"] = false; },
      [](auto& c) { c.gate["conditions"].erase(3); },
      [](auto& c) { c.gate["conditions"][0]["condition"] = "check"; },
      [](auto& c) { c.executed_at = "2026-03-04T09:59:59.000Z"; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    story.alter_content = changes[i];
    EXPECT_EQ(failed(story), Names{"gate"}) << i;
  }
}

TEST(VerifyReceipt, RefusesAFailedOrMissingVerification) {
  Story story;
  story.alter_content = [](auto& c) { c.verification.clear(); };
  EXPECT_EQ(failed(story), Names{"verification"});
  story.alter_content = [](auto& c) {
    c.verification[0]["predicate"]["results"][0]["exitCode"] = 1;
    c.verification[0]["predicate"]["passed"] = false;
  };
  EXPECT_EQ(failed(story), Names{"verification"});
  story.alter_content = [](auto& c) { c.verification[0]["predicate"]["change"] = "chg-0"; };
  EXPECT_EQ(failed(story), Names{"verification"});
}

}  // namespace
}  // namespace bailey
