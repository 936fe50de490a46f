#include "orchestrator/serve/identity/powers.hpp"

#include "orchestrator/base/lookup.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

const std::map<std::string, Role>& roles_in(const Bundle& bundle, const Environment& environment) {
  static const std::map<std::string, Role> kNone;
  const auto* found = find_value(bundle.templates, environment.template_name);
  return found == nullptr ? kNone : found->roles;
}

bool owns(const Environment& environment, const Subject& subject) {
  return environment.environment_class == EnvironmentClass::Sandbox &&
         subject.kind == SubjectKind::Person && environment.owner == subject.name;
}

std::string who_may(const Bundle& bundle, const Environment& environment, Power power) {
  std::vector<std::string> names;
  for (const auto& [name, role] : roles_in(bundle, environment)) {
    if (role.powers.contains(power)) names.push_back("\"" + name + "\"");
  }
  if (names.empty()) return "No role there gives it.";
  return "It comes with the role " + enumerate(names, "or") + ".";
}

}  // namespace

std::set<std::string> roles_of(const Bundle& bundle, const Environment& environment,
                               const Subject& subject) {
  std::set<std::string> held;
  if (!bundle.directory.has(subject)) return held;
  for (const auto& [role, holders] : environment.bindings) {
    if (bundle.directory.contains(holders, subject)) held.insert(role);
  }
  if (owns(environment, subject)) {
    for (const auto& [name, role] : roles_in(bundle, environment)) held.insert(name);
  }
  return held;
}

std::set<Power> powers_of(const Bundle& bundle, const Environment& environment,
                          const Subject& subject) {
  std::set<Power> powers;
  const auto& roles = roles_in(bundle, environment);
  for (const auto& name : roles_of(bundle, environment, subject)) {
    const auto* role = find_value(roles, name);
    if (role != nullptr) powers.insert(role->powers.begin(), role->powers.end());
  }
  if (is_administrator(bundle, subject)) {
    powers.insert({Power::Read, Power::Audit, Power::Administer});
  }
  return powers;
}

std::set<Power> powers_of(const Bundle& bundle, const Environment& environment,
                          const Caller& caller) {
  auto powers = powers_of(bundle, environment, caller.subject);
  const auto* granted = find_value(caller.granted, environment.name);
  if (granted != nullptr && bundle.directory.has(caller.subject)) {
    powers.insert(granted->begin(), granted->end());
  }
  return powers;
}

bool is_administrator(const Bundle& bundle, const Subject& subject) {
  return bundle.organization &&
         bundle.directory.contains(bundle.organization->administrators, subject);
}

Status require(const Bundle& bundle, const Environment& environment, const Caller& caller,
               Power power) {
  if (powers_of(bundle, environment, caller).contains(power)) return {};
  return fail(Error(ErrorKind::PermissionDenied,
                    fmt::format("{} does not hold the power \"{}\" in {}",
                                to_string(caller.subject), to_string(power), environment.name))
                  .with_hint(who_may(bundle, environment, power))
                  .with_code("identity.power-missing"));
}

Status require_somewhere(const Bundle& bundle, const Caller& caller, Power power) {
  const auto& all = bundle.environments;
  const bool held = std::any_of(all.begin(), all.end(), [&](const auto& item) {
    return powers_of(bundle, item.second, caller).contains(power);
  });
  if (held) return {};
  return fail(Error(ErrorKind::PermissionDenied,
                    fmt::format("{} does not hold the power \"{}\" in any environment",
                                to_string(caller.subject), to_string(power)))
                  .with_code("identity.power-missing"));
}

Status require_administrator(const Bundle& bundle, const Caller& caller) {
  if (is_administrator(bundle, caller.subject)) return {};
  return fail(Error(ErrorKind::PermissionDenied,
                    to_string(caller.subject) + " is not an administrator of the organization")
                  .with_hint("Administrators are named by the Organization document.")
                  .with_code("identity.not-administrator"));
}

}  // namespace bailey
