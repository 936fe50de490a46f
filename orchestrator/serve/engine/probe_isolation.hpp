#pragma once

#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <stop_token>
#include <string>

namespace bailey {

/// Tries the credentials of one environment (all of them when `only` is empty) against every other
/// environment and expects the cloud's refusal: the standing credentials of the spec, and one
/// issued for the purpose to each role. For a holder of `audit` or `administer` in each environment
/// whose credentials are used. `{"ok", "attempts": [{"credential", "target", "operation",
/// "outcome", "detail"}]}`; `ok` is false when anything was let through or could not be found out.
/// The matrix is logged.
[[nodiscard]] Result<nlohmann::json> probe_isolation(Engine& engine, const Request& request,
                                                     const std::string& only, std::stop_token stop);

}  // namespace bailey
