#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/serve/identity/json_web_signature.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <set>
#include <string>

namespace bailey {

/// What tokens of one issuer have to be like.
struct TokenRules {
  std::string issuer;    ///< `iss`, compared byte by byte.
  std::string audience;  ///< Ours, and nobody else's.
  std::set<JwsAlgorithm> algorithms;
  std::chrono::seconds longest_life = std::chrono::hours(1);
  std::chrono::seconds skew{60};  ///< How much two clocks may differ.
};

struct IdToken {
  std::string subject;  ///< `sub`
  std::string id;     ///< `jti`; may be empty, and then the token cannot be used where once counts.
  std::string nonce;  ///< Empty where there is none.
  WallTime issued_at, expires_at;
  nlohmann::json claims;
};

/// An id token that holds at `now`: the signature (see verify_jws()), `typ` absent or `JWT`, `iss`
/// and `aud` exactly ours (one audience, as text or as the only one of a list), `sub` there, whole
/// seconds in `iat`, `exp` and, where it is there, `nbf`: issued and valid already, not yet
/// expired, and no longer alive than an hour. Unauthenticated with `id-token.*` otherwise. That it
/// is used once is for whoever keeps its id, until expires_at and the skew have passed. (OpenID
/// Connect Core 1.0, section 3.1.3.7; RFC 7519; RFC 8725)
[[nodiscard]] Result<IdToken> verify_id_token(std::string_view token, const JsonWebKeySet& keys,
                                              const TokenRules& rules, WallTime now);

}  // namespace bailey
