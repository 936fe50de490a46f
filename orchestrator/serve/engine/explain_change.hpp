#pragma once

#include "orchestrator/serve/engine/judge.hpp"

#include <nlohmann/json.hpp>

namespace bailey {

/// How a change stands before its gate, by the evaluator that lets it through.
struct Explanation {
  nlohmann::json gate = nlohmann::json::array();        ///< gate_json() and what runs before it.
  nlohmann::json blocked_by = nlohmann::json::array();  ///< to_json() of each Blocker.
  bool waits_for_people = false;
};

/// Empty parts for a change that is executed or has ended, but for a rejected one, which says who
/// rejected it.
[[nodiscard]] Result<Explanation> explain_change(Engine& engine, Transaction& transaction,
                                                 const Bench& bench, const Change& change);

}  // namespace bailey
