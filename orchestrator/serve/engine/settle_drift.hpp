#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/model/drift.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

struct DriftRequest {
  std::string environment;
  DriftAction action = DriftAction::Restore;
  std::vector<std::string> findings;  ///< Ids, as a look of now finds them.
  std::string reason;                 ///< Needed to ignore.
  std::chrono::seconds duration{0};   ///< Of an Ignore; 90 days at most.
};

/// Opens a change that decides about findings of drift. It goes through the environment's gate like
/// any other and introduces nothing:
///
/// - `Restore` plans back what was last applied, for those resources and what they need.
/// - `Accept` lets the record say what the provider shows. Refused, code
///   `drift.spec-says-otherwise`, while the accepted specs want another value.
/// - `Ignore` leaves the field, or the thing that is not ours, as it is until a time: no plan
///   touches it and nobody is told.
///
/// For whoever holds `request` there. NotFound, code `drift.unknown`, for a finding that is not
/// there now; Refused, code `drift.not-ours`, to restore what Bailey did not make; Refused, code
/// `drift.not-a-field`, to accept or ignore what a plan would make or take away.
[[nodiscard]] Result<Change> settle_drift(Engine& engine, const Request& request,
                                          const DriftRequest& wanted, std::stop_token stop);

/// The plan of these decisions as things stand now, without those whose findings have gone; nothing
/// when all of them have.
[[nodiscard]] Result<std::optional<Plan>> plan_drift(Engine& engine, const std::string& environment,
                                                     std::vector<DriftDecision> decisions,
                                                     std::stop_token stop);

/// For the transaction that finishes such a change: what was decided holds from now on, and the
/// environment is looked at again soon.
[[nodiscard]] Status record_drift_decisions(Transaction& transaction, const Change& change);

}  // namespace bailey
