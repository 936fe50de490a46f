#pragma once

#include "providers/openstack/resource_type.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

/// How networks, routers and security groups bear their owner's marker.
///
/// Neutron takes no tags when it creates something. So a thing is born with its unique name and
/// with the marker in its description, in one call, and gets the marker as a tag once every part of
/// it is there: untagged means half made. The tag is also what `openstack network list --tags`
/// finds.
namespace bailey::openstack {

struct Marks {
  std::optional<Marker> marker;  ///< By tag, else by description.
  bool whole = false;            ///< The tag is there, or the thing is not ours.
  std::string text;              ///< The description without the marker.
};

[[nodiscard]] Marks marks_of(const nlohmann::json& thing);
/// The description that `text` becomes: `text (bailey:...)`.
[[nodiscard]] std::string described(const std::string& text, const Marker& marker);

/// The thing that an earlier attempt for this marker has left, or nothing. `collection` as in the
/// path: `security-groups`.
[[nodiscard]] Result<std::optional<nlohmann::json>> left_over(const Work& work,
                                                              const std::string& collection,
                                                              const Marker& marker);
/// All of one collection in the project; `filter` as `&name=value`.
[[nodiscard]] Result<std::vector<nlohmann::json>> all_of(const Work& work,
                                                         const std::string& collection,
                                                         const std::string& filter = "");
/// One of the project's own things; nothing when it is absent or somebody else's that the project
/// may see.
[[nodiscard]] Result<std::optional<nlohmann::json>> one_of(const Work& work,
                                                           const std::string& collection,
                                                           const std::string& id);
/// Tags it as whole, beside the tags that it has.
[[nodiscard]] Status mark_whole(const Work& work, const std::string& collection,
                                const nlohmann::json& thing, const Marker& marker);

}  // namespace bailey::openstack
