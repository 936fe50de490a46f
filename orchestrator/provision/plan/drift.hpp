#pragma once

#include "orchestrator/model/drift.hpp"
#include "orchestrator/model/provider_schema.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/provision/plan/refresh.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace bailey {

/// What differs between the record of an environment and what its provider shows, sorted by
/// address, type, id at the provider and field; without times. Pure.
///
/// - A field counts as diff_fields() says, held against what was applied and not against the spec:
///   what the spec says since then is for a plan.
/// - What is too young for its absence to mean anything is no finding.
[[nodiscard]] std::vector<DriftFinding> find_drift(const Refreshed& refreshed,
                                                   const std::vector<ResourceState>& states,
                                                   const ProviderSchema& schema);

/// Makes `refreshed` show the recorded value in place of each Changed finding, so that a plan made
/// of it leaves that field as it is at the provider.
void leave_alone(Refreshed& refreshed, const std::vector<ResourceState>& states,
                 const std::vector<DriftFinding>& findings);

/// `inputs` with the value of a field, `flavor` or `metadata.artifact`; null takes it away.
[[nodiscard]] nlohmann::json with_field(nlohmann::json inputs, const std::string& path,
                                        const nlohmann::json& value);

}  // namespace bailey
