#pragma once

#include "orchestrator/model/plan.hpp"
#include "orchestrator/model/provider_schema.hpp"

#include <string>

namespace bailey {

/// A plan as people read it: a warning where something is deleted or replaced; one block for each
/// operation that does something, with the fields that change, before and after; deferred resources
/// with their reason; a summary. Resources of one count to which the same is done share a block:
/// `web[0..19]`. With the schemas each field that forces a replacement says so.
///
/// Plain text in ASCII, no colour; ends with a newline. Values that are only known afterwards read
/// "known after apply". Long values are cut and say how much, since the whole is in the plan's
/// JSON; where two long ones begin alike, what is shown is around the first difference. A plan
/// holds no secret, so none is shown.
[[nodiscard]] std::string render_plan(const Plan& plan, const ProviderSchemas& schemas = {});

/// `Plan: 3 to create, 1 to update, 0 to replace, 0 to delete, 2 unchanged.`
[[nodiscard]] std::string plan_summary(const Plan& plan);

}  // namespace bailey
