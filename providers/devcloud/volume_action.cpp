#include "providers/devcloud/volume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

/// What is done to volumes: the actions of the API, those of Nova, and what time completes.
namespace bailey::devcloud::volume {

namespace {

using Action = ServerResponse (*)(Request& request, const Json& known, const OrderedJson& what);

/// `{"os-extend": RULE}`, to check one action's body.
OrderedJson schema_of(const std::string& action, const char* rule) {
  OrderedJson schema = parse_ordered(R"({"type": "object", "properties": {}})");
  schema["properties"][action] = parse_ordered(rule);
  return schema;
}

bool in_status(const Json& volume, std::string_view status) {
  return string_member(volume, "status") == status;
}

/// Something that takes a while, if less than creating.
void begin(Cloud& cloud, Json volume, const char* status) {
  volume["status"] = status;
  volume["due"] = now_ms(cloud) + cloud.settings().build_delay.count() / 3;
  touch_volume(cloud, std::move(volume));
}

void free_of_servers(Json& volume) {
  volume["attachments"] = Json::array();
  volume["status"] = "available";
  volume.erase("due");
}

ServerResponse extend(Request& request, const Json& known, const OrderedJson&) {
  static const OrderedJson schema = schema_of("os-extend", R"({
    "type": "object",
    "properties": {"new_size": {"type": ["integer", "string"], "pattern": "^[0-9]+$",
                                "minimum": 1}},
    "required": ["new_size"], "additionalProperties": false})");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  std::int64_t size = 0;
  const std::string text = python_str((*body)["os-extend"]["new_size"]);
  std::from_chars(text.data(), text.data() + text.size(), size);
  const bool attached = in_status(known, "in-use") && request.version >= 42;
  const std::string id = string_member(known, "id");
  if (!in_status(known, "available") && !attached) {
    return invalid_volume("Volume " + id + " status must be '{'status': 'available'}' to extend, " +
                          "currently " + string_member(known, "status") + ".");
  }
  const auto before = known["size"].get<std::int64_t>();
  if (size <= before) {
    return fault_answer(400, fmt::format("Invalid input received: New size for extend must be "
                                         "greater than current size. (current: {}, extended: {}).",
                                         before, size));
  }
  if (auto fits = check_size(request, size); !fits) return fits.error();
  const Json* type = request.cloud().find(kType, string_member(known, "type_id"));
  if (type != nullptr) {
    if (auto room = check_quota(request, *type, 0, size - before); !room) return room.error();
  }
  Json volume = known;
  volume["new_size"] = size;
  begin(request.cloud(), std::move(volume), "extending");
  return text_answer(202, "application/json", "");
}

ServerResponse reset_status(Request& request, const Json& known, const OrderedJson& what) {
  if (!request.who().is_admin()) {
    return forbidden_by("volume_extension:volume_admin_actions:reset_status");
  }
  constexpr const char* kStatuses[] = {
      "creating",       "available",        "deleting",        "error",       "error_deleting",
      "error_managing", "managing",         "attaching",       "in-use",      "detaching",
      "maintenance",    "restoring-backup", "error_restoring", "reserved",    "awaiting-transfer",
      "backing-up",     "error_backing-up", "error_extending", "downloading", "uploading",
      "retyping",       "extending"};
  if (!what.is_object() || !what.contains("status")) {
    return fault_answer(400,
                        "Must specify 'status', 'attach_status' or 'migration_status' for update.");
  }
  const std::string status = python_str(what["status"]);
  std::string valid;
  bool good = false;
  for (const char* each : kStatuses) {
    good = good || status == each;
    valid += (valid.empty() ? "'" : ", '") + std::string(each) + "'";
  }
  if (!good) {
    return fault_answer(
        400, "Volume status: " + status + " is invalid, valid statuses are: (" + valid + ").");
  }
  Json volume = known;
  volume["status"] = status;
  volume.erase("due");
  touch_volume(request.cloud(), std::move(volume));
  return text_answer(202, "application/json", "");
}

ServerResponse force_delete(Request& request, const Json& known, const OrderedJson&) {
  if (!request.who().is_admin()) {
    return forbidden_by("volume_extension:volume_admin_actions:force_delete");
  }
  Json volume = known;
  volume["status"] = "deleting";
  volume["due"] = now_ms(request.cloud());
  touch_volume(request.cloud(), std::move(volume));
  return text_answer(202, "application/json", "");
}

ServerResponse set_bootable(Request& request, const Json& known, const OrderedJson& what) {
  const bool given = what.is_object() && what.contains("bootable");
  const std::string flag = given ? python_str(what["bootable"]) : "";
  if (flag.empty()) {
    return fault_answer(400, "Invalid input for field/attribute os-set_bootable. Value: " +
                                 python_str(what) + ". 'bootable' is a required property");
  }
  Json volume = known;
  volume["bootable"] = flag == "True" || flag == "true" || flag == "1";
  request.cloud().put(kVolume, std::move(volume));
  return text_answer(200, "application/json", "");
}

ServerResponse reserve(Request& request, const Json& known, const OrderedJson&) {
  if (!in_status(known, "available")) {
    return invalid_volume("Volume status must be available to reserve, but the status is " +
                          string_member(known, "status") + ".");
  }
  Json volume = known;
  volume["status"] = "attaching";
  touch_volume(request.cloud(), std::move(volume));
  return text_answer(202, "application/json", "");
}

/// Takes back a step that has not been finished; any other volume stays as it is.
ServerResponse back_to(const char* status, const char* step, Request& request, const Json& known) {
  Json volume = known;
  if (in_status(known, step)) volume["status"] = status;
  touch_volume(request.cloud(), std::move(volume));
  return text_answer(202, "application/json", "");
}

ServerResponse unreserve(Request& request, const Json& known, const OrderedJson&) {
  return back_to("available", "attaching", request, known);
}

ServerResponse attach(Request& request, const Json& known, const OrderedJson&) {
  static const OrderedJson schema = schema_of("os-attach", R"({
    "type": "object",
    "properties": {"instance_uuid": {"type": "string", "format": "uuid"},
                   "mountpoint": {"type": "string", "minLength": 1, "maxLength": 255},
                   "host_name": {"type": "string"},
                   "mode": {"type": "string", "enum": ["rw", "ro"]}},
    "required": ["mountpoint"], "additionalProperties": false})");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const OrderedJson& what = (*body)["os-attach"];
  if (!in_status(known, "available") && !in_status(known, "attaching")) {
    return invalid_volume("volume is already attached");
  }
  if (!what.contains("instance_uuid")) {
    return fault_answer(400, "Invalid request to attach volume to an invalid target");
  }
  begin_attaching(request.cloud(), string_member(known, "id"),
                  {{"server_id", python_str(what["instance_uuid"])},
                   {"device", python_str(what["mountpoint"])}});
  return text_answer(202, "application/json", "");
}

ServerResponse detach(Request& request, const Json& known, const OrderedJson&) {
  Json volume = known;
  free_of_servers(volume);
  touch_volume(request.cloud(), std::move(volume));
  return text_answer(202, "application/json", "");
}

ServerResponse mark_detaching(Request& request, const Json& known, const OrderedJson&) {
  if (!in_status(known, "in-use")) {
    return invalid_volume(
        "Unable to detach volume. Volume status must be 'in-use' and attach_status must be "
        "'attached' to detach.");
  }
  Json volume = known;
  volume["status"] = "detaching";
  touch_volume(request.cloud(), std::move(volume));
  return text_answer(202, "application/json", "");
}

ServerResponse roll_detaching(Request& request, const Json& known, const OrderedJson&) {
  return back_to("in-use", "detaching", request, known);
}

ServerResponse act(Request& request) {
  static const std::map<std::string, Action> actions = {{"os-extend", extend},
                                                        {"os-reset_status", reset_status},
                                                        {"os-force_delete", force_delete},
                                                        {"os-set_bootable", set_bootable},
                                                        {"os-reserve", reserve},
                                                        {"os-unreserve", unreserve},
                                                        {"os-attach", attach},
                                                        {"os-detach", detach},
                                                        {"os-begin_detaching", mark_detaching},
                                                        {"os-roll_detaching", roll_detaching}};
  const OrderedJson body = parse_ordered(request.call.http.body);
  if (!body.is_object() || body.empty()) return fault_answer(400, "Malformed request body");
  const std::string name = body.items().begin().key();
  const auto action = actions.find(name);
  if (action == actions.end()) {
    return fault_answer(400, "There is no such action: " + name +
                                 ". Verify the request body and Content-Type header and try "
                                 "again.");
  }
  const auto known = volume_of(request);
  if (!known) return known.error();
  return action->second(request, Json(**known), body.items().begin().value());
}

ServerResponse list_attachments(Request& request) {
  Json shown = Json::array();
  for (const Json* volume :
       request.cloud().where(kVolume, "project_id", request.who().project_id)) {
    if (in_status(*volume, "attaching")) continue;
    for (const Json& one : (*volume)["attachments"]) {
      shown.push_back({{"id", one["attachment_id"]},
                       {"instance", one["server_id"]},
                       {"status", "attached"},
                       {"volume_id", (*volume)["id"]}});
    }
  }
  return json_answer(200, {{"attachments", shown}});
}

void finish(Cloud& cloud, Json volume) {
  const std::string status = string_member(volume, "status");
  if (status == "deleting") {
    cloud.erase(kVolume, string_member(volume, "id"));
    return;
  }
  volume.erase("due");
  if (status == "extending") {
    volume["size"] = volume["new_size"];
    volume.erase("new_size");
  }
  volume["status"] = volume["attachments"].empty() ? "available" : "in-use";
  if (status == "detaching") free_of_servers(volume);
  touch_volume(cloud, std::move(volume));
}

}  // namespace

void begin_attaching(Cloud& cloud, const std::string& id, Json attachment) {
  const Json* known = cloud.find(kVolume, id);
  if (known == nullptr) return;
  Json volume = *known;
  attachment["attachment_id"] = cloud.new_uuid();
  attachment["attached_at"] = now_text(cloud);
  volume["attachments"].push_back(std::move(attachment));
  begin(cloud, std::move(volume), "attaching");
}

void begin_detaching(Cloud& cloud, const std::string& id) {
  if (const Json* known = cloud.find(kVolume, id)) begin(cloud, *known, "detaching");
}

std::vector<const Json*> volumes_of(const Cloud& cloud, std::string_view server) {
  std::vector<const Json*> found;
  for (const char* status : {"attaching", "in-use", "detaching", "extending"}) {
    for (const Json* volume : cloud.where(kVolume, "status", status)) {
      const Json& held = (*volume)["attachments"];
      const bool its = std::any_of(held.begin(), held.end(), [&](const Json& one) {
        return string_member(one, "server_id") == server;
      });
      if (its) found.push_back(volume);
    }
  }
  // By device, which is the order in which a server got them.
  std::stable_sort(found.begin(), found.end(), [](const Json* left, const Json* right) {
    return string_member((*left)["attachments"][0], "device") <
           string_member((*right)["attachments"][0], "device");
  });
  return found;
}

void detach_all(Cloud& cloud, std::string_view server) {
  std::vector<Json> held;
  for (const Json* volume : volumes_of(cloud, server)) held.push_back(*volume);
  for (Json& volume : held) {
    const bool goes_too = member(volume["attachments"][0], "_delete") == true;
    free_of_servers(volume);
    if (goes_too) {
      begin(cloud, std::move(volume), "deleting");
    } else {
      touch_volume(cloud, std::move(volume));
    }
  }
}

void settle_volumes(Cloud& cloud) {
  const Cloud::Sight sight = cloud.look(Cloud::Sight::Everything);
  const std::int64_t now = now_ms(cloud);
  for (const char* status : {"creating", "deleting", "extending", "attaching", "detaching"}) {
    std::vector<Json> ready;
    for (const Json* volume : cloud.where(kVolume, "status", status)) {
      const Json& due = member(*volume, "due");
      if (due.is_number() && due <= now) ready.push_back(*volume);
    }
    for (Json& volume : ready) finish(cloud, std::move(volume));
  }
  cloud.look(sight);
}

void add_volume_actions(Router& router) {
  add_route(router, "POST", "/volumes/{volume}/action", "", act);
  add_route(router, "GET", "/attachments", "", list_attachments);
}

}  // namespace bailey::devcloud::volume
