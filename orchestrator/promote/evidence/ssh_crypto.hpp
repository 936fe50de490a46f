#pragma once

#include "orchestrator/promote/evidence/ssh_key.hpp"

#include <cstdint>
#include <string_view>

namespace bailey {

enum class RsaHash : std::uint8_t { Bits256, Bits512 };

/// libsodium: refuses non-canonical S, and R or A of low order.
[[nodiscard]] bool verify_ed25519(std::string_view point, std::string_view message,
                                  std::string_view signature);
/// ECDSA over P-256 with SHA-256; `signature` is two SSH mpints.
[[nodiscard]] bool verify_ecdsa_p256(std::string_view point, std::string_view message,
                                     std::string_view signature);
/// PKCS #1 v1.5.
[[nodiscard]] bool verify_rsa(const SshPublicKey& key, RsaHash hash, std::string_view message,
                              std::string_view signature);

}  // namespace bailey
