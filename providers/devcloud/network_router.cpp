#include "providers/devcloud/network.hpp"
#include "providers/devcloud/network_address.hpp"

#include <algorithm>
#include <utility>

/// Routers: their gateway to an external network and their interfaces on subnets, both of which are
/// ports.
namespace bailey::devcloud::network {

namespace {

using Type = Attribute::Type;

constexpr std::string_view kInterface = "network:router_interface";
constexpr std::string_view kGateway = "network:router_gateway";

ServerResponse bad_router(const std::string& message) {
  return error_answer(400, "BadRequest", "Bad router request: " + message);
}

std::vector<const Json*> ports_of(const Cloud& cloud, std::string_view router,
                                  std::string_view owner) {
  std::vector<const Json*> found;
  for (const Json* port : cloud.where(kPort, "device_id", router)) {
    if (string_member(*port, "device_owner") == owner) found.push_back(port);
  }
  return found;
}

void drop_gateway(Call& call, std::string_view router) {
  for (const Json* port : ports_of(call.cloud, router, kGateway)) {
    call.cloud.erase(kPort, std::string(string_member(*port, "id")));
  }
}

/// Brings the router's gateway port to what `external_gateway_info` asks for.
Checked<void> set_gateway(Call& call, Json& router, const Json& info) {
  const std::string id = string_member(router, "id");
  const std::string before = string_member(member(router, "external_gateway_info"), "network_id");
  if (string_member(info, "network_id") != before && has_floating_ips(call.cloud, id)) {
    return refuse(error_answer(409, "RouterExternalGatewayInUseByFloatingIp",
                               "Gateway cannot be updated for router " + id +
                                   ", since a gateway to external network " + before +
                                   " is required by one or more floating IPs."));
  }
  if (!info.is_object() || string_member(info, "network_id").empty()) {
    drop_gateway(call, id);
    router["external_gateway_info"] = nullptr;
    return {};
  }
  if (member(info, "enable_snat") == false && !call.who.is_admin()) {
    return refuse(error_answer(
        403, "PolicyNotAuthorized",
        "(rule:create_router and (rule:create_router:external_gateway_info and "
        "(rule:create_router:external_gateway_info:network_id and "
        "rule:create_router:external_gateway_info:enable_snat))) is disallowed by policy"));
  }
  const std::string network = string_member(info, "network_id");
  auto known = visible(call, networks(), network);
  if (!known) return refuse(std::move(known.error()));
  if (member(**known, "router:external") != true) {
    return refuse(bad_router("Network " + network + " is not an external network."));
  }
  drop_gateway(call, id);
  auto port = make_port(call,
                        {.network = network,
                         .project = "",
                         .device_id = id,
                         .device_owner = std::string(kGateway),
                         .fixed_ips = member(info, "external_fixed_ips")},
                        Json::object());
  if (!port) return refuse(std::move(port.error()));
  router["external_gateway_info"] = {{"network_id", network},
                                     {"external_fixed_ips", member(*port, "fixed_ips")},
                                     {"enable_snat", member(info, "enable_snat") != false}};
  return {};
}

Checked<Json> create(Call& call, Json router) {
  if (auto room = check_quota(call, routers(), string_member(router, "project_id")); !room) {
    return refuse(std::move(room.error()));
  }
  const Json info = router["external_gateway_info"];
  stamp(call, router, 1);
  router["status"] = "ACTIVE";
  router["flavor_id"] = nullptr;
  router["availability_zones"] = Json::array();
  router["external_gateway_info"] = nullptr;
  if (auto set = set_gateway(call, router, info); !set) return refuse(std::move(set.error()));
  return call.cloud.put(kRouter, std::move(router));
}

/// Every next hop must lie on a subnet that the router is on.
Checked<void> check_routes(const Call& call, const Json& router, const Json& routes) {
  for (const Json& route : routes) {
    const auto hop = read_address(string_member(route, "nexthop"));
    bool connected = false;
    for (const Json* port : call.cloud.where(kPort, "device_id", string_member(router, "id"))) {
      for (const Json& address : member(*port, "fixed_ips")) {
        const Json* subnet = call.cloud.find(kSubnet, string_member(address, "subnet_id"));
        const auto cidr =
            subnet == nullptr ? std::nullopt : read_cidr(string_member(*subnet, "cidr"));
        connected = connected || (hop && cidr && cidr->contains(*hop));
      }
    }
    if (!connected) {
      return refuse(error_answer(400, "InvalidRoutes",
                                 "Invalid format for routes: " + routes.dump() +
                                     ", the nexthop is not connected with router"));
    }
  }
  return {};
}

Checked<Json> update(Call& call, const Json& known, const Json& changes) {
  if (changes.contains("routes")) {
    auto sound = check_routes(call, known, changes["routes"]);
    if (!sound) return refuse(std::move(sound.error()));
  }
  Json router = known;
  router.update(changes);
  router["external_gateway_info"] = member(known, "external_gateway_info");
  if (changes.contains("external_gateway_info")) {
    auto set = set_gateway(call, router, changes["external_gateway_info"]);
    if (!set) return refuse(std::move(set.error()));
  }
  return router;
}

Checked<void> remove(Call& call, const Json& known) {
  const std::string id = string_member(known, "id");
  std::string attached;
  for (const Json* port : ports_of(call.cloud, id, kInterface)) {
    attached += (attached.empty() ? "" : ",") + string_member(*port, "id");
  }
  if (!attached.empty()) {
    return refuse(error_answer(409, "RouterInUse",
                               "Router " + id + " has ports still attached: " + attached));
  }
  drop_gateway(call, id);
  call.cloud.erase(kRouter, id);
  return {};
}

// --- interfaces

ServerResponse interface_answer(const Json& router, const Json& port) {
  Json subnet_ids = Json::array();
  for (const Json& address : member(port, "fixed_ips")) {
    subnet_ids.push_back(member(address, "subnet_id"));
  }
  return json_answer(200, {{"id", member(router, "id")},
                           {"tenant_id", member(router, "project_id")},
                           {"port_id", member(port, "id")},
                           {"network_id", member(port, "network_id")},
                           {"subnet_id", subnet_ids.empty() ? Json(nullptr) : subnet_ids[0]},
                           {"subnet_ids", subnet_ids}});
}

bool is_on(const Json& port, std::string_view subnet) {
  const Json& addresses = member(port, "fixed_ips");
  return std::any_of(addresses.begin(), addresses.end(), [&](const Json& address) {
    return string_member(address, "subnet_id") == subnet;
  });
}

/// The router can join the subnet: it has no port there, and none on a range that overlaps.
Checked<void> check_can_join(const Call& call, std::string_view router, const Json& subnet) {
  const auto range = read_cidr(string_member(subnet, "cidr"));
  for (const Json* port : ports_of(call.cloud, router, kInterface)) {
    for (const Json& address : member(*port, "fixed_ips")) {
      const std::string other_id = string_member(address, "subnet_id");
      if (other_id == string_member(subnet, "id")) {
        return refuse(bad_router("Router already has a port on subnet " + other_id + "."));
      }
      const Json* other = call.cloud.find(kSubnet, other_id);
      const auto taken = other == nullptr ? std::nullopt : read_cidr(string_member(*other, "cidr"));
      if (range && taken && range->overlaps(*taken)) {
        return refuse(bad_router("Cidr " + write_cidr(*range) + " of subnet " +
                                 string_member(subnet, "id") + " overlaps with cidr " +
                                 write_cidr(*taken) + " of subnet " + other_id + "."));
      }
    }
  }
  return {};
}

ServerResponse add_subnet(Call& call, const Json& router, const std::string& id) {
  const auto subnet = visible(call, subnets(), id);
  if (!subnet) return subnet.error();
  const std::string router_id = string_member(router, "id");
  if (auto can = check_can_join(call, router_id, **subnet); !can) return can.error();
  if (member(**subnet, "gateway_ip").is_null()) {
    return bad_router("Subnet for router interface must have a gateway IP.");
  }
  const auto port = make_port(
      call,
      {.network = string_member(**subnet, "network_id"),
       .project = string_member(router, "project_id"),
       .device_id = router_id,
       .device_owner = std::string(kInterface),
       .fixed_ips = Json::array({{{"subnet_id", id}, {"ip_address", (**subnet)["gateway_ip"]}}})},
      Json::object());
  if (!port) return port.error();
  touch_stored(call, kRouter, router_id);
  return interface_answer(router, *port);
}

ServerResponse add_port(Call& call, const Json& router, const std::string& id) {
  const auto known = visible(call, ports(), id);
  if (!known) return known.error();
  if (member(**known, "fixed_ips").empty()) {
    return bad_router("Router port must have at least one fixed IP.");
  }
  if (const std::string device = string_member(**known, "device_id"); !device.empty()) {
    return error_answer(409, "PortInUse",
                        "Unable to complete operation on port " + id + " for network " +
                            string_member(**known, "network_id") +
                            ". Port already has an attached device " + device + ".");
  }
  for (const Json& address : member(**known, "fixed_ips")) {
    const Json* subnet = call.cloud.find(kSubnet, string_member(address, "subnet_id"));
    if (subnet == nullptr) continue;
    auto can = check_can_join(call, string_member(router, "id"), *subnet);
    if (!can) return can.error();
  }
  Json port = **known;
  port["device_id"] = member(router, "id");
  port["device_owner"] = kInterface;
  port["security_groups"] = Json::array();
  touch(call.cloud, port);
  touch_stored(call, kRouter, string_member(router, "id"));
  return interface_answer(router, call.cloud.put(kPort, std::move(port)));
}

ServerResponse add_interface(Call& call) {
  const auto router = owned(call, routers(), call.part("id"), "add_router_interface");
  if (!router) return router.error();
  const std::string subnet = string_member(call.body, "subnet_id");
  const std::string port = string_member(call.body, "port_id");
  if (subnet.empty() && port.empty()) {
    return bad_router("Either subnet_id or port_id must be specified.");
  }
  if (!subnet.empty() && !port.empty()) {
    return bad_router("Cannot specify both subnet-id and port-id.");
  }
  return subnet.empty() ? add_port(call, **router, port) : add_subnet(call, **router, subnet);
}

ServerResponse remove_interface(Call& call) {
  const auto router = owned(call, routers(), call.part("id"), "remove_router_interface");
  if (!router) return router.error();
  const std::string id = call.part("id");
  const std::string subnet = string_member(call.body, "subnet_id");
  const std::string port_id = string_member(call.body, "port_id");
  if (subnet.empty() && port_id.empty()) {
    return bad_router("Either subnet_id or port_id must be specified.");
  }
  if (port_id.empty()) {
    if (auto known = visible(call, subnets(), subnet); !known) return known.error();
  }
  for (const Json* port : ports_of(call.cloud, id, kInterface)) {
    if (!port_id.empty() && string_member(*port, "id") != port_id) continue;
    if (!subnet.empty() && !is_on(*port, subnet)) continue;
    for (const Json& address : member(*port, "fixed_ips")) {
      const std::string on = string_member(address, "subnet_id");
      if (!has_floating_ips(call.cloud, id, on)) continue;
      return error_answer(409, "RouterInterfaceInUseByFloatingIP",
                          "Router interface for subnet " + on + " on router " + id +
                              " cannot be deleted, as it is required by one or more floating "
                              "IPs.");
    }
    ServerResponse answer = interface_answer(**router, *port);
    call.cloud.erase(kPort, std::string(string_member(*port, "id")));
    touch_stored(call, kRouter, id);
    return answer;
  }
  return port_id.empty()
             ? error_answer(404, "RouterInterfaceNotFoundForSubnet",
                            "Router " + id + " has no interface on subnet " + subnet)
             : error_answer(404, "RouterInterfaceNotFound",
                            "Router " + id + " does not have an interface with id " + port_id);
}

Resource describe() {
  Resource resource;
  resource.kind = kRouter;
  resource.singular = "router";
  resource.collection = "routers";
  resource.path = "routers";
  resource.missing_type = "RouterNotFound";
  resource.missing_before = "Router ";
  resource.missing_after = " could not be found";
  resource.attributes = {
      {.name = "name", .type = Type::Text, .otherwise = ""},
      {.name = "description", .type = Type::Text, .otherwise = ""},
      {.name = "admin_state_up", .type = Type::Boolean, .otherwise = true},
      {.name = "external_gateway_info"},
      {.name = "routes", .type = Type::List, .in_post = false, .otherwise = Json::array()},
      {.name = "distributed",
       .type = Type::Boolean,
       .admin_only = true,
       .hidden = true,
       .otherwise = false},
      {.name = "ha", .type = Type::Boolean, .admin_only = true, .hidden = true, .otherwise = false},
      {.name = "availability_zone_hints", .type = Type::List, .otherwise = Json::array()},
  };
  resource.create = create;
  resource.update = update;
  resource.remove = remove;
  resource.view = [](const Call&, const Json& router) {
    Json result = router;
    if (!result.contains("routes")) result["routes"] = Json::array();
    return result;
  };
  return resource;
}

}  // namespace

const Resource& routers() {
  static const Resource resource = describe();
  return resource;
}

void add_router_interface_routes(Router& router) {
  router.add("network", "PUT", "/v2.0/routers/{id}/add_router_interface", Access::signed_in(),
             add_interface);
  router.add("network", "PUT", "/v2.0/routers/{id}/remove_router_interface", Access::signed_in(),
             remove_interface);
}

}  // namespace bailey::devcloud::network
