#include "orchestrator/model/directory.hpp"

#include <algorithm>
#include <cctype>

namespace bailey {

namespace {

bool equal_without_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

}  // namespace

std::set<Subject> Directory::expand(const std::vector<Subject>& subjects) const {
  std::set<Subject> found;
  std::set<std::string> seen_groups;
  std::vector<Subject> open = subjects;
  while (!open.empty()) {
    const Subject subject = std::move(open.back());
    open.pop_back();
    if (subject.kind != SubjectKind::Group) {
      if (has(subject)) found.insert(subject);
      continue;
    }
    const auto group = groups.find(subject.name);
    if (group == groups.end() || !seen_groups.insert(subject.name).second) continue;
    open.insert(open.end(), group->second.begin(), group->second.end());
  }
  return found;
}

std::set<Subject> Directory::expand(const Subject& subject) const {
  return expand(std::vector<Subject>{subject});
}

std::set<std::string> Directory::people_in(const std::vector<Subject>& subjects) const {
  std::set<std::string> names;
  for (const auto& subject : expand(subjects)) {
    if (subject.kind == SubjectKind::Person) names.insert(subject.name);
  }
  return names;
}

bool Directory::contains(const std::vector<Subject>& subjects, const Subject& member) const {
  return expand(subjects).contains(member);
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
