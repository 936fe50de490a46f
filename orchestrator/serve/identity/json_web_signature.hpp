#pragma once

#include "orchestrator/serve/identity/json_web_key.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace bailey {

struct JwsContents {
  JwsAlgorithm algorithm = JwsAlgorithm::RS256;
  std::string key_id;   ///< Empty where the set has a single key and none was named.
  std::string type;     ///< `typ`, or empty.
  std::string payload;  ///< Bytes; what they mean is the caller's to judge.
};

/// Verifies a JWS in compact form (RFC 7515 section 5.2) under the algorithms that its issuer is
/// pinned to. Refuses what RFC 8725 warns of: other algorithms (`jws.algorithm-not-allowed`), keys
/// named by the token itself and extensions (`jws.header-not-allowed`), unknown keys
/// (`jws.unknown-key`: worth another look at the issuer's keys), more than 8 KiB or any other
/// writing than the strict one (`jws.malformed`), and signatures that do not hold
/// (`jws.bad-signature`). All of them are Unauthenticated.
[[nodiscard]] Result<JwsContents> verify_jws(std::string_view compact, const JsonWebKeySet& keys,
                                             const std::set<JwsAlgorithm>& allowed);

/// What a token says of its key and its issuer, of which nothing is verified: only to choose by
/// whom it is verified. Nothing when it cannot be read.
struct JwsClaim {
  std::optional<std::string> key_id;
  std::string issuer;
};
[[nodiscard]] std::optional<JwsClaim> peek_jws(std::string_view compact);

}  // namespace bailey
