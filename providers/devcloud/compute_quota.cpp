#include "providers/devcloud/compute_server.hpp"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace bailey::devcloud::compute {

namespace {

using Limits = std::map<std::string, std::int64_t>;

const Limits& defaults() {
  static const Limits limits = {{"instances", 10},
                                {"cores", 20},
                                {"ram", 51200},
                                {"key_pairs", 100},
                                {"metadata_items", 128},
                                {"server_groups", 10},
                                {"server_group_members", 10},
                                {"fixed_ips", -1},
                                {"floating_ips", -1},
                                {"security_groups", -1},
                                {"security_group_rules", -1},
                                {"injected_files", 5},
                                {"injected_file_content_bytes", 10240},
                                {"injected_file_path_bytes", 255}};
  return limits;
}

/// Networks left in 2.36, files in 2.57.
bool is_known(const std::string& name, int version) {
  if (name.compare(0, 8, "injected") == 0) return version < 57;
  if (name == "fixed_ips" || name == "floating_ips" || name.compare(0, 9, "security_") == 0) {
    return version < 36;
  }
  return true;
}

Limits without_unknown(const Limits& limits, int version) {
  Limits shown;
  for (const auto& [name, limit] : limits) {
    if (is_known(name, version)) shown[name] = limit;
  }
  return shown;
}

Checked<std::string> project_of(const Request& request, const std::string& rule) {
  const std::string& project = request.part("project");
  if (!request.who().owns(project)) return refuse(forbidden_by("os_compute_api:" + rule));
  if (request.cloud().find("identity.project", project) == nullptr) {
    return refuse(fault_answer(400, "Project ID " + project + " is not a valid project."));
  }
  return project;
}

Json quota_set(const Limits& limits, const std::string& id) {
  Json set = limits;
  if (!id.empty()) set["id"] = id;
  return {{"quota_set", set}};
}

ServerResponse show(Request& request) {
  const auto project = project_of(request, "os-quota-sets:show");
  if (!project) return project.error();
  const Limits limits = quota_of(request.cloud(), *project);
  return answer(200, quota_set(without_unknown(limits, request.version), *project));
}

ServerResponse show_defaults(Request& request) {
  return answer(200,
                quota_set(without_unknown(defaults(), request.version), request.part("project")));
}

std::int64_t used_of(const Usage& usage, const std::string& name) {
  if (name == "instances") return usage.instances;
  if (name == "cores") return usage.cores;
  return name == "ram" ? usage.ram : 0;
}

ServerResponse show_detail(Request& request) {
  const auto project = project_of(request, "os-quota-sets:detail");
  if (!project) return project.error();
  const Usage usage = usage_of(request.cloud(), *project);
  Json set = {{"id", *project}};
  for (const auto& [name, limit] :
       without_unknown(quota_of(request.cloud(), *project), request.version)) {
    set[name] = {{"limit", limit}, {"in_use", used_of(usage, name)}, {"reserved", 0}};
  }
  return answer(200, {{"quota_set", set}});
}

OrderedJson update_schema(int version) {
  OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"quota_set": {
      "type": "object",
      "properties": {"force": {"type": ["boolean", "string"]}},
      "additionalProperties": false}},
    "required": ["quota_set"],
    "additionalProperties": false
  })");
  for (const auto& [name, limit] : defaults()) {
    if (!is_known(name, version)) continue;
    schema["properties"]["quota_set"]["properties"][name] = parse_ordered(
        R"({"type": ["integer", "string"], "pattern": "^-?[0-9]+$", "minimum": -1,
            "maximum": 2147483647})");
  }
  return schema;
}

ServerResponse update(Request& request) {
  const auto body = read_body(request, update_schema(request.version));
  if (!body) return body.error();
  const auto project = project_of(request, "os-quota-sets:update");
  if (!project) return project.error();
  const OrderedJson& asked = (*body)["quota_set"];
  const bool force = asked.contains("force") && truthy(python_str(asked["force"]));
  const Usage usage = usage_of(request.cloud(), *project);
  Json quota = {{"id", *project}};
  if (const Json* known = request.cloud().find(kQuota, *project)) quota = *known;
  for (const auto& [name, value] : asked.items()) {
    if (name == "force") continue;
    const std::string text = python_str(value);
    std::int64_t limit = 0;
    std::from_chars(text.data(), text.data() + text.size(), limit);
    const std::int64_t used = used_of(usage, name);
    if (!force && limit >= 0 && limit < used) {
      return fault_answer(400, "Quota limit " + std::to_string(limit) + " for " + name +
                                   " must be greater than or equal to already used and reserved " +
                                   std::to_string(used) + ".");
    }
    quota[name] = limit;
  }
  request.cloud().put(kQuota, std::move(quota));
  const Limits limits = quota_of(request.cloud(), *project);
  return answer(200, quota_set(without_unknown(limits, request.version), ""));
}

ServerResponse remove(Request& request) {
  request.cloud().erase(kQuota, request.part("project"));
  return empty(202);
}

ServerResponse show_limits(Request& request) {
  std::string project = request.who().project_id;
  if (const auto asked = request.call.query("tenant_id"); asked && *asked != project) {
    if (!request.who().is_admin()) return forbidden_by("os_compute_api:limits:other_project");
    project = *asked;
  }
  const Limits limits = quota_of(request.cloud(), project);
  const Usage usage = usage_of(request.cloud(), project);
  Json absolute = {
      {"maxTotalInstances", limits.at("instances")},
      {"maxTotalCores", limits.at("cores")},
      {"maxTotalRAMSize", limits.at("ram")},
      {"maxServerMeta", limits.at("metadata_items")},
      {"maxTotalKeypairs", limits.at("key_pairs")},
      {"maxServerGroups", limits.at("server_groups")},
      {"maxServerGroupMembers", limits.at("server_group_members")},
      {"totalRAMUsed", usage.ram},
      {"totalCoresUsed", usage.cores},
      {"totalInstancesUsed", usage.instances},
      {"totalServerGroupsUsed", request.cloud().where(kServerGroup, "project_id", project).size()}};
  if (request.version < 36) {
    for (const char* name : {"maxTotalFloatingIps", "maxSecurityGroups", "maxSecurityGroupRules"}) {
      absolute[name] = -1;
    }
    absolute["totalFloatingIpsUsed"] = 0;
    absolute["totalSecurityGroupsUsed"] = 0;
  }
  if (request.version < 39) absolute["maxImageMeta"] = limits.at("metadata_items");
  if (request.version < 57) {
    absolute["maxPersonality"] = limits.at("injected_files");
    absolute["maxPersonalitySize"] = limits.at("injected_file_content_bytes");
  }
  return answer(200, {{"limits", {{"rate", Json::array()}, {"absolute", absolute}}}});
}

}  // namespace

std::map<std::string, std::int64_t> quota_of(const Cloud& cloud, const std::string& project) {
  Limits limits = defaults();
  const Json* quota = cloud.find(kQuota, project);
  if (quota == nullptr) return limits;
  for (auto& [name, limit] : limits) {
    if (const Json& own = member(*quota, name); own.is_number()) limit = own.get<std::int64_t>();
  }
  return limits;
}

Usage usage_of(const Cloud& cloud, const std::string& project) {
  Usage usage;
  for (const Json* server : cloud.where(kServer, "project_id", project)) {
    ++usage.instances;
    usage.cores += (*server)["flavor"]["vcpus"].get<std::int64_t>();
    usage.ram += (*server)["flavor"]["ram"].get<std::int64_t>();
  }
  return usage;
}

void add_quotas(Router& router) {
  const std::string one = "/os-quota-sets/{project}";
  const std::string rule = "os_compute_api:os-quota-sets:";
  add_route(router, "GET", one, {}, show);
  add_route(router, "GET", one + "/defaults", {}, show_defaults);
  add_route(router, "GET", one + "/detail", {}, show_detail);
  add_route(router, "PUT", one, {.since = 1, .admin_rule = rule + "update"}, update);
  add_route(router, "DELETE", one, {.since = 1, .admin_rule = rule + "delete"}, remove);
  add_route(router, "GET", "/limits", {}, show_limits);
}

}  // namespace bailey::devcloud::compute
