#include "providers/devcloud/compute_server.hpp"

#include <set>
#include <string>
#include <utility>

namespace bailey::devcloud::compute {

namespace {

Json shown_interface(const Request& request, const Json& port) {
  Json shown = {{"net_id", port["network_id"]},
                {"port_id", port["id"]},
                {"mac_addr", port["mac_address"]},
                {"port_state", port["status"]},
                {"fixed_ips", port["fixed_ips"]}};
  if (request.version >= 70) {
    shown["tag"] = port.contains("_nic_tag") ? port["_nic_tag"] : Json(nullptr);
  }
  return shown;
}

ServerResponse list_interfaces(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  Json interfaces = Json::array();
  for (const Json* port : ports_of(request.cloud(), request.part("server"))) {
    interfaces.push_back(shown_interface(request, *port));
  }
  return answer(200, {{"interfaceAttachments", interfaces}});
}

const Json* port_of(const Request& request) {
  for (const Json* port : ports_of(request.cloud(), request.part("server"))) {
    if (string_member(*port, "id") == request.part("port")) return port;
  }
  return nullptr;
}

ServerResponse show_interface(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  const Json* port = port_of(request);
  if (port != nullptr) {
    return answer(200, {{"interfaceAttachment", shown_interface(request, *port)}});
  }
  return fault_answer(404, "Instance " + request.part("server") + " does not have a port with id " +
                               request.part("port"));
}

ServerResponse attach(Request& request) {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"interfaceAttachment": {
      "type": "object",
      "properties": {
        "net_id": {"type": "string", "format": "uuid"},
        "port_id": {"type": "string", "format": "uuid"},
        "fixed_ips": {"type": "array", "minItems": 1, "maxItems": 1,
                      "items": {"type": "object",
                                "properties": {"ip_address": {"type": "string"}},
                                "required": ["ip_address"], "additionalProperties": false}},
        "tag": {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}
      },
      "additionalProperties": false}},
    "additionalProperties": false
  })");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const auto server = server_of(request);
  if (!server) return server.error();
  const std::string state = string_member(**server, "vm_state");
  if (state != "active" && state != "stopped") {
    return fault_answer(409, "Cannot 'attach_interface' instance " + request.part("server") +
                                 " while it is in vm_state " + state);
  }
  const OrderedJson wish =
      body->contains("interfaceAttachment") ? (*body)["interfaceAttachment"] : OrderedJson();
  if (wish.contains("net_id") && wish.contains("port_id")) {
    return fault_answer(400, "Must not input both network_id and port_id");
  }
  OrderedJson asked = OrderedJson::object();
  if (wish.contains("port_id")) asked["networks"] = {{{"port", wish["port_id"]}}};
  if (wish.contains("net_id")) asked["networks"] = {{{"uuid", wish["net_id"]}}};
  if (asked.contains("networks") && wish.contains("fixed_ips")) {
    asked["networks"][0]["fixed_ip"] = wish["fixed_ips"][0]["ip_address"];
  }
  const auto wiring = wiring_of(request, asked);
  if (!wiring) return wiring.error();
  if (wiring->nics.empty()) return fault_answer(400, "No free port or network was found.");
  const auto why = plug(request.call, **server, *wiring);
  if (!why) return why.error();
  if (!why->empty()) return fault_answer(400, *why);
  activate_ports(request.cloud(), request.part("server"));
  Json changed = **server;
  record_event(request, changed, "attach_interface");
  touch_server(request.cloud(), std::move(changed));
  const Json* port = ports_of(request.cloud(), request.part("server")).back();
  for (const Json* one : ports_of(request.cloud(), request.part("server"))) {
    if (wish.contains("port_id") && (*one)["id"] == wish["port_id"].get<std::string>()) port = one;
  }
  return answer(200, {{"interfaceAttachment", shown_interface(request, *port)}});
}

ServerResponse detach(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  Json changed = **server;
  record_event(request, changed, "detach_interface");
  // Whether there is such a port is found out later, and told to nobody.
  if (const Json* port = port_of(request)) unplug_port(request.cloud(), *port);
  touch_server(request.cloud(), std::move(changed));
  return empty(202);
}

Json shown_rule(const Json& rule) {
  Json shown = {{"id", rule["id"]},
                {"parent_group_id", rule["security_group_id"]},
                {"ip_protocol", rule["protocol"]},
                {"from_port", rule["port_range_min"]},
                {"to_port", rule["port_range_max"]},
                {"ip_range", Json::object()},
                {"group", Json::object()}};
  const Json& prefix = member(rule, "remote_ip_prefix");
  if (member(rule, "remote_group_id").is_null()) {
    shown["ip_range"]["cidr"] = prefix.is_null() ? Json("0.0.0.0/0") : prefix;
  }
  return shown;
}

ServerResponse list_groups(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  const Cloud& cloud = request.cloud();
  Json shown = Json::array();
  std::set<std::string> seen;
  for (const Json* port : ports_of(cloud, request.part("server"))) {
    for (const std::string& id : strings_member(*port, "security_groups")) {
      const Json* group = cloud.find("network.security-group", id);
      if (group == nullptr || !seen.insert(id).second) continue;
      Json rules = Json::array();
      for (const Json* rule : cloud.where("network.security-group-rule", "security_group_id", id)) {
        if (string_member(*rule, "direction") == "ingress") rules.push_back(shown_rule(*rule));
      }
      shown.push_back({{"id", id},
                       {"name", (*group)["name"]},
                       {"description", (*group)["description"]},
                       {"tenant_id", (*group)["project_id"]},
                       {"rules", rules}});
    }
  }
  return answer(200, {{"security_groups", shown}});
}

ServerResponse list_addresses(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  return answer(200, {{"addresses", addresses_of(request.cloud(), **server, Detail::Brief)}});
}

}  // namespace

void add_server_network(Router& router) {
  const std::string interfaces = "/servers/{server}/os-interface";
  add_route(router, "GET", interfaces, {}, list_interfaces);
  add_route(router, "POST", interfaces, {}, attach);
  add_route(router, "GET", interfaces + "/{port}", {}, show_interface);
  add_route(router, "DELETE", interfaces + "/{port}", {}, detach);
  add_route(router, "GET", "/servers/{server}/os-security-groups", {}, list_groups);
  add_route(router, "GET", "/servers/{server}/ips", {}, list_addresses);
}

}  // namespace bailey::devcloud::compute
