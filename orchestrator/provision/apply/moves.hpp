#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/plan.hpp"
#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/record/store/state_store.hpp"

namespace bailey {

/// Brings the record to the addresses that a claimed plan gives to what it moves, in one
/// transaction with an audit entry (`resource.move`) each: what stands is recorded under its new
/// address, what depends on it names that, and the marker that it bears is remembered. Nothing
/// happens at the provider. Safe to repeat. To be called once what earlier runs left is settled:
/// FailedPrecondition, and nothing is moved, while an operation on one of them is not.
[[nodiscard]] Status move_resources(Transaction& transaction, const Plan& plan, const Fence& fence,
                                    WallTime now);

}  // namespace bailey
