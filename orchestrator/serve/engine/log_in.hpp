#pragma once

#include "orchestrator/base/secret.hpp"
#include "orchestrator/serve/engine/engine.hpp"
#include "orchestrator/serve/identity/token_registry.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

/// The SSH signature namespace of a login: a signature made to log in is never one that approves.
inline constexpr const char* kLoginNamespace = "bailey-login";

/// A text for the named person or service to sign, good once and for five minutes. An unknown name
/// gets one too, so that nobody learns who is in the Directory.
[[nodiscard]] Result<std::string> login_challenge(Engine& engine, const Request& request,
                                                  const std::string& subject);

/// Takes a challenge signed (armored SSHSIG, namespace `bailey-login`) with a key that the
/// Directory has for that subject, and gives an API token for at most twelve hours. Unauthenticated
/// for everything else, without saying why.
[[nodiscard]] Result<IssuedToken> log_in(Engine& engine, const Request& request,
                                         const std::string& challenge,
                                         const std::string& signature);

/// An administrator makes a token for somebody else in the Directory, who may have no key. It can
/// act for them and never approve: an approval needs the approver's own key.
[[nodiscard]] Result<IssuedToken> create_token(Engine& engine, const Request& request,
                                               const std::string& subject,
                                               std::chrono::seconds ttl);
[[nodiscard]] Result<std::vector<TokenInfo>> list_all_tokens(Engine& engine,
                                                             const Request& request);
/// One's own token, or as an administrator anybody's.
[[nodiscard]] Status remove_token(Engine& engine, const Request& request, const std::string& id);

/// `{"subject", "proof", "administrator", "environments": [{"name", "roles", "powers"}]}`.
[[nodiscard]] Result<nlohmann::json> who_am_i(Engine& engine, const Request& request);

/// While no bundle is accepted: a token that can do nothing but `init`, replacing an earlier one.
/// Nothing once there is a bundle.
[[nodiscard]] Result<std::optional<Secret>> bootstrap_token(Engine& engine);
/// The subject of that token.
[[nodiscard]] Subject bootstrap_subject();

}  // namespace bailey
