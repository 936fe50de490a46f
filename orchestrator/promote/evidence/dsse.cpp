#include "orchestrator/promote/evidence/dsse.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/service_key.hpp"
#include "orchestrator/promote/evidence/sshsig.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::size_t kMaximumSignatures = 16;

tl::unexpected<Error> malformed(std::string why) {
  return fail(Error(ErrorKind::Protocol, "not a signed envelope: " + std::move(why))
                  .with_code("envelope.malformed"));
}

Result<DsseSignature> signature_from_json(const Json& value) {
  const auto text = require_string(value, "sig");
  if (!text) return fail(text.error());
  auto bytes = from_any_base64(*text);
  if (!bytes || bytes->empty()) return malformed("a signature is not base64");
  return DsseSignature{string_member(value, "keyid"), *std::move(bytes)};
}

// The bytes themselves say of which of the two kinds a signature is.
Result<EnrolledKey> verify_one(std::string_view signature, const std::vector<EnrolledKey>& keys,
                               std::string_view message) {
  if (is_sshsig(signature)) return verify_sshsig(signature, keys, kSignatureNamespace, message);
  return verify_raw_signature(signature, keys, message);
}

}  // namespace

std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", payload_type.size(), payload_type, payload.size(),
                     payload);
}

std::optional<std::string> from_any_base64(std::string_view text) {
  if (auto bytes = from_base64(text)) return bytes;
  if (text.find_first_of("-_") == std::string_view::npos) return std::nullopt;
  if (text.size() % 4 == 0) {
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  }
  return from_base64url(text);
}

Json to_json(const DsseEnvelope& envelope) {
  Json signatures = Json::array();
  for (const auto& signature : envelope.signatures) {
    signatures.push_back({{"keyid", signature.key_id}, {"sig", base64(signature.signature)}});
  }
  return {{"payloadType", envelope.payload_type},
          {"payload", base64(envelope.payload)},
          {"signatures", std::move(signatures)}};
}

Result<DsseEnvelope> dsse_envelope_from_json(const Json& value) {
  const auto type = require_string(value, "payloadType");
  if (!type) return malformed("the payload type is missing");
  const auto payload = require_string(value, "payload");
  if (!payload) return malformed("the payload is missing");
  auto bytes = from_any_base64(*payload);
  if (!bytes) return malformed("the payload is not base64");
  const auto& signatures = member(value, "signatures");
  if (!signatures.is_array() || signatures.empty()) return malformed("there is no signature");
  if (signatures.size() > kMaximumSignatures) return malformed("there are too many signatures");
  DsseEnvelope envelope{*type, *std::move(bytes), {}};
  for (const auto& item : signatures) {
    auto signature = signature_from_json(item);
    if (!signature) return fail(std::move(signature.error()));
    envelope.signatures.push_back(*std::move(signature));
  }
  return envelope;
}

Result<VerifiedEnvelope> verify_envelope(const DsseEnvelope& envelope,
                                         std::string_view payload_type,
                                         const std::vector<EnrolledKey>& keys) {
  if (envelope.payload_type != payload_type) {
    return fail(Error(ErrorKind::Refused,
                      fmt::format("the envelope does not hold a payload of type {}", payload_type))
                    .with_code("envelope.wrong-type"));
  }
  const auto message = pre_authentication_encoding(envelope.payload_type, envelope.payload);
  VerifiedEnvelope verified{envelope.payload, {}, {}};
  Error problem(ErrorKind::Refused, "the envelope carries no signature");
  for (const auto& signature : envelope.signatures) {
    auto signer = verify_one(signature.signature, keys, message);
    if (!signer) {
      problem = std::move(signer.error());
      continue;
    }
    const auto key = parse_enrolled_key(signer->line);
    auto print = key ? fingerprint(*key) : std::string();
    const auto& known = verified.fingerprints;
    if (std::find(known.begin(), known.end(), print) != known.end()) continue;
    verified.signers.push_back(*std::move(signer));
    verified.fingerprints.push_back(std::move(print));
  }
  if (verified.signers.empty()) return fail(std::move(problem));
  return verified;
}

Result<DsseEnvelope> envelope_with(std::string_view payload_type, std::string_view payload,
                                   std::string_view armored_signature) {
  auto blob = unarmor_sshsig(armored_signature);
  if (!blob) return fail(std::move(blob.error()));
  auto signature = parse_sshsig(*blob);
  if (!signature) return fail(std::move(signature.error()));
  return DsseEnvelope{std::string(payload_type),
                      std::string(payload),
                      {{fingerprint(signature->key), *std::move(blob)}}};
}

Result<DsseEnvelope> sign_envelope(std::string_view payload_type, std::string_view payload,
                                   const std::filesystem::path& key, std::stop_token stop) {
  const auto armored = sign_with_ssh_keygen(
      key, kSignatureNamespace, pre_authentication_encoding(payload_type, payload), stop);
  if (!armored) return fail(armored.error());
  return envelope_with(payload_type, payload, *armored);
}

}  // namespace bailey
