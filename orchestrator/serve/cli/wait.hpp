#pragma once

#include "orchestrator/serve/cli/context.hpp"

#include <string>
#include <vector>

namespace bailey {

/// Says where changes stand and, with `wait`, follows them until each has ended or waits for
/// people. Exit code: 1 when one failed, 4 when one was rejected, 3 when one waits for an approval,
/// else 0. Progress goes to stderr.
[[nodiscard]] int follow(const Context& context, ApiClient& client,
                         const std::vector<std::string>& changes, bool wait);

/// The same for one change that asks for entry now: 4, and who can let it in, when its gate says no
/// to it as it stands.
[[nodiscard]] int ask_for_entry(const Context& context, ApiClient& client,
                                const std::string& change);

}  // namespace bailey
