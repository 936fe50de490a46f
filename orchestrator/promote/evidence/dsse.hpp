#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// The payload type of in-toto statements.
inline constexpr std::string_view kInTotoPayload = "application/vnd.in-toto+json";

struct DsseSignature {
  std::string key_id;     ///< A hint that nothing is decided by.
  std::string signature;  ///< Over the PAE: an SSHSIG blob, or a raw one.
};

/// DSSE 1.0.2 envelope; `payload` is the decoded bytes.
struct DsseEnvelope {
  std::string payload_type;
  std::string payload;
  std::vector<DsseSignature> signatures;
};

/// `DSSEv1 SP LEN(type) SP type SP LEN(body) SP body`, lengths in bytes: what is signed.
[[nodiscard]] std::string pre_authentication_encoding(std::string_view payload_type,
                                                      std::string_view payload);

/// Base64 in either alphabet, as the specification leaves it to whoever writes.
[[nodiscard]] std::optional<std::string> from_any_base64(std::string_view text);

[[nodiscard]] nlohmann::json to_json(const DsseEnvelope& envelope);
/// Takes standard and URL-safe base64, as the specification asks. Members that it does not know are
/// passed over; at most 16 signatures.
[[nodiscard]] Result<DsseEnvelope> dsse_envelope_from_json(const nlohmann::json& value);

/// What a verified envelope says and who said it. `payload` is the very bytes that were verified:
/// read these and nothing else.
struct VerifiedEnvelope {
  std::string payload;
  std::vector<EnrolledKey> signers;       ///< At least one; each key once.
  std::vector<std::string> fingerprints;  ///< Of the signers, in the same order.
};

/// Refused unless the type is `payload_type` and at least one signature is by one of `keys`: an
/// SSHSIG one by an SSH key, or a raw one by a PEM key (see service_key.hpp). Signatures by others
/// are passed over.
[[nodiscard]] Result<VerifiedEnvelope> verify_envelope(const DsseEnvelope& envelope,
                                                       std::string_view payload_type,
                                                       const std::vector<EnrolledKey>& keys);

/// Signs the PAE with `ssh-keygen -Y sign` (see sign_with_ssh_keygen()).
[[nodiscard]] Result<DsseEnvelope> sign_envelope(std::string_view payload_type,
                                                 std::string_view payload,
                                                 const std::filesystem::path& key,
                                                 std::stop_token stop = {});
/// Puts an armored signature that was made elsewhere into an envelope.
[[nodiscard]] Result<DsseEnvelope> envelope_with(std::string_view payload_type,
                                                 std::string_view payload,
                                                 std::string_view armored_signature);

}  // namespace bailey
