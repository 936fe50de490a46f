#pragma once

#include "providers/openstack/resource_type.hpp"

#include <optional>
#include <set>
#include <string>

/// What belongs to an environment's project and has no place for a marker of its own: a quota, a
/// membership of an image. The project itself bears their markers, as tags `<kind>:<what>:<marker>`
/// in the characters that Keystone allows. They are written by the account's administrator.
namespace bailey::openstack {

struct ProjectTag {
  std::string kind;  ///< `bailey-quota`.
  std::string what;  ///< Without a colon: the id of an image.
  Marker marker;
  auto operator<=>(const ProjectTag&) const = default;
};

/// Those of one kind on the project that is worked in.
[[nodiscard]] Result<std::set<ProjectTag>> project_tags(const Work& work, const std::string& kind);
/// Safe to repeat.
[[nodiscard]] Status add_project_tag(const Work& work, const ProjectTag& tag);
/// Absent is success.
[[nodiscard]] Status remove_project_tag(const Work& work, const ProjectTag& tag);

}  // namespace bailey::openstack
