#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/directory.hpp"
#include "orchestrator/model/subject.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

enum class SshKeyType : std::uint8_t { Ed25519, EcdsaP256, Rsa, SkEd25519, SkEcdsaP256 };

/// A public key that is fit to sign for somebody. Only the two parsers below make one, so whoever
/// holds it knows that it is no weak key.
struct SshPublicKey {
  SshKeyType type = SshKeyType::Ed25519;
  std::string blob;      ///< The wire form (RFC 4253 section 6.6): what two keys are compared by.
  std::string point;     ///< Ed25519: 32 bytes; P-256: 65 bytes, uncompressed; RSA: empty.
  std::string exponent;  ///< RSA: big-endian, no leading zero.
  std::string modulus;   ///< RSA: big-endian, no leading zero.
  std::string application;  ///< FIDO keys: the relying party, usually `ssh:`.
  std::string comment;
};

/// Reads `type base64 [comment]` as in a .pub file. Unsupported for a key type that is not offered
/// (certificates, DSA, P-384, ML-DSA); Refused with `key.weak` for RSA below 2048 bits and for what
/// is_weak_ed25519_point() names; Protocol with `key.malformed` otherwise. Options before the type
/// are refused.
[[nodiscard]] Result<SshPublicKey> parse_ssh_public_key(std::string_view line);
/// The same for the wire form.
[[nodiscard]] Result<SshPublicKey> parse_ssh_key_blob(std::string_view blob);

/// `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it.
[[nodiscard]] std::string fingerprint(const SshPublicKey& key);

/// True for whatever no key generation makes: points of low order in all their encodings, with
/// which one signature fits any message; non-canonical encodings; points outside the prime-order
/// group.
[[nodiscard]] bool is_weak_ed25519_point(std::string_view point) noexcept;

/// A key line and whose it is.
struct EnrolledKey {
  Subject owner;
  std::string line;
};

/// The keys of every person and service in the Directory.
[[nodiscard]] std::vector<EnrolledKey> enrolled_keys(const Directory& directory);
/// The keys of one person or service; none for a group or an unknown name.
[[nodiscard]] std::vector<EnrolledKey> enrolled_keys(const Directory& directory,
                                                     const Subject& owner);
/// True when `owner` has, today, a key with that fingerprint. Lines that cannot be read are passed
/// over.
[[nodiscard]] bool has_key(const Directory& directory, const Subject& owner,
                           std::string_view key_fingerprint);

}  // namespace bailey
