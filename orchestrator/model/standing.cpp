#include "orchestrator/model/standing.hpp"

#include <algorithm>
#include <cctype>

namespace bailey {

namespace {

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return text;
}

}  // namespace

std::set<std::string> people_behind(const Directory& directory, const Subject& subject) {
  std::set<std::string> people;
  std::set<Subject> seen;
  std::vector<Subject> open{subject};
  while (!open.empty()) {
    const Subject here = std::move(open.back());
    open.pop_back();
    if (!seen.insert(here).second) continue;
    switch (here.kind) {
      // Also when the Directory no longer knows the name: who left stays involved.
      case SubjectKind::Person:
        people.insert(here.name);
        break;
      case SubjectKind::Service: {
        const auto service = directory.services.find(here.name);
        if (service == directory.services.end()) break;
        const auto& controllers = service->second.controlled_by;
        open.insert(open.end(), controllers.begin(), controllers.end());
        break;
      }
      case SubjectKind::Group: {
        const auto group = directory.groups.find(here.name);
        if (group == directory.groups.end()) break;
        open.insert(open.end(), group->second.begin(), group->second.end());
        break;
      }
    }
  }
  return people;
}

std::set<std::string> involved_people(const Directory& directory,
                                      const std::vector<Author>& authors, const Subject& requester,
                                      const std::optional<Subject>& executor) {
  auto involved = people_behind(directory, requester);
  if (executor) involved.merge(people_behind(directory, *executor));
  for (const auto& author : authors) {
    if (!author.person.empty()) involved.insert(author.person);
    if (author.email.empty()) continue;
    // Every person with this address, not only the first: two accounts may share one.
    for (const auto& [name, person] : directory.people) {
      if (lower_case(person.email) == lower_case(author.email)) involved.insert(name);
    }
  }
  return involved;
}

std::set<std::string> people_holding(const Bundle& bundle, const Environment& environment,
                                     Power power) {
  std::set<std::string> people;
  const auto found = bundle.templates.find(environment.template_name);
  if (found == bundle.templates.end()) return people;
  for (const auto& [role, holders] : environment.bindings) {
    const auto definition = found->second.roles.find(role);
    if (definition == found->second.roles.end() || !definition->second.powers.contains(power)) {
      continue;
    }
    people.merge(bundle.directory.people_in(holders));
  }
  return people;
}

}  // namespace bailey
