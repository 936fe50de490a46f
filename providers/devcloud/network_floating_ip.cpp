#include "providers/devcloud/network.hpp"
#include "providers/devcloud/network_address.hpp"

#include <utility>
#include <vector>

/// Floating IPs: an address of an external network, which is a port there, and at most one fixed
/// address behind a router with a gateway to that network.
namespace bailey::devcloud::network {

namespace {

using Type = Attribute::Type;

constexpr std::string_view kOwner = "network:floatingip";

ServerResponse bad_floating_ip(const std::string& message) {
  return error_answer(400, "BadRequest", "Bad floatingip request: " + message);
}

/// An IPv4 address of a port and the subnet that it is on.
struct FixedAddress {
  std::string address;
  std::string subnet;
};

/// The address of the port that is meant: the one named, or the only one.
Checked<FixedAddress> fixed_address(const Json& port, const std::string& wanted) {
  const std::string id = string_member(port, "id");
  std::vector<FixedAddress> found;
  for (const Json& each : member(port, "fixed_ips")) {
    const std::string text = string_member(each, "ip_address");
    if (const auto address = read_address(text); !address || address->version != 4) continue;
    if (wanted.empty() || text == wanted) {
      found.push_back({.address = text, .subnet = string_member(each, "subnet_id")});
    }
  }
  if (found.size() == 1) return found.front();
  if (!wanted.empty()) {
    return refuse(bad_floating_ip("Port " + id + " does not have fixed ip " + wanted + "."));
  }
  if (found.empty()) {
    return refuse(bad_floating_ip("Cannot add floating IP to port " + id +
                                  " that has no fixed IPv4 addresses."));
  }
  return refuse(bad_floating_ip("Port " + id +
                                " has multiple fixed IPv4 addresses.  Must provide a specific "
                                "IPv4 address when assigning a floating IP."));
}

/// The router that leads from a subnet to an external network, or nothing.
std::string router_between(const Cloud& cloud, const std::string& subnet,
                           const std::string& external) {
  const Json* known = cloud.find(kSubnet, subnet);
  if (known == nullptr) return {};
  for (const Json* port : ports_on(cloud, *known)) {
    if (string_member(*port, "device_owner") != "network:router_interface") continue;
    const Json* router = cloud.find(kRouter, string_member(*port, "device_id"));
    if (router == nullptr) continue;
    const Json& gateway = member(*router, "external_gateway_info");
    if (string_member(gateway, "network_id") == external) return string_member(*router, "id");
  }
  return {};
}

void release(Json& floating_ip) {
  for (const char* name : {"port_id", "fixed_ip_address", "router_id"}) floating_ip[name] = nullptr;
  floating_ip.erase("_subnet_id");
  floating_ip["status"] = "DOWN";
}

/// Puts the floating IP in front of a port, or says why it cannot be.
Checked<void> associate(const Call& call, Json& floating_ip, const std::string& port_id,
                        const std::string& wanted) {
  const auto port = visible(call, ports(), port_id);
  if (!port) return refuse(port.error());
  const auto fixed = fixed_address(**port, wanted);
  if (!fixed) return refuse(fixed.error());
  const std::string external = string_member(floating_ip, "floating_network_id");
  const std::string router = router_between(call.cloud, fixed->subnet, external);
  if (router.empty()) {
    return refuse(error_answer(404, "ExternalGatewayForFloatingIPNotFound",
                               "External network " + external + " is not reachable from subnet " +
                                   fixed->subnet + ".  Therefore, cannot associate Port " +
                                   port_id + " with a Floating IP."));
  }
  const std::string id = string_member(floating_ip, "id");
  for (const Json* other : call.cloud.where(kFloatingIp, "port_id", port_id)) {
    if (string_member(*other, "id") == id ||
        string_member(*other, "fixed_ip_address") != fixed->address ||
        string_member(*other, "floating_network_id") != external) {
      continue;
    }
    return refuse(error_answer(
        409, "FloatingIPPortAlreadyAssociated",
        "Cannot associate floating IP " + string_member(floating_ip, "floating_ip_address") + " (" +
            id + ") with port " + port_id + " using fixed IP " + fixed->address +
            ", as that fixed IP already has a floating IP on external network " + external + "."));
  }
  floating_ip["port_id"] = port_id;
  floating_ip["fixed_ip_address"] = fixed->address;
  floating_ip["router_id"] = router;
  floating_ip["_subnet_id"] = fixed->subnet;
  return {};
}

/// The subnet and address that the floating IP is to have, as a port asks for them.
Checked<Json> wanted_addresses(const Call& call, const Json& asked, const std::string& external) {
  const std::string subnet = string_member(asked, "subnet_id");
  const std::string address = string_member(asked, "floating_ip_address");
  Json wanted = Json::object();
  if (!subnet.empty()) {
    const Json* known = call.cloud.find(kSubnet, subnet);
    if (known == nullptr) return refuse(not_found(subnets(), subnet));
    if (string_member(*known, "network_id") != external) {
      return refuse(invalid_input("Failed to create port on network " + external +
                                  ", because fixed_ips included invalid subnet " + subnet + "."));
    }
    wanted["subnet_id"] = subnet;
  }
  if (!address.empty()) wanted["ip_address"] = address;
  if (!wanted.empty()) return Json::array({wanted});
  for (const Json* known : call.cloud.where(kSubnet, "network_id", external)) {
    if (member(*known, "ip_version") == 4) return Json(nullptr);
  }
  return refuse(bad_floating_ip("Network " + external + " does not contain any IPv4 subnet."));
}

Checked<Json> create(Call& call, Json asked) {
  const std::string external = string_member(asked, "floating_network_id");
  const std::string project = string_member(asked, "project_id");
  const auto network = visible(call, networks(), external);
  if (!network) return refuse(network.error());
  if (member(**network, "router:external") != true) {
    return refuse(bad_floating_ip("Network " + external + " is not a valid external network."));
  }
  const std::string port = string_member(asked, "port_id");
  const std::string fixed = string_member(asked, "fixed_ip_address");
  if (port.empty() && !fixed.empty()) {
    return refuse(bad_floating_ip("fixed_ip_address cannot be specified without a port_id."));
  }
  auto wanted = wanted_addresses(call, asked, external);
  if (!wanted) return refuse(std::move(wanted.error()));
  if (auto room = check_quota(call, floating_ips(), project); !room) {
    return refuse(std::move(room.error()));
  }
  Json floating_ip = {{"project_id", project},
                      {"description", asked["description"]},
                      {"floating_network_id", external},
                      {"qos_policy_id", nullptr},
                      {"port_forwardings", Json::array()}};
  stamp(call, floating_ip, 0);
  release(floating_ip);
  auto own = make_port(call,
                       {.network = external,
                        .project = "",
                        .device_id = string_member(floating_ip, "id"),
                        .device_owner = std::string(kOwner),
                        .fixed_ips = std::move(*wanted)},
                       Json::object());
  if (!own) return refuse(std::move(own.error()));
  floating_ip["floating_ip_address"] = (*own)["fixed_ips"][0]["ip_address"];
  if (!port.empty()) {
    auto done = associate(call, floating_ip, port, fixed);
    if (!done) return refuse(std::move(done.error()));
  }
  return call.cloud.put(kFloatingIp, std::move(floating_ip));
}

Checked<Json> update(Call& call, const Json& known, const Json& changes) {
  Json floating_ip = known;
  if (changes.contains("description")) floating_ip["description"] = changes["description"];
  const std::string port = string_member(changes, "port_id");
  const std::string fixed = string_member(changes, "fixed_ip_address");
  if (port.empty()) {
    if (!fixed.empty()) {
      return refuse(bad_floating_ip("fixed_ip_address cannot be specified without a port_id."));
    }
    // Null takes it away from its port; whoever says nothing about the port leaves it there.
    if (changes.contains("port_id")) release(floating_ip);
    return floating_ip;
  }
  auto done = associate(call, floating_ip, port, fixed);
  if (!done) return refuse(std::move(done.error()));
  return floating_ip;
}

Checked<void> remove(Call& call, const Json& known) {
  const std::string id = string_member(known, "id");
  call.cloud.erase_where(kPort, "device_id", id);
  call.cloud.erase(kFloatingIp, id);
  return {};
}

Json view(const Call& call, const Json& floating_ip) {
  Json result = floating_ip;
  result["port_details"] = nullptr;
  const Json* port = call.cloud.find(kPort, string_member(floating_ip, "port_id"));
  if (port == nullptr) return result;
  Json& details = result["port_details"] = Json::object();
  for (const char* name : {"admin_state_up", "device_id", "device_owner", "mac_address", "name",
                           "network_id", "status"}) {
    details[name] = member(*port, name);
  }
  return result;
}

Resource describe() {
  Resource resource;
  resource.kind = kFloatingIp;
  resource.singular = "floatingip";
  resource.collection = "floatingips";
  resource.path = "floatingips";
  resource.missing_type = "FloatingIPNotFound";
  resource.missing_before = "Floating IP ";
  resource.missing_after = " could not be found";
  resource.attributes = {
      {.name = "floating_network_id", .type = Type::Uuid, .in_put = false, .required = true},
      {.name = "floating_ip_address",
       .type = Type::Text,
       .in_put = false,
       .admin_only = true,
       .nullable = true},
      {.name = "subnet_id", .type = Type::Uuid, .in_put = false, .nullable = true},
      {.name = "port_id", .type = Type::Uuid, .nullable = true},
      {.name = "fixed_ip_address", .type = Type::Text, .nullable = true},
      {.name = "description", .type = Type::Text, .otherwise = ""},
      {.name = "qos_policy_id", .type = Type::Uuid, .nullable = true},
      {.name = "router_id", .in_post = false, .in_put = false},
      {.name = "port_details", .in_post = false, .in_put = false},
      {.name = "port_forwardings", .in_post = false, .in_put = false},
  };
  resource.create = create;
  resource.update = update;
  resource.remove = remove;
  resource.view = view;
  return resource;
}

}  // namespace

const Resource& floating_ips() {
  static const Resource resource = describe();
  return resource;
}

void release_floating_ips(Cloud& cloud, std::string_view port) {
  std::vector<Json> held;
  for (const Json* each : cloud.where(kFloatingIp, "port_id", port)) held.push_back(*each);
  for (Json& floating_ip : held) {
    release(floating_ip);
    touch(cloud, floating_ip);
    cloud.put(kFloatingIp, std::move(floating_ip));
  }
}

bool has_floating_ips(const Cloud& cloud, std::string_view router, std::string_view subnet) {
  for (const Json* each : cloud.where(kFloatingIp, "router_id", router)) {
    if (subnet.empty() || string_member(*each, "_subnet_id") == subnet) return true;
  }
  return false;
}

}  // namespace bailey::devcloud::network
