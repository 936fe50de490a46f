#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

struct Proposal {
  ChangeKind kind = ChangeKind::Apply;
  Plan plan;
  std::string bundle_digest;
  std::vector<std::string> author_addresses;
  std::map<std::string, std::string> brings = {};  ///< Of a promotion.
  std::vector<std::string> affects = {};           ///< Of a policy change.
  std::string rolls_back_to = {};                  ///< Of a rollback.
};

/// Opens a change for a plan that has something to do, in one transaction: the environment gets its
/// identity if it has none, an open change with the same plan is returned instead of a second one,
/// an older one that this replaces is superseded, and the log gets its entries. A change replaces
/// one of its own kind that still waits; a promotion only one that brings nothing else than it does
/// itself; grants and decisions about drift replace nothing.
[[nodiscard]] Result<Change> open_change(Engine& engine, const Request& request,
                                         const Proposal& proposal);
/// The same within a transaction that writes.
[[nodiscard]] Result<Change> open_change(Engine& engine, Transaction& transaction,
                                         const Request& request, const Proposal& proposal);

/// Takes a change a step further and remembers when and why.
void step(Change& change, ChangeState state, const std::string& at, std::string detail = {});

/// Ends a change that has waited for longer than a change may (30 days); returns it as it stands.
[[nodiscard]] Result<Change> expire_if_old(Engine& engine, Change change);

/// What a plan introduces: the digests of its artifacts and of its template.
[[nodiscard]] std::vector<std::string> introduced_by(const Plan& plan);

}  // namespace bailey
