#include "providers/devcloud/compute.hpp"

#include <string>
#include <utility>

/// Zones, services, hypervisors and server groups: what tools ask for in passing.
namespace bailey::devcloud::compute {

namespace {

constexpr const char* kHost = "devcloud";

/// Ids of what the cloud consists of stay the same.
constexpr const char* kServiceIds[] = {"2f6a1c1e-5a40-4c1d-9d7e-0d6f3b1a0001",
                                       "2f6a1c1e-5a40-4c1d-9d7e-0d6f3b1a0002",
                                       "2f6a1c1e-5a40-4c1d-9d7e-0d6f3b1a0003"};

ServerResponse show_zones(Request& request) {
  static_cast<void>(request);
  return answer(200, {{"availabilityZoneInfo", Json::array({{{"zoneName", "nova"},
                                                             {"zoneState", {{"available", true}}},
                                                             {"hosts", nullptr}}})}});
}

ServerResponse show_services(Request& request) {
  Json services = Json::array();
  const char* binaries[] = {"nova-scheduler", "nova-conductor", "nova-compute"};
  for (std::size_t i = 0; i < 3; ++i) {
    Json service = {{"binary", binaries[i]},
                    {"host", kHost},
                    {"id", i + 1},
                    {"zone", i == 2 ? "nova" : "internal"},
                    {"status", "enabled"},
                    {"state", "up"},
                    {"updated_at", long_time_of_ms(now_ms(request.cloud()))},
                    {"disabled_reason", nullptr}};
    if (request.version >= 11) service["forced_down"] = false;
    if (request.version >= 53) service["id"] = kServiceIds[i];
    services.push_back(std::move(service));
  }
  return answer(200, {{"services", services}});
}

ServerResponse show_hypervisors(Request& request) {
  Json one = {{"id", 1}, {"hypervisor_hostname", kHost}, {"state", "up"}, {"status", "enabled"}};
  if (request.version >= 53) one["id"] = kServiceIds[2];
  return answer(200, {{"hypervisors", Json::array({one})}});
}

Json shown_group(const Json& group, int version) {
  if (version >= 64) return group;
  Json shown = group;
  shown["policies"] = Json::array({group["policy"]});
  shown["metadata"] = Json::object();
  shown.erase("policy");
  shown.erase("rules");
  if (version < 13) {
    shown.erase("project_id");
    shown.erase("user_id");
  }
  return shown;
}

ServerResponse create_group(Request& request) {
  const OrderedJson schema = parse_ordered(request.version >= 64 ? R"({
    "type": "object",
    "properties": {"server_group": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "policy": {"type": "string", "enum": ["anti-affinity", "affinity", "soft-anti-affinity",
                                              "soft-affinity"]},
        "rules": {"type": "object"}
      },
      "required": ["name", "policy"], "additionalProperties": false}},
    "required": ["server_group"], "additionalProperties": false
  })"
                                                                 : R"({
    "type": "object",
    "properties": {"server_group": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "policies": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "string"}}
      },
      "required": ["name", "policies"], "additionalProperties": false}},
    "required": ["server_group"], "additionalProperties": false
  })");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const OrderedJson& asked = (*body)["server_group"];
  Cloud& cloud = request.cloud();
  const auto limit = quota_of(cloud, request.who().project_id).at("server_groups");
  const auto used = cloud.where(kServerGroup, "project_id", request.who().project_id).size();
  if (limit >= 0 && used >= static_cast<std::size_t>(limit)) {
    return fault_answer(403, "Quota exceeded, too many server groups.");
  }
  Json group = {{"id", cloud.new_uuid()},
                {"name", asked["name"]},
                {"rules", Json::object()},
                {"members", Json::array()},
                {"project_id", request.who().project_id},
                {"user_id", request.who().user_id}};
  group["policy"] = request.version >= 64 ? Json(asked["policy"]) : Json(asked["policies"][0]);
  if (asked.contains("rules")) group["rules"] = asked["rules"];
  return answer(200, {{"server_group",
                       shown_group(cloud.put(kServerGroup, std::move(group)), request.version)}});
}

Checked<const Json*> group_of(const Request& request) {
  const std::string& id = request.part("group");
  const Json* group = request.cloud().find(kServerGroup, id);
  if (group == nullptr || !request.who().owns(string_member(*group, "project_id"))) {
    return refuse(fault_answer(404, "Instance group " + id + " could not be found."));
  }
  return group;
}

ServerResponse list_groups(Request& request) {
  Json groups = Json::array();
  for (const Json* group :
       request.cloud().where(kServerGroup, "project_id", request.who().project_id)) {
    groups.push_back(shown_group(*group, request.version));
  }
  return answer(200, {{"server_groups", groups}});
}

ServerResponse show_group(Request& request) {
  const auto group = group_of(request);
  if (!group) return group.error();
  return answer(200, {{"server_group", shown_group(**group, request.version)}});
}

ServerResponse remove_group(Request& request) {
  const auto group = group_of(request);
  if (!group) return group.error();
  request.cloud().erase(kServerGroup, request.part("group"));
  return empty(204);
}

}  // namespace

void add_inventory(Router& router) {
  add_route(router, "GET", "/os-availability-zone", {}, show_zones);
  add_route(router, "GET", "/os-services",
            {.since = 1, .admin_rule = "os_compute_api:os-services:list"}, show_services);
  add_route(router, "GET", "/os-hypervisors",
            {.since = 1, .admin_rule = "os_compute_api:os-hypervisors:list"}, show_hypervisors);
  add_route(router, "POST", "/os-server-groups", {}, create_group);
  add_route(router, "GET", "/os-server-groups", {}, list_groups);
  add_route(router, "GET", "/os-server-groups/{group}", {}, show_group);
  add_route(router, "DELETE", "/os-server-groups/{group}", {}, remove_group);
}

}  // namespace bailey::devcloud::compute
