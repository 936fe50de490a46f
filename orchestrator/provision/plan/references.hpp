#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/address.hpp"
#include "orchestrator/model/state.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>

namespace bailey {

/// What stands at an address, or null. The pointer holds until the resolving call returns.
using StateLookup = std::function<const ResourceState*(const ResourceAddress& address)>;

/// `fields` with each reference replaced by the provider id or the attribute of what stands.
/// FailedPrecondition, naming the reference, when that is not known.
[[nodiscard]] Result<nlohmann::json> resolve_inputs(const nlohmann::json& fields,
                                                    const std::string& environment,
                                                    const StateLookup& lookup);

/// True when a reference to a resource is left within `value`: known after apply.
[[nodiscard]] bool has_reference(const nlohmann::json& value);

}  // namespace bailey
