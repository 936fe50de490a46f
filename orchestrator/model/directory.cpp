#include "orchestrator/model/directory.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_set>

namespace bailey {

namespace {

bool equal_without_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

/// Shows `visit` the people and services that subjects stand for, in no order, some more than once,
/// also those whom the Directory does not have.
template <class Visit>
void walk(const Directory& directory, const std::vector<Subject>& subjects, Visit visit) {
  std::set<std::string_view> seen;
  std::vector<const std::vector<Subject>*> open{&subjects};
  while (!open.empty()) {
    const auto& members = *open.back();
    open.pop_back();
    for (const auto& subject : members) {
      if (subject.kind != SubjectKind::Group) {
        visit(subject);
        continue;
      }
      const auto group = directory.groups.find(subject.name);
      if (group == directory.groups.end() || !seen.insert(group->first).second) continue;
      open.push_back(&group->second);
    }
  }
}

}  // namespace

std::set<Subject> Directory::expand(const std::vector<Subject>& subjects) const {
  std::set<Subject> found;
  walk(*this, subjects, [&](const Subject& subject) {
    if (has(subject)) found.insert(subject);
  });
  return found;
}

std::set<Subject> Directory::expand(const Subject& subject) const {
  return expand(std::vector<Subject>{subject});
}

std::vector<const Directory::Entry*> Directory::entries_in(
    const std::vector<Subject>& subjects) const {
  std::unordered_set<std::string_view> names;
  names.reserve(people.size());
  walk(*this, subjects, [&](const Subject& subject) {
    if (subject.kind == SubjectKind::Person) names.insert(subject.name);
  });
  std::vector<const Entry*> found;
  for (const auto& entry : people) {
    if (names.contains(entry.first)) found.push_back(&entry);
  }
  return found;
}

std::set<std::string> Directory::people_in(const std::vector<Subject>& subjects) const {
  std::set<std::string> found;
  for (const auto* entry : entries_in(subjects)) found.insert(found.end(), entry->first);
  return found;
}

std::set<std::string> Directory::people_among(const std::set<std::string>& some,
                                              const std::vector<Subject>& subjects) const {
  std::set<std::string> found;
  if (some.empty()) return found;
  walk(*this, subjects, [&](const Subject& subject) {
    if (subject.kind == SubjectKind::Person && some.contains(subject.name) && has(subject)) {
      found.insert(subject.name);
    }
  });
  return found;
}

bool Directory::contains(const std::vector<Subject>& subjects, const Subject& member) const {
  bool found = false;
  walk(*this, subjects, [&](const Subject& subject) { found = found || subject == member; });
  return found && has(member);
}

std::optional<std::string> Directory::person_by_email(std::string_view email) const {
  for (const auto& [name, person] : people) {
    if (!person.email.empty() && equal_without_case(person.email, email)) return name;
  }
  return std::nullopt;
}

bool Directory::has(const Subject& subject) const {
  switch (subject.kind) {
    case SubjectKind::Person:
      return people.contains(subject.name);
    case SubjectKind::Service:
      return services.contains(subject.name);
    case SubjectKind::Group:
      return groups.contains(subject.name);
  }
  return false;
}

}  // namespace bailey
