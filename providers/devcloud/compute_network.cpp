#include "orchestrator/base/text.hpp"
#include "providers/devcloud/compute_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

/// What Nova asks of Neutron.
namespace bailey::devcloud::compute {

namespace {

constexpr std::string_view kNetwork = "network.network";
constexpr std::string_view kSubnet = "network.subnet";
constexpr std::string_view kPort = "network.port";
constexpr std::string_view kGroup = "network.security-group";

bool may_use(const Identity& who, const Json& network) {
  return who.owns(string_member(network, "project_id")) || member(network, "shared") == true;
}

std::optional<std::uint32_t> read_ipv4(const std::string& text) {
  const std::vector<std::string> parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t address = 0;
  for (const std::string& part : parts) {
    if (part.empty() || part.size() > 3 ||
        !std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return std::nullopt;
    }
    const unsigned long number = std::stoul(part);
    if (number > 255) return std::nullopt;
    address = (address << 8) | static_cast<std::uint32_t>(number);
  }
  return address;
}

std::string write_ipv4(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255,
                     address & 255);
}

bool in_cidr(std::uint32_t address, const std::string& cidr) {
  const std::vector<std::string> parts = split(cidr, '/');
  if (parts.size() != 2) return false;
  const auto base = read_ipv4(parts[0]);
  const auto bits = static_cast<unsigned>(std::stoul(parts[1]));
  if (!base || bits > 32) return false;
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return (address & mask) == (*base & mask);
}

std::set<std::string> taken_addresses(const Cloud& cloud, const std::string& network) {
  std::set<std::string> taken;
  for (const Json* port : cloud.where(kPort, "network_id", network)) {
    for (const Json& fixed : member(*port, "fixed_ips")) {
      taken.insert(string_member(fixed, "ip_address"));
    }
  }
  return taken;
}

std::optional<Json> fixed_address(const Cloud& cloud, const std::string& network,
                                  const std::string& address) {
  const auto number = read_ipv4(address);
  if (!number || taken_addresses(cloud, network).count(address) != 0) return std::nullopt;
  for (const Json* subnet : cloud.where(kSubnet, "network_id", network)) {
    if (!in_cidr(*number, string_member(*subnet, "cidr"))) continue;
    return Json{{"subnet_id", (*subnet)["id"]}, {"ip_address", address}};
  }
  return std::nullopt;
}

std::optional<Json> free_address(const Cloud& cloud, const std::string& network) {
  const std::set<std::string> taken = taken_addresses(cloud, network);
  for (const Json* subnet : cloud.where(kSubnet, "network_id", network)) {
    for (const Json& pool : member(*subnet, "allocation_pools")) {
      const auto first = read_ipv4(string_member(pool, "start"));
      const auto last = read_ipv4(string_member(pool, "end"));
      if (!first || !last) continue;
      for (std::uint64_t address = *first; address <= *last; ++address) {
        const std::string text = write_ipv4(static_cast<std::uint32_t>(address));
        if (taken.count(text) != 0 || text == string_member(*subnet, "gateway_ip")) continue;
        return Json{{"subnet_id", (*subnet)["id"]}, {"ip_address", text}};
      }
    }
  }
  return std::nullopt;
}

std::string new_mac(Cloud& cloud) {
  std::string mac = "fa:16:3e";
  for (int i = 0; i < 3; ++i) mac += fmt::format(":{:02x}", cloud.random().below(256));
  return mac;
}

Json new_port(Cloud& cloud, const Json& server, const std::string& network, const Json& fixed,
              const std::vector<std::string>& groups) {
  const std::string now = time_in_seconds(cloud.clock().wall_now());
  return {{"id", cloud.new_uuid()},
          {"name", ""},
          {"network_id", network},
          {"tenant_id", server["project_id"]},
          {"project_id", server["project_id"]},
          {"mac_address", new_mac(cloud)},
          {"admin_state_up", true},
          {"status", "DOWN"},
          {"device_id", server["id"]},
          {"device_owner", "compute:nova"},
          {"fixed_ips", Json::array({fixed})},
          {"allowed_address_pairs", Json::array()},
          {"extra_dhcp_opts", Json::array()},
          {"security_groups", groups},
          {"description", ""},
          {"binding:vnic_type", "normal"},
          {"port_security_enabled", true},
          {"qos_policy_id", nullptr},
          {"qos_network_policy_id", nullptr},
          {"tags", Json::array()},
          {"created_at", now},
          {"updated_at", now},
          {"revision_number", 1},
          {"_by_nova", true}};
}

void change_port(Cloud& cloud, Json port) {
  port["updated_at"] = time_in_seconds(cloud.clock().wall_now());
  port["revision_number"] = member(port, "revision_number").get<std::int64_t>() + 1;
  cloud.put(kPort, std::move(port));
}

Checked<Nic> check_network(const Request& request, const std::string& id) {
  const Json* network = request.cloud().find(kNetwork, id);
  if (network == nullptr || !may_use(request.who(), *network)) {
    return refuse(fault_answer(400, "Network " + id + " could not be found."));
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
    if (found.empty() && name == "default") continue;
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

std::string plug(Cloud& cloud, const Json& server, const Wiring& wiring) {
  for (const Nic& nic : wiring.nics) {
    if (!nic.port.empty()) {
      Json port = *cloud.find(kPort, nic.port);
      port["device_id"] = server["id"];
      port["device_owner"] = "compute:nova";
      change_port(cloud, std::move(port));
      continue;
    }
    const auto fixed = nic.address.empty() ? free_address(cloud, nic.network)
                                           : fixed_address(cloud, nic.network, nic.address);
    if (!fixed) {
      return nic.address.empty()
                 ? "No fixed IP addresses available for network: " + nic.network
                 : "Fixed IP address " + nic.address + " is not a valid address for network " +
                       nic.network + " or is already in use.";
    }
    Json port = new_port(cloud, server, nic.network, *fixed, wiring.security_groups);
    if (!nic.tag.empty()) port["_nic_tag"] = nic.tag;
    cloud.put(kPort, std::move(port));
  }
  return "";
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
      addresses[string_member(*network, "name")].push_back(std::move(entry));
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
