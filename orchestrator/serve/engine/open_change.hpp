#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bailey {

struct Proposal {
  ChangeKind kind = ChangeKind::Apply;
  Plan plan;
  std::string bundle_digest;
  std::vector<std::string> author_addresses;
};

/// Opens a change for a plan that has something to do, in one transaction: the environment gets its
/// identity if it has none, an open change with the same plan is returned instead of a second one,
/// an older open change of the same kind is superseded, and the log gets its entries.
[[nodiscard]] Result<Change> open_change(Engine& engine, const Request& request,
                                         const Proposal& proposal);

/// Takes a change a step further and remembers when and why.
void step(Change& change, ChangeState state, const std::string& at, std::string detail = {});

/// What a plan introduces: the digests of its artifacts and of its template.
[[nodiscard]] std::vector<std::string> introduced_by(const Plan& plan);

}  // namespace bailey
