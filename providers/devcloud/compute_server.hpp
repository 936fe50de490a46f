#pragma once

#include "providers/devcloud/compute.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What the files about servers share.
///
/// A server is stored as: id, name, project_id, user_id, metadata, tags, image_id, flavor (as it
/// was), key_name, description, hostname, user_data (sealed), created and updated (ms), launched
/// (ms or null), vm_state, task (what is under way: `build`, `delete`, `stop`, `start`, `reboot`,
/// or empty), due (ms: when it will be done), doom (why the build will fail), fault, events,
/// number, reservation_id, launch_index.
namespace bailey::devcloud::compute {

/// One wish of `networks`.
struct Nic {
  std::string network;
  std::string port;     ///< Given by the user, or empty.
  std::string address;  ///< Asked for, or empty.
  std::string tag;
};

struct Wiring {
  std::vector<Nic> nics;
  std::vector<std::string> security_groups;  ///< Ids, for the ports that are made.
};

/// Checks the networks, ports and groups that a new server asks for.
[[nodiscard]] Checked<Wiring> wiring_of(const Request& request, const OrderedJson& asked);
/// Makes the ports and takes those given. Why it cannot be, in words for the server's fault; else
/// empty. Refused only where the request for the server is.
[[nodiscard]] Checked<std::string> plug(Call& call, const Json& server, const Wiring& wiring);
/// The server runs: so do its ports.
void activate_ports(Cloud& cloud, const std::string& server);
/// Ports that Nova made go; those of users are free again.
void unplug(Cloud& cloud, const std::string& server);
void unplug_port(Cloud& cloud, Json port);

/// The ports of a server, in the order in which it got them.
[[nodiscard]] std::vector<const Json*> ports_of(const Cloud& cloud, std::string_view server);
enum class Detail : std::uint8_t { Brief, Full };
[[nodiscard]] Json addresses_of(const Cloud& cloud, const Json& server, Detail detail);
/// `[{"name": ..}]`, without repetition.
[[nodiscard]] Json group_names_of(const Cloud& cloud, const Json& server);

/// `BUILD`, `ACTIVE`...
[[nodiscard]] std::string status_of(const Json& server);
/// As the answer to an update shows it, which is less in old versions.
[[nodiscard]] Json shown_after_update(const Request& request, const Json& server);

/// `os-extended-volumes:volumes_attached`
[[nodiscard]] Json volumes_attached(const Request& request, const Json& server);

/// Ids of the groups that a server is in: one at most.
[[nodiscard]] Json server_groups_of(const Cloud& cloud, const Json& server);
/// The group that a new server is to join, by its scheduler hint; empty when it names none.
[[nodiscard]] Checked<std::string> hinted_group(const Request& request, const OrderedJson& body,
                                                std::size_t servers);
void join_group(Cloud& cloud, const std::string& group, const std::string& server);
void leave_groups(Cloud& cloud, const Json& server);

/// Starts something that takes a while.
void begin_task(Cloud& cloud, Json server, std::string_view task);

}  // namespace bailey::devcloud::compute
