#pragma once

#include "orchestrator/base/error.hpp"

namespace bailey {

// What the program says to the one that called it. Part of the interface: never renumbered.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kDifferences = 2;     ///< `plan --detailed-exitcode`.
inline constexpr int kWaitsForPeople = 3;  ///< A change waits for an approval.
inline constexpr int kRefused = 4;         ///< By a gate, a duty or a permission.
inline constexpr int kUsage = 64;
inline constexpr int kInterrupted = 130;

[[nodiscard]] int exit_code_of(ErrorKind kind) noexcept;

}  // namespace bailey
