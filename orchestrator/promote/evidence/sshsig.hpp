#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// The SSH signature namespace of everything that is signed for Bailey.
inline constexpr std::string_view kSignatureNamespace = "bailey";

/// A signature in OpenSSH's PROTOCOL.sshsig form, taken apart and not yet verified.
struct SshSignature {
  SshPublicKey key;  ///< As the signature claims; never trusted for being in it.
  std::string name_space;
  std::string reserved;
  std::string hash_algorithm;  ///< `sha256` or `sha512`.
  std::string algorithm;       ///< Of the signature itself, such as `rsa-sha2-512`.
  std::string signature;       ///< What follows the algorithm's name.
  std::string trailer;         ///< FIDO keys: flags, counter and, from a browser, client data.
};

/// Whether bytes are meant as an SSH signature, armored or raw.
[[nodiscard]] bool is_sshsig(std::string_view signature) noexcept;

/// Reads the raw blob; trailing bytes are refused. Protocol with `signature.malformed`, or
/// Unsupported for an algorithm that is not offered (ssh-rsa with SHA-1 among them).
[[nodiscard]] Result<SshSignature> parse_sshsig(std::string_view blob);

/// Armored text to the raw blob and back, 70 columns a line as ssh-keygen writes it.
[[nodiscard]] Result<std::string> unarmor_sshsig(std::string_view text);
[[nodiscard]] std::string armor_sshsig(std::string_view blob);

/// Succeeds when `signature` (armored or raw) was made over `message` in `name_space` by one of the
/// keys, and says which. FIDO signatures must show that somebody was present. Ed25519 is verified
/// by libsodium, the rest by OpenSSL. Otherwise Refused with `signature.unknown-key`,
/// `signature.wrong-namespace`, `signature.absent-user` or `signature.invalid`, or the failure of
/// parsing. A key line that cannot be read stands for no key.
[[nodiscard]] Result<EnrolledKey> verify_sshsig(std::string_view signature,
                                                const std::vector<EnrolledKey>& keys,
                                                std::string_view name_space,
                                                std::string_view message);

/// Signs with `ssh-keygen -Y sign`: `key` is a private key file, or a public one whose private part
/// is in the agent or in a FIDO token. Returns the armored signature. Blocks while a person types a
/// passphrase or touches a token, at most two minutes.
[[nodiscard]] Result<std::string> sign_with_ssh_keygen(const std::filesystem::path& key,
                                                       std::string_view name_space,
                                                       std::string_view message,
                                                       std::stop_token stop = {});

}  // namespace bailey
