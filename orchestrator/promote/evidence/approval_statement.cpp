#include "orchestrator/promote/evidence/approval_statement.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/model/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bailey {

namespace {

std::string digest_in(const std::string& reference) {
  const auto at = reference.rfind('@');
  return at == std::string::npos ? std::string() : reference.substr(at + 1);
}

std::vector<std::string> addresses_of(const std::vector<Author>& authors) {
  std::vector<std::string> addresses;
  for (const auto& author : authors) {
    addresses.push_back(author.email.empty() ? author.person : author.email);
  }
  std::sort(addresses.begin(), addresses.end());
  return addresses;
}

std::vector<StatementSubject> subjects_of(const ApprovalStatement& approval) {
  std::vector<StatementSubject> subjects;
  for (const auto& [slot, reference] : approval.artifacts) {
    subjects.push_back({reference.substr(0, reference.rfind('@')), digest_in(reference)});
  }
  subjects.push_back({"plan", approval.plan_digest});
  return subjects;
}

Json predicate_of(const ApprovalStatement& approval) {
  return {{"decision", to_string(approval.decision)},
          {"reason", approval.reason},
          {"log", approval.checkpoint ? Json(*approval.checkpoint) : Json()},
          {"change", {{"id", approval.change.str()}, {"digest", approval.change_digest}}},
          {"environment",
           {{"name", approval.environment},
            {"uid", approval.environment_uid.str()},
            {"class", to_string(approval.environment_class)}}},
          {"plan", {{"digest", approval.plan_digest}}},
          {"spec", {{"digest", approval.spec_digest}}},
          {"policy", {{"digest", approval.policy_digest}}},
          {"state", {{"serial", approval.state_serial}}},
          {"gate", {{"digest", approval.gate_digest}}},
          {"actingRole", approval.acting_role},
          {"evidence", approval.evidence},
          {"artifacts", approval.artifacts},
          {"template", {{"digest", approval.template_digest}}},
          {"approver", approval.approver},
          {"authors", approval.authors},
          {"requester", approval.requester},
          {"issuedAt", approval.issued_at},
          {"notBefore", approval.not_before},
          {"expiresAt", approval.expires_at},
          {"nonce", approval.nonce}};
}

// `{"digest": ...}` and nothing else.
void read_digest(JsonReader& reader, const char* name, std::string& out) {
  JsonReader inner(reader.at(name), name);
  inner.read("digest", out);
  if (auto read = inner.finish(); !read) reader.adopt(name, std::move(read.error()));
}

void read_bindings(JsonReader& reader, ApprovalStatement& out) {
  JsonReader change(reader.at("change"), "change");
  change.read("id", out.change);
  change.read("digest", out.change_digest);
  if (auto read = change.finish(); !read) reader.adopt("change", std::move(read.error()));

  JsonReader environment(reader.at("environment"), "environment");
  environment.read("name", out.environment);
  environment.read("uid", out.environment_uid);
  environment.read_text("class", out.environment_class, parse_environment_class);
  if (auto read = environment.finish(); !read) reader.adopt("environment", std::move(read.error()));

  JsonReader state(reader.at("state"), "state");
  state.read("serial", out.state_serial);
  if (auto read = state.finish(); !read) reader.adopt("state", std::move(read.error()));

  read_digest(reader, "plan", out.plan_digest);
  read_digest(reader, "spec", out.spec_digest);
  read_digest(reader, "policy", out.policy_digest);
  read_digest(reader, "gate", out.gate_digest);
  read_digest(reader, "template", out.template_digest);
}

}  // namespace

std::string change_digest_of(const Change& change) {
  return digest_of(Json{{"id", change.id.str()},
                        {"environment_uid", change.environment_uid.str()},
                        {"kind", to_string(change.kind)},
                        {"plan", change.plan.digest},
                        {"artifacts", change.plan.artifacts},
                        {"rolls_back_to", change.rolls_back_to},
                        {"affects", change.affects},
                        {"requester", to_string(change.requester)},
                        {"authors", addresses_of(change.authors)}});
}

std::string gate_digest_of(const Bundle& bundle, const Environment& environment) {
  return digest_of(member(bundle.document("Environment", environment.name), "gate"));
}

ApprovalStatement approval_for(const Change& change, const Bundle& bundle,
                               const Environment& environment, std::vector<std::string> evidence) {
  return approval_for(change, environment.environment_class, gate_digest_of(bundle, environment),
                      std::move(evidence));
}

ApprovalStatement approval_for(const Change& change, EnvironmentClass environment_class,
                               std::string gate_digest, std::vector<std::string> evidence) {
  std::sort(evidence.begin(), evidence.end());
  ApprovalStatement approval;
  approval.change = change.id;
  approval.change_digest = change_digest_of(change);
  approval.environment = change.environment;
  approval.environment_uid = change.environment_uid;
  approval.environment_class = environment_class;
  approval.plan_digest = change.plan.digest;
  approval.spec_digest = change.plan.spec_digest;
  approval.policy_digest = change.plan.policy_digest;
  approval.state_serial = change.plan.state_serial;
  approval.gate_digest = std::move(gate_digest);
  approval.evidence = std::move(evidence);
  approval.artifacts = change.plan.artifacts;
  approval.template_digest = change.plan.template_digest;
  approval.authors = addresses_of(change.authors);
  approval.requester = to_string(change.requester);
  return approval;
}

Statement to_statement(const ApprovalStatement& approval) {
  return {subjects_of(approval), std::string(kApprovalPredicate), predicate_of(approval)};
}

Result<ApprovalStatement> approval_from_statement(const Statement& statement) {
  if (statement.predicate_type != kApprovalPredicate) {
    return fail(Error(ErrorKind::Protocol, "the statement is no approval")
                    .with_code("statement.wrong-predicate"));
  }
  ApprovalStatement approval;
  JsonReader reader(statement.predicate, "an approval");
  reader.read_word("decision", kDecisions, approval.decision);
  reader.read("reason", approval.reason);
  if (const auto& log = reader.at("log"); log.is_string()) {
    approval.checkpoint = log.get<std::string>();
  } else if (!log.is_null()) {
    reader.refuse("log", "is neither a text nor null");
  }
  read_bindings(reader, approval);
  reader.read("actingRole", approval.acting_role);
  reader.read("evidence", approval.evidence);
  reader.read("artifacts", approval.artifacts);
  reader.read("approver", approval.approver);
  reader.read("authors", approval.authors);
  reader.read("requester", approval.requester);
  reader.read("issuedAt", approval.issued_at);
  reader.read("notBefore", approval.not_before);
  reader.read("expiresAt", approval.expires_at);
  reader.read("nonce", approval.nonce);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  if (statement.subjects != subjects_of(approval)) {
    return fail(Error(ErrorKind::Protocol, "the statement is about other things than it approves")
                    .with_code("statement.wrong-subjects"));
  }
  return approval;
}

Status approval_matches(const ApprovalStatement& signed_one, const ApprovalStatement& expected) {
  const std::pair<bool, const char*> fields[] = {
      {signed_one.change == expected.change, "change id"},
      {signed_one.environment == expected.environment, "environment name"},
      {signed_one.environment_uid == expected.environment_uid, "environment uid"},
      {signed_one.environment_class == expected.environment_class, "environment class"},
      {signed_one.artifacts == expected.artifacts, "artifacts"},
      {signed_one.plan_digest == expected.plan_digest, "plan digest"},
      {signed_one.spec_digest == expected.spec_digest, "spec digest"},
      {signed_one.policy_digest == expected.policy_digest, "policy digest"},
      {signed_one.gate_digest == expected.gate_digest, "gate digest"},
      {signed_one.state_serial == expected.state_serial, "state serial"},
      {signed_one.template_digest == expected.template_digest, "template digest"},
      {signed_one.evidence == expected.evidence, "evidence"},
      {signed_one.authors == expected.authors, "authors"},
      {signed_one.requester == expected.requester, "requester"},
      {signed_one.change_digest == expected.change_digest, "change digest"},
      {signed_one.acting_role == expected.acting_role, "acting role"},
      {signed_one.approver == expected.approver, "approver"},
      {signed_one.issued_at == expected.issued_at, "time of issue"},
      {signed_one.not_before == expected.not_before, "start of validity"},
      {signed_one.expires_at == expected.expires_at, "end of validity"},
      {signed_one.nonce == expected.nonce, "nonce"},
  };
  for (const auto& [same, name] : fields) {
    if (same) continue;
    return fail(
        Error(ErrorKind::Refused,
              fmt::format("the {} that was signed is not that of the change as it stands", name))
            .with_code("approval.mismatch"));
  }
  return {};
}

}  // namespace bailey
