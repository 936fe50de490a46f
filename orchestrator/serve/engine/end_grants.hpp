#pragma once

#include "orchestrator/model/grant.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

/// Ends a grant now: by its holder, by who agreed to it, or by an administrator. Whoever has a
/// credential of it is shut out at the provider; where that cannot be done at once it stays
/// `closing` and is tried again. The grant, as show_grant() gives it.
[[nodiscard]] Result<nlohmann::json> revoke_grant(Engine& engine, const Request& request,
                                                  const GrantId& id, std::stop_token stop);

/// Environments with a grant that has to be ended, or whose review is late and nobody has said so.
[[nodiscard]] Result<std::vector<std::string>> environments_with_due_grants(Engine& engine);

/// Ends what is over there: nobody may use it from then on, its credentials are revoked, and the
/// log gets the entry that closes it. Says once that a review is late. Goes as far as it can and
/// fails with the first failure; safe to repeat.
[[nodiscard]] Status settle_grants(Engine& engine, const std::string& environment,
                                   std::stop_token stop);

}  // namespace bailey
