#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/ids.hpp"
#include "orchestrator/model/provider_schema.hpp"
#include "orchestrator/provision/provider/provider.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

/// What stands inside a boundary; each line `type provider-id (marker or name)`, sorted.
struct Inventory {
  std::vector<std::string> ours;       ///< By marker.
  std::vector<std::string> unmanaged;  ///< Everything else, other environments' things included.
  [[nodiscard]] bool empty() const noexcept { return ours.empty() && unmanaged.empty(); }
};

/// Lists every type of the schema.
[[nodiscard]] Result<Inventory> take_inventory(Provider& provider, const ProviderSchema& schema,
                                               const EnvironmentUid& uid,
                                               const std::string& boundary, std::stop_token stop);

/// Ends an environment whose destroy plan was applied: what still bears its marker is removed, and
/// its boundary goes once the inventory finds nothing of ours inside and the provider nothing of
/// anybody's. FailedPrecondition, code
/// `teardown.left-over` and naming each thing, while there is something; then the boundary stands.
/// Success means that find_boundary() finds nothing either. Safe to repeat; an empty boundary is
/// looked up by `uid`, and none at all is success.
[[nodiscard]] Status teardown(Provider& provider, const ProviderSchema& schema,
                              const EnvironmentUid& uid, const std::string& boundary,
                              std::stop_token stop);

}  // namespace bailey
