#include "providers/devcloud/compute_server.hpp"
#include "providers/devcloud/network.hpp"

#include <algorithm>
#include <string>
#include <utility>

/// What Nova asks of Neutron.
namespace bailey::devcloud::compute {

namespace {

using network::kGroup;
using network::kNetwork;
using network::kPort;
using network::kSubnet;

bool may_use(const Identity& who, const Json& network) {
  return who.owns(string_member(network, "project_id")) || member(network, "shared") == true;
}

void change_port(Cloud& cloud, Json port) {
  port["updated_at"] = time_in_seconds(cloud.clock().wall_now());
  port["revision_number"] = member(port, "revision_number").get<std::int64_t>() + 1;
  cloud.put(kPort, std::move(port));
}

Checked<Nic> check_network(const Request& request, const std::string& id) {
  const Json* network = request.cloud().find(kNetwork, id);
  const bool external = network != nullptr && member(*network, "router:external") == true;
  if (network == nullptr || (!may_use(request.who(), *network) && !external)) {
    return refuse(fault_answer(400, "Network " + id + " could not be found."));
  }
  if (!may_use(request.who(), *network)) {
    return refuse(
        fault_answer(403, "It is not allowed to create an interface on external network " + id));
  }
  if (request.cloud().where(kSubnet, "network_id", id).empty()) {
    return refuse(
        fault_answer(400, "Network " + id + " requires a subnet in order to boot instances on."));
  }
  return Nic{.network = id, .port = {}, .address = {}, .tag = {}};
}

Checked<Nic> check_port(const Request& request, const std::string& id) {
  const Json* port = request.cloud().find(kPort, id);
  if (port == nullptr || !request.who().owns(string_member(*port, "project_id"))) {
    return refuse(fault_answer(400, "Port id " + id + " could not be found."));
  }
  if (!string_member(*port, "device_id").empty()) {
    return refuse(fault_answer(409, "Port " + id + " is still in use."));
  }
  if (member(*port, "fixed_ips").empty()) {
    return refuse(fault_answer(400, "Port " + id + " requires a FixedIP in order to be used."));
  }
  return Nic{.network = string_member(*port, "network_id"), .port = id, .address = {}, .tag = {}};
}

/// Without a wish: the one network that the project has.
Checked<std::vector<Nic>> only_network(const Request& request, bool must) {
  const std::string& project = request.who().project_id;
  std::vector<const Json*> choices = request.cloud().where(kNetwork, "project_id", project);
  for (const Json* network : request.cloud().all(kNetwork)) {
    if (member(*network, "shared") == true && string_member(*network, "project_id") != project) {
      choices.push_back(network);
    }
  }
  if (choices.size() > 1) {
    return refuse(fault_answer(
        409, "Multiple possible networks found, use a Network ID to be more specific."));
  }
  if (choices.empty()) {
    if (!must) return std::vector<Nic>{};
    return refuse(
        fault_answer(400, "Unable to automatically allocate a network for project " + project));
  }
  auto nic = check_network(request, string_member(*choices.front(), "id"));
  if (!nic) return refuse(nic.error());
  return std::vector<Nic>{std::move(*nic)};
}

Checked<std::vector<Nic>> nics_of(const Request& request, const OrderedJson& asked) {
  const OrderedJson& networks = asked.contains("networks") ? asked["networks"] : OrderedJson();
  if (networks == "none") return std::vector<Nic>{};
  if (networks == "auto") return only_network(request, true);
  if (!networks.is_array() || networks.empty()) return only_network(request, false);
  std::vector<Nic> nics;
  for (const auto& wish : networks) {
    const bool has_port = wish.contains("port") && wish["port"].is_string();
    if (!has_port && !wish.contains("uuid")) {
      return refuse(fault_answer(400, "Bad network format: missing 'uuid'"));
    }
    auto nic = has_port ? check_port(request, wish["port"].get<std::string>())
                        : check_network(request, wish["uuid"].get<std::string>());
    if (!nic) return refuse(nic.error());
    if (!has_port && wish.contains("fixed_ip")) nic->address = wish["fixed_ip"].get<std::string>();
    if (wish.contains("tag")) nic->tag = wish["tag"].get<std::string>();
    nics.push_back(std::move(*nic));
  }
  return nics;
}

Checked<std::vector<std::string>> groups_of(const Request& request, const OrderedJson& asked) {
  std::vector<std::string> names = {"default"};
  if (asked.contains("security_groups") && !asked["security_groups"].empty()) {
    names.clear();
    for (const auto& group : asked["security_groups"]) {
      if (group.contains("name")) names.push_back(group["name"].get<std::string>());
    }
  }
  // Every project has this one as soon as somebody asks for it.
  network::default_group(request.cloud(), request.who().project_id);
  std::vector<std::string> ids;
  const auto own = request.cloud().where(kGroup, "project_id", request.who().project_id);
  for (const std::string& name : names) {
    std::vector<std::string> found;
    for (const Json* group : own) {
      if (string_member(*group, "id") == name) found = {name};
    }
    for (const Json* group : own) {
      if (found.empty() || found.front() != name) {
        if (string_member(*group, "name") == name) found.push_back(string_member(*group, "id"));
      }
    }
    if (found.empty()) {
      return refuse(
          fault_answer(400, "Unable to find security_group with name or id '" + name + "'"));
    }
    if (found.size() > 1) {
      return refuse(fault_answer(409, "Multiple security_group matches found for name '" + name +
                                          "', use an ID to be more specific."));
    }
    if (std::find(ids.begin(), ids.end(), found.front()) == ids.end()) ids.push_back(found.front());
  }
  return ids;
}

}  // namespace

Checked<Wiring> wiring_of(const Request& request, const OrderedJson& asked) {
  auto groups = groups_of(request, asked);
  if (!groups) return refuse(groups.error());
  auto nics = nics_of(request, asked);
  if (!nics) return refuse(nics.error());
  return Wiring{.nics = std::move(*nics), .security_groups = std::move(*groups)};
}

Checked<std::string> plug(Call& call, const Json& server, const Wiring& wiring) {
  for (const Nic& nic : wiring.nics) {
    if (!nic.port.empty()) {
      Json port = *call.cloud.find(kPort, nic.port);
      port["device_id"] = server["id"];
      port["device_owner"] = "compute:nova";
      change_port(call.cloud, std::move(port));
      continue;
    }
    network::PortRequest wish{.network = nic.network,
                              .project = string_member(server, "project_id"),
                              .device_id = string_member(server, "id"),
                              .device_owner = "compute:nova",
                              .fixed_ips = nullptr};
    if (!network::check_quota(call, network::ports(), wish.project)) {
      return refuse(fault_answer(403, "Maximum number of ports exceeded"));
    }
    if (!nic.address.empty()) wish.fixed_ips = Json::array({{{"ip_address", nic.address}}});
    Json attributes = {{"security_groups", wiring.security_groups},
                       {"port_security_enabled", true},
                       {"_by_nova", true}};
    if (!nic.tag.empty()) attributes["_nic_tag"] = nic.tag;
    if (!network::make_port(call, wish, std::move(attributes))) {
      return nic.address.empty()
                 ? "No fixed IP addresses available for network: " + nic.network
                 : "Fixed IP address " + nic.address + " is not a valid address for network " +
                       nic.network + " or is already in use.";
    }
  }
  return std::string();
}

std::vector<const Json*> ports_of(const Cloud& cloud, std::string_view server) {
  return cloud.where(kPort, "device_id", server);
}

void activate_ports(Cloud& cloud, const std::string& server) {
  std::vector<Json> ports;
  for (const Json* port : ports_of(cloud, server)) ports.push_back(*port);
  for (Json& port : ports) {
    port["status"] = "ACTIVE";
    change_port(cloud, std::move(port));
  }
}

void unplug_port(Cloud& cloud, Json port) {
  if (member(port, "_by_nova") == true) {
    network::release_floating_ips(cloud, string_member(port, "id"));
    cloud.erase(kPort, string_member(port, "id"));
    return;
  }
  port["device_id"] = "";
  port["device_owner"] = "";
  port["status"] = "DOWN";
  change_port(cloud, std::move(port));
}

void unplug(Cloud& cloud, const std::string& server) {
  std::vector<Json> ports;
  for (const Json* port : ports_of(cloud, server)) ports.push_back(*port);
  for (Json& port : ports) unplug_port(cloud, std::move(port));
}

Json addresses_of(const Cloud& cloud, const Json& server, Detail detail) {
  Json addresses = Json::object();
  for (const Json* port : ports_of(cloud, string_member(server, "id"))) {
    const Json* network = cloud.find(kNetwork, string_member(*port, "network_id"));
    if (network == nullptr) continue;
    for (const Json& fixed : member(*port, "fixed_ips")) {
      const std::string address = string_member(fixed, "ip_address");
      Json entry = {{"version", address.find(':') == std::string::npos ? 4 : 6}, {"addr", address}};
      if (detail == Detail::Full) {
        entry["OS-EXT-IPS:type"] = "fixed";
        entry["OS-EXT-IPS-MAC:mac_addr"] = (*port)["mac_address"];
      }
      Json& list = addresses[string_member(*network, "name")];
      list.push_back(entry);
      for (const Json* floating :
           cloud.where("network.floating-ip", "port_id", string_member(*port, "id"))) {
        if (string_member(*floating, "fixed_ip_address") != address) continue;
        entry["addr"] = (*floating)["floating_ip_address"];
        if (detail == Detail::Full) entry["OS-EXT-IPS:type"] = "floating";
        list.push_back(entry);
      }
    }
  }
  return addresses;
}

Json group_names_of(const Cloud& cloud, const Json& server) {
  Json names = Json::array();
  for (const Json* port : ports_of(cloud, string_member(server, "id"))) {
    for (const std::string& id : strings_member(*port, "security_groups")) {
      const Json* group = cloud.find(kGroup, id);
      if (group == nullptr) continue;
      const Json name = {{"name", (*group)["name"]}};
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace bailey::devcloud::compute
