#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/serve/engine/bundle_record.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

/// Accepts the first bundle of a server, by the bootstrap token alone, which is used up by it.
/// `{"ok", "findings", "digest", "change"}`; with findings that are errors nothing is accepted.
/// `change` is the one by which the administrators whom it names confirm it. Conflict once there is
/// a bundle.
[[nodiscard]] Result<nlohmann::json> accept_first_bundle(Engine& engine, const Request& request,
                                                         const BundleSources& sources,
                                                         const BundleOrigin& origin);

struct ApplyRequest {
  const BundleSources& sources;
  std::string only;  ///< One environment; empty: all.
  BundleOrigin origin;
  std::vector<std::string> targets = {};  ///< A part of one environment: see check_targets().
};

/// Proposes the next bundle. What differs in what decides becomes one policy change, which the
/// administrators approve, and nothing else happens. Otherwise the bundle is accepted and each
/// environment that differs from it becomes a change of its own, through its own gate. One that is
/// no longer declared and still stands becomes a change that takes it down, through the gate that
/// it had; a targeted proposal leaves those alone.
/// `{"ok", "findings", "digest", "accepted", "changes": [id], "unchanged": [environment],
/// "refused": [{"environment", "reason"}]}`. Proposing the same again opens nothing twice.
[[nodiscard]] Result<nlohmann::json> apply_bundle(Engine& engine, const Request& request,
                                                  const ApplyRequest& apply, std::stop_token stop);

/// `{"digest", "commit"}` of the accepted bundle, for any known caller.
[[nodiscard]] Result<nlohmann::json> accepted_bundle(Engine& engine);

struct PromotionRequest {
  std::string project;
  std::map<std::string, std::string> artifacts;  ///< Name to `HOST/REPOSITORY@sha256:...`.
  std::string to;                                ///< Environment.
};

/// Opens the change that brings artifacts into an environment. Refused for a tag, for a repository
/// that is not the project's, for bytes that the registry does not have or that are not what the
/// digest says. Nothing when they run there already and nothing else differs.
[[nodiscard]] Result<std::optional<Change>> request_promotion(Engine& engine,
                                                              const Request& request,
                                                              const PromotionRequest& promotion,
                                                              std::stop_token stop);

/// Opens the change that takes an environment down. Nothing when there is nothing left of it.
[[nodiscard]] Result<std::optional<Change>> request_destroy(Engine& engine, const Request& request,
                                                            const std::string& environment,
                                                            std::stop_token stop);

/// Plans a waiting change anew when what it was planned from has moved on (state, specs). Approvals
/// of the old plan no longer hold then. Returns the change as it stands now; one whose new plan has
/// nothing left to do is superseded, and so is one that was opened under another policy.
[[nodiscard]] Result<Change> replan_if_stale(Engine& engine, Change change, std::stop_token stop);

}  // namespace bailey
