#pragma once

#include "orchestrator/model/address.hpp"
#include "orchestrator/model/template.hpp"

#include <set>
#include <vector>

namespace bailey {

/// Where a resource that stands at `address` belongs by the template's moves, followed to their
/// end; `address` itself when none is about it. A name without an index means every instance and
/// keeps each index. A resource that gets or loses its `count` goes to and comes from `[0]`, which
/// `declared` tells. The moves have no cycle.
[[nodiscard]] ResourceAddress moved_to(const std::vector<Move>& moves,
                                       const std::set<ResourceAddress>& declared,
                                       ResourceAddress address);

}  // namespace bailey
