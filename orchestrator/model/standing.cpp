#include "orchestrator/model/standing.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <unordered_set>

namespace bailey {

namespace {

unsigned char lower_case(char c) {
  return static_cast<unsigned char>(std::tolower(static_cast<unsigned char>(c)));
}

/// Of addresses, which are compared without case.
struct AddressHash {
  std::size_t operator()(std::string_view address) const {
    std::size_t hash = 14695981039346656037U;  // FNV-1a
    for (const char c : address) hash = (hash ^ lower_case(c)) * 1099511628211U;
    return hash;
  }
};
struct SameAddress {
  bool operator()(std::string_view left, std::string_view right) const {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char a, char b) { return lower_case(a) == lower_case(b); });
  }
};

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
  std::unordered_set<std::string_view, AddressHash, SameAddress> addresses;
  for (const auto& author : authors) {
    if (!author.person.empty()) involved.insert(author.person);
    if (!author.email.empty()) addresses.insert(author.email);
  }
  // Every person with such an address, not only the first: two accounts may share one.
  for (const auto& [name, person] : directory.people) {
    if (addresses.contains(person.email)) involved.insert(name);
  }
  return involved;
}

std::vector<Subject> holders_of(const Bundle& bundle, const Environment& environment, Power power) {
  std::vector<Subject> all;
  const auto found = bundle.templates.find(environment.template_name);
  if (found == bundle.templates.end()) return all;
  for (const auto& [role, holders] : environment.bindings) {
    const auto definition = found->second.roles.find(role);
    if (definition == found->second.roles.end() || !definition->second.powers.contains(power)) {
      continue;
    }
    all.insert(all.end(), holders.begin(), holders.end());
  }
  return all;
}

std::set<std::string> people_holding(const Bundle& bundle, const Environment& environment,
                                     Power power) {
  return bundle.directory.people_in(holders_of(bundle, environment, power));
}

}  // namespace bailey
