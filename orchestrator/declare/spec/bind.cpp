#include "orchestrator/declare/spec/bind.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/graph.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/spec/formats.hpp"

#include <algorithm>
#include <array>

namespace bailey::spec {

namespace {

int int_member(const Json& object, std::string_view name, int fallback) {
  const auto& value = member(object, name);
  return value.is_number_integer() ? value.get<int>() : fallback;
}

std::optional<int> optional_int(const Json& object, std::string_view name) {
  const auto& value = member(object, name);
  if (!value.is_number_integer()) return std::nullopt;
  return value.get<int>();
}

std::optional<std::int64_t> optional_integer(const Json& object, std::string_view name) {
  const auto& value = member(object, name);
  if (!value.is_number_integer()) return std::nullopt;
  return value.get<std::int64_t>();
}

std::optional<std::chrono::seconds> optional_duration(const Json& object, std::string_view name) {
  return parse_duration(string_member(object, name));
}

std::chrono::seconds duration(const Json& object, std::string_view name,
                              std::chrono::seconds fallback) {
  return optional_duration(object, name).value_or(fallback);
}

Subject subject_of(const std::string& text) {
  return parse_subject(text).value_or(Subject{});
}

std::vector<Subject> subjects(const Json& object, std::string_view name) {
  std::vector<Subject> out;
  for (const auto& text : strings_member(object, name)) {
    if (auto subject = parse_subject(text)) out.push_back(std::move(*subject));
  }
  return out;
}

std::set<EnvironmentClass> classes(const Json& object, std::string_view name) {
  std::set<EnvironmentClass> out;
  for (const auto& text : strings_member(object, name)) {
    if (const auto value = parse_environment_class(text)) out.insert(*value);
  }
  return out;
}

ApprovalRule rule_of(const Json& value) {
  return {subject_of(string_member(value, "from")), int_member(value, "count", 1)};
}

std::set<unsigned> days(const Json& object) {
  constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  std::set<unsigned> out;
  for (const auto& text : strings_member(object, "days")) {
    const auto* found = std::find(kDays.begin(), kDays.end(), text);
    if (found != kDays.end()) out.insert(static_cast<unsigned>(found - kDays.begin()) + 1);
  }
  return out;
}

ApprovalsCondition approvals_of(const Json& value) {
  ApprovalsCondition condition;
  for (const auto& rule : member(value, "rules")) condition.rules.push_back(rule_of(rule));
  condition.expire = duration(value, "expire", condition.expire);
  return condition;
}

WindowCondition window_of(const Json& value) {
  WindowCondition condition;
  condition.days = days(value);
  condition.from = std::chrono::minutes(parse_clock_time(string_member(value, "from")).value_or(0));
  condition.to = std::chrono::minutes(parse_clock_time(string_member(value, "to")).value_or(0));
  condition.zone = string_member(value, "zone");
  return condition;
}

std::optional<Condition> condition_of(const std::string& kind, const Json& value) {
  if (kind == "verified") return VerifiedCondition{string_member(value, "in")};
  if (kind == "soak") {
    return SoakCondition{string_member(value, "in"),
                         duration(value, "for", std::chrono::seconds(0))};
  }
  if (kind == "approvals") return approvals_of(value);
  if (kind == "evidence") {
    return EvidenceCondition{string_member(value, "type"), subjects(value, "signedBy")};
  }
  if (kind == "check") {
    CheckCondition check{strings_member(value, "command")};
    check.timeout = duration(value, "timeout", check.timeout);
    return check;
  }
  if (kind == "window") return window_of(value);
  return std::nullopt;
}

Gate gate_of(const Json& list) {
  Gate gate;
  for (const auto& value : list) {
    if (!value.is_object() || value.empty()) continue;
    if (auto condition = condition_of(value.begin().key(), value.begin().value())) {
      gate.push_back(std::move(*condition));
    }
  }
  return gate;
}

Parameter parameter_of(const Json& value) {
  Parameter parameter;
  const auto type = string_member(value, "type");
  if (type == "integer") parameter.type = ParameterType::Integer;
  if (type == "boolean") parameter.type = ParameterType::Boolean;
  if (const auto& given = member(value, "default"); !given.is_null())
    parameter.default_value = given;
  for (const auto& each : member(value, "enum")) parameter.allowed.push_back(each);
  parameter.minimum = optional_integer(value, "minimum");
  parameter.maximum = optional_integer(value, "maximum");
  parameter.description = string_member(value, "description");
  return parameter;
}

ResourceSpec resource_of(const Json& value) {
  ResourceSpec resource;
  resource.type = string_member(value, "type");
  resource.count = member(value, "count");
  resource.protect = member(value, "protect") == Json(true);
  resource.fields = value.is_object() ? value : Json::object();
  for (const char* name : {"type", "count", "protect"}) resource.fields.erase(name);
  return resource;
}

Role role_of(const Json& value) {
  Role role;
  for (const auto& text : strings_member(value, "powers")) {
    if (const auto power = parse_power(text)) role.powers.insert(*power);
  }
  role.grants = strings_member(value, "grants");
  return role;
}

BreakGlass break_glass_of(const Json& value) {
  BreakGlass out;
  out.who = subjects(value, "who");
  out.approvals = int_member(value, "approvals", out.approvals);
  out.ttl = duration(value, "ttl", out.ttl);
  out.review = rule_of(member(value, "review"));
  out.review_within = duration(member(value, "review"), "within", out.review_within);
  return out;
}

void bind_access(const Json& spec, Environment& environment) {
  for (const auto& [role, value] : member(spec, "bindings").items()) {
    environment.bindings[role] = subjects(member(spec, "bindings"), role);
  }
  for (const auto& [role, value] : member(spec, "grantable").items()) {
    auto& grantable = environment.grantable[role];
    grantable.to = subjects(value, "to");
    grantable.approvals = int_member(value, "approvals", grantable.approvals);
    grantable.ttl = duration(value, "ttl", grantable.ttl);
  }
  for (const auto& [name, value] : member(spec, "credentials").items()) {
    environment.credentials[name] = {string_member(value, "role"),
                                     duration(value, "ttl", std::chrono::seconds(0)),
                                     optional_duration(value, "rotate")};
  }
  if (const auto& value = member(spec, "breakGlass"); value.is_object()) {
    environment.break_glass = break_glass_of(value);
  }
}

}  // namespace

Directory bind_directory(const Json& spec) {
  Directory directory;
  for (const auto& [name, value] : member(spec, "people").items()) {
    directory.people[name] = {string_member(value, "email"), strings_member(value, "keys")};
  }
  for (const auto& [name, value] : member(spec, "services").items()) {
    auto& service = directory.services[name];
    service.controlled_by = subjects(value, "controlledBy");
    service.keys = strings_member(value, "keys");
    const auto& oidc = member(value, "oidc");
    if (!oidc.is_object()) continue;
    service.oidc = {string_member(oidc, "issuer"), string_member(oidc, "audience"), {}};
    for (const auto& [claim, text] : member(oidc, "claims").items()) {
      if (text.is_string()) service.oidc->claims[claim] = text.get<std::string>();
    }
  }
  for (const auto& [name, value] : member(spec, "groups").items()) {
    directory.groups[name] = subjects(member(spec, "groups"), name);
  }
  return directory;
}

Organization bind_organization(const std::string& name, const Json& spec) {
  const auto& administrators = member(spec, "administrators");
  return {name, subjects(administrators, "members"), int_member(administrators, "approvals", 0)};
}

Account bind_account(const std::string& name, const Json& spec) {
  Account account;
  account.name = name;
  account.provider = string_member(spec, "provider");
  account.classes = classes(spec, "classes");
  account.endpoint = string_member(spec, "endpoint");
  account.region = string_member(spec, "region");
  account.interface = string_member(spec, "interface");
  account.ca_file = string_member(spec, "caFile");
  for (const auto& [key, value] : member(spec, "domains").items()) {
    const auto of = parse_environment_class(key);
    if (of && value.is_string()) account.domains[*of] = value.get<std::string>();
  }
  const auto& credential = member(spec, "credential");
  account.credential = {string_member(credential, "file"), string_member(credential, "env"),
                        strings_member(credential, "command"), string_member(credential, "cloud")};
  const auto& limits = member(spec, "limits");
  account.limits.concurrency = int_member(limits, "concurrency", account.limits.concurrency);
  account.limits.requests_per_second =
      int_member(limits, "requestsPerSecond", account.limits.requests_per_second);
  account.limits.sandboxes_per_owner = optional_int(limits, "sandboxesPerOwner");
  account.limits.maximum_ttl = optional_duration(limits, "maximumTtl");
  return account;
}

Template bind_template(const std::string& name, const Json& spec) {
  Template out;
  out.name = name;
  out.provider = string_member(spec, "provider");
  for (const auto& [key, value] : member(spec, "parameters").items()) {
    out.parameters[key] = parameter_of(value);
  }
  out.artifacts = strings_member(spec, "artifacts");
  for (const auto& [key, value] : member(spec, "resources").items()) {
    out.resources[key] = resource_of(value);
  }
  for (const auto& value : member(spec, "moved")) {
    out.moved.push_back({string_member(value, "from"), string_member(value, "to")});
  }
  for (const auto& [key, value] : member(spec, "outputs").items()) {
    if (value.is_string()) out.outputs[key] = value.get<std::string>();
  }
  for (const auto& [key, value] : member(spec, "roles").items()) out.roles[key] = role_of(value);
  return out;
}

Project bind_project(const std::string& name, const Json& spec) {
  Project project;
  project.name = name;
  for (const auto& [key, value] : member(spec, "artifacts").items()) {
    project.repositories[key] = string_member(value, "repository");
    if (value.contains("account")) project.accounts[key] = string_member(value, "account");
  }
  project.authors = subjects(spec, "authors");
  const auto& stages = member(spec, "stages");
  if (stages.is_array()) {
    project.stages = strings_member(spec, "stages");
    for (std::size_t i = 0; i < project.stages.size(); ++i) {
      auto& before = project.after[project.stages[i]];
      if (i > 0) before = {project.stages[i - 1]};
    }
  } else {
    Digraph order;
    for (const auto& [stage, value] : stages.items()) {
      order.add_node(stage);
      project.after[stage] = strings_member(value, "after");
      for (const auto& before : project.after[stage]) {
        if (stages.contains(before)) order.add_edge(stage, before);
      }
    }
    const auto sorted = order.topological_order();
    if (const auto* names = std::get_if<std::vector<std::string>>(&sorted)) project.stages = *names;
  }
  return project;
}

Environment bind_environment(const std::string& name, const Json& spec) {
  Environment environment;
  environment.name = name;
  environment.project = string_member(spec, "project");
  environment.environment_class =
      parse_environment_class(string_member(spec, "class")).value_or(EnvironmentClass::Production);
  environment.account = string_member(spec, "account");
  environment.template_name = string_member(spec, "template");
  const auto& boundary = member(spec, "boundary");
  environment.boundary = {string_member(boundary, "adopt"), string_member(boundary, "description"),
                          strings_member(boundary, "tags")};
  for (const auto& [key, value] : member(spec, "parameters").items()) {
    environment.parameters[key] = value;
  }
  if (string_member(spec, "execute") == "by-operator") environment.execute = Execution::ByOperator;
  bind_access(spec, environment);
  for (const auto& [key, value] : member(spec, "repositories").items()) {
    environment.repositories[key] = {string_member(value, "account"),
                                     string_member(value, "repository")};
  }
  for (const auto& value : member(spec, "verify")) {
    Verification verification{strings_member(value, "command")};
    verification.timeout = duration(value, "timeout", verification.timeout);
    environment.verify.push_back(std::move(verification));
  }
  environment.gate = gate_of(member(spec, "gate"));
  const auto& rollback = member(spec, "rollback");
  if (const auto& gate = member(rollback, "gate"); gate.is_array()) {
    environment.rollback.gate = gate_of(gate);
  }
  environment.rollback.on_failed_verification =
      member(rollback, "onFailedVerification") == Json(true);
  if (auto owner = string_member(spec, "owner"); !owner.empty()) environment.owner = owner;
  environment.ttl = optional_duration(spec, "ttl");
  return environment;
}

Freeze bind_freeze(const std::string& name, const Json& spec) {
  Freeze freeze;
  freeze.name = name;
  freeze.classes = classes(spec, "classes");
  for (const auto& text : strings_member(spec, "environments")) freeze.environments.insert(text);
  freeze.from = parse_time(string_member(spec, "from")).value_or(WallTime());
  freeze.to = parse_time(string_member(spec, "to")).value_or(WallTime());
  freeze.reason = string_member(spec, "reason");
  return freeze;
}

void bind_duties(const Json& spec, Duties& duties) {
  for (const auto& value : member(spec, "exclusive")) {
    ExclusiveDuty duty;
    duty.name = string_member(value, "name");
    duty.controls = strings_member(value, "control");
    for (const auto& text : strings_member(value, "holds")) {
      const auto at = text.find('@');
      if (at == std::string::npos) continue;
      duty.holds.push_back({text.substr(0, at), text.substr(at + 1)});
    }
    duties.exclusive.push_back(std::move(duty));
  }
  for (const auto& value : member(spec, "flows")) {
    duties.flows.push_back(
        {string_member(value, "from"), string_member(value, "to"), string_member(value, "what")});
  }
}

}  // namespace bailey::spec
