#pragma once

#include "orchestrator/serve/cli/terminal.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

/// The whole of `bailey journal`: open intents and what settles them, then each change with its
/// operations in the order in which they were started, where each stands on the time line, and how
/// long it took. Fits `look.columns`; no colour.
[[nodiscard]] std::string render_journal(const nlohmann::json& journal, const Look& look);

}  // namespace bailey
