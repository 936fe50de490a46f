#include "providers/devcloud/identity.hpp"

#include "orchestrator/base/text.hpp"
#include "providers/devcloud/services.hpp"

#include <sodium.h>

#include <algorithm>
#include <set>
#include <utility>

namespace bailey::devcloud {

namespace identity {

namespace {

constexpr std::string_view kMalformed =
    " The server could not comply with the request since it is either malformed or otherwise "
    "incorrect. The client is assumed to be in error.";

std::string title_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

ServerResponse invalid_field(const std::string& field, const std::string& problem) {
  return bad_request("Invalid input for field '" + field + "': " + problem);
}

bool truth(std::string_view text) {
  return text != "false" && text != "False" && text != "0" && text != "no" && text != "off";
}

bool passes(const Json& object, const std::string& name, const std::string& wanted) {
  const Json& value = member(object, name);
  if (value.is_boolean()) return value.get<bool>() == truth(wanted);
  if (value.is_string()) return value.get<std::string>() == wanted;
  return value.is_null() && (wanted.empty() || wanted == "null");
}

ServerResponse refuse_call(const Call& call, Refusal refusal, const std::string& detail) {
  switch (refusal) {
    case Refusal::Unauthenticated:
      return detail.empty() ? unauthenticated_answer(call.cloud) : error_answer(404, detail);
    case Refusal::Forbidden:
      return forbidden(detail);
    case Refusal::NotJson:
      return malformed("Expecting to find valid JSON in request body.");
    case Refusal::UnknownPath:
      return text_answer(
          404, "text/html; charset=utf-8",
          "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not "
          "Found</h1>\n<p>The requested URL was not found on the server. If you "
          "entered the URL manually please check your spelling and try again.</p>\n");
    case Refusal::MethodNotAllowed: {
      ServerResponse answer =
          json_answer(405, {{"message", "The method is not allowed for the requested URL."}});
      answer.headers.emplace_back("Allow", detail);
      return answer;
    }
    case Refusal::TooManyRequests:
      return error_answer(429, "Too many requests.");
    case Refusal::ServiceUnavailable:
      return error_answer(503, "The service is currently unavailable.");
    case Refusal::InternalServerError:
      break;
  }
  return error_answer(500,
                      "An unexpected error prevented the server from fulfilling your request.");
}

Json version(const Call& call) {
  return {
      {"id", "v3.14"},
      {"status", "stable"},
      {"updated", "2020-04-07T00:00:00Z"},
      {"links", {{{"rel", "self"}, {"href", call.base() + "/v3/"}}}},
      {"media-types",
       {{{"base", "application/json"}, {"type", "application/vnd.openstack.identity-v3+json"}}}}};
}

ServerResponse show_versions(Call& call) {
  ServerResponse answer =
      json_answer(300, {{"versions", {{"values", Json::array({version(call)})}}}});
  answer.headers.emplace_back("Location", call.base() + "/v3/");
  return answer;
}

ServerResponse show_version(Call& call) {
  return json_answer(200, {{"version", version(call)}});
}

void put_role(Cloud& cloud, const std::string& name, bool immutable) {
  Json options = Json::object();
  if (immutable) options["immutable"] = true;
  cloud.put(kRole, {{"id", cloud.new_hex_id()},
                    {"name", name},
                    {"domain_id", nullptr},
                    {"description", nullptr},
                    {"options", options}});
}

void imply(Cloud& cloud, const std::string& prior, const std::string& implied) {
  const std::string prior_id = string_member(*cloud.find_by(kRole, "name", prior), "id");
  const std::string implied_id = string_member(*cloud.find_by(kRole, "name", implied), "id");
  cloud.put(kImplication, prior_id + "/" + implied_id,
            {{"prior_id", prior_id}, {"implied_id", implied_id}});
}

void put_service(Cloud& cloud, const std::string& type, const std::string& name,
                 const std::string& path) {
  if (cloud.find_by(kService, "type", type) != nullptr) return;
  const std::string service = cloud.new_hex_id();
  cloud.put(kService, {{"id", service}, {"type", type}, {"name", name}, {"enabled", true}});
  for (const char* interface : {"public", "internal", "admin"}) {
    // A path alone is relative to wherever this cloud listens today.
    cloud.put(kEndpoint, {{"id", cloud.new_hex_id()},
                          {"interface", interface},
                          {"region_id", "RegionOne"},
                          {"region", "RegionOne"},
                          {"service_id", service},
                          {"url", path},
                          {"enabled", true}});
  }
}

/// What `keystone-manage bootstrap` and the installation of the other services leave behind.
void bootstrap(Cloud& cloud) {
  if (cloud.find(kDomain, "default") != nullptr) return;
  cloud.put(kDomain, {{"id", "default"},
                      {"name", "Default"},
                      {"description", "The default domain"},
                      {"enabled", true},
                      {"tags", Json::array()},
                      {"options", Json::object()}});
  for (const char* name : {"admin", "member", "reader"}) put_role(cloud, name, true);
  for (const char* name : {"service", "creator", "observer", "audit"}) put_role(cloud, name, false);
  imply(cloud, "admin", "member");
  imply(cloud, "member", "reader");

  const std::string project = cloud.new_hex_id();
  cloud.put(kProject, {{"id", project},
                       {"name", "admin"},
                       {"domain_id", "default"},
                       {"parent_id", "default"},
                       {"description", "Bootstrap project for initializing the cloud."},
                       {"enabled", true},
                       {"is_domain", false},
                       {"tags", Json::array()},
                       {"options", Json::object()}});
  const std::string user = cloud.new_hex_id();
  cloud.put(kUser, {{"id", user},
                    {"name", "admin"},
                    {"domain_id", "default"},
                    {"enabled", true},
                    {"password_expires_at", nullptr},
                    {"options", Json::object()}});
  const std::string role = string_member(*cloud.find_by(kRole, "name", "admin"), "id");
  grant(cloud, {.type = "project", .id = project}, "user", user, role);
  grant(cloud, {.type = "system", .id = "all"}, "user", user, role);

  cloud.put(kRegion, {{"id", "RegionOne"}, {"description", ""}, {"parent_region_id", nullptr}});
}

/// Services that the catalog has none of: all of a fresh cloud, and in a kept one those that came
/// after it was made.
void put_services(Cloud& cloud) {
  put_service(cloud, "identity", "keystone", "/v3");
  put_service(cloud, "network", "neutron", "/network");
  put_service(cloud, "compute", "nova", "/compute/v2.1");
  put_service(cloud, "image", "glance", "/image");
  put_service(cloud, "key-manager", "barbican", "/key-manager");
  put_service(cloud, "volumev3", "cinderv3", "/volume/v3/%(project_id)s");
  put_service(cloud, "object-store", "swift", "/object-store/v1/AUTH_%(project_id)s");
  put_service(cloud, "dns", "designate", "/dns");
}

const Json* administrator(const Cloud& cloud) {
  for (const Json* user : cloud.where(kUser, "name", "admin")) {
    if (string_member(*user, "domain_id") == "default") return user;
  }
  return nullptr;
}

}  // namespace

ServerResponse error_answer(int status, const std::string& message) {
  return json_answer(
      status, {{"error", {{"code", status}, {"message", message}, {"title", title_of(status)}}}});
}

ServerResponse not_found(std::string_view what, std::string_view id) {
  return error_answer(404, "Could not find " + std::string(what) + ": " + std::string(id) + ".");
}

ServerResponse forbidden(std::string_view rule) {
  return error_answer(
      403, "You are not authorized to perform the requested action: " + std::string(rule) + ".");
}

ServerResponse bad_request(const std::string& message) {
  return error_answer(400, message);
}

ServerResponse malformed(const std::string& message) {
  return bad_request(message + std::string(kMalformed));
}

ServerResponse duplicate(std::string_view what, const std::string& detail) {
  return error_answer(
      409, "Conflict occurred attempting to store " + std::string(what) + " - " + detail + ".");
}

Checked<const Json*> existing(const Cloud& cloud, std::string_view kind, std::string_view what,
                              std::string_view id) {
  const Json* found = cloud.find(kind, id);
  if (found == nullptr) return refuse(not_found(what, id));
  return found;
}

Checked<Json> read_tags(const Json& tags) {
  if (!tags.is_array()) return refuse(invalid_field("tags", "it is not of type 'array'"));
  if (tags.size() > 80) return refuse(invalid_field("tags", "it is too long"));
  std::set<std::string> seen;
  for (const Json& tag : tags) {
    if (!tag.is_string()) return refuse(invalid_field("tags", "an item is not of type 'string'"));
    const std::string text = tag.get<std::string>();
    if (text.empty() || text.size() > 255 || text.find_first_of(",/") != std::string::npos) {
      return refuse(invalid_field("tags", "'" + text + "' does not match '^[^,/]*$'"));
    }
    if (!seen.insert(text).second) return refuse(bad_request("tags has non-unique elements"));
  }
  return Json(std::vector<std::string>(seen.begin(), seen.end()));
}

Checked<Json> read_resource(const Call& call, std::string_view wrapper, Purpose purpose,
                            std::size_t longest_name) {
  Json resource = member(call.body, wrapper);
  if (!resource.is_object()) resource = Json::object();
  if (purpose == Purpose::Create && !resource.contains("name")) {
    return refuse(bad_request("'name' is a required property"));
  }
  if (purpose == Purpose::Update && resource.empty()) {
    return refuse(bad_request("{} does not have enough properties"));
  }
  if (resource.contains("name")) {
    const Json& name = resource["name"];
    if (!name.is_string()) {
      return refuse(invalid_field("name", name.dump() + " is not of type 'string'"));
    }
    const std::string text = name.get<std::string>();
    if (trim(text).empty()) return refuse(invalid_field("name", "'" + text + "' is too short"));
    if (utf8_length(text) > longest_name) {
      return refuse(invalid_field("name", "'" + text + "' is too long"));
    }
  }
  if (resource.contains("enabled") && !resource["enabled"].is_boolean()) {
    return refuse(
        invalid_field("enabled", resource["enabled"].dump() + " is not of type 'boolean'"));
  }
  for (const char* field : {"description", "domain_id", "parent_id", "default_project_id"}) {
    const Json& value = member(resource, field);
    if (!value.is_null() && !value.is_string()) {
      return refuse(invalid_field(field, value.dump() + " is not of type 'string', 'null'"));
    }
  }
  if (resource.contains("tags")) {
    auto tags = read_tags(resource["tags"]);
    if (!tags) return refuse(std::move(tags.error()));
    resource["tags"] = std::move(*tags);
  }
  // The cloud's own members, and those that only it may set.
  for (auto each = resource.begin(); each != resource.end();) {
    const bool own = each.key().empty() || each.key().front() == '_' || each.key() == "id" ||
                     each.key() == "links";
    each = own ? resource.erase(each) : std::next(each);
  }
  return resource;
}

Json shown(const Call& call, const Json& object, std::string_view collection) {
  Json result = without_private(object);
  result["links"] = {
      {"self", call.base() + "/v3/" + std::string(collection) + "/" + string_member(object, "id")}};
  return result;
}

ServerResponse show(const Call& call, int status, std::string_view wrapper, const Json& object,
                    std::string_view collection) {
  Json body = Json::object();
  body[std::string(wrapper)] = shown(call, object, collection);
  return json_answer(status, body);
}

ServerResponse list(const Call& call, std::string_view collection, std::vector<Json> objects,
                    const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    const auto wanted = call.query(filter);
    if (!wanted) continue;
    objects.erase(
        std::remove_if(objects.begin(), objects.end(),
                       [&](const Json& object) { return !passes(object, filter, *wanted); }),
        objects.end());
  }
  std::stable_sort(objects.begin(), objects.end(), [](const Json& left, const Json& right) {
    return string_member(left, "id") < string_member(right, "id");
  });
  Json body = {{"links",
                {{"next", nullptr},
                 {"self", call.cloud.base_url() + call.http.target},
                 {"previous", nullptr}}}};
  body[std::string(collection)] = std::move(objects);
  return json_answer(200, body);
}

std::string hash_password(std::string_view password) {
  // Argon2id with little memory and one pass: a demo signs in often, and the file holds a demo.
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str(hash, password.data(), password.size(), crypto_pwhash_OPSLIMIT_MIN,
                        std::size_t{64} * 1024) != 0) {
    return {};
  }
  return hash;
}

bool password_matches(const Json& object, std::string_view password) {
  const std::string hash = string_member(object, "_password");
  return !hash.empty() &&
         crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

Json domain_of(const Cloud& cloud, std::string_view id) {
  const Json* domain = cloud.find(kDomain, id);
  return {{"id", id}, {"name", domain == nullptr ? "" : string_member(*domain, "name")}};
}

bool domain_is_enabled(const Cloud& cloud, std::string_view id) {
  const Json* domain = cloud.find(kDomain, id);
  return domain != nullptr && member(*domain, "enabled") == true;
}

}  // namespace identity

void set_admin_password(Cloud& cloud, const Secret& password) {
  const Json* known = identity::administrator(cloud);
  if (known == nullptr) return;
  Json user = *known;
  user["_password"] = identity::hash_password(password.reveal());
  identity::sign_out(cloud, string_member(user, "id"));
  cloud.put(identity::kUser, std::move(user));
}

bool is_admin_password(const Cloud& cloud, const Secret& password) {
  const Json* user = identity::administrator(cloud);
  return user != nullptr && identity::password_matches(*user, password.reveal());
}

void add_identity(Router& router, Cloud& cloud) {
  identity::bootstrap(cloud);
  identity::put_services(cloud);
  router.add_service({.type = "identity",
                      .name = "keystone",
                      .prefixes = {"", "/identity"},
                      .answers_head = true,
                      .ignores_last_slash = true,
                      .refuse = identity::refuse_call});
  router.add("identity", "GET", "/", Access::anyone(), identity::show_versions);
  router.add("identity", "GET", "/v3", Access::anyone(), identity::show_version);
  identity::add_token_routes(router);
  identity::add_project_routes(router);
  identity::add_user_routes(router);
  identity::add_role_routes(router);
  identity::add_application_credential_routes(router);
  identity::add_catalog_routes(router);
}

}  // namespace bailey::devcloud
