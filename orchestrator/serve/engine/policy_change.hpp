#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/serve/engine/bundle_record.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <string>
#include <vector>

namespace bailey {

/// What a policy change is about: each deciding document before and after. `judge` is the bundle
/// whose administrators decide.
[[nodiscard]] Plan policy_plan(const Bundle& judge, const Bundle& accepted, const Bundle& proposed);

/// Stores a bundle whose deciding documents differ from the accepted one's and opens the change
/// that the administrators approve. Its plan lists each deciding document that differs, before and
/// after.
[[nodiscard]] Result<Change> propose_policy(Engine& engine, const Request& request,
                                            const Bundle& accepted, const Bundle& proposed,
                                            const BundleSources& sources,
                                            const BundleOrigin& origin);

/// The change compared anew with the bundle accepted now.
[[nodiscard]] Result<Change> replan_policy(Engine& engine, Change change);

/// Conflict, `plan.stale`, unless the change's plan is what accepting its bundle means today.
[[nodiscard]] Status check_policy_is_current(Engine& engine, Transaction& transaction,
                                             const Change& change);

/// The bundles that were accepted right before this one was, each time it was.
[[nodiscard]] Result<std::vector<std::string>> bundles_before(Transaction& transaction,
                                                              const std::string& digest);

/// Makes a stored bundle the accepted one and logs it; nothing happens when it already is.
[[nodiscard]] Status accept_bundle(Engine& engine, Transaction& transaction, AuditEntry entry,
                                   const std::string& digest);

}  // namespace bailey
