#pragma once

#include "orchestrator/model/change.hpp"

#include <nlohmann/json_fwd.hpp>

namespace bailey {

/// What failed in the run of a change, in the plan's order, with the operations that were left
/// undone because of it: `[{"address", "type", "action", "outcome", "error", "duration_ms",
/// "left_undone": [address]}]`. Empty for a change that was not executed or did not fail. What two
/// failures hold up stands under both.
[[nodiscard]] nlohmann::json failures_of(const Change& change);

}  // namespace bailey
