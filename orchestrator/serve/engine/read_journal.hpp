#pragma once

#include "orchestrator/model/ids.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>

namespace bailey {

struct JournalFilter {
  std::string environment;  ///< Empty: all that the caller may read.
  ChangeId change;          ///< Empty: the newest of them that were executed.
  std::size_t changes = 5;  ///< At most so many.
};

/// What stands open at the providers and what was done lately, for a holder of `read`:
/// `{"intents": [{"address", "type", "verb", "phase", "since", "provider_id", "settled_by"}],
/// "changes": [{"id", "environment", "kind", "state", "started_at", "makespan_ms",
/// "lower_bound_ms", "operations": [{"address", "type", "action", "outcome", "started_ms",
/// "duration_ms", "error"}]}]}`. Intents by address, changes newest first, operations in the order
/// in which they were started. NotFound for an environment or a change that is not there.
[[nodiscard]] Result<nlohmann::json> read_journal(Engine& engine, const Request& request,
                                                  const JournalFilter& filter);

}  // namespace bailey
