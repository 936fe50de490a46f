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
  std::optional<Marker> marker;   ///< By tag, else by description.
  bool whole = false;             ///< The tag is there, or the thing is not ours.
  std::string text;               ///< The description without the marker.
  std::vector<std::string> tags;  ///< Without the marker's.
};

[[nodiscard]] Marks marks_of(const nlohmann::json& thing);
/// The description that `text` becomes: `text (bailey:...)`.
[[nodiscard]] std::string described(const std::string& text, const Marker& marker);
/// The description of a new thing.
[[nodiscard]] std::string described(const ResourceRequest& request);

/// `description` and `tags`, which every Neutron resource has: added to a schema, and to what a
/// thing is observed to be.
void add_text_fields(ResourceTypeSchema& schema);
void add_texts(nlohmann::json& inputs, const Marks& marks);

/// The thing that an earlier attempt for this marker has left, or nothing. `collection` as in the
/// path: `security-groups`.
[[nodiscard]] Result<std::optional<nlohmann::json>> left_over(const Work& work,
                                                              const std::string& collection,
                                                              const ResourceRequest& request);
/// All of one collection in the project; `filter` as `&name=value`.
[[nodiscard]] Result<std::vector<nlohmann::json>> all_of(const Work& work,
                                                         const std::string& collection,
                                                         const std::string& filter = "");
/// One of the project's own things; nothing when it is absent or somebody else's that the project
/// may see.
[[nodiscard]] Result<std::optional<nlohmann::json>> one_of(const Work& work,
                                                           const std::string& collection,
                                                           const std::string& id);
/// Gives `thing` the description and the tags that are asked for, and last of all the tag by which
/// it is whole. Tags that neither the spec nor `before` names stay. `thing` becomes what it is
/// then.
[[nodiscard]] Status settle_texts(const Work& work, const std::string& collection,
                                  nlohmann::json& thing, const ResourceRequest& request,
                                  const nlohmann::json& before = {});
/// The id of the external network of that name. Fails with InvalidArgument.
[[nodiscard]] Result<std::string> external_network(const Work& work, const std::string& name);
/// The name of a network that the project may see; its id when it may not. Remembered.
[[nodiscard]] Result<std::string> network_name(const Work& work, const std::string& id);

}  // namespace bailey::openstack
