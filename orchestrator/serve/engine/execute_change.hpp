#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <optional>
#include <stop_token>

namespace bailey {

class ProgressTracker;

/// A change that this process executes, and its hold on the environment.
struct Claim {
  Change change;
  Fence fence;
};

/// Claims a change in one transaction: judges the whole gate again, checks that its plan is the
/// newest, takes the environment's lease, and appends to the log; if any of these fails, nothing
/// runs. `by` is empty when Bailey executes of itself; Refused where `execute: by-operator`.
[[nodiscard]] Result<Claim> claim_change(Engine& engine, const ChangeId& id,
                                         const std::optional<Request>& by, std::stop_token stop);

/// Whether a change that failed is still to be carried on: a destroy, while its environment is
/// `destroying`. Its gate let it in for all of what stood there, and a half is no end.
[[nodiscard]] bool may_resume(const EnvironmentState& environment, const Change& change);

/// Takes up a change that a process left behind while executing it, once its lease has run out, or
/// a destroy that is to be carried on. Conflict while somebody holds it.
[[nodiscard]] Result<Claim> reclaim_change(Engine& engine, const ChangeId& id);

/// `bailey change execute`: by a holder of `deploy` who is neither author nor approver of it.
[[nodiscard]] Result<Claim> claim_by_operator(Engine& engine, const Request& request,
                                              const ChangeId& id, std::stop_token stop);

/// Carries a claimed change to its end: applies its plan, stamps the environment's credentials,
/// verifies, writes the receipt. Ends as `done` or `failed` and releases the lease; when stopped in
/// between, it stays as it is and is taken up by reclaim_change(). `tracker`, unless null, is told
/// how far it has come. What its operations took is remembered for later estimates. A destroy ends
/// as done once the inventory, by marker and by boundary, finds nothing, no credential lives and no
/// identity stands; until then the environment is `destroying` and its record says what is left.
[[nodiscard]] Result<Change> run_change(Engine& engine, Claim claim, ProgressTracker* tracker,
                                        std::stop_token stop);

}  // namespace bailey
