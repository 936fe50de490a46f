#pragma once

#include "providers/openstack/home.hpp"

#include <optional>
#include <stop_token>
#include <string>

/// The boundary of an environment: a Keystone project named `<environment>-<end of its uid>` in the
/// account's domain for its class, tagged `bailey:<uid>` and `bailey-environment:<environment>`.
/// Name and tags are set in one call. An adopted one (adoption.hpp) was there before.
namespace bailey::openstack {

[[nodiscard]] Result<std::string> ensure_boundary(Home& home, const BoundaryRequest& request,
                                                  std::stop_token stop);
/// Fails with Conflict when several projects bear the tag.
[[nodiscard]] Result<std::optional<std::string>> find_boundary(Home& home,
                                                               const EnvironmentUid& uid,
                                                               std::stop_token stop);
/// Every project that bears an owner's tag.
[[nodiscard]] Result<std::vector<FoundBoundary>> list_boundaries(Home& home, std::stop_token stop);
/// Keystone deletes projects without asking the other services, which then keep what was inside for
/// ever: so it is looked into first, and what Neutron itself has put there is taken away after. An
/// adopted project is given back instead.
[[nodiscard]] Status remove_boundary(Home& home, const std::string& boundary, std::stop_token stop);

}  // namespace bailey::openstack
