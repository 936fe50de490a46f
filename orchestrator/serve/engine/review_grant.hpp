#pragma once

#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/grant.hpp"
#include "orchestrator/promote/gate/gate_evaluator.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace bailey {

/// The people whose review would count now: of those whom the terms name, as the Directory has them
/// today, with a key; neither the holder nor anybody who agreed, and not who has signed. Sorted.
[[nodiscard]] std::vector<std::string> reviewers_of(const Bundle& bundle, const Grant& grant);

/// The reviews that are owed for an environment of that name, oldest first. They freeze it for
/// ordinary changes, from the moment at which the glass was broken. Also one that is taken down and
/// comes back: its debt does. None for a sandbox, which ends by itself.
[[nodiscard]] Result<std::vector<OwedReview>> owed_reviews(Transaction& transaction,
                                                           const Bundle& bundle,
                                                           const Environment& environment);

/// `[{"grant","holder","incident","since","open","from","have","count","due","overdue",
/// "who_can_unblock"}]`.
[[nodiscard]] nlohmann::json owed_json(const std::vector<OwedReview>& owed);

/// The statement that the caller would sign about an emergency that is over, with a nonce that is
/// good once: `{"statement","payload","payload_type","subject"}`, `subject` being what its digest
/// covers: review_subject(). Refused, with the reason, for somebody whose review could not count;
/// FailedPrecondition before the grant is closed, since until then something may happen by it.
[[nodiscard]] Result<nlohmann::json> prepare_review(Engine& engine, const Request& request,
                                                    const GrantId& id,
                                                    const std::string& conclusion);

/// Takes in a signed review: exactly the bytes that prepare_review() gave to this caller, signed by
/// a key that the Directory has for that person. With the last one that is needed the environment
/// is free again. The grant, as show_grant() gives it.
[[nodiscard]] Result<nlohmann::json> submit_review(Engine& engine, const Request& request,
                                                   const GrantId& id,
                                                   const nlohmann::json& envelope);

}  // namespace bailey
