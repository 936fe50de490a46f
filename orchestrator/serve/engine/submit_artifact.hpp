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
  std::vector<nlohmann::json> evidence;  ///< DSSE envelopes of in-toto statements about it.
};

/// Records an artifact with signed evidence about it, for a holder of `request` in one of the
/// project's stages. The registry must have its bytes; each envelope must be about its digest and
/// be signed by a key of the Directory: one that is not refuses the whole submission. Submitting
/// again adds what is new.
/// `{"project","name","reference","evidence":[{"type","signer","digest"}]}`.
[[nodiscard]] Result<nlohmann::json> submit_artifact(Engine& engine, const Request& request,
                                                     const ArtifactSubmission& submission,
                                                     std::stop_token stop);

/// What is known about an artifact, and where it was verified.
[[nodiscard]] Result<nlohmann::json> show_artifact(Engine& engine, const Request& request,
                                                   const std::string& digest);

}  // namespace bailey
