#include "providers/devcloud/network.hpp"

#include <utility>

/// Networks.
namespace bailey::devcloud::network {

namespace {

using Type = Attribute::Type;

constexpr int kLargestMtu = 1450;

Checked<void> check_mtu(const Json& attributes) {
  const Json& mtu = member(attributes, "mtu");
  if (!mtu.is_number_integer() || mtu.get<int>() <= kLargestMtu) return {};
  return refuse(invalid_input("Requested MTU is too big, maximum is 1450."));
}

Checked<Json> create(Call& call, Json network) {
  const std::string project = string_member(network, "project_id");
  if (auto fits = check_mtu(network); !fits) return refuse(std::move(fits.error()));
  if (auto room = check_quota(call, networks(), project); !room) {
    return refuse(std::move(room.error()));
  }
  default_group(call.cloud, project);
  stamp(call, network, 1);
  network["status"] = "ACTIVE";
  if (member(network, "mtu").is_null() || member(network, "mtu") == 0) network["mtu"] = kLargestMtu;
  if (member(network, "provider:network_type").is_null()) {
    network["provider:network_type"] = "vxlan";
    network["provider:segmentation_id"] = 1 + call.cloud.random().below(16'000'000);
  }
  return call.cloud.put(kNetwork, std::move(network));
}

Checked<Json> update(Call& call, const Json& known, const Json& changes) {
  static_cast<void>(call);
  if (auto fits = check_mtu(changes); !fits) return refuse(std::move(fits.error()));
  Json network = known;
  network.update(changes);
  return network;
}

Checked<void> remove(Call& call, const Json& known) {
  const std::string id = string_member(known, "id");
  std::string blocking;
  std::vector<std::string> servants;
  for (const Json* port : call.cloud.where(kPort, "network_id", id)) {
    const std::string port_id = string_member(*port, "id");
    if (string_member(*port, "device_owner") == "network:dhcp") {
      servants.push_back(port_id);
    } else {
      blocking += (blocking.empty() ? "" : ",") + port_id;
    }
  }
  if (!blocking.empty()) {
    return refuse(error_answer(409, "NetworkInUse",
                               "Unable to complete operation on network " + id +
                                   ". There are one or more ports still in use on the network, id "
                                   "for these ports is: " +
                                   blocking + "."));
  }
  for (const std::string& port : servants) call.cloud.erase(kPort, port);
  call.cloud.erase_where(kSubnet, "network_id", id);
  call.cloud.erase(kNetwork, id);
  return {};
}

Json view(const Call& call, const Json& network) {
  Json result = network;
  Json& subnet_ids = result["subnets"] = Json::array();
  for (const Json* subnet : call.cloud.where(kSubnet, "network_id", string_member(network, "id"))) {
    subnet_ids.push_back(member(*subnet, "id"));
  }
  result["availability_zones"] = Json::array();
  result["ipv4_address_scope"] = nullptr;
  result["ipv6_address_scope"] = nullptr;
  if (member(network, "router:external") != true) result.erase("is_default");
  return result;
}

Resource describe() {
  Resource resource;
  resource.kind = kNetwork;
  resource.singular = "network";
  resource.collection = "networks";
  resource.path = "networks";
  resource.missing_type = "NetworkNotFound";
  resource.missing_before = "Network ";
  resource.missing_after = " could not be found.";
  resource.attributes = {
      {.name = "name", .type = Type::Text, .otherwise = ""},
      {.name = "description", .type = Type::Text, .otherwise = ""},
      {.name = "admin_state_up", .type = Type::Boolean, .otherwise = true},
      {.name = "shared", .type = Type::Boolean, .admin_only = true, .otherwise = false},
      {.name = "router:external", .type = Type::Boolean, .admin_only = true, .otherwise = false},
      {.name = "is_default", .type = Type::Boolean, .admin_only = true, .otherwise = false},
      {.name = "mtu", .type = Type::Number, .nullable = true},
      {.name = "port_security_enabled", .type = Type::Boolean, .otherwise = true},
      {.name = "qos_policy_id", .type = Type::Uuid, .nullable = true},
      {.name = "availability_zone_hints", .type = Type::List, .otherwise = Json::array()},
      {.name = "provider:network_type", .admin_only = true, .hidden = true},
      {.name = "provider:physical_network", .admin_only = true, .hidden = true},
      {.name = "provider:segmentation_id", .admin_only = true, .hidden = true},
      {.name = "subnets", .in_post = false, .in_put = false},
  };
  resource.create = create;
  resource.update = update;
  resource.remove = remove;
  resource.view = view;
  resource.shared = [](const Json& network) {
    return member(network, "shared") == true || member(network, "router:external") == true;
  };
  return resource;
}

}  // namespace

const Resource& networks() {
  static const Resource resource = describe();
  return resource;
}

}  // namespace bailey::devcloud::network
