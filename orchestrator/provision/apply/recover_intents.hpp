#pragma once

#include "orchestrator/provision/apply/journal_writer.hpp"
#include "orchestrator/provision/apply/recovery.hpp"
#include "orchestrator/provision/apply/settle.hpp"

#include <cstdint>
#include <string>

namespace bailey {

/// Whether what was superseded is removed now, or left to the plan that follows.
enum class Retiring : std::uint8_t { No, Yes };

struct RecoveryTools {
  const ApplyContext& context;
  JournalWriter& journal;
  Settler& settler;
  Retiring retiring = Retiring::Yes;
};

/// recover() with the tools of whoever keeps the lease already.
[[nodiscard]] Result<RecoveryReport> recover_intents(const RecoveryTools& tools,
                                                     const std::string& environment);

}  // namespace bailey
