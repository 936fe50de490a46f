#pragma once

#include "orchestrator/model/environment.hpp"
#include "orchestrator/serve/engine/execute_change.hpp"
#include "orchestrator/serve/engine/judge.hpp"

#include <map>
#include <stop_token>
#include <string>

namespace bailey {

/// The references of artifacts as an environment knows them: by the same digests, in its own
/// repositories where it has some.
[[nodiscard]] std::map<std::string, std::string> in_own_repositories(
    const Environment& environment, std::map<std::string, std::string> artifacts);

/// Copies what a change brings into the environment's own repositories, from those of its project,
/// each opened with its own account, and verifies it there (see copy_artifact()); what refers to it
/// goes along. Writes into the log what was done. Nothing to do for an environment without
/// repositories, and for artifacts that stand there already unless a release is being promoted.
[[nodiscard]] Status copy_artifacts(Engine& engine, const Claim& claim, const Bench& bench,
                                    std::stop_token stop);

}  // namespace bailey
