#include "orchestrator/serve/identity/id_token.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/identity/unauthenticated.hpp"

#include <fmt/format.h>

#include <optional>

namespace bailey {

namespace {

// Seconds since 1970 until the end of the year 9999.
constexpr std::int64_t kLastSecond = 253'402'300'799;

bool is_for(const Json& audience, const std::string& ours) {
  if (audience.is_string()) return audience == ours;
  return audience.is_array() && audience.size() == 1 && audience.front().is_string() &&
         audience.front() == ours;
}

std::optional<WallTime> time_claim(const Json& claims, const char* name) {
  const auto& value = member(claims, name);
  if (!value.is_number_integer()) return std::nullopt;
  // Beyond a signed number it is refused as too large.
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{kLastSecond}) {
    return std::nullopt;
  }
  const auto seconds = value.get<std::int64_t>();
  if (seconds < 0 || seconds > kLastSecond) return std::nullopt;
  return WallTime(std::chrono::seconds(seconds));
}

Status is_its_time(const Json& claims, const TokenRules& rules, WallTime now, IdToken& token) {
  const auto issued = time_claim(claims, "iat");
  const auto expires = time_claim(claims, "exp");
  if (!issued || !expires) {
    return unauthenticated("id-token.malformed",
                           "the token does not say when it was issued and expires");
  }
  if (claims.contains("nbf")) {
    const auto from = time_claim(claims, "nbf");
    if (!from) return unauthenticated("id-token.malformed", "the token's nbf is no time");
    if (now + rules.skew < *from)
      return unauthenticated("id-token.not-yet", "the token is not valid yet");
  }
  if (now + rules.skew < *issued) {
    return unauthenticated("id-token.not-yet", "the token was issued in the future");
  }
  if (now - rules.skew >= *expires)
    return unauthenticated("id-token.expired", "the token has expired");
  if (*expires - *issued > rules.longest_life) {
    return unauthenticated(
        "id-token.lives-too-long",
        fmt::format("the token lives longer than {} s", rules.longest_life.count()));
  }
  token.issued_at = *issued;
  token.expires_at = *expires;
  return {};
}

}  // namespace

Result<IdToken> verify_id_token(std::string_view text, const JsonWebKeySet& keys,
                                const TokenRules& rules, WallTime now) {
  auto contents = verify_jws(text, keys, rules.algorithms);
  if (!contents) return fail(std::move(contents.error()));
  if (!contents->type.empty() && contents->type != "JWT") {
    return unauthenticated("id-token.wrong-type",
                           fmt::format("the token is a \"{}\" and no id token", contents->type));
  }
  auto claims = parse_json(contents->payload, {.max_bytes = 8U * 1024, .max_depth = 8});
  if (!claims || !claims->is_object()) {
    return unauthenticated("id-token.malformed", "the token's claims are no JSON object");
  }
  if (rules.issuer.empty() || string_member(*claims, "iss") != rules.issuer) {
    return unauthenticated("id-token.wrong-issuer", "the token is of another issuer");
  }
  if (rules.audience.empty() || !is_for(member(*claims, "aud"), rules.audience)) {
    return unauthenticated("id-token.wrong-audience",
                           fmt::format("the token is not for \"{}\" alone", rules.audience));
  }
  IdToken token;
  if (auto timely = is_its_time(*claims, rules, now, token); !timely) {
    return fail(std::move(timely.error()));
  }
  token.subject = string_member(*claims, "sub");
  if (token.subject.empty()) {
    return unauthenticated("id-token.malformed", "the token does not say who it is about");
  }
  token.id = string_member(*claims, "jti");
  token.nonce = string_member(*claims, "nonce");
  token.claims = *std::move(claims);
  return token;
}

}  // namespace bailey
