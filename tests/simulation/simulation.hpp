#pragma once

#include "tests/simulation/faults.hpp"
#include "tests/simulation/trace.hpp"

#include <cstdint>
#include <string>

namespace bailey::test {

/// Runs provisioning from one seed: plan, apply, recovery, lease and journal as they are, on a real
/// store, against a cloud, a disk and processes that fail, on virtual time. The same seed does the
/// same, call for call. What must not happen is among the trace's violations.
[[nodiscard]] Trace simulate(std::uint64_t seed, Sabotage sabotage = Sabotage::None);

/// The command that does it again.
[[nodiscard]] std::string replay_command(std::uint64_t seed);

}  // namespace bailey::test
