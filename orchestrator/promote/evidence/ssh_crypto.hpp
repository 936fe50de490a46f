#pragma once

#include "orchestrator/base/digest.hpp"
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

/// A signature without a frame, as cosign and most others make it. The key's type alone decides the
/// algorithm: Ed25519; ECDSA P-256 with SHA-256, in strict DER or as r and s of 32 bytes each; RSA
/// PKCS #1 v1.5 with SHA-256, at full length. FIDO keys make none.
[[nodiscard]] bool verify_raw(const SshPublicKey& key, std::string_view message,
                              std::string_view signature);
/// The same where only the message's SHA-256 is at hand; never true for Ed25519, which signs the
/// message itself.
[[nodiscard]] bool verify_raw_digest(const SshPublicKey& key, const Sha256& digest,
                                     std::string_view signature);

}  // namespace bailey
