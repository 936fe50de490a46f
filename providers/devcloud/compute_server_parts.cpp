#include "providers/devcloud/compute_server.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace bailey::devcloud::compute {

namespace {

constexpr std::size_t kMostTags = 50;

const OrderedJson& metadata_schema() {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"metadata": {
      "type": "object",
      "patternProperties": {"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": "string", "maxLength": 255}},
      "additionalProperties": false}},
    "required": ["metadata"],
    "additionalProperties": false
  })");
  return schema;
}

const OrderedJson& meta_schema() {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"meta": {
      "type": "object",
      "patternProperties": {"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": "string", "maxLength": 255}},
      "additionalProperties": false}},
    "required": ["meta"],
    "additionalProperties": false
  })");
  return schema;
}

ServerResponse show_metadata(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  return answer(200, {{"metadata", (**server)["metadata"]}});
}

Checked<bool> check_count(const Request& request, const Json& metadata) {
  const auto limit = quota_of(request.cloud(), request.who().project_id).at("metadata_items");
  if (limit < 0 || metadata.size() <= static_cast<std::size_t>(limit)) return true;
  return refuse(
      fault_answer(403, "Maximum number of metadata items exceeds " + std::to_string(limit)));
}

enum class Mode : std::uint8_t { Merge, Replace };

ServerResponse set_metadata(Request& request, Mode mode) {
  const auto body = read_body(request, metadata_schema());
  if (!body) return body.error();
  const auto found = server_of(request);
  if (!found) return found.error();
  Json server = **found;
  if (mode == Mode::Replace) server["metadata"] = Json::object();
  for (const auto& [key, value] : (*body)["metadata"].items()) server["metadata"][key] = value;
  Json metadata = server["metadata"];
  if (auto good = check_count(request, metadata); !good) return good.error();
  touch_server(request.cloud(), std::move(server));
  return answer(200, {{"metadata", metadata}});
}

ServerResponse show_item(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  const Json& metadata = (**server)["metadata"];
  const std::string& key = request.part("key");
  if (!metadata.contains(key)) return fault_answer(404, "Metadata item was not found");
  return answer(200, {{"meta", {{key, metadata[key]}}}});
}

ServerResponse set_item(Request& request) {
  const auto body = read_body(request, meta_schema());
  if (!body) return body.error();
  const std::string& key = request.part("key");
  const OrderedJson& meta = (*body)["meta"];
  if (meta.size() != 1) return fault_answer(400, "Request body contains too many items");
  if (!meta.contains(key)) return fault_answer(400, "Request body and URI mismatch");
  const auto found = server_of(request);
  if (!found) return found.error();
  Json server = **found;
  server["metadata"][key] = meta[key];
  if (auto good = check_count(request, server["metadata"]); !good) return good.error();
  touch_server(request.cloud(), std::move(server));
  return answer(200, {{"meta", meta}});
}

ServerResponse remove_item(Request& request) {
  const auto found = server_of(request);
  if (!found) return found.error();
  Json server = **found;
  if (server["metadata"].erase(request.part("key")) == 0) {
    return fault_answer(404, "Metadata item was not found");
  }
  touch_server(request.cloud(), std::move(server));
  return empty(204);
}

ServerResponse show_tags(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  return answer(200, {{"tags", (**server)["tags"]}});
}

ServerResponse set_tags(Request& request) {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"tags": {
      "type": "array", "maxItems": 50,
      "items": {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}}},
    "required": ["tags"],
    "additionalProperties": false
  })");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const auto found = server_of(request);
  if (!found) return found.error();
  Json server = **found;
  std::set<std::string> tags;
  for (const auto& tag : (*body)["tags"]) tags.insert(tag.get<std::string>());
  server["tags"] = tags;
  touch_server(request.cloud(), std::move(server));
  return answer(200, {{"tags", tags}});
}

ServerResponse remove_tags(Request& request) {
  const auto found = server_of(request);
  if (!found) return found.error();
  Json server = **found;
  server["tags"] = Json::array();
  touch_server(request.cloud(), std::move(server));
  return empty(204);
}

bool has_tag(const Json& server, const std::string& tag) {
  const auto tags = strings_member(server, "tags");
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

ServerResponse show_tag(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  if (has_tag(**server, request.part("tag"))) return empty(204);
  return fault_answer(
      404, "Server " + request.part("server") + " has no tag '" + request.part("tag") + "'");
}

ServerResponse add_tag(Request& request) {
  const auto found = server_of(request);
  if (!found) return found.error();
  const std::string& tag = request.part("tag");
  if (tag.size() > 60 || tag.find(',') != std::string::npos) {
    return fault_answer(400, "Tag '" + tag +
                                 "' is invalid. It must be a non empty string without "
                                 "characters '/' and ',' and of at most 60 characters.");
  }
  if (has_tag(**found, tag)) return text_answer(204, "text/html; charset=UTF-8", "");
  Json server = **found;
  auto tags = strings_member(server, "tags");
  if (tags.size() >= kMostTags) {
    return fault_answer(400, "The number of tags exceeded the per-server limit 50");
  }
  tags.push_back(tag);
  std::sort(tags.begin(), tags.end());
  server["tags"] = tags;
  touch_server(request.cloud(), std::move(server));
  ServerResponse response = text_answer(201, "text/html; charset=UTF-8", "");
  response.headers.emplace_back("Location",
                                request.url("/servers/" + request.part("server") + "/tags/" + tag));
  return response;
}

ServerResponse remove_tag(Request& request) {
  const auto found = server_of(request);
  if (!found) return found.error();
  const std::string& tag = request.part("tag");
  if (!has_tag(**found, tag)) {
    return fault_answer(404, "Instance " + request.part("server") + " has no tag '" + tag + "'");
  }
  Json server = **found;
  auto tags = strings_member(server, "tags");
  tags.erase(std::find(tags.begin(), tags.end(), tag));
  server["tags"] = tags;
  touch_server(request.cloud(), std::move(server));
  return empty(204);
}

}  // namespace

void add_server_parts(Router& router) {
  const std::string metadata = "/servers/{server}/metadata";
  add_route(router, "GET", metadata, {}, show_metadata);
  add_route(router, "POST", metadata, {},
            [](Request& request) { return set_metadata(request, Mode::Merge); });
  add_route(router, "PUT", metadata, {},
            [](Request& request) { return set_metadata(request, Mode::Replace); });
  add_route(router, "GET", metadata + "/{key}", {}, show_item);
  add_route(router, "PUT", metadata + "/{key}", {}, set_item);
  add_route(router, "DELETE", metadata + "/{key}", {}, remove_item);
  const std::string tags = "/servers/{server}/tags";
  const RouteOptions since_tags = {.since = 26, .admin_rule = ""};
  add_route(router, "GET", tags, since_tags, show_tags);
  add_route(router, "PUT", tags, since_tags, set_tags);
  add_route(router, "DELETE", tags, since_tags, remove_tags);
  add_route(router, "GET", tags + "/{tag}", since_tags, show_tag);
  add_route(router, "PUT", tags + "/{tag}", since_tags, add_tag);
  add_route(router, "DELETE", tags + "/{tag}", since_tags, remove_tag);
}

}  // namespace bailey::devcloud::compute
