#include "orchestrator/serve/identity/json_web_signature.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/identity/unauthenticated.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bailey {

namespace {

constexpr std::size_t kMostBytes = 8U * 1024;

tl::unexpected<Error> malformed(const char* why) {
  return unauthenticated("jws.malformed", fmt::format("the token cannot be read: {}", why));
}

struct Segments {
  std::string_view header, payload, signature;
};

std::optional<Segments> split(std::string_view compact) {
  const auto first = compact.find('.');
  const auto second = first == compact.npos ? first : compact.find('.', first + 1);
  if (second == compact.npos || compact.find('.', second + 1) != compact.npos) return std::nullopt;
  return Segments{compact.substr(0, first), compact.substr(first + 1, second - first - 1),
                  compact.substr(second + 1)};
}

struct Header {
  JwsAlgorithm algorithm;
  std::optional<std::string> key_id;
  std::string type;
};

Result<Header> read_header(std::string_view segment, const std::set<JwsAlgorithm>& allowed) {
  const auto bytes = from_base64url(segment);
  if (!bytes) return malformed("its header is not base64url");
  const auto json = parse_json(*bytes, {.max_bytes = kMostBytes, .max_depth = 4});
  if (!json || !json->is_object()) return malformed("its header is no JSON object");
  // Keys from the token itself, and extensions that we would have to understand.
  for (const char* name : {"crit", "b64", "jku", "jwk", "x5u", "x5c", "zip"}) {
    if (json->contains(name)) {
      return unauthenticated("jws.header-not-allowed",
                             fmt::format("the token's header has \"{}\"", name));
    }
  }
  for (const char* name : {"alg", "kid", "typ"}) {
    if (json->contains(name) && !member(*json, name).is_string()) {
      return malformed("alg, kid and typ are strings");
    }
  }
  const auto name = string_member(*json, "alg");
  const auto algorithm = parse_jws_algorithm(name);
  if (!algorithm || !allowed.contains(*algorithm)) {
    return unauthenticated(
        "jws.algorithm-not-allowed",
        fmt::format("the token is signed by \"{}\", which its issuer is not pinned to", name));
  }
  Header header{*algorithm, std::nullopt, string_member(*json, "typ")};
  if (json->contains("kid")) header.key_id = string_member(*json, "kid");
  return header;
}

}  // namespace

std::optional<JwsClaim> peek_jws(std::string_view compact) {
  if (compact.size() > kMostBytes) return std::nullopt;
  const auto segments = split(compact);
  if (!segments) return std::nullopt;
  const auto header = from_base64url(segments->header);
  const auto payload = from_base64url(segments->payload);
  if (!header || !payload) return std::nullopt;
  const auto about = parse_json(*header, {.max_bytes = kMostBytes, .max_depth = 4});
  const auto claims = parse_json(*payload, {.max_bytes = kMostBytes, .max_depth = 8});
  if (!about || !claims) return std::nullopt;
  JwsClaim said{std::nullopt, string_member(*claims, "iss")};
  if (member(*about, "kid").is_string()) said.key_id = string_member(*about, "kid");
  return said;
}

Result<JwsContents> verify_jws(std::string_view compact, const JsonWebKeySet& keys,
                               const std::set<JwsAlgorithm>& allowed) {
  if (compact.size() > kMostBytes) return malformed("it has more than 8 KiB");
  const auto segments = split(compact);
  if (!segments) return malformed("it has not exactly three parts");
  auto header = read_header(segments->header, allowed);
  if (!header) return fail(std::move(header.error()));
  const auto payload = from_base64url(segments->payload);
  const auto signature = from_base64url(segments->signature);
  if (!payload || !signature) return malformed("a part is not base64url");
  const auto* key = keys.find(header->key_id);
  if (key == nullptr) {
    return unauthenticated("jws.unknown-key",
                           "the token names a key that its issuer does not have");
  }
  if (!key->fits(header->algorithm)) {
    return unauthenticated(
        "jws.algorithm-not-allowed",
        fmt::format("the token's key does not make {} signatures", to_string(header->algorithm)));
  }
  const auto signed_part =
      compact.substr(0, segments->header.size() + 1 + segments->payload.size());
  if (!key->verifies(header->algorithm, signed_part, *signature)) {
    return unauthenticated("jws.bad-signature", "the token's signature does not hold");
  }
  return JwsContents{header->algorithm, key->id(), std::move(header->type), *payload};
}

}  // namespace bailey
