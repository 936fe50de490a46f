#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/promote/evidence/verification.hpp"
#include "orchestrator/record/audit/checkpoint.hpp"
#include "orchestrator/record/audit/merkle.hpp"
#include "tests/support/fake_random.hpp"
#include "tests/unit/promote/test_keys.hpp"

#include <functional>
#include <string>
#include <vector>

namespace bailey::test {

inline constexpr const char* kEvaluated = "2026-03-04T10:00:00.000Z";

inline std::string digest(std::string_view text) {
  return digest_of(text);
}

inline Json document(const char* kind, const char* name, Json spec) {
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
    FakeRandom random;
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

/// Every leaf of a JSON value, as pointers.
inline std::vector<Json::json_pointer> leaves(const Json& value,
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

inline Json altered(const Json& leaf) {
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

/// Whether people or services have signed this part of a receipt, directly or by a digest. A key id
/// is a hint that nothing is decided by, and a person is found by the address.
inline bool is_signed(const std::string& at) {
  if (at.ends_with("/keyid") || at.ends_with("/person")) return false;
  return at.starts_with("/plan") || at.starts_with("/policy") || at.starts_with("/artifacts") ||
         at.starts_with("/approvals") || at.starts_with("/evidence") ||
         at.starts_with("/change/authors") || at == "/change/id" || at == "/change/requester" ||
         at == "/change/kind" || at == "/change/class" || at.starts_with("/change/environment");
}

}  // namespace bailey::test
