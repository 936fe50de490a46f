#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey::spec {

enum class ReferenceRoot : std::uint8_t { Parameter, Environment, Resource, Artifact, Change };

/// One `${...}` of a text.
struct Reference {
  ReferenceRoot root = ReferenceRoot::Parameter;
  std::string name;  ///< Of the parameter, resource or artifact; else `name`, `class`, `id`.
  std::optional<int> index;  ///< Of a resource.
  std::string attribute;     ///< Of a resource or artifact; may be empty for a resource.
  std::size_t offset = 0;    ///< Where it begins in the text, in bytes.
  std::size_t length = 0;    ///< With its `${` and `}`.
  [[nodiscard]] bool whole(std::string_view text) const noexcept {
    return offset == 0 && length == text.size();
  }
};

/// Something that begins like a reference and is none.
struct ReferenceFault {
  std::string detail;
  std::string suggestion;
  std::size_t offset = 0;
  std::size_t length = 0;
};

struct ReferenceScan {
  std::vector<Reference> references;  ///< In the order of the text.
  std::vector<ReferenceFault> faults;
};

/// Finds every reference in a text. A "${" always begins one: there is no way to escape it.
[[nodiscard]] ReferenceScan scan_references(std::string_view text);

}  // namespace bailey::spec
