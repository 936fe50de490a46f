#pragma once

#include "providers/openstack/resource_type.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <string>

namespace bailey::openstack {

[[nodiscard]] std::set<std::string> attached_volumes(const nlohmann::json& server);

/// Attaches and detaches until exactly these volumes are attached to the server, and waits until
/// both Nova and Cinder show it so. A volume that the server which this one replaces still has is
/// taken from it.
[[nodiscard]] Status settle_volumes(const Work& work, const nlohmann::json& server,
                                    const std::set<std::string>& wanted);

}  // namespace bailey::openstack
