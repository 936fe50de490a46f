#pragma once

#include "orchestrator/model/plan.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

struct PlanTarget {
  const Bundle& bundle;
  const Environment& environment;
  PlanKind kind = PlanKind::Apply;
  /// Artifacts that come in, slot to `repository@sha256:...`; the others stay as they stand.
  std::map<std::string, std::string> artifacts = {};
  /// Only these and what they need; empty: everything.
  std::vector<ResourceAddress> targets = {};
  /// Whose template and parameters are wanted instead of the bundle's: what was last applied.
  const Bundle* as_in = nullptr;
  bool all_drift = false;                ///< Also what somebody decided to ignore.
  std::vector<DriftFinding> leave = {};  ///< As if somebody had decided to ignore these.
  bool no_others = false;  ///< Of artifacts: what is not named does not stay as it stands.
};

/// What of a bundle is meant: everything, one environment, or some resources of one.
struct PlanScope {
  std::string only;                  ///< Name of an environment; empty: all.
  std::vector<std::string> targets;  ///< `environment/resource` or `environment/resource[0]`.
};

/// The targets of a scope as addresses; `scope.only` is set to their environment. InvalidArgument
/// for what is no address, or for more than one environment. Refused, code `plan.target-refused`,
/// where the environment's class is not `sandbox` or `development`: what is verified and promoted
/// is a whole.
[[nodiscard]] Result<std::vector<ResourceAddress>> check_targets(const Bundle& bundle,
                                                                 PlanScope& scope);

/// Looks at the provider and compares: what would have to be done in one environment. Reads only.
/// The plan of an environment that was never made carries an empty uid until a change is opened.
/// A field whose drift somebody decided to ignore stays as it is.
[[nodiscard]] Result<Plan> plan_environment(Engine& engine, const PlanTarget& target,
                                            std::stop_token stop);

/// `plan PATH`: the plans of the environments of a bundle that is not accepted yet, for a caller
/// who holds `read` in each. `only` names one environment; empty means all. With targets, the plan
/// is for their environment and for a part of it, see check_targets(). FailedPrecondition for an
/// environment whose account is not the accepted one as it was accepted: it is never opened.
/// `{"ok", "findings", "plans": [...]}`.
[[nodiscard]] Result<nlohmann::json> plan_sources(Engine& engine, const Request& request,
                                                  const BundleSources& sources,
                                                  const PlanScope& scope, std::stop_token stop);

}  // namespace bailey
