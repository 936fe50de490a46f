#pragma once

#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

struct ArtifactSubmission {
  std::string project;
  std::string name;
  std::string reference;                 ///< `HOST/REPOSITORY@sha256:...`.
  std::vector<nlohmann::json> evidence;  ///< Signed evidence (see normal_evidence()).
};

/// Records an artifact with signed evidence about it, for a holder of `request` in one of the
/// project's stages. The registry must have its bytes; each piece must be about its digest, be
/// signed by a key of the Directory, and stand for its type (see check_predicate()): one that does
/// not refuses the whole submission. Evidence that the registry holds is looked for as well.
/// Submitting again adds what is new.
/// `{"project","name","reference","evidence":[{"type","signer","digest"}]}`.
[[nodiscard]] Result<nlohmann::json> submit_artifact(Engine& engine, const Request& request,
                                                     const ArtifactSubmission& submission,
                                                     std::stop_token stop);

/// What is known about an artifact: every piece of evidence with where it came from and whether it
/// counts today, or why not; what the registry holds and could not be read; where the artifact was
/// verified.
[[nodiscard]] Result<nlohmann::json> show_artifact(Engine& engine, const Request& request,
                                                   const std::string& digest);

/// What of an artifact runs in the last stage of its project, and the commit that it was built
/// from:
/// `{"environment","reference","commit"}`, empty where nothing runs or no signed authorship tells.
/// Whoever wrote something after that commit is an author of the next release.
[[nodiscard]] Result<nlohmann::json> released_artifact(Engine& engine, const Request& request,
                                                       const std::string& project,
                                                       const std::string& name);

}  // namespace bailey
