#pragma once

#include "orchestrator/serve/engine/engine.hpp"
#include "orchestrator/serve/identity/issuer_keys.hpp"
#include "orchestrator/serve/identity/token_registry.hpp"

#include <stop_token>
#include <string>

namespace bailey {

/// Takes an id token of an issuer that a service of the bundle is bound to (`oidc` in the
/// Directory), and gives an API token for that service, for at most an hour. It has to hold (see
/// verify_id_token()) and to carry every claim of exactly one service; it is good once, on all
/// servers of one database together, and never for a `pull_request_target` run, which builds what
/// strangers wrote with the rights of the project. The log keeps the run and the person behind it.
/// Unauthenticated for everything else, saying why only in the log; Unavailable when the issuer's
/// keys cannot be had.
[[nodiscard]] Result<IssuedToken> log_in_by_id_token(Engine& engine, Issuers& issuers,
                                                     const Request& request,
                                                     const std::string& id_token,
                                                     std::stop_token stop);

}  // namespace bailey
