#pragma once

#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/grant.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace bailey {

enum class Settled : std::uint8_t { Without, With };

/// Grants, newest first, and the requests for grants that wait (state `waiting`); of one
/// environment, or of all when empty; with those that are over and owe nothing when asked for. Each
/// as show_grant() gives it, for whoever may read the environment, has a part in the grant, may ask
/// for such a one, or reviews it.
[[nodiscard]] Result<nlohmann::json> list_grants(Engine& engine, const Request& request,
                                                 const std::string& environment, Settled settled);

/// `{"id","kind","environment","role","holder","state","reason","incident","change","agreed",
/// "ttl_seconds","opened_at","ends_at","seconds_left","ended_at","ended_because","uses","digest",
/// "review"}`; `review` is null or `{"from","count","within_seconds","due_at","overdue","signed",
/// "who_can_sign","reviewed_at"}`.
[[nodiscard]] Result<nlohmann::json> show_grant(Engine& engine, const Request& request,
                                                const GrantId& id);

/// Without a question who may see it. `steady_now`: by which the time left is told.
[[nodiscard]] Result<nlohmann::json> grant_json(Engine& engine, Transaction& transaction,
                                                const Grant& grant,
                                                std::optional<WallTime> steady_now);

/// Has a part in it, may ask for such a one, reviews it, or may read the environment.
[[nodiscard]] bool may_see(const Bundle& bundle, const Grant& grant, const Caller& caller);

}  // namespace bailey
