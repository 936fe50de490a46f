#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/change.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey {

/// One change and what decides about it, at the moment when somebody wants to act on it.
struct Case {
  const Bundle& bundle;
  const Environment& environment;
  const Change& change;
  std::vector<Author> authors;  ///< All that are known, those whom only the evidence names too.
};

/// Whether this subject may say yes or no to the change. `holds_approve` is the answer of the
/// identity layer about the power. Refused for what is no person, for who is an author or stands
/// behind requester or executor, and for who has no key; FailedPrecondition where nothing waits for
/// a decision.
[[nodiscard]] Status may_decide(const Case& about, const Subject& who, const Status& holds_approve);

/// Whether this subject may take back what they said about the change: a person who has approved it
/// while it still waits. Whoever has lost the power since may still do so.
[[nodiscard]] Status may_revoke(const Case& about, const Subject& who,
                                const std::vector<Approval>& approvals);

/// Whether this subject may let the change run: a holder of `deploy`, behind whom stands at least
/// one person, and nobody who is an author or has approved it. `approvals` are all that were given.
[[nodiscard]] Status may_execute(const Case& about, const Subject& who,
                                 const std::vector<Approval>& approvals,
                                 const Status& holds_deploy);

/// Whether Bailey may let it run of itself, with nobody's hand on it.
[[nodiscard]] Status may_execute_unasked(const Case& about);

/// Whether the change waits to be executed, in an environment that is still declared unless it is
/// taken down. Of both ways to execute.
[[nodiscard]] Status can_be_executed(const Change& change, bool environment_is_declared);

/// How long an approval given now holds: as short as the shortest of the gate's conditions, 72
/// hours at most.
[[nodiscard]] std::chrono::seconds time_to_expire(const Environment& environment);

/// The first of these roles that gives the power to approve; empty when none does.
[[nodiscard]] std::string acting_role(const Bundle& bundle, const Environment& environment,
                                      const std::set<std::string>& roles);

}  // namespace bailey
