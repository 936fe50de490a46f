#pragma once

#include "providers/openstack/home.hpp"

#include <nlohmann/json_fwd.hpp>

#include <stop_token>
#include <string>
#include <vector>

/// An environment's project that was there before. It keeps its name, description and tags, and is
/// tagged `bailey-adopted` before it is tagged as ours, so that a project of an environment without
/// that tag is always one that was made for it.
namespace bailey::openstack {

[[nodiscard]] bool is_adopted(const nlohmann::json& project);
/// The owners' tags: more than one where two environments adopted at once and one of them stopped
/// before it could yield, which a person has to settle.
[[nodiscard]] std::vector<std::string> owners_of(const nlohmann::json& project);
/// By name or by id.
[[nodiscard]] bool is_named(const nlohmann::json& project, const std::string& named);

/// Takes over the project that the request names. NotFound when the account's domain for this class
/// has none; Refused when it is another environment's, or the account's own user is `admin` in it:
/// an administrator sees the things of all projects in each. Safe to repeat.
[[nodiscard]] Result<nlohmann::json> adopt_project(Home& home, const BoundaryRequest& request,
                                                   std::stop_token stop);
/// Takes away our tags and the roles that we gave, and nothing else. Safe to repeat until it
/// succeeds: the tags go last and together.
[[nodiscard]] Status give_back(Home& home, const std::string& boundary, const EnvironmentUid& uid,
                               std::stop_token stop);

}  // namespace bailey::openstack
