#include "orchestrator/promote/evidence/receipt.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/verification.hpp"
#include "orchestrator/record/audit/checkpoint.hpp"
#include "orchestrator/record/audit/merkle.hpp"
#include "tests/support/fake_random.hpp"
#include "tests/unit/promote/test_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace bailey {
namespace {

using test::TestKey;

constexpr const char* kEvaluated = "2026-03-04T10:00:00.000Z";

std::string digest(std::string_view text) {
  return digest_of(text);
}

Json document(const char* kind, const char* name, Json spec) {
  return {{"kind", kind}, {"name", name}, {"spec", std::move(spec)}};
}

/// One promotion to production with everything that a receipt can hold. Tests change the parts and
/// then build it.
struct Story {
  Json directory = {
      {"people",
       {{"alice", {{"email", "alice@x"}, {"keys", {TestKey("alice").line()}}}},
        {"bob", {{"email", "bob@x"}, {"keys", {TestKey("bob").line()}}}},
        {"carol", {{"email", "carol@x"}, {"keys", {TestKey("carol").line()}}}},
        {"dave", {{"email", "dave@x"}, {"keys", {TestKey("dave").line()}}}}}},
      {"services", {{"ci", {{"controlledBy", {"dave"}}, {"keys", {TestKey("ci").line()}}}}}},
      {"groups",
       {{"managers", {"alice", "bob", "dave"}},
        {"security", {"group:guards"}},
        {"guards", {"carol"}}}}};
  Json environment = {
      {"project", "payments"},
      {"class", "production"},
      {"account", "cloud"},
      {"bindings", {{"approver", {"group:managers", "group:security"}}}},
      {"verify", Json::array({Json{{"command", {"checks/smoke"}}}})},
      {"gate",
       Json::array(
           {Json{{"verified", {{"in", "staging"}}}},
            Json{{"soak", {{"in", "staging"}, {"for", "24h"}}}},
            Json{{"approvals",
                  {{"rules", Json::array({Json{{"from", "group:managers"}, {"count", 1}},
                                          Json{{"from", "group:security"}}})},
                   {"expire", "8h"}}}},
            Json{{"evidence",
                  {{"type", kAuthorshipPredicate}, {"signedBy", Json::array({"service:ci"})}}}}})}};
  std::string web = digest("web");
  Json verified_since = "2026-03-03T09:00:00.000Z";
  std::vector<std::string> approvers{"bob", "carol"};
  std::string evidence_signer = "ci";
  std::string commit_author = "alice@x";
  std::function<void(ApprovalStatement&)> alter_approval = [](auto&) {};
  std::function<void(ReceiptContent&)> alter_content = [](auto&) {};
  NoteSigner log_key = make_key();

  static NoteSigner make_key() {
    test::FakeRandom random;
    return *NoteSigner::generate("bailey.example/log", random);
  }

  [[nodiscard]] Bundle bundle() const {
    Bundle out;
    out.documents =
        Json::array({document("Directory", "acme", directory),
                     document("Environment", "production", environment),
                     document("Template", "web",
                              {{"roles", {{"approver", {{"powers", {"read", "approve"}}}}}}})});
    Environment& read = out.environments["production"];
    read.name = "production";
    read.environment_class = EnvironmentClass::Production;
    read.template_name = "web";
    return out;
  }

  [[nodiscard]] Change change(const Json& policy) const {
    Change out;
    out.id = ChangeId("chg-1");
    out.kind = ChangeKind::Promotion;
    out.environment = "production";
    out.environment_uid = EnvironmentUid("env-1");
    out.requester = {SubjectKind::Service, "ci"};
    out.authors = {{"alice@x", "alice"}};
    out.introduces = {web};
    out.created_at = kEvaluated;
    out.bundle_digest = digest("bundle");
    out.plan.environment = "production";
    out.plan.environment_uid = out.environment_uid;
    out.plan.spec_digest = digest("spec");
    out.plan.policy_digest = digest_of(policy);
    out.plan.template_digest = digest("template");
    out.plan.state_serial = 3;
    out.plan.artifacts = {{"web", "127.0.0.1:5001/payments/web@" + web}};
    Operation operation;
    operation.address = {"production", "web", 0};
    operation.type = "server";
    operation.action = Action::Create;
    operation.after = Json{{"flavor", "large"}, {"ports", {443}}};
    out.plan.operations = {operation};
    seal(out.plan);
    return out;
  }

  [[nodiscard]] Json gate() const {
    Json conditions = Json::array();
    for (const auto& condition : environment.at("gate")) {
      conditions.push_back({{"condition", condition.begin().key()},
                            {"met", true},
                            {"detail", "ok"},
                            {"who_can_unblock", Json::array()}});
    }
    const Json item{{"environment", "staging"},
                    {"digest", web},
                    {"since", verified_since},
                    {"change", "chg-0"}};
    return {{"evaluated_at", kEvaluated},
            {"met", true},
            {"rejected", false},
            {"conditions", conditions},
            {"inputs",
             {{"approvals", Json::array()},
              {"evidence", Json::array()},
              {"checks", Json::array()},
              {"verified", Json::array({item})}}}};
  }

  [[nodiscard]] ReceiptContent content() const {
    const auto specs = bundle();
    const auto& target = specs.environments.at("production");
    ReceiptContent out;
    out.policy = policy_of(specs, target);
    out.change = change(out.policy);
    out.executed_at = kEvaluated;
    out.finished_at = "2026-03-04T10:05:00.000Z";
    const std::string id(40, 'a');
    const Authorship authorship{"acme/payments", "", id, {{id, {commit_author}, "alice@x"}}};
    out.evidence = {TestKey(evidence_signer).envelope(to_statement(authorship, {{"web", web}}))};
    out.gate = gate();
    for (const auto& person : approvers) {
      auto approval = approval_for(out.change, specs, target, {digest_of(out.evidence[0])});
      approval.approver = person;
      approval.acting_role = "approver";
      approval.issued_at = "2026-03-04T09:00:00.000Z";
      approval.not_before = approval.issued_at;
      approval.expires_at = "2026-03-04T17:00:00.000Z";
      approval.nonce = "nonce of " + person;
      alter_approval(approval);
      out.approvals.push_back(TestKey(person).envelope(to_statement(approval)));
    }
    const VerificationStatement verification{
        "production", out.change.environment_uid,    out.change.id, out.change.plan.digest,
        kEvaluated,   {{{"checks/smoke"}, 0, "ok"}}, {web}};
    out.verification = {to_json(to_statement(verification))};
    out.outcome = {{"created", 1}};
    return out;
  }

  [[nodiscard]] Json receipt() const {
    auto parts = content();
    alter_content(parts);
    return logged(make_receipt(parts));
  }

  [[nodiscard]] Json logged(const Json& receipt) const {
    const std::vector<std::string> leaves{
        "{}", Json{{"digests", {{"receipt", receipt.at("digest")}}}}.dump(), "[]"};
    MerkleTree tree;
    for (const auto& leaf : leaves) tree.append(leaf_hash(leaf));
    const auto proof = merkle_inclusion_proof(1, 3, [&](const NodeId& node) -> Result<Sha256> {
      if (node.level == 0) return leaf_hash(leaves[node.index]);
      return node_hash(leaf_hash(leaves[2 * node.index]), leaf_hash(leaves[2 * node.index + 1]));
    });
    ReceiptLog log;
    log.checkpoint =
        *log_key.sign(to_text(Checkpoint{log_key.verifier().name(), 3, tree.root(), {}}));
    log.entry = leaves[1];
    log.index = 1;
    for (const auto& hash : *proof) log.proof.emplace_back(bytes_of(hash));
    return with_log(receipt, log);
  }

  [[nodiscard]] std::string vkey() const { return log_key.verifier().str(); }
};

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

/// Every leaf of a JSON value, as pointers.
std::vector<Json::json_pointer> leaves(const Json& value,
                                       const Json::json_pointer& at = Json::json_pointer()) {
  if (!value.is_structured() || value.empty()) return {at};
  std::vector<Json::json_pointer> out;
  for (const auto& [name, inner] : value.items()) {
    const auto more =
        value.is_array() ? leaves(inner, at / std::stoul(name)) : leaves(inner, at / name);
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

Json altered(const Json& leaf) {
  if (leaf.is_string()) {
    auto text = leaf.get<std::string>();
    if (text.empty()) return "x";
    auto& middle = text[text.size() / 2];
    middle = middle == 'A' ? 'B' : 'A';
    return text;
  }
  if (leaf.is_boolean()) return !leaf.get<bool>();
  if (leaf.is_number_integer()) return leaf.get<std::int64_t>() + 1;
  return "something";
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
    const bool is_signed =
        at.starts_with("/plan") || at.starts_with("/policy") || at.starts_with("/artifacts") ||
        at.starts_with("/approvals") || at.starts_with("/evidence") ||
        at.starts_with("/change/authors") || at == "/change/id" || at == "/change/requester" ||
        at == "/change/kind" || at == "/change/class" || at.starts_with("/change/environment");
    // A key id is a hint that nothing is decided by, and the person is found by the address.
    if (!is_signed || at.ends_with("/keyid") || at.ends_with("/person")) continue;
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
