#pragma once

#include "tests/model/checker.hpp"

namespace bailey::model_check {

/// Why this execution must not have been let through; empty when it was right. Judged from the sets
/// of people that an organization is written as, without a line of what is checked.
[[nodiscard]] std::string what_is_wrong(const Organization& organization, const State& before,
                                        std::size_t place, std::uint8_t executor);

}  // namespace bailey::model_check
