#include "orchestrator/promote/evidence/signed_evidence.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/service_key.hpp"
#include "orchestrator/promote/evidence/sigstore_bundle.hpp"
#include "orchestrator/promote/evidence/simple_signing.hpp"

#include <algorithm>

namespace bailey {

namespace {

bool is_simple_signing(const Json& value) {
  return string_member(value, "mediaType") == kSimpleSigning;
}

// A raw signature is by the one key that was found for it.
Result<SignedEvidence> by(EnrolledKey signer, Statement statement) {
  const auto key = parse_enrolled_key(signer.line);
  if (!key) return fail(key.error());
  return SignedEvidence{std::move(statement), {std::move(signer)}, {fingerprint(*key)}};
}

// in-toto v0.1 differs in nothing that is read here but its name; a predicate may be left out.
Result<Statement> read_statement(std::string_view payload) {
  auto value = parse_json(payload);
  if (!value) return parse_statement(payload);
  if (string_member(*value, "_type") == "https://in-toto.io/Statement/v0.1") {
    (*value)["_type"] = kStatementType;
  }
  if (value->is_object() && member(*value, "predicate").is_null()) {
    (*value)["predicate"] = Json::object();
  }
  return statement_from_json(*value);
}

Result<SignedEvidence> open_envelope(const DsseEnvelope& envelope,
                                     const std::vector<EnrolledKey>& keys) {
  auto verified = verify_envelope(envelope, kInTotoPayload, keys);
  if (!verified) return fail(std::move(verified.error()));
  auto statement = read_statement(verified->payload);
  if (!statement) return fail(std::move(statement.error()));
  return SignedEvidence{*std::move(statement), std::move(verified->signers),
                        std::move(verified->fingerprints)};
}

Result<SignedEvidence> open_message(const MessageSignature& message,
                                    const std::vector<EnrolledKey>& keys) {
  auto signer = verify_raw_signature_of(message.signature, keys, message.digest);
  if (!signer) return fail(std::move(signer.error()));
  return by(*std::move(signer), {{{"", "sha256:" + hex(bytes_of(message.digest))}},
                                 std::string(kSignaturePredicate),
                                 Json::object()});
}

Result<SignedEvidence> open_simple_signing(const SimpleSigning& signing,
                                           const std::vector<EnrolledKey>& keys) {
  auto signer = verify_raw_signature(signing.signature, keys, signing.payload);
  if (!signer) return fail(std::move(signer.error()));
  auto statement = statement_of_simple_signing(signing.payload);
  if (!statement) return fail(std::move(statement.error()));
  return by(*std::move(signer), *std::move(statement));
}

}  // namespace

Result<Json> normal_evidence(const Json& value) {
  if (is_simple_signing(value)) {
    auto signing = simple_signing_from_json(value);
    if (!signing) return fail(std::move(signing.error()));
    return to_json(*signing);
  }
  if (looks_like_sigstore_bundle(value)) {
    auto content = read_sigstore_bundle(value);
    if (!content) return fail(std::move(content.error()));
    return std::visit([](const auto& each) { return to_json(each); }, *content);
  }
  auto envelope = dsse_envelope_from_json(value);
  if (!envelope) return fail(std::move(envelope.error()));
  return to_json(*envelope);
}

Result<SignedEvidence> open_evidence(const Json& evidence, const std::vector<EnrolledKey>& keys) {
  if (is_simple_signing(evidence)) {
    const auto signing = simple_signing_from_json(evidence);
    if (!signing) return fail(signing.error());
    return open_simple_signing(*signing, keys);
  }
  if (looks_like_sigstore_bundle(evidence)) {
    const auto content = read_sigstore_bundle(evidence);
    if (!content) return fail(content.error());
    if (const auto* message = std::get_if<MessageSignature>(&*content)) {
      return open_message(*message, keys);
    }
    return open_envelope(std::get<DsseEnvelope>(*content), keys);
  }
  const auto envelope = dsse_envelope_from_json(evidence);
  if (!envelope) return fail(envelope.error());
  return open_envelope(*envelope, keys);
}

bool is_about(const Statement& statement, const std::string& digest) {
  return std::any_of(statement.subjects.begin(), statement.subjects.end(),
                     [&](const StatementSubject& subject) { return subject.digest == digest; });
}

}  // namespace bailey
