#include "providers/devcloud/secret.hpp"

#include "providers/devcloud/services.hpp"

#include <algorithm>
#include <utility>

namespace bailey::devcloud {

namespace secret {

namespace {

std::string title_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 406:
      return "Not Acceptable";
    case 409:
      return "Conflict";
    case 413:
      return "Request Entity Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

ServerResponse not_acceptable() {
  return with_version(
      json_answer(406, {{"code", 406}, {"title", title_of(406)}, {"description", nullptr}}));
}

ServerResponse refuse_call(const Call& call, Refusal refusal, const std::string& detail) {
  switch (refusal) {
    case Refusal::Unauthenticated:
      return unauthenticated_answer(call.cloud);
    case Refusal::Forbidden:
      return with_version(not_allowed(detail));
    case Refusal::NotJson:
      if (call.http.method == "PUT" && !call.http.header("content-type")) {
        return with_version(error_answer(415,
                                         "Unexpected content type. Expected content types are: "
                                         "['application/octet-stream', 'text/plain']"));
      }
      return with_version(error_answer(400, "Malformed JSON"));
    case Refusal::UnknownPath:
      if (call.path.compare(0, 3, "/v1") == 0 && !call.http.header("x-auth-token")) {
        return unauthenticated_answer(call.cloud);
      }
      return with_version(error_answer(404, ""));
    case Refusal::MethodNotAllowed:
      return call.http.method == "OPTIONS" ? empty_answer(200) : not_acceptable();
    case Refusal::TooManyRequests:
      return with_version(error_answer(429, "Too many requests."));
    case Refusal::ServiceUnavailable:
      return with_version(error_answer(503, "The service is unavailable."));
    case Refusal::InternalServerError:
      break;
  }
  return with_version(
      error_answer(500, "Secret(s) retrieval failure seen - please contact site administrator."));
}

Json version(const Call& call) {
  return {
      {"id", "v1"},
      {"status", "stable"},
      {"links", Json::array({{{"rel", "self"}, {"href", call.base() + "/v1/"}},
                             {{"rel", "describedby"},
                              {"type", "text/html"},
                              {"href", "https://docs.openstack.org/"}}})},
      {"media-types", Json::array({{{"base", "application/json"},
                                    {"type", "application/vnd.openstack.key-manager-v1+json"}}})}};
}

ServerResponse show_versions(Call& call) {
  return with_version(json_answer(300, {{"versions", {{"values", Json::array({version(call)})}}}}));
}

/// What exists in the API and is always empty here.
void add_empty_lists(Router& router) {
  for (const char* plural : {"containers", "orders"}) {
    add_route(router, "GET", std::string("/v1/") + plural, [plural](Call&) {
      return json_answer(200, {{plural, Json::array()}, {"total", 0}});
    });
  }
  add_route(router, "GET", "/v1/secrets/{secret}/consumers", [](Call& call) {
    const auto found = allowed_secret(call, Power::Read, "Consumers(s) retrieval");
    if (!found) return found.error();
    return json_answer(200, {{"consumers", Json::array()}, {"total", 0}});
  });
  add_route(router, "GET", "/v1/quotas", [](Call&) {
    return json_answer(
        200,
        {{"quotas",
          {{"secrets", -1}, {"orders", -1}, {"containers", -1}, {"consumers", -1}, {"cas", -1}}}});
  });
  add_route(router, "GET", "/v1/project-quotas",
            [](Call&) { return not_allowed("Project Quotas"); });
  add_route(router, "GET", "/v1/secret-stores", [](Call&) {
    return error_answer(
        404, "Not Found. Multiple backends support is not enabled in service configuration.");
  });
}

/// Anybody who may do something with secrets; `audit` reads what is not secret.
bool has_role(const Identity& who, bool audit) {
  return who.has("admin") || who.has("creator") || who.has("observer") ||
         (audit && who.has("audit"));
}

bool is_named_in_acl(const Identity& who, const Json& acl) {
  const std::vector<std::string> users = strings_member(acl, "users");
  return std::find(users.begin(), users.end(), who.user_id) != users.end();
}

bool may(const Identity& who, const Json& secret, Power power) {
  const Json& acl = member(secret, "acl");
  const bool in_project =
      !who.project_id.empty() && who.project_id == string_member(secret, "project_id");
  const bool is_private = member(acl, "project-access") == false;
  const bool admin = in_project && who.has("admin");
  const bool creator =
      in_project && who.has("creator") && who.user_id == string_member(secret, "creator_id");
  switch (power) {
    case Power::Read:
      return admin || creator || is_named_in_acl(who, acl) ||
             (in_project && !is_private && has_role(who, true));
    case Power::Decrypt:
      return admin || creator || is_named_in_acl(who, acl) ||
             (in_project && !is_private && has_role(who, false));
    case Power::Change:
    case Power::ChangeAcl:
      return admin || creator || (in_project && !is_private && who.has("creator"));
    case Power::ReadAcl:
      return in_project && has_role(who, false);
  }
  return false;
}

/// Version 4, as Barbican insists.
bool is_secret_id(const std::string& id) {
  return looks_like_uuid(id) && id[14] == '4' &&
         std::string_view("89abAB").find(id[19]) != std::string_view::npos;
}

}  // namespace

ServerResponse error_answer(int status, const std::string& description) {
  return json_answer(status,
                     {{"code", status}, {"title", title_of(status)}, {"description", description}});
}

ServerResponse not_allowed(const std::string& what) {
  return error_answer(403, what +
                               " attempt not allowed - please review your user/project "
                               "privileges");
}

ServerResponse invalid(std::string_view schema, const std::string& reason,
                       const std::string& property) {
  return error_answer(400, "Provided object does not match schema '" + std::string(schema) +
                               "': " + reason + ". Invalid property: '" + property + "'");
}

std::optional<ServerResponse> check_against(std::string_view name, const OrderedJson& schema,
                                            const OrderedJson& body) {
  const auto wrong = check_schema(schema, body);
  if (!wrong) return std::nullopt;
  std::string property = wrong->path.empty() ? "None" : wrong->path.back();
  // A member that is not there is named all the same.
  const std::string required = " is a required property";
  if (wrong->message.size() > required.size() &&
      wrong->message.compare(wrong->message.size() - required.size(), required.size(), required) ==
          0) {
    property = wrong->message.substr(1, wrong->message.size() - required.size() - 2);
  }
  return invalid(name, wrong->message, property);
}

ServerResponse with_version(ServerResponse response) {
  response.headers.emplace_back("OpenStack-API-Version", "key-manager 1.0");
  response.headers.emplace_back("Vary", "openstack-api-version");
  return response;
}

void add_route(Router& router, const std::string& method, const std::string& path,
               Handler handler) {
  router.add("key-manager", method, path, Access::signed_in(),
             [handler = std::move(handler)](Call& call) { return with_version(handler(call)); });
}

bool is_expired(const Call& call, const Json& secret) {
  const std::string expiration = string_member(secret, "expiration");
  return !expiration.empty() && expiration <= now(call);
}

Checked<const Json*> allowed_secret(const Call& call, Power power, const std::string& what) {
  const std::string& id = call.part("secret");
  if (!is_secret_id(id)) {
    return refuse(error_answer(404, "Not Found. Provided secret id is invalid."));
  }
  const Json* secret = call.cloud.find(kSecret, id);
  if (secret == nullptr || is_expired(call, *secret)) {
    return refuse(error_answer(404, "Secret not found."));
  }
  if (!may(call.who, *secret, power)) return refuse(not_allowed(what));
  return secret;
}

std::string now(const Call& call) {
  return time_in_seconds(call.cloud.clock().wall_now()).substr(0, 19);
}

void touch_secret(const Call& call, Json secret) {
  secret["updated"] = now(call);
  call.cloud.put(kSecret, std::move(secret));
}

std::string ref_of(const Call& call, const Json& secret) {
  return call.base() + "/v1/secrets/" + string_member(secret, "id");
}

Json shown_secret(const Call& call, const Json& secret) {
  Json shown = {{"status", "ACTIVE"}, {"secret_ref", ref_of(call, secret)}};
  for (const char* name : {"created", "updated", "name", "secret_type", "expiration", "algorithm",
                           "bit_length", "mode", "creator_id"}) {
    shown[name] = secret[name];
  }
  if (!member(secret, "payload").is_null()) {
    shown["content_types"] = {{"default", secret["content_type"]}};
  }
  return shown;
}

}  // namespace secret

void add_secret(Router& router, Cloud& cloud) {
  using namespace secret;
  static_cast<void>(cloud);
  router.add_service({.type = "key-manager",
                      .name = "barbican",
                      .prefixes = {"/key-manager"},
                      .answers_head = false,
                      .ignores_last_slash = true,
                      .refuse = refuse_call});
  router.add("key-manager", "GET", "/", Access::anyone(), show_versions);
  add_route(router, "GET", "/v1", [](Call& call) {
    return json_answer(200, {{"version", version(call)}});
  });
  add_storing(router);
  add_reading(router);
  add_lists(router);
  add_metadata(router);
  add_acls(router);
  add_empty_lists(router);
}

}  // namespace bailey::devcloud
