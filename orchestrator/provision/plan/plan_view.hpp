#pragma once

#include "orchestrator/model/plan.hpp"

#include <string>

namespace bailey {

/// A plan as people read it: one block an operation that does something, deferred resources with
/// their reason, a summary. Plain text, no colour; ends with a newline. Values that are only known
/// afterwards read "known after apply"; long texts are cut, since the whole is in the plan's JSON.
[[nodiscard]] std::string render_plan(const Plan& plan);

/// `Plan: 3 to create, 1 to update, 0 to replace, 0 to delete, 2 unchanged.`
[[nodiscard]] std::string plan_summary(const Plan& plan);

}  // namespace bailey
