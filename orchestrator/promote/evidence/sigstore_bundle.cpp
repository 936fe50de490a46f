#include "orchestrator/promote/evidence/sigstore_bundle.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bailey {

namespace {

constexpr std::array<std::string_view, 4> kMediaTypes{
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    kSigstoreBundle,
};

tl::unexpected<Error> malformed(std::string why) {
  return fail(Error(ErrorKind::Protocol, "not a sigstore bundle: " + std::move(why))
                  .with_code("bundle.malformed"));
}

tl::unexpected<Error> keyless() {
  return fail(Error(ErrorKind::Unsupported,
                    "the bundle was signed with a certificate and not with a managed key")
                  .with_hint("Sign with a key whose public part is enrolled for a service:\n"
                             "    cosign attest --key cosign.key ...")
                  .with_code("bundle.keyless"));
}

Status check_material(const Json& material) {
  if (!material.is_object()) return malformed("there is no verification material");
  if (material.contains("certificate") || material.contains("x509CertificateChain")) {
    return keyless();
  }
  if (!member(material, "publicKey").is_object()) return malformed("no key is meant");
  return {};
}

Result<MessageSignature> message_signature(const Json& value) {
  const auto& said = member(value, "messageDigest");
  if (string_member(said, "algorithm") != "SHA2_256") return malformed("its digest is no SHA2_256");
  const auto digest = from_any_base64(string_member(said, "digest"));
  MessageSignature out;
  if (!digest || digest->size() != out.digest.size())
    return malformed("its digest has no 32 bytes");
  std::copy(digest->begin(), digest->end(), out.digest.begin());
  auto signature = from_any_base64(string_member(value, "signature"));
  if (!signature || signature->empty()) return malformed("its signature is not base64");
  out.signature = *std::move(signature);
  return out;
}

}  // namespace

bool looks_like_sigstore_bundle(const Json& value) {
  return string_member(value, "mediaType").starts_with("application/vnd.dev.sigstore.bundle");
}

Result<BundleContent> read_sigstore_bundle(const Json& value) {
  const auto type = string_member(value, "mediaType");
  if (std::find(kMediaTypes.begin(), kMediaTypes.end(), type) == kMediaTypes.end()) {
    return fail(Error(ErrorKind::Unsupported,
                      fmt::format("sigstore bundles of type \"{}\" are not known", type))
                    .with_code("bundle.unknown-version"));
  }
  if (auto fine = check_material(member(value, "verificationMaterial")); !fine) {
    return fail(std::move(fine.error()));
  }
  const auto& envelope = member(value, "dsseEnvelope");
  const auto& message = member(value, "messageSignature");
  if (envelope.is_null() == message.is_null()) {
    return malformed("it holds not exactly one signature");
  }
  if (message.is_null()) {
    auto read = dsse_envelope_from_json(envelope);
    if (!read) return fail(std::move(read.error()));
    return *std::move(read);
  }
  auto read = message_signature(message);
  if (!read) return fail(std::move(read.error()));
  return *std::move(read);
}

Json to_json(const MessageSignature& signature) {
  return {{"mediaType", kSigstoreBundle},
          {"verificationMaterial", {{"publicKey", Json::object()}}},
          {"messageSignature",
           {{"messageDigest",
             {{"algorithm", "SHA2_256"}, {"digest", base64(bytes_of(signature.digest))}}},
            {"signature", base64(signature.signature)}}}};
}

}  // namespace bailey
