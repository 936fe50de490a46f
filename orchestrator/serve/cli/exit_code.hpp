#pragma once

#include "orchestrator/base/error.hpp"

namespace bailey {

/// What the program says to the one that called it. Part of the interface: never renumbered.
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kDifferences = 2,     ///< `plan --detailed-exitcode`.
  kWaitsForPeople = 3,  ///< A change waits for an approval.
  kRefused = 4,         ///< By a gate, a duty or a permission.
  kUsage = 64,
  kInterrupted = 130,
};

[[nodiscard]] ExitCode exit_code_of(ErrorKind kind) noexcept;

}  // namespace bailey
