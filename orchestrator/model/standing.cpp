#include "orchestrator/model/standing.hpp"

#include "orchestrator/base/lookup.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_set>

namespace bailey {

namespace {

void lower_case(std::string& text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
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
        const auto* service = find_value(directory.services, here.name);
        if (service == nullptr) break;
        const auto& controllers = service->controlled_by;
        open.insert(open.end(), controllers.begin(), controllers.end());
        break;
      }
      case SubjectKind::Group: {
        const auto* members = find_value(directory.groups, here.name);
        if (members == nullptr) break;
        open.insert(open.end(), members->begin(), members->end());
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
  std::unordered_set<std::string> addresses;
  std::string address;  // One for all, so that none of thousands needs memory of its own.
  for (const auto& author : authors) {
    if (!author.person.empty()) involved.insert(author.person);
    address = author.email;
    lower_case(address);
    if (!address.empty()) addresses.insert(address);
  }
  // Every person with such an address, not only the first: two accounts may share one.
  for (const auto& [name, person] : directory.people) {
    address = person.email;
    lower_case(address);
    if (addresses.contains(address)) involved.insert(name);
  }
  return involved;
}

std::vector<Subject> holders_of(const Bundle& bundle, const Environment& environment, Power power) {
  std::vector<Subject> all;
  const auto* found = find_value(bundle.templates, environment.template_name);
  if (found == nullptr) return all;
  for (const auto& [role, holders] : environment.bindings) {
    const auto* definition = find_value(found->roles, role);
    if (definition == nullptr || !definition->powers.contains(power)) continue;
    all.insert(all.end(), holders.begin(), holders.end());
  }
  return all;
}

std::set<std::string> people_holding(const Bundle& bundle, const Environment& environment,
                                     Power power) {
  return bundle.directory.people_in(holders_of(bundle, environment, power));
}

}  // namespace bailey
