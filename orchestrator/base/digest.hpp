#pragma once

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace bailey {

using Sha256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256 sha256(std::string_view bytes);
[[nodiscard]] std::array<std::uint8_t, 64> sha512(std::string_view bytes);
/// HMAC-SHA256 (RFC 2104).
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

/// `sha256:<64 lower-case hex digits>` of the bytes: how a digest is written everywhere.
[[nodiscard]] std::string digest_of(std::string_view bytes);
/// Digest over the RFC 8785 form of a value.
[[nodiscard]] std::string digest_of(const nlohmann::json& value);
/// The same of an object that has, besides the members of `rest`, a list of `size` elements as its
/// member `list`; names are ASCII. One element at a time is in memory.
[[nodiscard]] std::string digest_with_list(
    const nlohmann::json& rest, const std::string& list, std::size_t size,
    const std::function<nlohmann::json(std::size_t)>& element);
/// True for exactly `sha256:` and 64 lower-case hex digits.
[[nodiscard]] bool is_digest(std::string_view text) noexcept;

[[nodiscard]] bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept;

}  // namespace bailey
