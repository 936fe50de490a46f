#include "orchestrator/provision/plan/references.hpp"

#include "orchestrator/declare/spec/expand.hpp"

namespace bailey {

using Json = nlohmann::json;

Result<Json> resolve_inputs(const Json& fields, const std::string& environment,
                            const StateLookup& lookup) {
  return resolve_references(fields, [&](const ResourceReference& reference) -> std::optional<Json> {
    const auto* state = lookup(ResourceAddress{environment, reference.resource, reference.index});
    if (state == nullptr) return std::nullopt;
    if (reference.attribute.empty()) return Json(state->provider_id);
    const auto found = state->attributes.find(reference.attribute);
    if (found == state->attributes.end() || found->is_null()) return std::nullopt;
    return *found;
  });
}

bool has_reference(const Json& value) {
  return !resource_references(value).empty();
}

}  // namespace bailey
