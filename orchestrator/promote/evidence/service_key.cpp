#include "orchestrator/promote/evidence/service_key.hpp"

#include "orchestrator/base/pem_key.hpp"
#include "orchestrator/promote/evidence/ssh_crypto.hpp"

#include <functional>

namespace bailey {

namespace {

Result<EnrolledKey> find_signer(const std::vector<EnrolledKey>& keys,
                                const std::function<bool(const SshPublicKey&)>& signed_by) {
  for (const auto& candidate : keys) {
    if (candidate.owner.kind != SubjectKind::Service || !looks_like_pem(candidate.line)) continue;
    const auto key = parse_enrolled_key(candidate.line);
    if (key && signed_by(*key)) return candidate;
  }
  return fail(Error(ErrorKind::Refused, "the signature is by none of the PEM keys that count")
                  .with_hint("Keys for raw signatures stand under a service in the Directory, as "
                             "-----BEGIN PUBLIC KEY-----.")
                  .with_code("signature.unknown-key"));
}

}  // namespace

Result<SshPublicKey> parse_enrolled_key(std::string_view text) {
  if (!looks_like_pem(text)) return parse_ssh_public_key(text);
  const auto line = openssh_line_from_pem(text);
  if (!line) return fail(line.error());
  return parse_ssh_public_key(*line);
}

Result<EnrolledKey> verify_raw_signature(std::string_view signature,
                                         const std::vector<EnrolledKey>& keys,
                                         std::string_view message) {
  return find_signer(keys,
                     [&](const SshPublicKey& key) { return verify_raw(key, message, signature); });
}

Result<EnrolledKey> verify_raw_signature_of(std::string_view signature,
                                            const std::vector<EnrolledKey>& keys,
                                            const Sha256& digest) {
  return find_signer(
      keys, [&](const SshPublicKey& key) { return verify_raw_digest(key, digest, signature); });
}

}  // namespace bailey
