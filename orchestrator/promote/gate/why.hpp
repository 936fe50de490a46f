#pragma once

#include "orchestrator/promote/gate/decisions.hpp"
#include "orchestrator/promote/gate/gate_evaluator.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// One thing that holds a change up, in words for people.
struct Blocker {
  std::string what;  ///< A condition of the gate, or `rejected`, `removed`, `stale`, `by-operator`.
  std::string detail;
  std::optional<WallTime> since;             ///< Nothing where it cannot be told.
  std::optional<WallTime> until;             ///< When time alone will have met it.
  std::vector<std::string> who_can_unblock;  ///< Empty: nobody, or time alone.
  std::string how;                           ///< The command that they use; may be empty.
};

struct WhyInputs {
  const Case& about;
  const GateResult& gate;
  const std::vector<Approval>& approvals;
  bool declared = true;  ///< The environment still is.
  bool current = true;   ///< Nothing that it was planned from has moved since.
};

/// What blocks a change, since when, and who can unblock it: from the very result by which it is
/// let through or not. Empty for what is being executed or has ended otherwise than by a rejection.
[[nodiscard]] std::vector<Blocker> why_blocked(const WhyInputs& inputs);

/// `{"what","detail","since","until","who_can_unblock","how"}`; times are null where there is none.
[[nodiscard]] nlohmann::json to_json(const Blocker& blocker);

}  // namespace bailey
