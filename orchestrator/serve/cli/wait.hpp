#pragma once

#include "orchestrator/serve/cli/context.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace bailey {

/// How a change is followed.
struct FollowPace {
  std::chrono::milliseconds between{300};     ///< One look and the next.
  std::chrono::milliseconds patience{60000};  ///< With a server that does not answer.
};

/// Says where changes stand and, with `wait`, follows them until each has ended or waits for
/// people. Exit code: 1 when one failed, 4 when one was rejected, 3 when one waits for an approval,
/// else 0; 130 when the user interrupts, which stops nothing but the watching. How it goes is shown
/// on stderr, how each ends on stdout. A server that goes away is asked again for a while.
[[nodiscard]] int follow(const Context& context, ApiClient& client,
                         const std::vector<std::string>& changes, bool wait, FollowPace pace = {});

/// The same for one change that asks for entry now: 4, and who can let it in, when its gate says no
/// to it as it stands.
[[nodiscard]] int ask_for_entry(const Context& context, ApiClient& client,
                                const std::string& change);

}  // namespace bailey
