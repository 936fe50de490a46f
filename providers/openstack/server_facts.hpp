#pragma once

#include "providers/openstack/resource_type.hpp"

#include <nlohmann/json.hpp>

#include <map>
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

/// Fails with InvalidArgument when there is none of that name.
[[nodiscard]] Result<std::string> flavor_id(const Work& work, const std::string& name);
/// `name` may be the id itself. Fails with InvalidArgument when there is none, or several.
[[nodiscard]] Result<std::string> image_id(const Work& work, const std::string& name);

}  // namespace bailey::openstack
