#pragma once

#include "orchestrator/model/drift.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <stop_token>
#include <string>

namespace bailey {

/// Looks at what stands in one environment and keeps what it found: the findings, each with the
/// time when it was first seen. One that appears or goes away gets an entry in the log, in the
/// transaction that keeps it. Changes nothing at the provider.
///
/// Conflict, code `drift.busy`, while a change is executed there or when one was meanwhile: nothing
/// is kept. Any other failure is kept beside the findings of the last look that succeeded.
[[nodiscard]] Result<DriftReport> look_for_drift(Engine& engine, const std::string& environment,
                                                 std::stop_token stop);

/// The same for a caller who holds `read` there.
/// `{"environment","looked_at","failed_at","error","open","findings":[...,"ignored"]}`, where
/// `ignored` is null or `{"reason","until"}` and `open` counts the others.
[[nodiscard]] Result<nlohmann::json> check_drift(Engine& engine, const Request& request,
                                                 const std::string& environment,
                                                 std::stop_token stop);

/// A report as callers see it.
[[nodiscard]] nlohmann::json drift_json(const DriftReport& report, const std::string& now);

}  // namespace bailey
