#include "orchestrator/base/encoding.hpp"
#include "providers/devcloud/network.hpp"
#include "providers/devcloud/network_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

/// Ports, and the addresses that they take.
namespace bailey::devcloud::network {

namespace {

using Type = Attribute::Type;

std::set<std::string> taken_addresses(const Cloud& cloud, const std::string& network,
                                      std::string_view self) {
  std::set<std::string> taken;
  for (const Json* port : cloud.where(kPort, "network_id", network)) {
    if (string_member(*port, "id") == self) continue;
    for (const Json& address : member(*port, "fixed_ips")) {
      taken.insert(string_member(address, "ip_address"));
    }
  }
  return taken;
}

/// The lowest free address of a subnet's pools.
std::optional<std::string> free_address(const Json& subnet, const std::set<std::string>& taken) {
  for (const Json& pool : member(subnet, "allocation_pools")) {
    auto address = read_address(string_member(pool, "start"));
    const auto end = read_address(string_member(pool, "end"));
    if (!address || !end) continue;
    for (; *address <= *end; ++address->number) {
      std::string text = write_address(*address);
      if (taken.count(text) == 0) return text;
    }
  }
  return std::nullopt;
}

ServerResponse no_addresses(const std::string& network) {
  return error_answer(409, "IpAddressGenerationFailure",
                      "No more IP addresses available on network " + network + ".");
}

/// One address of each family that the network has subnets for.
Checked<Json> usual_addresses(const Cloud& cloud, const std::string& network,
                              const std::set<std::string>& taken) {
  Json chosen = Json::array();
  std::set<int> wanted;
  std::set<int> found;
  for (const Json* subnet : cloud.where(kSubnet, "network_id", network)) {
    const int version = member(*subnet, "ip_version").get<int>();
    wanted.insert(version);
    if (found.count(version) > 0) continue;
    const auto address = free_address(*subnet, taken);
    if (!address) continue;
    found.insert(version);
    chosen.push_back({{"subnet_id", member(*subnet, "id")}, {"ip_address", *address}});
  }
  if (wanted != found) return refuse(no_addresses(network));
  return chosen;
}

/// The subnet of one wanted address: the one named, or the one whose range has it.
Checked<const Json*> subnet_for(const Cloud& cloud, const std::string& network,
                                const Json& wanted) {
  const std::string named = string_member(wanted, "subnet_id");
  const std::string text = string_member(wanted, "ip_address");
  const auto address = read_address(text);
  if (!text.empty() && !address) {
    return refuse(bad_request("Invalid input for fixed_ips. Reason: '" + text +
                              "' is not a valid IP address."));
  }
  const auto has = [&](const Json& subnet) {
    const auto cidr = read_cidr(string_member(subnet, "cidr"));
    return !address || (cidr && cidr->contains(*address));
  };
  if (named.empty()) {
    for (const Json* subnet : cloud.where(kSubnet, "network_id", network)) {
      if (has(*subnet)) return subnet;
    }
    return refuse(error_answer(400, "InvalidIpForNetwork",
                               "IP address " + text +
                                   " is not a valid IP for any of the subnets on the specified "
                                   "network."));
  }
  const Json* subnet = cloud.find(kSubnet, named);
  if (subnet == nullptr) return refuse(not_found(subnets(), named));
  if (string_member(*subnet, "network_id") != network) {
    return refuse(invalid_input("IP allocation requires subnets for network."));
  }
  if (!has(*subnet)) {
    return refuse(
        error_answer(400, "InvalidIpForSubnet",
                     "IP address " + text + " is not a valid IP for the specified subnet."));
  }
  return subnet;
}

bool is_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool colon = i % 3 == 2;
    if (colon ? text[i] != ':' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      return false;
    }
  }
  return true;
}

std::string new_mac(Cloud& cloud) {
  const std::string bytes = hex(cloud.random().bytes(3));
  return fmt::format("fa:16:3e:{}:{}:{}", bytes.substr(0, 2), bytes.substr(2, 2),
                     bytes.substr(4, 2));
}

Checked<void> check_mac(const Json& attributes) {
  const Json& mac = member(attributes, "mac_address");
  if (mac.is_null() || (mac.is_string() && is_mac(mac.get<std::string>()))) return {};
  return refuse(bad_request("Invalid input for mac_address. Reason: '" +
                            (mac.is_string() ? mac.get<std::string>() : mac.dump()) +
                            "' is not a valid MAC address."));
}

/// Every group exists for the caller, and stateful ones do not meet stateless ones.
Checked<void> check_groups(const Call& call, const Json& groups) {
  std::set<bool> stateful;
  for (const Json& id : groups) {
    auto group = visible(call, security_groups(), id.get<std::string>());
    if (!group) return refuse(std::move(group.error()));
    stateful.insert(member(**group, "stateful") != false);
  }
  if (stateful.size() < 2) return {};
  return refuse(error_answer(409, "SecurityGroupConflict",
                             "Error Cannot apply both stateful and stateless security groups on "
                             "the same port at the same time while attempting the operation."));
}

bool is_networks_own(const Json& port) {
  return string_member(port, "device_owner").compare(0, 8, "network:") == 0;
}

Checked<Json> create(Call& call, Json port) {
  auto network = visible(call, networks(), string_member(port, "network_id"));
  if (!network) return refuse(std::move(network.error()));
  // An external network that is not shared takes gateways, and nobody else's ports.
  if (!call.who.owns(string_member(**network, "project_id")) &&
      member(**network, "shared") != true) {
    return refuse(error_answer(403, "HTTPForbidden",
                               "Tenant " + string_member(port, "project_id") +
                                   " not allowed to create port on this network"));
  }
  if (auto sound = check_mac(port); !sound) return refuse(std::move(sound.error()));
  PortRequest request{.network = string_member(port, "network_id"),
                      .project = string_member(port, "project_id"),
                      .device_id = string_member(port, "device_id"),
                      .device_owner = string_member(port, "device_owner"),
                      .fixed_ips = member(port, "fixed_ips")};
  if (auto room = check_quota(call, ports(), request.project); !room) {
    return refuse(std::move(room.error()));
  }
  const bool secured = member(port, "port_security_enabled") != false && !is_networks_own(port);
  port["port_security_enabled"] = secured;
  if (member(port, "security_groups").is_null()) {
    port["security_groups"] = Json::array();
    const std::string group = default_group(call.cloud, request.project);
    if (secured) port["security_groups"].push_back(group);
  } else if (auto sound = check_groups(call, port["security_groups"]); !sound) {
    return refuse(std::move(sound.error()));
  }
  return make_port(call, request, std::move(port));
}

Checked<Json> update(Call& call, const Json& known, const Json& changes) {
  if (auto sound = check_mac(changes); !sound) return refuse(std::move(sound.error()));
  Json port = known;
  port.update(changes);
  if (changes.contains("security_groups")) {
    if (auto sound = check_groups(call, port["security_groups"]); !sound) {
      return refuse(std::move(sound.error()));
    }
  }
  if (changes.contains("fixed_ips")) {
    auto chosen = choose_addresses(call.cloud, string_member(known, "network_id"),
                                   changes["fixed_ips"], string_member(known, "id"));
    if (!chosen) return refuse(std::move(chosen.error()));
    port["fixed_ips"] = std::move(*chosen);
  }
  return port;
}

Checked<void> remove(Call& call, const Json& known) {
  const std::string owner = string_member(known, "device_owner");
  const std::string id = string_member(known, "id");
  if (owner == "network:router_interface" || owner == "network:router_gateway" ||
      owner == "network:floatingip") {
    return refuse(error_answer(
        409, "ServicePortInUse",
        "Port " + id + " cannot be deleted directly via the port API: has device owner " + owner +
            "."));
  }
  release_floating_ips(call.cloud, id);
  call.cloud.erase(kPort, id);
  return {};
}

Resource describe() {
  Resource resource;
  resource.kind = kPort;
  resource.singular = "port";
  resource.collection = "ports";
  resource.path = "ports";
  resource.missing_type = "PortNotFound";
  resource.missing_before = "Port ";
  resource.missing_after = " could not be found.";
  resource.attributes = {
      {.name = "network_id", .type = Type::Uuid, .in_put = false, .required = true},
      {.name = "name", .type = Type::Text, .otherwise = ""},
      {.name = "description", .type = Type::Text, .otherwise = ""},
      {.name = "admin_state_up", .type = Type::Boolean, .otherwise = true},
      {.name = "mac_address", .type = Type::Anything},
      {.name = "fixed_ips", .type = Type::List, .nullable = true},
      {.name = "device_id", .type = Type::Text, .otherwise = ""},
      {.name = "device_owner", .type = Type::Text, .otherwise = ""},
      {.name = "security_groups", .type = Type::Uuids, .nullable = true},
      {.name = "port_security_enabled", .type = Type::Boolean, .otherwise = true},
      {.name = "allowed_address_pairs", .type = Type::List, .otherwise = Json::array()},
      {.name = "extra_dhcp_opts", .type = Type::List, .otherwise = Json::array()},
      {.name = "qos_policy_id", .type = Type::Uuid, .nullable = true},
      {.name = "binding:vnic_type", .type = Type::Text, .otherwise = "normal"},
      {.name = "binding:host_id", .admin_only = true, .hidden = true, .otherwise = ""},
      {.name = "binding:profile", .admin_only = true, .hidden = true, .otherwise = Json::object()},
      {.name = "binding:vif_type", .in_post = false, .in_put = false, .hidden = true},
      {.name = "binding:vif_details", .in_post = false, .in_put = false, .hidden = true},
  };
  resource.create = create;
  resource.update = update;
  resource.remove = remove;
  return resource;
}

}  // namespace

const Resource& ports() {
  static const Resource resource = describe();
  return resource;
}

Checked<Json> choose_addresses(const Cloud& cloud, const std::string& network, const Json& wanted,
                               std::string_view self) {
  std::set<std::string> taken = taken_addresses(cloud, network, self);
  if (wanted.is_null()) return usual_addresses(cloud, network, taken);
  Json chosen = Json::array();
  for (const Json& each : wanted) {
    auto subnet = subnet_for(cloud, network, each);
    if (!subnet) return refuse(std::move(subnet.error()));
    std::string address = string_member(each, "ip_address");
    if (address.empty()) {
      const auto lowest = free_address(**subnet, taken);
      if (!lowest) return refuse(no_addresses(network));
      address = *lowest;
    } else {
      address = write_address(*read_address(address));
    }
    if (!taken.insert(address).second) {
      return refuse(error_answer(409, "IpAddressAlreadyAllocated",
                                 "IP address " + address + " already allocated in subnet " +
                                     string_member(**subnet, "id")));
    }
    chosen.push_back({{"subnet_id", member(**subnet, "id")}, {"ip_address", address}});
  }
  return chosen;
}

Checked<Json> make_port(Call& call, const PortRequest& request, Json attributes) {
  auto addresses = choose_addresses(call.cloud, request.network, request.fixed_ips, "");
  if (!addresses) return refuse(std::move(addresses.error()));
  Json port = {{"name", ""},
               {"description", ""},
               {"admin_state_up", true},
               {"security_groups", Json::array()},
               {"port_security_enabled", false},
               {"allowed_address_pairs", Json::array()},
               {"extra_dhcp_opts", Json::array()},
               {"qos_policy_id", nullptr},
               {"qos_network_policy_id", nullptr},
               {"binding:vnic_type", "normal"},
               {"binding:host_id", ""},
               {"binding:profile", Json::object()},
               {"binding:vif_type", "unbound"},
               {"binding:vif_details", Json::object()},
               {"status", "DOWN"}};
  port.update(attributes);
  port["network_id"] = request.network;
  port["project_id"] = request.project;
  port["device_id"] = request.device_id;
  port["device_owner"] = request.device_owner;
  port["fixed_ips"] = std::move(*addresses);
  if (member(port, "mac_address").is_null()) port["mac_address"] = new_mac(call.cloud);
  stamp(call, port, 1);
  return call.cloud.put(kPort, std::move(port));
}

}  // namespace bailey::devcloud::network
