#pragma once

#include "providers/openstack/resource_type.hpp"

#include <chrono>
#include <string>

namespace bailey::openstack {

/// Returns once Cinder shows the volume as available or in use. Fails with FailedPrecondition when
/// it shows it as broken or not at all. Many who wait share one listing.
[[nodiscard]] Status await_volume(const Work& work, const std::string& id,
                                  const std::string& awaited);

}  // namespace bailey::openstack
