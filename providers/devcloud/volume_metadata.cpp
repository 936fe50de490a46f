#include "providers/devcloud/volume.hpp"

#include <string>
#include <utility>

namespace bailey::devcloud::volume {

namespace {

OrderedJson schema_of(const std::string& wrapper) {
  OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {},
    "required": [],
    "additionalProperties": true
  })");
  schema["properties"][wrapper] = parse_ordered(R"({
    "type": ["object", "null"],
    "patternProperties": {"^[a-zA-Z0-9-_:. /]{1,255}$": {"type": "string", "maxLength": 255}},
    "additionalProperties": false
  })");
  schema["required"].push_back(wrapper);
  return schema;
}

ServerResponse show(Request& request) {
  const auto volume = volume_of(request);
  if (!volume) return volume.error();
  return json_answer(200, {{"metadata", (**volume)["metadata"]}});
}

enum class Mode : std::uint8_t { Merge, Replace };

ServerResponse set(Request& request, Mode mode) {
  static const OrderedJson schema = schema_of("metadata");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const auto known = volume_of(request);
  if (!known) return known.error();
  Json volume = **known;
  if (mode == Mode::Replace) volume["metadata"] = Json::object();
  for (const auto& [key, value] : (*body)["metadata"].items()) volume["metadata"][key] = value;
  const Json metadata = volume["metadata"];
  touch_volume(request.cloud(), std::move(volume));
  return json_answer(200, {{"metadata", metadata}});
}

ServerResponse no_key(const Request& request) {
  return fault_answer(404, "Volume " + request.part("volume") + " has no metadata with key " +
                               request.part("key") + ".");
}

ServerResponse show_item(Request& request) {
  const auto volume = volume_of(request);
  if (!volume) return volume.error();
  const Json& metadata = (**volume)["metadata"];
  const std::string& key = request.part("key");
  if (!metadata.contains(key)) return no_key(request);
  return json_answer(200, {{"meta", {{key, metadata[key]}}}});
}

ServerResponse set_item(Request& request) {
  static const OrderedJson schema = schema_of("meta");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const OrderedJson& meta = (*body)["meta"];
  const std::string& key = request.part("key");
  if (!meta.contains(key)) return fault_answer(400, "Request body and URI mismatch");
  if (meta.size() > 1) return fault_answer(400, "Request body contains too many items");
  const auto known = volume_of(request);
  if (!known) return known.error();
  Json volume = **known;
  volume["metadata"][key] = meta[key];
  touch_volume(request.cloud(), std::move(volume));
  return json_answer(200, {{"meta", meta}});
}

ServerResponse remove_item(Request& request) {
  const auto known = volume_of(request);
  if (!known) return known.error();
  Json volume = **known;
  if (volume["metadata"].erase(request.part("key")) == 0) return no_key(request);
  touch_volume(request.cloud(), std::move(volume));
  return empty(200);
}

}  // namespace

void add_volume_metadata(Router& router) {
  const std::string all = "/volumes/{volume}/metadata";
  add_route(router, "GET", all, "", show);
  add_route(router, "POST", all, "", [](Request& request) { return set(request, Mode::Merge); });
  add_route(router, "PUT", all, "", [](Request& request) { return set(request, Mode::Replace); });
  add_route(router, "GET", all + "/{key}", "", show_item);
  add_route(router, "PUT", all + "/{key}", "", set_item);
  add_route(router, "DELETE", all + "/{key}", "", remove_item);
}

}  // namespace bailey::devcloud::volume
