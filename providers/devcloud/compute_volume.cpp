#include "providers/devcloud/compute_server.hpp"
#include "providers/devcloud/volume.hpp"

#include <set>
#include <string>
#include <utility>

/// What Nova asks of Cinder: which volumes a server has.
namespace bailey::devcloud::compute {

namespace {

const Json& attachment_of(const Json& volume, const std::string& server) {
  static const Json none;
  for (const Json& one : member(volume, "attachments")) {
    if (string_member(one, "server_id") == server) return one;
  }
  return none;
}

Json shown_attachment(const Request& request, const Json& volume) {
  const std::string& server = request.part("server");
  const Json& held = attachment_of(volume, server);
  Json shown = {{"volumeId", volume["id"]}, {"serverId", server}, {"device", held["device"]}};
  if (request.version < 89) shown["id"] = volume["id"];
  if (request.version >= 70) shown["tag"] = member(held, "_tag");
  if (request.version >= 79) shown["delete_on_termination"] = member(held, "_delete") == true;
  if (request.version >= 89) {
    shown["attachment_id"] = held["attachment_id"];
    shown["bdm_uuid"] = held["attachment_id"];
  }
  return shown;
}

ServerResponse list(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  Json shown = Json::array();
  for (const Json* volume : volume::volumes_of(request.cloud(), request.part("server"))) {
    shown.push_back(shown_attachment(request, *volume));
  }
  return answer(200, {{"volumeAttachments", shown}});
}

/// The volume of the path, if the server has it; else the 404.
Checked<const Json*> attached_volume(const Request& request) {
  const std::string& id = request.part("volume");
  const Json* volume = request.cloud().find(volume::kVolume, id);
  if (volume == nullptr || attachment_of(*volume, request.part("server")).is_null()) {
    return refuse(fault_answer(
        404, "Instance " + request.part("server") + " is not attached to volume " + id));
  }
  return volume;
}

ServerResponse show(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  const auto volume = attached_volume(request);
  if (!volume) return volume.error();
  return answer(200, {{"volumeAttachment", shown_attachment(request, **volume)}});
}

OrderedJson attach_schema(int version) {
  OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"volumeAttachment": {
      "type": "object",
      "properties": {
        "volumeId": {"type": "string", "format": "uuid"},
        "device": {"type": ["string", "null"],
                   "pattern": "(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$"}
      },
      "required": ["volumeId"], "additionalProperties": false}},
    "required": ["volumeAttachment"], "additionalProperties": false
  })");
  OrderedJson& known = schema["properties"]["volumeAttachment"]["properties"];
  if (version >= 49) {
    known["tag"] = parse_ordered(
        R"({"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"})");
  }
  if (version >= 79) {
    known["delete_on_termination"] = parse_ordered(R"({"type": ["boolean", "string"]})");
  }
  return schema;
}

Checked<void> check_state(const Json& server, const std::string& action) {
  const std::string state = string_member(server, "vm_state");
  const std::string task = string_member(server, "task");
  if ((state == "active" || state == "stopped") && task.empty()) return {};
  const bool placed = state == "active" || state == "stopped";
  return refuse(fault_answer(409, "Cannot '" + action + "' instance " +
                                      string_member(server, "id") + " while it is in " +
                                      (placed ? "task_state " + task : "vm_state " + state)));
}

/// The device asked for, or the first free one after the root disk.
Checked<std::string> device_for(const Request& request, const std::string& wanted) {
  std::set<std::string> taken = {"/dev/sda"};
  for (const Json* volume : volume::volumes_of(request.cloud(), request.part("server"))) {
    taken.insert(string_member(attachment_of(*volume, request.part("server")), "device"));
  }
  if (!wanted.empty()) {
    if (taken.count(wanted) == 0) return wanted;
    return refuse(fault_answer(409, "The supplied device path (" + wanted + ") is in use."));
  }
  for (char letter = 'b'; letter <= 'z'; ++letter) {
    const std::string device = std::string("/dev/sd") + letter;
    if (taken.count(device) == 0) return device;
  }
  return refuse(fault_answer(403,
                             "The maximum allowed number of disk devices (26) to attach to a "
                             "single instance has been exceeded."));
}

/// What Nova hands on of Cinder's refusals.
ServerResponse from_cinder(const Request& request, const std::string& message) {
  return fault_answer(400, "Invalid input received: Invalid volume: " + message +
                               " (HTTP 400) (Request-ID: req-" + request.cloud().new_uuid() + ")");
}

Checked<void> check_volume(const Request& request, const std::string& id) {
  const Json* volume = request.cloud().find(volume::kVolume, id);
  if (volume == nullptr || !request.who().owns(string_member(*volume, "project_id"))) {
    return refuse(fault_answer(404, "Volume " + id + " could not be found."));
  }
  if (const Json& held = member(*volume, "attachments"); !held.empty()) {
    return refuse(fault_answer(
        400, "Invalid volume: volume " + id +
                 " is already attached to instances: " + string_member(held[0], "server_id")));
  }
  const std::string status = string_member(*volume, "status");
  if (status == "available") return {};
  return refuse(from_cinder(request, "Volume " + id +
                                         " status must be available or downloading to reserve, "
                                         "but the current status is " +
                                         status + "."));
}

ServerResponse attach(Request& request) {
  const auto body = read_body(request, attach_schema(request.version));
  if (!body) return body.error();
  const auto server = server_of(request);
  if (!server) return server.error();
  if (auto fits = check_state(**server, "attach_volume"); !fits) return fits.error();
  const OrderedJson& asked = (*body)["volumeAttachment"];
  const auto id = asked["volumeId"].get<std::string>();
  if (auto fits = check_volume(request, id); !fits) return fits.error();
  const bool named = asked.contains("device") && asked["device"].is_string();
  const auto device = device_for(request, named ? asked["device"].get<std::string>() : "");
  if (!device) return device.error();
  const Json tag = asked.contains("tag") ? Json(asked["tag"]) : Json(nullptr);
  const bool goes_too =
      asked.contains("delete_on_termination") && truthy(python_str(asked["delete_on_termination"]));
  volume::begin_attaching(request.cloud(), id,
                          {{"server_id", request.part("server")},
                           {"device", *device},
                           {"_tag", tag},
                           {"_delete", goes_too}});
  Json changed = **server;
  record_event(request, changed, "attach_volume");
  request.cloud().put(kServer, std::move(changed));
  Json shown = {
      {"id", id}, {"serverId", request.part("server")}, {"volumeId", id}, {"device", *device}};
  if (request.version >= 70) shown["tag"] = tag;
  if (request.version >= 79) shown["delete_on_termination"] = goes_too;
  return answer(200, {{"volumeAttachment", shown}});
}

ServerResponse detach(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  const std::string& id = request.part("volume");
  const Json* known = request.cloud().find(volume::kVolume, id);
  if (known == nullptr || !request.who().owns(string_member(*known, "project_id"))) {
    return fault_answer(404, "Volume " + id + " could not be found.");
  }
  const auto volume = attached_volume(request);
  if (!volume) return volume.error();
  if (auto fits = check_state(**server, "detach_volume"); !fits) return fits.error();
  if (string_member(**volume, "status") != "in-use") {
    return from_cinder(request,
                       "Unable to detach volume. Volume status must be 'in-use' and attach_status "
                       "must be 'attached' to detach.");
  }
  volume::begin_detaching(request.cloud(), id);
  Json changed = **server;
  record_event(request, changed, "detach_volume");
  request.cloud().put(kServer, std::move(changed));
  return empty(202);
}

}  // namespace

Json volumes_attached(const Request& request, const Json& server) {
  const std::string id = string_member(server, "id");
  Json shown = Json::array();
  for (const Json* volume : volume::volumes_of(request.cloud(), id)) {
    Json one = {{"id", (*volume)["id"]}};
    if (request.version >= 3) {
      one["delete_on_termination"] = member(attachment_of(*volume, id), "_delete") == true;
    }
    shown.push_back(std::move(one));
  }
  return shown;
}

void add_server_volumes(Router& router) {
  const std::string all = "/servers/{server}/os-volume_attachments";
  add_route(router, "GET", all, {}, list);
  add_route(router, "POST", all, {}, attach);
  add_route(router, "GET", all + "/{volume}", {}, show);
  add_route(router, "DELETE", all + "/{volume}", {}, detach);
}

}  // namespace bailey::devcloud::compute
