#pragma once

#include "orchestrator/model/plan.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <map>
#include <stop_token>
#include <string>

namespace bailey {

struct PlanTarget {
  const Bundle& bundle;
  const Environment& environment;
  PlanKind kind = PlanKind::Apply;
  /// Artifacts that come in, slot to `repository@sha256:...`; the others stay as they stand.
  std::map<std::string, std::string> artifacts = {};
};

/// Looks at the provider and compares: what would have to be done in one environment. Reads only.
/// The plan of an environment that was never made carries an empty uid until a change is opened.
[[nodiscard]] Result<Plan> plan_environment(Engine& engine, const PlanTarget& target,
                                            std::stop_token stop);

/// `plan PATH`: the plans of the environments of a bundle that is not accepted yet, for a caller
/// who holds `read` in each. `only` names one environment; empty means all. FailedPrecondition for
/// an environment whose account is not the accepted one as it was accepted: it is never opened.
/// `{"ok", "findings", "plans": [...]}`.
[[nodiscard]] Result<nlohmann::json> plan_sources(Engine& engine, const Request& request,
                                                  const BundleSources& sources,
                                                  const std::string& only, std::stop_token stop);

}  // namespace bailey
