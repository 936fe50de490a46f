#include "orchestrator/declare/duties/standings.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace bailey::duties {

namespace {

// What breaking the glass gives: hands on the environment, and nothing that decides.
const std::set<Power>& emergency_powers() {
  static const std::set<Power> kPowers{Power::Read, Power::Operate};
  return kPowers;
}

// What a role gives when it is had on request: the other powers are held by binding alone.
const std::set<Power>& powers_on_request() {
  static const std::set<Power> kPowers{Power::Read, Power::Request, Power::Operate, Power::Audit};
  return kPowers;
}

// What the organization's administrators hold in every environment.
const std::set<Power>& administrator_powers() {
  static const std::set<Power> kPowers{Power::Read, Power::Audit, Power::Administer};
  return kPowers;
}

// The last of them is the one that says most: `request` before `deploy` before `operate`.
std::optional<Power> most_of(const std::set<Power>& wanted, const std::set<Power>& given) {
  const auto found = std::find_if(wanted.rbegin(), wanted.rend(),
                                  [&](Power power) { return given.contains(power); });
  return found == wanted.rend() ? std::nullopt : std::optional(*found);
}

std::set<Power> both(const std::set<Power>& left, const std::set<Power>& right) {
  std::set<Power> powers;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(),
                        std::inserter(powers, powers.end()));
  return powers;
}

const std::map<std::string, Role>& roles_in(const Bundle& bundle, const Environment& environment) {
  static const std::map<std::string, Role> kNone;
  const auto found = bundle.templates.find(environment.template_name);
  return found == bundle.templates.end() ? kNone : found->second.roles;
}

bool asks_for_approval(const Environment& environment) {
  return std::any_of(environment.gate.begin(), environment.gate.end(), [](const auto& condition) {
    return std::holds_alternative<ApprovalsCondition>(condition);
  });
}

std::string others(int count) {
  return count == 1 ? "1 other must agree" : fmt::format("{} others must agree", count);
}

}  // namespace

std::string to_string(const Holding& holding) {
  return holding.what + "@" + holding.where;
}

Standings::Standings(const Bundle& bundle, const BundlePlaces& places)
    : bundle_(bundle), places_(places), graph_(bundle.directory) {}

void Standings::add_subjects(Standing& standing, std::vector<Source>& sources, Origin origin,
                             const std::vector<Subject>& subjects, std::uint32_t cost) const {
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const auto node = graph_.find(subjects[i]);
    if (!node) continue;
    origin.subject = *node;
    origin.entry = static_cast<std::uint32_t>(i);
    sources.push_back({*node, cost, static_cast<std::uint32_t>(standing.origins.size())});
    standing.origins.push_back(origin);
  }
}

void Standings::add_asked(Standing& standing, std::vector<Source>& sources, Origin origin,
                          const std::vector<Subject>& subjects, const Nodes& agree,
                          int needed) const {
  constexpr std::uint32_t kCost = 3;
  const auto count = static_cast<int>(agree.size());
  if (count < needed) return;
  const bool for_people = origin.way == Way::BreakGlass;
  if (count > needed && !for_people) {
    add_subjects(standing, sources, origin, subjects, kCost);
    return;
  }
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const auto node = graph_.find(subjects[i]);
    if (!node) continue;
    origin.subject = *node;
    origin.entry = static_cast<std::uint32_t>(i);
    const auto askers = for_people ? graph_.members({subjects[i]}) : graph_.behind(*node);
    for (const auto asker : *askers) {
      if (!graph_.is_person(asker)) continue;
      // Just enough agree: whoever is one of them lacks one.
      if (count == needed && holds(agree, asker)) continue;
      sources.push_back({asker, kCost, static_cast<std::uint32_t>(standing.origins.size())});
    }
    standing.origins.push_back(origin);
  }
}

void Standings::add_requests(Standing& standing, std::vector<Source>& sources,
                             const Environment& environment, const std::set<Power>& powers) {
  const auto& roles = roles_in(bundle_, environment);
  for (const auto& [role, grant] : environment.grantable) {
    const auto definition = roles.find(role);
    if (definition == roles.end()) continue;
    const auto power = most_of(both(powers, powers_on_request()), definition->second.powers);
    if (!power) continue;
    add_asked(standing, sources,
              {Way::Grant, 0, 0, &environment, nullptr, &definition->first, *power}, grant.to,
              *approvers(environment), grant.approvals);
  }
  if (!environment.break_glass) return;
  const auto power = most_of(powers, emergency_powers());
  if (!power) return;
  const auto& glass = *environment.break_glass;
  add_asked(standing, sources, {Way::BreakGlass, 0, 0, &environment, nullptr, nullptr, *power},
            glass.who, *with_key(graph_.members(glass.who)), glass.approvals);
}

void Standings::add_administrators(Standing& standing, std::vector<Source>& sources,
                                   const Environment& environment,
                                   const std::set<Power>& powers) const {
  if (!bundle_.organization || bundle_.organization->approvals > 1) return;
  add_subjects(standing, sources,
               {Way::Policy, 0, 0, &environment, nullptr, nullptr, *powers.begin()},
               bundle_.organization->administrators, 4);
}

void Standings::add(Standing& standing, std::vector<Source>& sources,
                    const Environment& environment, const std::set<Power>& powers, Ways ways) {
  const auto& roles = roles_in(bundle_, environment);
  for (const auto& [role, holders] : environment.bindings) {
    const auto definition = roles.find(role);
    if (definition == roles.end()) continue;
    const auto power = most_of(powers, definition->second.powers);
    if (!power) continue;
    add_subjects(standing, sources,
                 {Way::Binding, 0, 0, &environment, nullptr, &definition->first, *power}, holders,
                 2);
  }
  if (environment.environment_class == EnvironmentClass::Sandbox && environment.owner) {
    for (const auto& [role, definition] : roles) {
      const auto power = most_of(powers, definition.powers);
      if (!power) continue;
      add_subjects(standing, sources, {Way::Owner, 0, 0, &environment, nullptr, &role, *power},
                   {Subject{SubjectKind::Person, *environment.owner}}, 2);
      break;
    }
  }
  if (ways == Ways::Any) add_requests(standing, sources, environment, powers);
  add_administrators(standing, sources, environment, powers);
}

Standing Standings::in(const Environment& environment, const std::set<Power>& powers, Ways ways) {
  Standing standing;
  std::vector<Source> sources;
  add(standing, sources, environment, powers, ways);
  standing.reach = graph_.reach(sources);
  return standing;
}

Standing Standings::writers(const Environment& environment, Ways ways) {
  std::set<Power> powers{Power::Deploy, Power::Operate, Power::Administer};
  if (!asks_for_approval(environment)) powers.insert(Power::Request);
  return in(environment, powers, ways);
}

std::shared_ptr<const Standing> Standings::holding(const Holding& holding) {
  const auto known = holdings_.find(holding);
  if (known != holdings_.end()) return known->second;
  Standing standing;
  std::vector<Source> sources;
  if (holding.what == "author") {
    const auto project = bundle_.projects.find(holding.where);
    if (project != bundle_.projects.end()) {
      add_subjects(standing, sources,
                   {Way::Author, 0, 0, nullptr, &project->second, nullptr, Power::Read},
                   project->second.authors, 1);
    }
  } else if (const auto power = parse_power(holding.what)) {
    const auto take = [&](const Environment& environment) {
      add(standing, sources, environment, {*power}, Ways::Any);
      if (!bundle_.organization || !administrator_powers().contains(*power)) return;
      add_subjects(standing, sources,
                   {Way::Administrator, 0, 0, &environment, nullptr, nullptr, *power},
                   bundle_.organization->administrators, 1);
    };
    const auto of_class = parse_environment_class(holding.where);
    if (const auto* named = of_class ? nullptr : bundle_.environment(holding.where)) take(*named);
    for (const auto& [name, environment] : bundle_.environments) {
      if (of_class && environment.environment_class == *of_class) take(environment);
    }
  }
  standing.reach = graph_.reach(sources);
  if (kept_ > 4 * graph_.size()) {
    holdings_.clear();
    kept_ = 0;
  }
  kept_ += standing.reach.found.size();
  auto& kept = holdings_[holding];
  kept = std::make_shared<const Standing>(std::move(standing));
  return kept;
}

std::shared_ptr<const Standing> Standings::authors(const std::string& project) {
  return holding({"author", project});
}

std::vector<Subject> Standings::bound_subjects(const Environment& environment, Power power) const {
  std::vector<Subject> subjects;
  const auto& roles = roles_in(bundle_, environment);
  for (const auto& [role, holders] : environment.bindings) {
    const auto definition = roles.find(role);
    if (definition == roles.end() || !definition->second.powers.contains(power)) continue;
    subjects.insert(subjects.end(), holders.begin(), holders.end());
  }
  return subjects;
}

std::shared_ptr<const Nodes> Standings::bound(const Environment& environment, Power power) {
  return graph_.members(bound_subjects(environment, power));
}

std::shared_ptr<const Nodes> Standings::with_key(const std::shared_ptr<const Nodes>& nodes) {
  auto& known = with_key_[nodes.get()];
  if (known) return known;
  Nodes people;
  for (const auto node : *nodes) {
    if (graph_.is_person(node) && graph_.has_key(node)) people.push_back(node);
  }
  known = std::make_shared<const Nodes>(std::move(people));
  return known;
}

std::shared_ptr<const Nodes> Standings::approvers(const Environment& environment) {
  return with_key(bound(environment, Power::Approve));
}

std::string Standings::at(const char* kind, const std::string& name,
                          const std::string& pointer) const {
  const auto place = places_.at(kind, name, pointer);
  return place ? fmt::format(" ({}:{})", place->file, place->line) : std::string();
}

std::string Standings::in_words(Node node, bool begin) const {
  const auto& subject = graph_.subject(node);
  if (subject.kind == SubjectKind::Person) return subject.name;
  return fmt::format("{}he {} {}", begin ? "T" : "t",
                     subject.kind == SubjectKind::Group ? "group" : "service", subject.name);
}

void Standings::explain_origin(const Origin& origin, Node person,
                               std::vector<std::string>& steps) const {
  const auto who = in_words(origin.subject, true);
  const auto entry = [&](const std::string& list) {
    return list + "/" + std::to_string(origin.entry);
  };
  const auto* environment = origin.environment;
  const auto tell_role = [&] {
    steps.push_back(fmt::format(
        "The role {} gives the power \"{}\" there{}.", *origin.role, to_string(origin.power),
        at("Template", environment->template_name, "/roles/" + *origin.role + "/powers")));
  };
  switch (origin.way) {
    case Way::Author:
      steps.push_back(fmt::format(
          "{} {} what goes into {}{}.", who, graph_.is_person(origin.subject) ? "writes" : "write",
          origin.project->name, at("Project", origin.project->name, entry("/authors"))));
      return;
    case Way::Binding:
      steps.push_back(
          fmt::format("{} holds the role {} in {}{}.", who, *origin.role, environment->name,
                      at("Environment", environment->name, entry("/bindings/" + *origin.role))));
      tell_role();
      return;
    case Way::Owner:
      steps.push_back(fmt::format("{} owns the sandbox {}, and holds every role in it{}.", who,
                                  environment->name,
                                  at("Environment", environment->name, "/owner")));
      tell_role();
      return;
    case Way::Administrator:
      steps.push_back(fmt::format(
          "{} administers the organization, which gives the power \"{}\" in every environment{}.",
          who, to_string(origin.power),
          at("Organization", bundle_.organization->name, entry("/administrators/members"))));
      return;
    case Way::Grant: {
      const auto& grant = environment->grantable.at(*origin.role);
      steps.push_back(fmt::format(
          "{} asks for the role {} in {}, for {} at a time; {}{}.", in_words(person, true),
          *origin.role, environment->name, format_duration(grant.ttl), others(grant.approvals),
          at("Environment", environment->name, entry("/grantable/" + *origin.role + "/to"))));
      tell_role();
      return;
    }
    case Way::BreakGlass: {
      const auto& glass = *environment->break_glass;
      steps.push_back(fmt::format(
          "{} breaks the glass of {}, for {} at a time, which gives the power \"{}\" there; {}{}.",
          in_words(person, true), environment->name, format_duration(glass.ttl),
          to_string(origin.power), others(glass.approvals),
          at("Environment", environment->name, entry("/breakGlass/who"))));
      return;
    }
    case Way::Policy:
      steps.push_back(fmt::format(
          "{} administers the organization{}.", who,
          at("Organization", bundle_.organization->name, entry("/administrators/members"))));
      steps.push_back(fmt::format(
          "One administrator's approval changes what decides, so {} alone lets in whatever gives "
          "the power \"{}\" in {}{}.",
          in_words(person, false), to_string(origin.power), environment->name,
          at("Organization", bundle_.organization->name, "/administrators/approvals")));
      return;
  }
}

std::vector<std::string> Standings::explain(const Standing& standing, Node person) const {
  std::vector<std::string> steps;
  const auto climb = [&](const Reach& reach, std::uint32_t index) {
    for (; reach.found[index].from != kNone; index = reach.found[index].from) {
      const auto child = reach.found[index].node;
      const auto parent = reach.found[reach.found[index].from].node;
      const auto& above = graph_.subject(parent);
      const auto entry = std::to_string(reach.found[index].entry);
      if (above.kind == SubjectKind::Group) {
        steps.push_back(fmt::format("{} is in the group {}{}.", in_words(child, true), above.name,
                                    at("Directory", "", "/groups/" + above.name + "/" + entry)));
      } else {
        steps.push_back(fmt::format(
            "{} controls the service {} and acts through it{}.", in_words(child, true), above.name,
            at("Directory", "", "/services/" + above.name + "/controlledBy/" + entry)));
      }
    }
    return index;
  };
  const auto index = standing.reach.of(person);
  if (index == kNone) return steps;
  const auto first = climb(standing.reach, index);
  const auto& origin = standing.origins[standing.reach.found[first].origin];
  // Where only some of a group can get it, the search began at the people themselves.
  if (standing.reach.found[first].node != origin.subject) {
    const auto below = graph_.reach({{origin.subject}});
    (void)climb(below, below.of(person));
  }
  explain_origin(origin, person, steps);
  return steps;
}

std::pair<std::uint32_t, std::uint32_t> Standings::path_of(const Standing& standing,
                                                           Node person) const {
  const auto& found = standing.reach.found[standing.reach.of(person)];
  return {found.from, found.origin};
}

}  // namespace bailey::duties
