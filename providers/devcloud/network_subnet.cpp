#include "providers/devcloud/network.hpp"
#include "providers/devcloud/network_address.hpp"

#include <algorithm>
#include <utility>

/// Subnets: ranges that do not overlap within their network, a gateway, and pools to take from.
namespace bailey::devcloud::network {

namespace {

using Type = Attribute::Type;

IpAddress moved(IpAddress address, int by) {
  address.number += static_cast<AddressNumber>(by);
  return address;
}

/// The range that the body asks for, checked against its version and the network's other subnets.
Checked<Cidr> read_range(const Call& call, const Json& attributes) {
  if (member(attributes, "cidr").is_null()) {
    return refuse(error_answer(400, "BadRequest",
                               "Bad subnets request: a subnetpool must be specified in the "
                               "absence of a cidr."));
  }
  const std::string text = string_member(attributes, "cidr");
  const auto cidr = read_cidr(text);
  if (!cidr) return refuse(invalid_input(text + " is not in a CIDR format."));
  const int version = member(attributes, "ip_version").get<int>();
  if (cidr->base.version != version) {
    return refuse(invalid_input("cidr '" + text + "' does not match the ip_version '" +
                                std::to_string(version) + "'."));
  }
  const int longest = version == 4 ? 30 : 126;
  if (cidr->prefix > longest && member(attributes, "enable_dhcp") == true) {
    return refuse(invalid_input(
        "Subnet has a prefix length that is incompatible with DHCP service enabled."));
  }
  const std::string network = string_member(attributes, "network_id");
  for (const Json* other : call.cloud.where(kSubnet, "network_id", network)) {
    const auto taken = read_cidr(string_member(*other, "cidr"));
    if (taken && taken->overlaps(*cidr)) {
      return refuse(invalid_input("Requested subnet with cidr: " + write_cidr(*cidr) +
                                  " for network: " + network + " overlaps with another subnet."));
    }
  }
  return *cidr;
}

/// The first address that a host may have, and the last.
std::pair<IpAddress, IpAddress> usable(const Cidr& cidr) {
  const bool v4 = cidr.base.version == 4;
  const bool tiny = cidr.prefix >= (v4 ? 31 : 127);
  return {tiny ? cidr.base : moved(cidr.base, 1),
          v4 && !tiny ? moved(cidr.last(), -1) : cidr.last()};
}

Json pool(const IpAddress& start, const IpAddress& end) {
  return {{"start", write_address(start)}, {"end", write_address(end)}};
}

/// All usable addresses but the gateway's: one pool, or one at each side of it.
Json pools_around(const Cidr& cidr, const Json& gateway) {
  const auto [first, last] = usable(cidr);
  const auto taken = gateway.is_string() ? read_address(gateway.get<std::string>()) : std::nullopt;
  Json pools = Json::array();
  if (!taken || *taken < first || last < *taken) {
    pools.push_back(pool(first, last));
    return pools;
  }
  if (first < *taken) pools.push_back(pool(first, moved(*taken, -1)));
  if (*taken < last) pools.push_back(pool(moved(*taken, 1), last));
  return pools;
}

Checked<void> check_pools(const Json& subnet) {
  const auto cidr = read_cidr(string_member(subnet, "cidr"));
  const std::string gateway_text = string_member(subnet, "gateway_ip");
  const auto gateway = read_address(gateway_text);
  for (const Json& each : member(subnet, "allocation_pools")) {
    const std::string from = string_member(each, "start");
    const std::string to = string_member(each, "end");
    const auto start = read_address(from);
    const auto end = read_address(to);
    if (!start || !end) {
      return refuse(bad_request("Invalid input for allocation_pools. Reason: '" +
                                (start ? to : from) + "' is not a valid IP address."));
    }
    if (!cidr->contains(*start) || !cidr->contains(*end)) {
      return refuse(error_answer(400, "OutOfBoundsAllocationPool",
                                 "The allocation pool " + from + "-" + to +
                                     " spans beyond the subnet cidr " +
                                     string_member(subnet, "cidr") + "."));
    }
    if (*end < *start) {
      return refuse(error_answer(400, "InvalidAllocationPool",
                                 "The allocation pool " + from + "-" + to + " is not valid."));
    }
    if (gateway && *start <= *gateway && *gateway <= *end) {
      return refuse(error_answer(409, "GatewayConflictWithAllocationPools",
                                 "Gateway ip " + gateway_text + " conflicts with allocation pool " +
                                     from + "-" + to + "."));
    }
  }
  return {};
}

Checked<void> check_addresses(const Json& attributes) {
  const Json& gateway = member(attributes, "gateway_ip");
  if (gateway.is_string() && gateway != "" && !read_address(gateway.get<std::string>())) {
    return refuse(bad_request("Invalid input for gateway_ip. Reason: '" +
                              gateway.get<std::string>() + "' is not a valid IP address."));
  }
  for (const Json& server : member(attributes, "dns_nameservers")) {
    const std::string text = server.is_string() ? server.get<std::string>() : server.dump();
    if (!read_address(text)) {
      return refuse(bad_request("Invalid input for dns_nameservers. Reason: '" + text +
                                "' is not a valid nameserver. '" + text +
                                "' is not a valid IP address."));
    }
  }
  return {};
}

Checked<Json> create(Call& call, Json subnet) {
  const std::string network = string_member(subnet, "network_id");
  const Json& version = member(subnet, "ip_version");
  if (version != 4 && version != 6) {
    return refuse(bad_request("Invalid input for ip_version. Reason: " + version.dump() +
                              " is not in valid_values."));
  }
  if (auto known = owned(call, networks(), network, "create"); !known) {
    return refuse(std::move(known.error()));
  }
  if (auto sound = check_addresses(subnet); !sound) return refuse(std::move(sound.error()));
  auto cidr = read_range(call, subnet);
  if (!cidr) return refuse(std::move(cidr.error()));
  if (auto room = check_quota(call, subnets(), string_member(subnet, "project_id")); !room) {
    return refuse(std::move(room.error()));
  }
  subnet["cidr"] = write_cidr(*cidr);
  // Left out means the usual gateway; an explicit null means none.
  if (member(subnet, "gateway_ip") == "") {
    subnet["gateway_ip"] =
        write_address(cidr->base.version == 4 ? moved(cidr->base, 1) : cidr->base);
  }
  if (member(subnet, "allocation_pools").is_null()) {
    subnet["allocation_pools"] = pools_around(*cidr, subnet["gateway_ip"]);
  }
  if (auto sound = check_pools(subnet); !sound) return refuse(std::move(sound.error()));
  stamp(call, subnet, 0);
  touch_stored(call, kNetwork, network);
  return call.cloud.put(kSubnet, std::move(subnet));
}

Checked<Json> update(Call& call, const Json& known, const Json& changes) {
  static_cast<void>(call);
  if (auto sound = check_addresses(changes); !sound) return refuse(std::move(sound.error()));
  Json subnet = known;
  subnet.update(changes);
  if (changes.contains("gateway_ip") || changes.contains("allocation_pools")) {
    if (auto sound = check_pools(subnet); !sound) return refuse(std::move(sound.error()));
  }
  return subnet;
}

Checked<void> remove(Call& call, const Json& known) {
  const std::string id = string_member(known, "id");
  std::vector<std::string> servants;
  for (const Json* port : ports_on(call.cloud, known)) {
    if (string_member(*port, "device_owner") != "network:dhcp") {
      return refuse(error_answer(409, "SubnetInUse",
                                 "Unable to complete operation on subnet " + id +
                                     ": One or more ports have an IP allocation from this "
                                     "subnet."));
    }
    servants.push_back(string_member(*port, "id"));
  }
  for (const std::string& port : servants) call.cloud.erase(kPort, port);
  call.cloud.erase(kSubnet, id);
  touch_stored(call, kNetwork, string_member(known, "network_id"));
  return {};
}

Resource describe() {
  Resource resource;
  resource.kind = kSubnet;
  resource.singular = "subnet";
  resource.collection = "subnets";
  resource.path = "subnets";
  resource.missing_type = "SubnetNotFound";
  resource.missing_before = "Subnet ";
  resource.missing_after = " could not be found.";
  resource.attributes = {
      {.name = "network_id", .type = Type::Uuid, .in_put = false, .required = true},
      {.name = "ip_version", .type = Type::Number, .in_put = false, .required = true},
      {.name = "cidr", .type = Type::Text, .in_put = false, .nullable = true},
      {.name = "name", .type = Type::Text, .otherwise = ""},
      {.name = "description", .type = Type::Text, .otherwise = ""},
      {.name = "gateway_ip", .type = Type::Text, .nullable = true, .otherwise = ""},
      {.name = "allocation_pools", .type = Type::List, .nullable = true},
      {.name = "dns_nameservers", .type = Type::List, .otherwise = Json::array()},
      {.name = "host_routes", .type = Type::List, .otherwise = Json::array()},
      {.name = "enable_dhcp", .type = Type::Boolean, .otherwise = true},
      {.name = "ipv6_ra_mode", .in_put = false},
      {.name = "ipv6_address_mode", .in_put = false},
      {.name = "subnetpool_id", .in_put = false},
      {.name = "service_types", .type = Type::List, .otherwise = Json::array()},
  };
  resource.create = create;
  resource.update = update;
  resource.remove = remove;
  return resource;
}

}  // namespace

const Resource& subnets() {
  static const Resource resource = describe();
  return resource;
}

std::vector<const Json*> ports_on(const Cloud& cloud, const Json& subnet) {
  std::vector<const Json*> found;
  const std::string id = string_member(subnet, "id");
  for (const Json* port : cloud.where(kPort, "network_id", string_member(subnet, "network_id"))) {
    const Json& addresses = member(*port, "fixed_ips");
    const bool holds = std::any_of(addresses.begin(), addresses.end(), [&](const Json& address) {
      return string_member(address, "subnet_id") == id;
    });
    if (holds) found.push_back(port);
  }
  return found;
}

}  // namespace bailey::devcloud::network
