#include "orchestrator/model/rights.hpp"

#include "orchestrator/base/lookup.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace bailey {

namespace {

using People = std::set<std::string>;

/// One right, whom it is given to, and what it amounts to: when the terms change, it has changed
/// for all who hold it.
struct Right {
  std::vector<Subject> holders;
  std::string terms;
};

using Rights = std::map<std::string, Right>;

std::string terms_of(const Bundle& bundle, const Environment& environment,
                     const std::string& role) {
  const auto* found = find_value(bundle.templates, environment.template_name);
  const auto* definition = found == nullptr ? nullptr : find_value(found->roles, role);
  if (definition == nullptr) return {};
  std::string terms;
  for (const auto power : definition->powers) terms += std::string(to_string(power)) + " ";
  for (const auto& grant : definition->grants) terms += "+" + grant;
  return terms;
}

void add_gate(const Gate& gate, const std::string& where, Rights& rights) {
  for (const auto& condition : gate) {
    if (const auto* approvals = std::get_if<ApprovalsCondition>(&condition)) {
      for (const auto& rule : approvals->rules) {
        rights[where + " approves " + to_string(rule.from)] = {{rule.from}, {}};
      }
    } else if (const auto* evidence = std::get_if<EvidenceCondition>(&condition)) {
      auto& holders = rights[where + " signs " + evidence->predicate_type].holders;
      holders.insert(holders.end(), evidence->signed_by.begin(), evidence->signed_by.end());
    }
  }
}

void add_environment(const Bundle& bundle, const Environment& environment, Rights& rights) {
  const auto& name = environment.name;
  for (const auto& [role, holders] : environment.bindings) {
    rights[name + " holds " + role] = {holders, terms_of(bundle, environment, role)};
  }
  for (const auto& [role, grantable] : environment.grantable) {
    rights[name + " may ask for " + role] = {grantable.to, terms_of(bundle, environment, role)};
  }
  if (environment.break_glass) {
    rights[name + " breaks the glass"] = {environment.break_glass->who, {}};
    rights[name + " reviews"] = {{environment.break_glass->review.from}, {}};
  }
  add_gate(environment.gate, name, rights);
  if (environment.rollback.gate) add_gate(*environment.rollback.gate, name + " rollback", rights);
}

Rights rights_in(const Bundle& bundle) {
  Rights rights;
  for (const auto& [name, environment] : bundle.environments) {
    if (environment.environment_class == EnvironmentClass::Sandbox) continue;
    add_environment(bundle, environment, rights);
  }
  for (const auto& [name, project] : bundle.projects) {
    rights[name + " is written"] = {project.authors, {}};
  }
  if (bundle.organization) {
    rights["administers"] = {bundle.organization->administrators, {}};
  }
  return rights;
}

/// Who stands behind subjects, services followed to those who control them. Answers are kept: the
/// same groups stand in many places.
class Standing {
 public:
  explicit Standing(const Directory& directory) : directory_(directory) {}

  const People& behind(const std::vector<Subject>& subjects) {
    const auto known = known_.find(subjects);
    if (known != known_.end()) return known->second;
    People people;
    std::set<Subject> seen;
    std::vector<Subject> open = subjects;
    while (!open.empty()) {
      const auto here = std::move(open.back());
      open.pop_back();
      if (!seen.insert(here).second) continue;
      if (here.kind == SubjectKind::Person) people.insert(here.name);
      if (here.kind == SubjectKind::Group) follow(directory_.groups, here.name, open);
      if (here.kind != SubjectKind::Service) continue;
      const auto* service = find_value(directory_.services, here.name);
      if (service == nullptr) continue;
      const auto& controllers = service->controlled_by;
      open.insert(open.end(), controllers.begin(), controllers.end());
    }
    return known_.emplace(subjects, std::move(people)).first->second;
  }

 private:
  static void follow(const std::map<std::string, std::vector<Subject>>& groups,
                     const std::string& name, std::vector<Subject>& open) {
    const auto* members = find_value(groups, name);
    if (members != nullptr) open.insert(open.end(), members->begin(), members->end());
  }

  const Directory& directory_;
  std::map<std::vector<Subject>, People> known_;
};

void add_difference(const People& left, const People& right, People& out) {
  std::set_symmetric_difference(left.begin(), left.end(), right.begin(), right.end(),
                                std::inserter(out, out.end()));
}

bool same(const Person& left, const Person& right) {
  return left.email == right.email && left.keys == right.keys;
}

bool same(const Service& left, const Service& right) {
  const auto oidc = [](const Service& service) {
    return service.oidc
               ? std::tuple(service.oidc->issuer, service.oidc->audience, service.oidc->claims)
               : std::tuple(std::string(), std::string(), std::map<std::string, std::string>());
  };
  return left.keys == right.keys && oidc(left) == oidc(right);
}

void add_people(const Directory& from, const Directory& to, People& out) {
  for (const auto& [name, person] : from.people) {
    const auto* other = find_value(to.people, name);
    if (other == nullptr || !same(person, *other)) out.insert(name);
  }
}

void add_services(const Directory& from, const Directory& to, Standing& standing, People& out) {
  for (const auto& [name, service] : from.services) {
    const auto* other = find_value(to.services, name);
    if (other != nullptr && same(service, *other)) continue;
    const auto& behind = standing.behind({Subject{SubjectKind::Service, name}});
    out.insert(behind.begin(), behind.end());
  }
}

}  // namespace

std::vector<std::string> people_with_other_rights(const Bundle& before, const Bundle& after) {
  People people;
  Standing was(before.directory);
  Standing is(after.directory);
  add_people(before.directory, after.directory, people);
  add_people(after.directory, before.directory, people);
  add_services(before.directory, after.directory, was, people);
  add_services(after.directory, before.directory, is, people);

  auto old_rights = rights_in(before);
  for (auto& [name, right] : rights_in(after)) {
    const auto& now = is.behind(right.holders);
    const auto* old = find_value(old_rights, name);
    if (old == nullptr) {
      people.insert(now.begin(), now.end());
      continue;
    }
    const auto& then = was.behind(old->holders);
    add_difference(then, now, people);
    if (old->terms != right.terms) {
      people.insert(then.begin(), then.end());
      people.insert(now.begin(), now.end());
    }
    old_rights.erase(name);
  }
  for (const auto& [name, right] : old_rights) {
    const auto& then = was.behind(right.holders);
    people.insert(then.begin(), then.end());
  }
  return {people.begin(), people.end()};
}

}  // namespace bailey
