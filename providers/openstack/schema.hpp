#pragma once

#include "orchestrator/model/provider_schema.hpp"

namespace bailey::openstack {

/// What OpenStack offers to templates.
[[nodiscard]] ProviderSchema openstack_schema();

}  // namespace bailey::openstack
