#pragma once

#include "orchestrator/model/state.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

/// When a sandbox ends: its `ttl` after its first change began, or what its owner asked for since.
/// Nothing for what is no sandbox or does not stand. In the time of SteadyTime.
[[nodiscard]] std::optional<WallTime> end_of(const Environment& environment,
                                             const EnvironmentState& state);

/// Lets a sandbox live until `ttl` from now, for whoever holds `request` there. It never shortens a
/// life. Refused, code `sandbox.too-long`, beyond the account's `maximumTtl` since its first change
/// began (without one: beyond a week from now). FailedPrecondition for what is no sandbox, is not
/// there, or is being taken down. `{"environment","ends_at"}`.
[[nodiscard]] Result<nlohmann::json> extend_sandbox(Engine& engine, const Request& request,
                                                    const std::string& environment,
                                                    std::chrono::seconds ttl);

/// Sandboxes whose time is over and of which there still is something.
[[nodiscard]] Result<std::vector<std::string>> expired_sandboxes(Engine& engine);

/// Who asks for the changes that end sandboxes. Not a name that a spec can have.
[[nodiscard]] Subject reaper_subject();

/// Takes an expired sandbox down, through its gate like any other change, and returns once that has
/// ended: nothing else waits for it. What an earlier attempt began is carried on. A failure is kept
/// where the environment shows what is left, and the next call tries again.
[[nodiscard]] Status reap_sandbox(Engine& engine, const std::string& environment,
                                  std::stop_token stop);

}  // namespace bailey
