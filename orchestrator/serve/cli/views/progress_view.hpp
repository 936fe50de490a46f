#pragma once

#include "orchestrator/serve/cli/terminal.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// One operation of a change, from its progress while it runs or from its outcome afterwards.
struct WatchedOperation {
  std::string address;  ///< Without the environment.
  std::string type;
  std::string action;
  std::string state;  ///< As the API says it: waiting, running, done, failed, skipped.
  std::chrono::milliseconds ran{0};
  std::chrono::milliseconds ended{0};  ///< On the clock of the change; for the order.
  std::vector<std::string> waits_for;
  std::optional<std::chrono::milliseconds> expected;
  nlohmann::json error;
};

/// All of them, in the plan's order; none while there is neither progress nor outcome.
[[nodiscard]] std::vector<WatchedOperation> operations_of(const nlohmann::json& change);

/// What was being done when an error came, innermost first; what two layers say alike stands once.
[[nodiscard]] std::vector<std::string> frames_of(const nlohmann::json& error);

/// `0.4s`, `34s`, `1m20s`, `2h05m`.
[[nodiscard]] std::string short_duration(std::chrono::milliseconds duration);
/// Of an estimate, in whole seconds: `8s`, `1m20s`.
[[nodiscard]] std::string rough_duration(std::chrono::milliseconds duration);

/// What is drawn at the foot of a terminal while changes are followed: of each that is executed
/// what runs, what waits for what, and a bar with counts and the time left where it is known; of
/// each that waits why. Pure. At most `look.rows` - 1 lines and never more than 16, none longer
/// than `look.columns` - 1.
[[nodiscard]] std::vector<std::string> render_progress(const std::vector<nlohmann::json>& changes,
                                                       const Look& look);

/// What is said once when an operation has ended: a line, and for a failure its reason below.
[[nodiscard]] std::vector<std::string> render_ended(const std::string& environment,
                                                    const WatchedOperation& operation,
                                                    const Look& look);

}  // namespace bailey
