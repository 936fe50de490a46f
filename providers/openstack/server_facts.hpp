#pragma once

#include "providers/openstack/resource_type.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

/// Reading servers: what Nova says, what the ports in Neutron say, and what the server's own
/// metadata remembers of how the spec put it.
namespace bailey::openstack {

/// The metadata that is ours; keys that begin so are closed to specs.
inline constexpr std::string_view kOwnMetadata = "bailey.";
inline constexpr auto kMarkerKey = "bailey.marker";
/// `<image id> <as the spec names it>`: Nova shows the id alone.
inline constexpr auto kImageKey = "bailey.image";
/// The spec's `networks`, in order, over as many keys as it takes; absent when it said `network`.
inline constexpr auto kNetworksKey = "bailey.networks";

/// The id of the server group that it was made in, which Nova does not show.
inline constexpr auto kGroupKey = "bailey.group";
/// There while something is still to be done after the server runs.
inline constexpr auto kUnfinishedKey = "bailey.unfinished";

/// Fails with InvalidArgument when a spec's `metadata` names what is ours.
[[nodiscard]] Status check_metadata(const nlohmann::json& inputs);
/// Metadata without what is ours.
[[nodiscard]] nlohmann::json spec_metadata(const nlohmann::json& metadata);
/// What metadata is to become: the spec's, and ours as it is in `now`.
[[nodiscard]] nlohmann::json settled_metadata(const nlohmann::json& now,
                                              const nlohmann::json& inputs);

/// One attached port of a server.
struct Attachment {
  std::string port;
  std::string network;
  std::string address;
  std::vector<std::string> groups;
};

/// The ports of servers by server id; `filter` as `&device_id=...`.
[[nodiscard]] Result<std::map<std::string, std::vector<Attachment>>> attachments(
    const Work& work, const std::string& filter);

/// The id of the group that Neutron gives to ports for which nobody names one.
[[nodiscard]] Result<std::string> default_group(const Work& work);

/// Remembers a list of ids below `key`, 255 characters a value.
void remember(nlohmann::json& metadata, const std::string& key,
              const std::vector<std::string>& ids);

[[nodiscard]] Observed observe_server(const nlohmann::json& server,
                                      const std::vector<Attachment>& attached,
                                      const std::string& default_group);

/// One of the project's servers; nothing when it is absent, or deleted and still shown.
[[nodiscard]] Result<std::optional<nlohmann::json>> find_server(const Work& work,
                                                                const std::string& id);
/// Its port on its first network. Fails with InvalidArgument when it has none.
[[nodiscard]] Result<std::string> first_port(const Work& work, const std::string& server);

/// Fails with InvalidArgument when there is none of that name.
[[nodiscard]] Result<std::string> flavor_id(const Work& work, const std::string& name);
/// `name` may be the id itself. Fails with InvalidArgument when there is none, or several.
[[nodiscard]] Result<std::string> image_id(const Work& work, const std::string& name);

}  // namespace bailey::openstack
