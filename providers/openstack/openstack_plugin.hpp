#pragma once

#include "orchestrator/provision/provider/provider.hpp"

namespace bailey {

/// OpenStack: Keystone v3, Neutron v2.0, Nova 2.1, Glance v2 and Barbican v1, found through
/// Keystone's catalogue. The account is an administrator who may make projects, users and role
/// assignments; its endpoint is Keystone's address, `.../v3`.
[[nodiscard]] ProviderPlugin openstack_plugin();

}  // namespace bailey
