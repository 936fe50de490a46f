#pragma once

#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <stop_token>
#include <string>

namespace bailey {

struct ImportRequest {
  std::string environment;
  /// Which one, when several boundaries bear the environment's name; empty otherwise.
  EnvironmentUid uid;
};

/// Rebuilds the record of an environment whose store is lost, from the owner's marks at the
/// provider: its uid, boundary, resources and artifacts. Nothing at the provider is made, changed
/// or removed, except that its roles get new credentials, since nobody has the old ones.
///
/// Nothing imported counts as verified: the environment is `imported` until its next change, which
/// may be an empty one, has gone through the gate.
///
/// For administrators of the organization. FailedPrecondition, code `import.recorded`, when the
/// environment has a record already; NotFound, code `import.not-found`, when nothing bears its
/// name; Conflict, code `import.ambiguous` and naming each, when more than one boundary does.
/// `{"environment","uid","boundary","resources":[{"address","type","provider_id"}],"artifacts",
/// "left":[{"type","provider_id","name","owner"}]}`, where `owner` is `ours` for what is half made
/// or superseded, `nobody` for what bears no mark, or another environment's uid.
[[nodiscard]] Result<nlohmann::json> import_from_markers(Engine& engine, const Request& request,
                                                         const ImportRequest& import,
                                                         std::stop_token stop);

}  // namespace bailey
