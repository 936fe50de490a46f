#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// Number of characters (code points) in valid UTF-8.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;
/// `count` characters from character `from`, clipped to what is there.
[[nodiscard]] std::string utf8_substr(std::string_view text, std::size_t from, std::size_t count);
/// Offset of the first byte that does not belong to valid UTF-8 (overlong forms, surrogates and
/// values beyond U+10FFFF are invalid), or nothing.
[[nodiscard]] std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept;

/// `localhost`, `[::1]` and `127.x.y.z` in plain numbers; no other name, whatever it resolves to.
[[nodiscard]] bool is_loopback_host(std::string_view host) noexcept;

/// The candidate nearest to `word` by edit distance, if it is near enough to be a typing mistake.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string>& candidates);

[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
/// Without white space at either end.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;
/// "a", "a and b", "a, b and c".
[[nodiscard]] std::string enumerate(const std::vector<std::string>& parts,
                                    std::string_view conjunction = "and");

}  // namespace bailey
