#pragma once

#include "orchestrator/model/grant.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/record/store/state_store.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// NotFound when there is none of that id; `chg-...` of its change is taken as well.
[[nodiscard]] Result<Grant> load_grant(Transaction& transaction, const GrantId& id);
/// Those that are open, not yet closed, or owe a review; of one environment, or of all when empty.
/// What is settled is kept apart, so that this stays small.
[[nodiscard]] Result<std::vector<Grant>> live_grants(Transaction& transaction,
                                                     const std::string& environment);
/// The settled ones.
[[nodiscard]] Result<std::vector<Grant>> settled_grants(Transaction& transaction,
                                                        const std::string& environment);
[[nodiscard]] Status save(Transaction& transaction, const Grant& grant);

/// The time by which grants are measured. Read it outside of transactions.
struct SteadyMoment {
  WallTime now;
  std::uint64_t doubts = 0;
};
[[nodiscard]] Result<SteadyMoment> steady_moment(Engine& engine);

/// Why an open grant is over, as things stand in the accepted bundle; nothing while it may be used.
/// Whatever cannot be told ends it.
[[nodiscard]] Result<std::optional<std::string>> why_over(Engine& engine, Transaction& transaction,
                                                          const Grant& grant,
                                                          const SteadyMoment& moment);

/// `grant.open` or `break-glass.open`: emergencies have words of their own in the log.
[[nodiscard]] std::string grant_action(const GrantTerms& terms, std::string_view verb);

}  // namespace bailey
