#include "providers/devcloud/compute_server.hpp"

#include <algorithm>
#include <string>
#include <utility>

/// Server groups, and which servers are in them.
namespace bailey::devcloud::compute {

namespace {

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
        "policies": {"type": "array", "minItems": 1, "maxItems": 1,
                     "items": {"type": "string", "enum": ["anti-affinity", "affinity",
                                                          "soft-anti-affinity", "soft-affinity"]}}
      },
      "required": ["name", "policies"], "additionalProperties": false}},
    "required": ["server_group"], "additionalProperties": false
  })");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const OrderedJson& asked = (*body)["server_group"];
  if (asked.contains("rules") && asked["policy"] != "anti-affinity") {
    return fault_answer(400, "Only anti-affinity policy supports rules.");
  }
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
  if (request.version >= 75) {
    const auto page = read_query(request, {{"offset", "all_projects"}});
    if (!page) return page.error();
  }
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

Json server_groups_of(const Cloud& cloud, const Json& server) {
  Json ids = Json::array();
  for (const Json* group :
       cloud.where(kServerGroup, "project_id", string_member(server, "project_id"))) {
    const auto members = strings_member(*group, "members");
    if (std::find(members.begin(), members.end(), string_member(server, "id")) != members.end()) {
      ids.push_back((*group)["id"]);
    }
  }
  return ids;
}

Checked<std::string> hinted_group(const Request& request, const OrderedJson& body,
                                  std::size_t servers) {
  std::string id;
  for (const char* hints : {"os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"}) {
    if (body.contains(hints) && body[hints].contains("group")) {
      id = python_str(body[hints]["group"]);
    }
  }
  if (id.empty()) return id;
  const Json* group = request.cloud().find(kServerGroup, id);
  if (group == nullptr || !request.who().owns(string_member(*group, "project_id"))) {
    return refuse(fault_answer(400, "Instance group " + id + " could not be found."));
  }
  const auto limit = quota_of(request.cloud(), request.who().project_id).at("server_group_members");
  if (limit >= 0 && (*group)["members"].size() + servers > static_cast<std::size_t>(limit)) {
    return refuse(fault_answer(403, "Quota exceeded, too many servers in group"));
  }
  return id;
}

void join_group(Cloud& cloud, const std::string& id, const std::string& server) {
  const Json* known = cloud.find(kServerGroup, id);
  if (known == nullptr) return;
  Json group = *known;
  group["members"].push_back(server);
  cloud.put(kServerGroup, std::move(group));
}

void leave_groups(Cloud& cloud, const Json& server) {
  for (const Json& id : server_groups_of(cloud, server)) {
    Json group = *cloud.find(kServerGroup, id.get<std::string>());
    Json left = Json::array();
    for (const Json& one : group["members"]) {
      if (one != server["id"]) left.push_back(one);
    }
    group["members"] = left;
    cloud.put(kServerGroup, std::move(group));
  }
}

void add_server_groups(Router& router) {
  add_route(router, "POST", "/os-server-groups", {}, create_group);
  add_route(router, "GET", "/os-server-groups", {}, list_groups);
  add_route(router, "GET", "/os-server-groups/{group}", {}, show_group);
  add_route(router, "DELETE", "/os-server-groups/{group}", {}, remove_group);
}

}  // namespace bailey::devcloud::compute
