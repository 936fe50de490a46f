#pragma once

#include "orchestrator/model/provider_schema.hpp"

#include <nlohmann/json_fwd.hpp>

namespace bailey {

/// JSON Schema (draft-07) of one spec document of any kind, from the same tables as the reader, so
/// that editors complete and underline. It knows the shape only; names, references and floors are
/// the reader's.
[[nodiscard]] nlohmann::json spec_json_schema(const ProviderSchemas& providers);

}  // namespace bailey
