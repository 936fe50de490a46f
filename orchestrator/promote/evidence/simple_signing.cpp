#include "orchestrator/promote/evidence/simple_signing.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"

namespace bailey {

namespace {

tl::unexpected<Error> malformed(std::string why) {
  return fail(Error(ErrorKind::Protocol, "not a cosign signature: " + std::move(why))
                  .with_code("evidence.malformed"));
}

}  // namespace

Json to_json(const SimpleSigning& signing) {
  return {{"mediaType", kSimpleSigning},
          {"payload", base64(signing.payload)},
          {"signature", base64(signing.signature)}};
}

Result<SimpleSigning> simple_signing_from_json(const Json& value) {
  auto payload = from_any_base64(string_member(value, "payload"));
  auto signature = from_any_base64(string_member(value, "signature"));
  if (!payload || payload->empty()) return malformed("the payload is missing");
  if (!signature || signature->empty()) return malformed("the signature is missing");
  return SimpleSigning{*std::move(payload), *std::move(signature)};
}

Result<Statement> statement_of_simple_signing(std::string_view payload) {
  const auto value = parse_json(payload);
  if (!value) return malformed(value.error().message());
  const auto& critical = member(*value, "critical");
  if (string_member(critical, "type") != "cosign container image signature") {
    return malformed("its type is not that of an image signature");
  }
  const auto digest = string_member(member(critical, "image"), "docker-manifest-digest");
  if (!is_digest(digest)) return malformed("it names no SHA-256 digest of an image");
  const auto name = string_member(member(critical, "identity"), "docker-reference");
  return Statement{{{name, digest}}, std::string(kSignaturePredicate), *value};
}

}  // namespace bailey
