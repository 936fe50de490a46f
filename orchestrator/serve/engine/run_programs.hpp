#pragma once

#include "orchestrator/base/secret.hpp"
#include "orchestrator/model/change.hpp"
#include "orchestrator/promote/evidence/verification.hpp"
#include "orchestrator/serve/engine/judge.hpp"

#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

/// Runs the programs of a gate's checks, each with the environment's read credentials in its
/// process environment, and remembers the answers on the check board. A program that cannot be run
/// has not passed.
[[nodiscard]] Result<CheckOutcomes> run_checks(Engine& engine, const Bench& bench,
                                               const Change& change, std::stop_token stop);

/// Runs the programs of an environment's `verify`, in order, all of them.
[[nodiscard]] Result<std::vector<VerificationResult>> run_verifications(Engine& engine,
                                                                        const Bench& bench,
                                                                        const Change& change,
                                                                        std::stop_token stop);

/// True when some check of the gate has no answer on the board.
[[nodiscard]] bool wants_checks(const Environment& environment);

}  // namespace bailey
