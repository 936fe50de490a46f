#include "providers/devcloud/secret.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

/// What users write beside a secret, and who may read it.
namespace bailey::devcloud::secret {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return text;
}

bool is_safe_key(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char byte) {
    return std::isalnum(byte) != 0 || byte == '-' || byte == '_' || byte == '.' || byte == '~';
  });
}

ServerResponse show(Call& call) {
  const auto found = allowed_secret(call, Power::Read, "Secret metadata retrieval");
  if (!found) return found.error();
  return json_answer(200, {{"metadata", (**found)["metadata"]}});
}

ServerResponse replace(Call& call) {
  const auto found = allowed_secret(call, Power::Change, "Secret metadata creation");
  if (!found) return found.error();
  static const OrderedJson schema = parse_ordered(
      R"({"type": "object", "properties": {"metadata": {"type": "object"}},
          "required": ["metadata"]})");
  const OrderedJson body = parse_ordered(call.http.body);
  if (auto wrong = check_against("SecretMetadata", schema, body)) return *wrong;
  Json metadata = Json::object();
  for (const auto& [key, value] : body["metadata"].items()) {
    if (!value.is_string()) {
      return error_answer(400, "Invalid Metadata. Keys and Values must be Strings.");
    }
    if (!is_safe_key(key)) return error_answer(400, "Invalid Key. Key must be URL safe.");
    metadata[lower(key)] = value;
  }
  Json secret = **found;
  secret["metadata"] = metadata;
  const std::string ref = ref_of(call, secret) + "/metadata";
  touch_secret(call, std::move(secret));
  return json_answer(201, {{"metadata_ref", ref}});
}

struct Item {
  std::string key;
  std::string value;
};

Checked<Item> read_item(const Call& call) {
  static const OrderedJson schema = parse_ordered(
      R"({"type": "object",
          "properties": {"key": {"type": "string", "maxLength": 255},
                         "value": {"type": "string", "maxLength": 255}},
          "required": ["key", "value"], "additionalProperties": false})");
  const OrderedJson body = parse_ordered(call.http.body);
  if (auto wrong = check_against("SecretMetadatum", schema, body)) return refuse(*wrong);
  Item item{.key = lower(body["key"].get<std::string>()),
            .value = body["value"].get<std::string>()};
  if (!is_safe_key(item.key)) {
    return refuse(error_answer(400, "Invalid Key. Key must be URL safe."));
  }
  return item;
}

ServerResponse add(Call& call) {
  const auto found = allowed_secret(call, Power::Change, "Secret metadatum creation");
  if (!found) return found.error();
  const auto item = read_item(call);
  if (!item) return item.error();
  Json secret = **found;
  if (secret["metadata"].contains(item->key)) {
    return error_answer(409, "Conflict. Key in request is already in the secret metadata");
  }
  secret["metadata"][item->key] = item->value;
  const std::string ref = ref_of(call, secret) + "/metadata/" + item->key;
  touch_secret(call, std::move(secret));
  ServerResponse response = json_answer(201, {{"key", item->key}, {"value", item->value}});
  response.headers.emplace_back("Location", ref);
  return response;
}

ServerResponse show_item(Call& call) {
  const auto found = allowed_secret(call, Power::Read, "Secret metadatum retrieval");
  if (!found) return found.error();
  const Json& metadata = (**found)["metadata"];
  const std::string key = lower(call.part("key"));
  if (!metadata.contains(key)) return error_answer(404, "Secret metadata not found.");
  return json_answer(200, {{"key", key}, {"value", metadata[key]}});
}

ServerResponse set_item(Call& call) {
  const auto found = allowed_secret(call, Power::Change, "Secret metadatum update");
  if (!found) return found.error();
  const auto item = read_item(call);
  if (!item) return item.error();
  Json secret = **found;
  const std::string key = lower(call.part("key"));
  if (!secret["metadata"].contains(key)) return error_answer(404, "Secret metadata not found.");
  if (item->key != key) {
    return error_answer(409, "Conflict. Key in request does not match key in the request url.");
  }
  secret["metadata"][key] = item->value;
  touch_secret(call, std::move(secret));
  return json_answer(200, {{"key", key}, {"value", item->value}});
}

ServerResponse remove_item(Call& call) {
  const auto found = allowed_secret(call, Power::Change, "Secret metadatum removal");
  if (!found) return found.error();
  Json secret = **found;
  if (secret["metadata"].erase(lower(call.part("key"))) != 0) touch_secret(call, std::move(secret));
  return empty_answer(204);
}

ServerResponse show_acl(Call& call) {
  const auto found = allowed_secret(call, Power::ReadAcl, "SecretACL(s) retrieval");
  if (!found) return found.error();
  const Json& acl = member(**found, "acl");
  return json_answer(200, {{"read", acl.is_null() ? Json{{"project-access", true}} : acl}});
}

enum class Mode : std::uint8_t { Replace, Change };

ServerResponse set_acl(Call& call, Mode mode) {
  const auto found = allowed_secret(call, Power::ChangeAcl, "SecretACL(s) Update");
  if (!found) return found.error();
  static const OrderedJson schema = parse_ordered(
      R"({"type": "object",
          "properties": {"read": {
            "type": "object",
            "properties": {"users": {"type": "array", "items": {"type": "string"}},
                           "project-access": {"type": "boolean"}},
            "additionalProperties": false}},
          "additionalProperties": false})");
  const OrderedJson body = parse_ordered(call.http.body);
  if (auto wrong = check_against("ACL", schema, body)) return *wrong;
  Json secret = **found;
  Json acl = mode == Mode::Change && secret["acl"].is_object()
                 ? secret["acl"]
                 : Json{{"project-access", true}, {"users", Json::array()}, {"created", now(call)}};
  if (body.contains("read")) {
    for (const auto& [name, value] : body["read"].items()) acl[name] = value;
  }
  acl["updated"] = now(call);
  secret["acl"] = acl;
  const std::string ref = ref_of(call, secret) + "/acl";
  touch_secret(call, std::move(secret));
  return json_answer(200, {{"acl_ref", ref}});
}

ServerResponse remove_acl(Call& call) {
  const auto found = allowed_secret(call, Power::ChangeAcl, "SecretACL(s) deletion");
  if (!found) return found.error();
  Json secret = **found;
  secret["acl"] = nullptr;
  touch_secret(call, std::move(secret));
  return json_answer(200, nullptr);
}

}  // namespace

void add_metadata(Router& router) {
  const std::string all = "/v1/secrets/{secret}/metadata";
  add_route(router, "GET", all, show);
  add_route(router, "PUT", all, replace);
  add_route(router, "POST", all, add);
  add_route(router, "GET", all + "/{key}", show_item);
  add_route(router, "PUT", all + "/{key}", set_item);
  add_route(router, "DELETE", all + "/{key}", remove_item);
}

void add_acls(Router& router) {
  const std::string acl = "/v1/secrets/{secret}/acl";
  add_route(router, "GET", acl, show_acl);
  add_route(router, "PUT", acl, [](Call& call) { return set_acl(call, Mode::Replace); });
  add_route(router, "PATCH", acl, [](Call& call) { return set_acl(call, Mode::Change); });
  add_route(router, "DELETE", acl, remove_acl);
}

}  // namespace bailey::devcloud::secret
