#pragma once

#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/provision/plan/refresh.hpp"

#include <map>
#include <string>
#include <vector>

namespace bailey {

/// What an environment's record would say, told from the markers at the provider.
struct StateFromMarkers {
  std::vector<ResourceState> resources;          ///< Sorted by address, the newest of each.
  std::map<std::string, std::string> artifacts;  ///< Slot to `repository@sha256:...`.
  /// Ours, and half made or superseded: the next plan finishes or removes them.
  std::vector<Observed> left;
};

/// Rebuilds the record of an environment from what bears its markers (`refreshed.unrecorded`) and
/// what is declared. Pure.
///
/// - Inputs are what the provider shows; a field that it does not show is taken as declared, since
///   nothing can be held against it.
/// - An artifact slot has the digest that stands where the template writes it; a slot in whose
///   place different digests stand stays empty, as before its first promotion.
/// - Dependencies are the declared ones; those of a resource that is no longer declared follow from
///   the ids in its inputs.
[[nodiscard]] StateFromMarkers state_from_markers(const Bundle& bundle,
                                                  const Environment& environment,
                                                  const Refreshed& refreshed);

}  // namespace bailey
