#pragma once

#include "providers/openstack/home.hpp"

#include <stop_token>
#include <vector>

namespace bailey::openstack {

/// Tries with a credential of one environment to reach into the target's project. Only what the
/// provider itself refuses counts as Refused: with a credential that does not even log in, every
/// attempt is Unknown. Nothing that can be read is deleted: such an attempt is Allowed already.
[[nodiscard]] Result<std::vector<ProbeAttempt>> probe(const SessionOptions& intruder,
                                                      const ProbeTarget& target, const Doors& doors,
                                                      std::stop_token stop);

}  // namespace bailey::openstack
