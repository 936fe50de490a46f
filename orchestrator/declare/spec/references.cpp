#include "orchestrator/declare/spec/references.hpp"

#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace bailey::spec {

namespace {

bool is_word(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    if (!fits) return false;
  }
  return true;
}

struct Parsed {
  std::optional<Reference> reference;
  std::string detail;
  std::string suggestion;
};

Parsed fault(std::string detail, std::string suggestion = {}) {
  return {std::nullopt, std::move(detail), std::move(suggestion)};
}

// Splits `web[0]` into the name and the index.
bool take_index(std::string& name, std::optional<int>& index) {
  const auto open = name.find('[');
  if (open == std::string::npos) return true;
  if (name.back() != ']') return false;
  const char* begin = name.data() + open + 1;
  const char* end = name.data() + name.size() - 1;
  int value = 0;
  const auto [rest, error] = std::from_chars(begin, end, value);
  const bool canonical = end - begin == 1 || *begin != '0';
  if (error != std::errc() || rest != end || value < 0 || !canonical) return false;
  index = value;
  name.resize(open);
  return true;
}

Parsed parse_resource(const std::vector<std::string>& parts) {
  Reference reference;
  reference.root = ReferenceRoot::Resource;
  reference.name = parts[1];
  if (!take_index(reference.name, reference.index)) {
    return fault("An index is a whole number in brackets, such as \"[0]\".");
  }
  if (parts.size() == 3) reference.attribute = parts[2];
  if (parts.size() > 3 || !is_word(reference.name) || (parts.size() == 3 && !is_word(parts[2]))) {
    return fault(
        "A reference to a resource is written \"${resource.NAME}\" or "
        "\"${resource.NAME.ATTRIBUTE}\".");
  }
  return {std::move(reference), {}, {}};
}

Parsed parse_fixed(ReferenceRoot root, const std::vector<std::string>& parts,
                   const std::vector<std::string>& names) {
  Reference reference;
  reference.root = root;
  if (parts.size() == 2) {
    for (const auto& name : names) {
      if (parts[1] != name) continue;
      reference.name = name;
      return {std::move(reference), {}, {}};
    }
  }
  std::vector<std::string> forms;
  for (const auto& name : names) forms.push_back("\"${" + parts[0] + "." + name + "}\"");
  return fault(fmt::format("What can be named here is {}.", enumerate(forms, "or")),
               parts.size() == 2 ? nearest(parts[1], names).value_or("") : "");
}

Parsed parse_inside(std::string_view inside) {
  const auto parts = split(inside, '.');
  const std::vector<std::string> roots{"parameter", "environment", "resource", "artifact",
                                       "change"};
  if (parts.size() < 2) {
    return fault("A reference names a root and what is meant, such as \"${parameter.size}\".",
                 nearest(parts[0], roots).value_or(""));
  }
  if (parts[0] == "resource") return parse_resource(parts);
  if (parts[0] == "environment") {
    return parse_fixed(ReferenceRoot::Environment, parts, {"name", "class"});
  }
  if (parts[0] == "change") return parse_fixed(ReferenceRoot::Change, parts, {"id"});
  Reference reference;
  if (parts[0] == "parameter") {
    if (parts.size() != 2 || !is_word(parts[1])) {
      return fault("A reference to a parameter is written \"${parameter.NAME}\".");
    }
    reference.root = ReferenceRoot::Parameter;
    reference.name = parts[1];
    return {std::move(reference), {}, {}};
  }
  if (parts[0] == "artifact") {
    if (parts.size() != 3 || !is_word(parts[1]) || parts[2] != "digest") {
      return fault("A reference to an artifact is written \"${artifact.NAME.digest}\".");
    }
    reference.root = ReferenceRoot::Artifact;
    reference.name = parts[1];
    reference.attribute = parts[2];
    return {std::move(reference), {}, {}};
  }
  return fault(fmt::format("References begin with {}.", enumerate(roots, "or")),
               nearest(parts[0], roots).value_or(""));
}

}  // namespace

ReferenceScan scan_references(std::string_view text) {
  ReferenceScan scan;
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) {
      scan.faults.push_back({"The \"${\" here has no closing \"}\".", {}, at, text.size() - at});
      break;
    }
    const std::size_t length = end + 1 - at;
    auto parsed = parse_inside(text.substr(at + 2, length - 3));
    if (parsed.reference) {
      parsed.reference->offset = at;
      parsed.reference->length = length;
      scan.references.push_back(std::move(*parsed.reference));
    } else {
      scan.faults.push_back({std::move(parsed.detail), std::move(parsed.suggestion), at, length});
    }
    at = end + 1;
  }
  return scan;
}

}  // namespace bailey::spec
