#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace bailey::detail {

/// Reports a finding about `length` bytes at byte `offset` of the scanned text.
using YamlReport = std::function<void(const char* code, const char* summary, std::string detail,
                                      std::size_t offset, std::size_t length)>;

inline constexpr std::size_t kYamlMaxDepth = 64;

/// Reads one YAML document by its tokens, before the library sees it, and reports what the strict
/// profile excludes and what yaml-cpp 0.7 wrongly accepts: anchors, aliases, tags, complex keys,
/// tabs in indentation, depth, unfinished quotes, unknown escapes, empty flow entries, comments
/// without a space before them, flow and quoted lines that are not indented. It only refuses; what
/// it lets through is still the library's to judge. Linear in the text, constant stack.
void scan_yaml(std::string_view text, const YamlReport& report);

/// Bytes of the scalar that begins at `offset`, up to the end of its first line.
[[nodiscard]] std::size_t yaml_scalar_extent(std::string_view text, std::size_t offset, bool plain,
                                             std::string_view value);

}  // namespace bailey::detail
