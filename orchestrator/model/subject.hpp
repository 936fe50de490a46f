#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bailey {

enum class SubjectKind : std::uint8_t { Person, Service, Group };

/// A name in the Directory: `alice` (or `person:alice`), `service:ci`, `group:leads`.
struct Subject {
  SubjectKind kind = SubjectKind::Person;
  std::string name;
  auto operator<=>(const Subject&) const = default;
};

/// People without a prefix, the others with theirs.
[[nodiscard]] std::string to_string(const Subject& subject);
/// Nothing for an empty name or an unknown prefix.
[[nodiscard]] std::optional<Subject> parse_subject(std::string_view text);

}  // namespace bailey
