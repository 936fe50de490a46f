#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bailey {

/// Lower-case hex.
[[nodiscard]] std::string hex(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::string hex(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

/// RFC 4648 section 4, padded.
[[nodiscard]] std::string base64(std::string_view bytes);
/// Standard alphabet, padding required, no white space, no stray bits in the last character.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
/// RFC 4648 section 5, no padding.
[[nodiscard]] std::string base64url(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);
/// RFC 4648 section 6, lower case, no padding: fits into names at providers.
[[nodiscard]] std::string base32_lower(std::string_view bytes);

/// RFC 3986 percent encoding of everything but unreserved characters.
[[nodiscard]] std::string percent_encode(std::string_view text);
/// Nothing on a broken escape.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

template <std::size_t N>
[[nodiscard]] std::string_view bytes_of(const std::uint8_t (&array)[N]) {
  return {reinterpret_cast<const char*>(array), N};
}
[[nodiscard]] inline std::string_view bytes_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace bailey
