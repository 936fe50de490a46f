#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/base/threads.hpp"
#include "orchestrator/model/address.hpp"
#include "orchestrator/model/ids.hpp"
#include "orchestrator/model/provider_schema.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/provision/provider/provider.hpp"

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

/// What the provider shows of one environment, held against what we recorded. Lists are sorted by
/// type and provider id.
struct Refreshed {
  std::map<ResourceAddress, Observed> observed;
  std::set<ResourceAddress> gone;  ///< Recorded, and surely no longer there.
  /// Recorded, not shown, and too young for that to mean anything: counts as unchanged.
  std::set<ResourceAddress> unknown;
  std::vector<Observed> unmanaged;  ///< Inside the boundary without a marker of ours.
  std::vector<Observed> foreign;    ///< Inside the boundary with another environment's marker.
  /// Marked as this environment's, and not recorded: left by a crash or by a lost store.
  std::vector<Observed> unrecorded;
};

struct RefreshRequest {
  EnvironmentUid environment_uid;
  std::string boundary;  ///< Empty: not made yet, so that nothing can be inside.
  const ProviderSchema& schema;
  WallTime now;
  int concurrency = 4;  ///< Listings under way at once.
  Threads& threads = system_threads();
};

/// Made so lately that the provider may still hide it: that it is not shown says nothing.
[[nodiscard]] bool may_be_hidden(const ResourceState& state, const ProviderSchema& schema,
                                 WallTime now);

/// One listing for each resource type of the schema, matched by provider id; a single read only for
/// a recorded resource that its listing lacks. Fails as a whole when a listing fails: half a view
/// would call the other half gone. Changes nothing anywhere.
[[nodiscard]] Result<Refreshed> refresh(Provider& provider, const RefreshRequest& request,
                                        const std::vector<ResourceState>& states,
                                        std::stop_token stop);

}  // namespace bailey
