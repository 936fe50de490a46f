#include "orchestrator/model/subject.hpp"

namespace bailey {

std::string to_string(const Subject& subject) {
  switch (subject.kind) {
    case SubjectKind::Person:
      return subject.name;
    case SubjectKind::Service:
      return "service:" + subject.name;
    case SubjectKind::Group:
      return "group:" + subject.name;
  }
  return {};
}

std::optional<Subject> parse_subject(std::string_view text) {
  const auto colon = text.find(':');
  const auto name = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (name.empty() || name.find(':') != std::string_view::npos) return std::nullopt;
  const auto prefix = colon == std::string_view::npos ? "person" : text.substr(0, colon);
  if (prefix == "person") return Subject{SubjectKind::Person, std::string(name)};
  if (prefix == "service") return Subject{SubjectKind::Service, std::string(name)};
  if (prefix == "group") return Subject{SubjectKind::Group, std::string(name)};
  return std::nullopt;
}

}  // namespace bailey
