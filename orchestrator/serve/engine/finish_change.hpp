#pragma once

#include "orchestrator/promote/evidence/verification.hpp"
#include "orchestrator/serve/engine/execute_change.hpp"
#include "orchestrator/serve/engine/judge.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

/// Stores what let a change through, for its receipt.
[[nodiscard]] Status keep_judgement(Engine& engine, Transaction& transaction, const Bench& bench,
                                    const Change& change, const Judgement& judgement);

/// Ends a change as done, in one transaction with `also`: its receipt, the log's entry that names
/// the receipt, the end of the lease.
[[nodiscard]] Result<Change> finish_change(Engine& engine, Claim& claim,
                                           const std::function<Status(Transaction&)>& also,
                                           const std::vector<nlohmann::json>& verification = {});

/// An applied change: done and verified, or failed by its verification.
[[nodiscard]] Result<Change> finish_applied(Engine& engine, Claim& claim, const Bench& bench,
                                            const std::vector<VerificationResult>& results);
[[nodiscard]] Result<Change> finish_destroyed(Engine& engine, Claim& claim);

/// Ends a change as failed, for a reason; when `stop` was requested it is left as it is instead,
/// without the lease, to be taken up again. So it is, with the lease until that runs out, when the
/// reason is that the store failed (kStoreFailed): nothing is wrong with the change.
[[nodiscard]] Result<Change> fail_change(Engine& engine, Claim& claim, const Error& reason,
                                         std::stop_token stop,
                                         const std::vector<std::string>& left = {});

}  // namespace bailey
