#include "providers/devcloud/compute_server.hpp"

#include <string>
#include <utility>

namespace bailey::devcloud::compute {

namespace {

ServerResponse in_wrong_state(const Json& server, const std::string& action) {
  const std::string task = string_member(server, "task");
  const std::string state = task.empty() || task == "build"
                                ? "vm_state " + string_member(server, "vm_state")
                                : "task_state " + task;
  return fault_answer(409, "Cannot '" + action + "' instance " + string_member(server, "id") +
                               " while it is in " + state);
}

ServerResponse switch_server(Request& request, Json server, const std::string& action,
                             const std::string& from) {
  if (string_member(server, "vm_state") != from || !string_member(server, "task").empty()) {
    return in_wrong_state(server, action);
  }
  record_event(request, server, action);
  begin_task(request.cloud(), std::move(server), action);
  return empty(202);
}

ServerResponse reboot(Request& request, const Json& server, const OrderedJson& how) {
  const std::string type = how.is_object() && how.contains("type") ? python_str(how["type"]) : "";
  if (type != "SOFT" && type != "HARD") {
    return fault_answer(400, "Invalid input for field/attribute reboot. Value: " + python_str(how) +
                                 ". 'type' is a required property");
  }
  return switch_server(request, server, "reboot", "active");
}

/// A group of the caller's project, by name or id; null when there is none.
const Json* group_named(const Request& request, const std::string& name) {
  for (const Json* group :
       request.cloud().where("network.security-group", "project_id", request.who().project_id)) {
    if (string_member(*group, "name") == name || string_member(*group, "id") == name) return group;
  }
  return nullptr;
}

ServerResponse change_group(Request& request, const Json& server, const OrderedJson& what,
                            bool add) {
  const std::string name =
      what.is_object() && what.contains("name") ? python_str(what["name"]) : "";
  if (name.empty()) return fault_answer(400, "Security group name cannot be empty");
  const Json* group = group_named(request, name);
  if (group == nullptr) {
    return fault_answer(
        404, "Security group " + name + " is not found for project " + request.who().project_id);
  }
  const std::string id = string_member(*group, "id");
  std::vector<Json> ports;
  for (const Json* port : ports_of(request.cloud(), string_member(server, "id"))) {
    ports.push_back(*port);
  }
  bool changed = false;
  for (Json& port : ports) {
    Json groups = Json::array();
    for (const std::string& one : strings_member(port, "security_groups")) {
      if (one != id) groups.push_back(one);
    }
    changed = changed || groups.size() != port["security_groups"].size();
    if (add) groups.push_back(id);
    port["security_groups"] = groups;
    request.cloud().put("network.port", std::move(port));
  }
  if (!add && !changed) {
    return fault_answer(404, "Security group " + name + " not associated with the instance " +
                                 string_member(server, "id"));
  }
  return empty(202);
}

ServerResponse act(Request& request) {
  const std::string& id = request.part("server");
  const OrderedJson body = request.ordered();
  if (!body.is_object() || body.size() != 1) return fault_answer(400, "Malformed request body");
  const std::string action = body.items().begin().key();
  const OrderedJson& what = body.items().begin().value();
  const Json* server = request.cloud().find(kServer, id);
  if (server == nullptr || !request.who().owns(string_member(*server, "project_id"))) {
    return fault_answer(404, "Instance " + id + " has no mapping to a cell.");
  }
  if (action == "os-stop") return switch_server(request, *server, "stop", "active");
  if (action == "os-start") return switch_server(request, *server, "start", "stopped");
  if (action == "reboot") return reboot(request, *server, what);
  if (action == "addSecurityGroup") return change_group(request, *server, what, true);
  if (action == "removeSecurityGroup") return change_group(request, *server, what, false);
  if (action == "os-getConsoleOutput") {
    return answer(200,
                  {{"output", "This server is one of the embedded cloud's, and runs nothing."}});
  }
  return fault_answer(400, "There is no such action: " + action);
}

ServerResponse show_events(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  Json shown = Json::array();
  const Json& events = (**server)["events"];
  for (std::size_t i = events.size(); i-- > 0;) {
    Json event = events[i];
    event["instance_uuid"] = (**server)["id"];
    if (request.version < 58) event.erase("updated_at");
    shown.push_back(std::move(event));
  }
  return answer(200, {{"instanceActions", shown}});
}

}  // namespace

void add_actions(Router& router) {
  add_route(router, "POST", "/servers/{server}/action", {}, act);
  add_route(router, "GET", "/servers/{server}/os-instance-actions", {}, show_events);
}

}  // namespace bailey::devcloud::compute
