#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/receipt_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace bailey {

namespace {

tl::unexpected<Error> unreadable(std::string what) {
  return fail(ErrorKind::Protocol, "the policy cannot be read: " + std::move(what));
}

// Documents were validated when the bundle was accepted. What is not as the format has it here
// stands for nobody and nothing, and so can only refuse.
std::vector<Subject> subjects(const Json& list) {
  std::vector<Subject> out;
  if (!list.is_array()) return out;
  for (const auto& item : list) {
    const auto subject = item.is_string() ? parse_subject(item.get<std::string>()) : std::nullopt;
    if (subject) out.push_back(*subject);
  }
  return out;
}

// A count that cannot be read is one that nobody can fill.
int count_in(const Json& rule) {
  constexpr std::int64_t kNever = 1'000'000;
  const auto& count = member(rule, "count");
  if (count.is_null()) return 1;
  if (!count.is_number_integer()) return static_cast<int>(kNever);
  return static_cast<int>(std::clamp<std::int64_t>(count.get<std::int64_t>(), 0, kNever));
}

void read_directory(const Json& spec, Directory& out) {
  for (const auto& [name, person] : member(spec, "people").items()) {
    out.people[name] = {string_member(person, "email"), strings_member(person, "keys")};
  }
  for (const auto& [name, service] : member(spec, "services").items()) {
    Service& read = out.services[name];
    read.controlled_by = subjects(member(service, "controlledBy"));
    read.keys = strings_member(service, "keys");
  }
  for (const auto& [name, members] : member(spec, "groups").items()) {
    out.groups[name] = subjects(members);
  }
}

std::optional<std::chrono::seconds> duration(const Json& value) {
  return value.is_string() ? parse_duration(value.get<std::string>()) : std::nullopt;
}

Result<PolicyCondition> read_condition(const Json& value) {
  if (!value.is_object() || value.size() != 1) return unreadable("a condition has not one word");
  PolicyCondition out;
  out.kind = value.begin().key();
  const Json& body = value.begin().value();
  if (out.kind == "verified") {
    out.verified = VerifiedCondition{string_member(body, "in")};
  } else if (out.kind == "soak") {
    const auto length = duration(member(body, "for"));
    if (!length) return unreadable("a soak has no duration");
    out.soak = SoakCondition{string_member(body, "in"), *length};
  } else if (out.kind == "approvals") {
    ApprovalsCondition approvals;
    const auto& rules = member(body, "rules");
    for (const auto& rule : rules.is_array() ? rules : Json::array()) {
      const auto from = parse_subject(string_member(rule, "from"));
      if (!from) return unreadable("a rule does not say who approves");
      approvals.rules.push_back({*from, count_in(rule)});
    }
    if (const auto& expire = member(body, "expire"); !expire.is_null()) {
      const auto length = duration(expire);
      if (!length) return unreadable("the end of approvals is no duration");
      approvals.expire = *length;
    }
    out.approvals = std::move(approvals);
  } else if (out.kind == "evidence") {
    out.evidence =
        EvidenceCondition{string_member(body, "type"), subjects(member(body, "signedBy"))};
  } else if (out.kind != "check" && out.kind != "window") {
    return unreadable("a condition is of no known kind");
  }
  return out;
}

bool role_has(const Json& roles, const std::string& role, std::string_view power) {
  const auto powers = strings_member(member(roles, role), "powers");
  return std::find(powers.begin(), powers.end(), power) != powers.end();
}

Status read_environment(const Json& spec, ReceiptPolicy& out) {
  const auto environment_class = parse_environment_class(string_member(spec, "class"));
  if (!environment_class) return unreadable("the environment has no class");
  out.environment_class = *environment_class;
  out.by_operator = string_member(spec, "execute") == "by-operator";
  const auto& verify = member(spec, "verify");
  out.verifies = verify.is_array() && !verify.empty();
  const auto& rollback = member(spec, "rollback");
  out.has_rollback_gate = member(rollback, "gate").is_array();
  out.rolls_back_by_itself = member(rollback, "onFailedVerification") == Json(true);
  const auto& gate = member(spec, "gate");
  out.gate_digest = digest_of(gate);
  if (!gate.is_null() && !gate.is_array()) return unreadable("the gate is no list");
  for (const auto& condition : gate) {
    auto read = read_condition(condition);
    if (!read) return fail(std::move(read.error()));
    out.gate.push_back(*std::move(read));
  }
  return {};
}

void read_bindings(const Json& environment, const Json& roles, ReceiptPolicy& out) {
  for (const auto& [role, holders] : member(environment, "bindings").items()) {
    const auto people = out.directory.expand(subjects(holders));
    if (role_has(roles, role, "approve")) out.approvers[role] = people;
    if (role_has(roles, role, "deploy")) out.deployers.insert(people.begin(), people.end());
  }
}

const Json* only_document(const Json& policy, std::string_view kind, std::string_view name) {
  const Json* found = nullptr;
  for (const auto& document : member(policy, "documents")) {
    if (string_member(document, "kind") != kind) continue;
    if (!name.empty() && string_member(document, "name") != name) continue;
    if (found != nullptr) return nullptr;
    found = &member(document, "spec");
  }
  return found;
}

}  // namespace

Result<ReceiptPolicy> read_policy(const Json& policy, const std::string& environment) {
  const auto* spec = only_document(policy, "Environment", environment);
  const auto* of_template = only_document(policy, "Template", "");
  if (spec == nullptr) return unreadable("the environment is not in it");
  if (of_template == nullptr) return unreadable("there is not exactly one Template");
  ReceiptPolicy out;
  // A Directory may be several documents, in which no name stands twice.
  for (const auto& document : member(policy, "documents")) {
    if (string_member(document, "kind") == "Directory") {
      read_directory(member(document, "spec"), out.directory);
    }
  }
  if (auto read = read_environment(*spec, out); !read) return fail(std::move(read.error()));
  read_bindings(*spec, member(*of_template, "roles"), out);
  return out;
}

}  // namespace bailey
