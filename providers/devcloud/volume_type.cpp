#include "providers/devcloud/volume.hpp"

#include <string>
#include <utility>

namespace bailey::devcloud::volume {

namespace {

constexpr const char* kUsual = "__DEFAULT__";

Json shown_type(const Request& request, const Json& type) {
  Json shown = type;
  shown["os-volume-type-access:is_public"] = type["is_public"];
  if (request.who().is_admin()) {
    shown["qos_specs_id"] = nullptr;
  } else {
    // What the back end is told about a type is for administrators.
    shown["extra_specs"] = Json::object();
  }
  return shown;
}

bool may_see(const Request& request, const Json& type) {
  return request.who().is_admin() || member(type, "is_public") == true;
}

ServerResponse list(Request& request) {
  Json types = Json::array();
  const auto all = request.cloud().all(kType);
  for (auto type = all.rbegin(); type != all.rend(); ++type) {
    if (may_see(request, **type)) types.push_back(shown_type(request, **type));
  }
  return json_answer(200, {{"volume_types", types}});
}

ServerResponse no_type(const std::string& id) {
  return fault_answer(404, "Volume type " + id + " could not be found.");
}

ServerResponse show(Request& request) {
  const std::string& id = request.part("type");
  const Json* type =
      id == "default" ? &default_type(request.cloud()) : request.cloud().find(kType, id);
  if (type == nullptr || !may_see(request, *type)) return no_type(id);
  return json_answer(200, {{"volume_type", shown_type(request, *type)}});
}

const OrderedJson& create_schema() {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"volume_type": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": {"type": ["string", "null"], "maxLength": 255},
        "extra_specs": {"type": ["object", "null"],
                        "additionalProperties": {"type": "string"}},
        "os-volume-type-access:is_public": {"type": ["boolean", "string"]}
      },
      "required": ["name"], "additionalProperties": false}},
    "required": ["volume_type"], "additionalProperties": false
  })");
  return schema;
}

ServerResponse create(Request& request) {
  const auto body = read_body(request, create_schema());
  if (!body) return body.error();
  const OrderedJson& asked = (*body)["volume_type"];
  const auto name = asked["name"].get<std::string>();
  if (request.cloud().find_by(kType, "name", name) != nullptr) {
    return fault_answer(409, "Volume Type " + name + " already exists.");
  }
  Json type = {{"id", request.cloud().new_uuid()},
               {"name", name},
               {"description", nullptr},
               {"is_public", true},
               {"extra_specs", Json::object()}};
  if (asked.contains("description")) type["description"] = asked["description"];
  if (asked.contains("extra_specs") && asked["extra_specs"].is_object()) {
    type["extra_specs"] = asked["extra_specs"];
  }
  if (asked.contains("os-volume-type-access:is_public")) {
    const std::string flag = python_str(asked["os-volume-type-access:is_public"]);
    type["is_public"] = flag == "True" || flag == "true" || flag == "1";
  }
  Json shown = request.cloud().put(kType, std::move(type));
  shown["os-volume-type-access:is_public"] = shown["is_public"];
  return json_answer(200, {{"volume_type", shown}});
}

ServerResponse remove(Request& request) {
  const std::string& id = request.part("type");
  const Json* type = request.cloud().find(kType, id);
  if (type == nullptr) return no_type(id);
  if (string_member(*type, "name") == kUsual) {
    return fault_answer(
        400, "The volume type " + id + " is the default volume type and cannot be deleted.");
  }
  if (request.cloud().find_by(kVolume, "type_id", id) != nullptr) {
    return fault_answer(400, "Target volume type is still in use.");
  }
  request.cloud().erase(kType, id);
  return empty(202);
}

ServerResponse show_specs(Request& request) {
  const Json* type = request.cloud().find(kType, request.part("type"));
  if (type == nullptr) return no_type(request.part("type"));
  const bool all = request.who().is_admin();
  return json_answer(200, {{"extra_specs", all ? (*type)["extra_specs"] : Json::object()}});
}

}  // namespace

const Json* find_type(const Cloud& cloud, std::string_view id_or_name) {
  const Json* type = cloud.find(kType, id_or_name);
  return type != nullptr ? type : cloud.find_by(kType, "name", id_or_name);
}

const Json& default_type(const Cloud& cloud) {
  return *cloud.find_by(kType, "name", kUsual);
}

void add_types(Router& router, Cloud& cloud) {
  if (cloud.find_by(kType, "name", kUsual) == nullptr) {
    cloud.put(kType, {{"id", cloud.new_uuid()},
                      {"name", kUsual},
                      {"description", "Default Volume Type"},
                      {"is_public", true},
                      {"extra_specs", Json::object()}});
  }
  add_route(router, "GET", "/types", "", list);
  add_route(router, "POST", "/types", "volume_extension:type_create", create);
  add_route(router, "GET", "/types/{type}", "", show);
  add_route(router, "DELETE", "/types/{type}", "volume_extension:type_delete", remove);
  add_route(router, "GET", "/types/{type}/extra_specs", "", show_specs);
}

}  // namespace bailey::devcloud::volume
