#include "providers/devcloud/volume.hpp"

#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace bailey::devcloud::volume {

namespace {

/// Ids of what the cloud consists of stay the same.
constexpr const char* kHostService = "2f6a1c1e-5a40-4c1d-9d7e-0d6f3b1a0004";

const OrderedJson& create_schema() {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"volume": {
      "type": "object",
      "properties": {
        "name": {"type": ["string", "null"]},
        "display_name": {"type": ["string", "null"]},
        "description": {"type": ["string", "null"]},
        "display_description": {"type": ["string", "null"]},
        "volume_type": {"type": ["string", "null"], "minLength": 0, "maxLength": 255},
        "metadata": {"type": ["object", "null"],
                     "patternProperties": {"^[a-zA-Z0-9-_:. /]{1,255}$": {"type": "string",
                                                                          "maxLength": 255}},
                     "additionalProperties": false},
        "snapshot_id": {"type": ["string", "null"], "format": "uuid"},
        "source_volid": {"type": ["string", "null"], "format": "uuid"},
        "consistencygroup_id": {"type": ["string", "null"]},
        "group_id": {"type": ["string", "null"]},
        "backup_id": {"type": ["string", "null"]},
        "size": {"type": ["integer", "string", "null"], "pattern": "^[0-9]+$", "minimum": 1},
        "availability_zone": {"type": ["string", "null"], "minLength": 1, "maxLength": 255},
        "multiattach": {"type": ["boolean", "string", "null"]},
        "image_id": {"type": ["string", "null"]},
        "imageRef": {"type": ["string", "null"]}
      },
      "additionalProperties": false}},
    "required": ["volume"], "additionalProperties": true
  })");
  return schema;
}

std::string text_of(const OrderedJson& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? std::string() : python_str(*found);
}

Checked<void> check_length(const std::string& name, const std::string& text) {
  const std::size_t length = utf8_length(text);
  if (length <= 255) return {};
  return refuse(fault_answer(400, fmt::format("Invalid input received: {} has {} characters, more "
                                              "than 255.",
                                              name, length)));
}

bool may_use(const Request& request, const Json& image) {
  const std::string visibility = string_member(image, "visibility");
  if (visibility == "public" || visibility == "community") return true;
  if (request.who().owns(string_member(image, "owner"))) return true;
  return visibility == "shared" &&
         request.cloud().find("image.member", string_member(image, "id") + "/" +
                                                  request.who().project_id) != nullptr;
}

/// The image that a volume is made from: there, ready, and not larger.
Checked<void> check_image(const Request& request, const std::string& id, std::int64_t size) {
  const Json* image = request.cloud().find("image.image", id);
  if (image == nullptr || !may_use(request, *image)) {
    return refuse(
        fault_answer(400, "Invalid image identifier or unable to access requested image."));
  }
  const auto invalid = [](const std::string& message) {
    return refuse(fault_answer(400, "Invalid input received: " + message));
  };
  if (string_member(*image, "status") != "active") {
    return invalid("Image " + id + " is not active.");
  }
  const std::int64_t bytes = member(*image, "size").get<std::int64_t>();
  const std::int64_t needed = (bytes + (std::int64_t{1} << 30) - 1) >> 30;
  if (needed > size) {
    return invalid(
        fmt::format("Size of specified image {}GB is larger than volume size {}GB.", needed, size));
  }
  const auto least = member(*image, "min_disk").get<std::int64_t>();
  if (least > size) {
    return invalid(
        fmt::format("Volume size {}GB cannot be smaller than the image minDisk size "
                    "{}GB.",
                    size, least));
  }
  return {};
}

Checked<const Json*> type_for(const Request& request, const OrderedJson& asked) {
  const std::string name = text_of(asked, "volume_type");
  if (name.empty()) return &default_type(request.cloud());
  const Json* type = find_type(request.cloud(), name);
  if (type == nullptr) {
    return refuse(fault_answer(
        404, looks_like_uuid(name) ? "Volume type " + name + " could not be found."
                                   : "Volume type with name " + name + " could not be found."));
  }
  return type;
}

/// What a volume may be made from, and where.
Checked<void> check_sources(const Request& request, const OrderedJson& asked, std::int64_t size) {
  if (const std::string id = text_of(asked, "snapshot_id"); !id.empty()) {
    return refuse(fault_answer(404, "Snapshot " + id + " could not be found."));
  }
  if (const std::string id = text_of(asked, "source_volid"); !id.empty()) {
    const Json* source = request.cloud().find(kVolume, id);
    if (source == nullptr || !request.who().owns(string_member(*source, "project_id"))) {
      return refuse(not_found(id));
    }
    if (member(*source, "size") > size) {
      return refuse(fault_answer(
          400, fmt::format("Invalid input received: Invalid volume size provided for create "
                           "request: {} (size argument must be an integer (or string "
                           "representation of an integer) and greater than zero).",
                           size)));
    }
  }
  std::string image = text_of(asked, "imageRef");
  if (image.empty()) image = text_of(asked, "image_id");
  if (!image.empty()) {
    if (auto fits = check_image(request, image, size); !fits) return fits;
  }
  const std::string zone = text_of(asked, "availability_zone");
  if (zone.empty() || zone == "nova") return {};
  return refuse(fault_answer(400, "Availability zone '" + zone + "' is invalid."));
}

Json new_volume(const Request& request, const OrderedJson& asked, std::int64_t size,
                const Json& type) {
  Cloud& cloud = request.cloud();
  const auto either = [&](const char* name, const char* old_name) {
    const char* given = asked.contains(name) ? name : old_name;
    return asked.contains(given) ? Json(asked[given]) : Json(nullptr);
  };
  Json volume = {{"id", cloud.new_uuid()},
                 {"project_id", request.who().project_id},
                 {"user_id", request.who().user_id},
                 {"name", either("name", "display_name")},
                 {"description", either("description", "display_description")},
                 {"size", size},
                 {"status", "creating"},
                 {"type_id", type["id"]},
                 {"metadata", Json::object()},
                 {"bootable", !text_of(asked, "imageRef").empty()},
                 {"created_at", now_text(cloud)},
                 {"updated_at", nullptr},
                 {"attachments", Json::array()},
                 {"due", now_ms(cloud) + cloud.settings().build_delay.count()}};
  if (asked.contains("metadata") && asked["metadata"].is_object()) {
    volume["metadata"] = asked["metadata"];
  }
  if (const std::string id = text_of(asked, "source_volid"); !id.empty()) {
    volume["source_volid"] = id;
  }
  return volume;
}

ServerResponse create(Request& request) {
  const auto body = read_body(request, create_schema());
  if (!body) return body.error();
  if (request.who().project_id.empty()) return forbidden_by("volume:create");
  const OrderedJson& asked = (*body)["volume"];
  for (const char* name : {"name", "description"}) {
    if (auto fits = check_length(name, text_of(asked, name)); !fits) return fits.error();
  }
  std::int64_t size = 0;
  const std::string text = text_of(asked, "size");
  std::from_chars(text.data(), text.data() + text.size(), size);
  const auto type = type_for(request, asked);
  if (!type) return type.error();
  if (size < 1) return malformed();
  if (auto fits = check_sources(request, asked, size); !fits) return fits.error();
  if (auto fits = check_size(request, size); !fits) return fits.error();
  if (auto room = check_quota(request, **type, 1, size); !room) return room.error();
  const Json& stored = request.cloud().put(kVolume, new_volume(request, asked, size, **type));
  Json shown = shown_volume(request, stored, Detail::Full);
  shown.erase("os-vol-tenant-attr:tenant_id");
  return json_answer(202, {{"volume", shown}});
}

ServerResponse show(Request& request) {
  const auto volume = volume_of(request);
  if (!volume) return volume.error();
  return json_answer(200, {{"volume", shown_volume(request, **volume, Detail::Full)}});
}

ServerResponse update(Request& request) {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"volume": {
      "type": "object",
      "properties": {
        "name": {"type": ["string", "null"]},
        "description": {"type": ["string", "null"]},
        "display_name": {"type": ["string", "null"]},
        "display_description": {"type": ["string", "null"]},
        "metadata": {"type": ["object", "null"],
                     "patternProperties": {"^[a-zA-Z0-9-_:. /]{1,255}$": {"type": "string",
                                                                          "maxLength": 255}},
                     "additionalProperties": false}
      },
      "additionalProperties": false,
      "anyOf": [{"required": ["name"]}, {"required": ["description"]}, {"required": ["metadata"]},
                {"required": ["display_name"]}, {"required": ["display_description"]}]}},
    "required": ["volume"], "additionalProperties": false
  })");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const auto known = volume_of(request);
  if (!known) return known.error();
  Json volume = **known;
  for (const auto& [name, value] : (*body)["volume"].items()) {
    const std::string field = name.compare(0, 8, "display_") == 0 ? name.substr(8) : name;
    if (field != "metadata") {
      if (auto fits = check_length(field, value.is_null() ? "" : python_str(value)); !fits) {
        return fits.error();
      }
    }
    if (field == "metadata" && value.is_null()) continue;
    volume[field] = value;
  }
  Json shown =
      shown_volume(request, touch_volume(request.cloud(), std::move(volume)), Detail::Full);
  shown.erase("os-vol-tenant-attr:tenant_id");
  return json_answer(200, {{"volume", shown}});
}

ServerResponse remove(Request& request) {
  const auto known = volume_of(request);
  if (!known) return known.error();
  Json volume = **known;
  const std::string status = string_member(volume, "status");
  const bool force = request.call.query("force").value_or("") == "True" && request.who().is_admin();
  const bool idle = status == "available" || status == "error" || status == "error_extending";
  if (!volume["attachments"].empty() || (!force && !idle)) {
    return invalid_volume(
        "Volume status must be available or error or error_restoring or error_extending or "
        "error_managing and must not be migrating, attached, belong to a group, have snapshots, "
        "awaiting a transfer, or be disassociated from snapshots after volume transfer.");
  }
  volume["status"] = "deleting";
  volume["due"] = now_ms(request.cloud()) + request.cloud().settings().build_delay.count() / 3;
  touch_volume(request.cloud(), std::move(volume));
  return empty(202);
}

Json shown_attachments(const Json& volume) {
  Json shown = Json::array();
  // Cinder knows of them when they are there.
  if (string_member(volume, "status") == "attaching") return shown;
  for (const Json& each : volume["attachments"]) {
    Json one = without_private(each);
    one["id"] = volume["id"];
    one["volume_id"] = volume["id"];
    one["host_name"] = nullptr;
    shown.push_back(std::move(one));
  }
  return shown;
}

void add_by_version(const Request& request, const Json& volume, Json& shown) {
  const bool placed = string_member(volume, "status") != "creating";
  const bool admin = request.who().is_admin();
  if (request.version >= 13) shown["group_id"] = nullptr;
  if (request.version >= 21 && admin) shown["provider_id"] = nullptr;
  if (request.version >= 48) {
    shown["shared_targets"] = !placed;
    shown["service_uuid"] = placed ? Json(kHostService) : Json(nullptr);
  }
  if (request.version >= 61 && admin) shown["cluster_name"] = nullptr;
  if (request.version >= 63) shown["volume_type_id"] = volume["type_id"];
  if (request.version >= 65) shown["consumes_quota"] = true;
  if (!admin) return;
  shown["migration_status"] = nullptr;
  shown["os-vol-host-attr:host"] = placed ? Json("devcloud@volumes#volumes") : Json(nullptr);
  shown["os-vol-mig-status-attr:migstat"] = nullptr;
  shown["os-vol-mig-status-attr:name_id"] = nullptr;
}

}  // namespace

const Json& touch_volume(Cloud& cloud, Json volume) {
  volume["updated_at"] = now_text(cloud);
  return cloud.put(kVolume, std::move(volume));
}

Checked<const Json*> volume_of(const Request& request) {
  const std::string& id = request.part("volume");
  const Json* volume = request.cloud().find(kVolume, id);
  if (volume == nullptr || !request.who().owns(string_member(*volume, "project_id"))) {
    return refuse(not_found(id));
  }
  return volume;
}

Json shown_volume(const Request& request, const Json& volume, Detail detail) {
  const std::string id = string_member(volume, "id");
  const std::string place = request.who().project_id + "/volumes/" + id;
  const std::string base = request.call.base();
  Json shown = {{"id", id},
                {"name", volume["name"]},
                {"links", Json::array({{{"rel", "self"}, {"href", base + "/v3/" + place}},
                                       {{"rel", "bookmark"}, {"href", base + "/" + place}}})}};
  if (detail == Detail::Brief) return shown;
  const Json* type = request.cloud().find(kType, string_member(volume, "type_id"));
  shown.update({{"attachments", shown_attachments(volume)},
                {"availability_zone", "nova"},
                {"bootable", volume["bootable"] == true ? "true" : "false"},
                {"consistencygroup_id", nullptr},
                {"created_at", volume["created_at"]},
                {"description", volume["description"]},
                {"encrypted", false},
                {"metadata", volume["metadata"]},
                {"multiattach", false},
                {"os-vol-tenant-attr:tenant_id", volume["project_id"]},
                {"replication_status", nullptr},
                {"size", volume["size"]},
                {"snapshot_id", nullptr},
                {"source_volid", member(volume, "source_volid")},
                {"status", volume["status"]},
                {"updated_at", volume["updated_at"]},
                {"user_id", volume["user_id"]},
                {"volume_type", type == nullptr ? Json(nullptr) : (*type)["name"]}});
  add_by_version(request, volume, shown);
  return shown;
}

void add_volumes(Router& router) {
  add_route(router, "POST", "/volumes", "", create);
  add_route(router, "GET", "/volumes/{volume}", "", show);
  add_route(router, "PUT", "/volumes/{volume}", "", update);
  add_route(router, "DELETE", "/volumes/{volume}", "", remove);
}

}  // namespace bailey::devcloud::volume
