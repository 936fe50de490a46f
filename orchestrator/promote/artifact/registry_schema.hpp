#pragma once

#include "orchestrator/model/provider_schema.hpp"

namespace bailey {

/// Registries as accounts name them, `provider: oci`: they hold artifacts and no environments.
[[nodiscard]] ProviderSchema registry_schema();

}  // namespace bailey
