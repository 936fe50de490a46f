#pragma once

#include "orchestrator/base/error.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

using Json = nlohmann::json;

struct JsonLimits {
  std::size_t max_bytes = 16U * 1024 * 1024;
  std::size_t max_depth = 64;
};

/// Reads one JSON text (RFC 8259). Refuses what parsers are known to disagree about: duplicate
/// names, invalid UTF-8, depth beyond the limit, trailing bytes. Never throws.
[[nodiscard]] Result<Json> parse_json(std::string_view text, JsonLimits limits = {});

/// The RFC 8785 (JCS) form, over which every digest and signature of ours is taken. Numbers must
/// be integers within +/-2^53 or finite doubles.
[[nodiscard]] std::string canonical(const Json& value);

/// Two-space indented text with a final newline, for people and files.
[[nodiscard]] std::string pretty(const Json& value);

/// The member `name` of an object, or null when it is absent or `object` is no object.
[[nodiscard]] const Json& member(const Json& object, std::string_view name);
/// The string member `name`, or empty when it is absent or no string.
[[nodiscard]] std::string string_member(const Json& object, std::string_view name);
/// A required member; the error names it.
[[nodiscard]] Result<std::string> require_string(const Json& object, std::string_view name);
/// The strings of an array member; other elements are passed over.
[[nodiscard]] std::vector<std::string> strings_member(const Json& object, std::string_view name);

}  // namespace bailey
