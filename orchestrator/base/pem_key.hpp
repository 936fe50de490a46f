#pragma once

#include "orchestrator/base/error.hpp"

#include <string>
#include <string_view>

namespace bailey {

/// Whether a text is meant as a PEM public key rather than as an OpenSSH line.
[[nodiscard]] bool looks_like_pem(std::string_view text) noexcept;

/// The same key as an OpenSSH line without comment, so that one key has one form to be compared and
/// judged by. Takes exactly one `-----BEGIN PUBLIC KEY-----` block (RFC 7468) with an Ed25519,
/// ECDSA P-256 or RSA key in canonical DER. Unsupported with `key.unsupported` for other kinds,
/// Protocol with `key.malformed` for what is no such block, points off the curve included. How
/// strong the key is, is for whoever reads the line.
[[nodiscard]] Result<std::string> openssh_line_from_pem(std::string_view text);

}  // namespace bailey
