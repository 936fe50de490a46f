#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/base/secret.hpp"
#include "orchestrator/record/store/state_store.hpp"
#include "orchestrator/serve/identity/caller.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

struct TokenInfo {
  std::string id;  ///< Public; names the token in listings and in the log.
  std::string subject;
  std::string issued_at;
  std::string expires_at;
  std::string proof;  ///< How it came about: `ssh-key:SHA256:...` or `administrator:<name>`.
};

struct IssuedToken {
  TokenInfo info;
  Secret token;  ///< Shown once; the store holds only its SHA-256.
};

/// Makes a token of 256 random bits: `bly_<id>_<base64url>`.
[[nodiscard]] Result<IssuedToken> issue_token(Transaction& transaction, const Subject& subject,
                                              const std::string& proof, std::chrono::seconds ttl,
                                              WallTime now, Random& random);

/// The caller that a token stands for. Unauthenticated, without saying which it was, when it is
/// unknown, malformed or expired.
[[nodiscard]] Result<Caller> authenticate(Transaction& transaction, std::string_view token,
                                          WallTime now);

[[nodiscard]] Result<std::vector<TokenInfo>> list_tokens(Transaction& transaction);
/// NotFound when there is no token with that id.
[[nodiscard]] Result<TokenInfo> revoke_token(Transaction& transaction, const std::string& id);
[[nodiscard]] nlohmann::json to_json(const TokenInfo& info);

}  // namespace bailey
