#include "orchestrator/base/encoding.hpp"
#include "providers/devcloud/identity.hpp"

#include <algorithm>
#include <utility>

/// Application credentials: a user's own, for one project, with some of their roles there; shown
/// with its secret once, when it is made.
namespace bailey::devcloud::identity {

namespace {

bool may_read(const Call& call) {
  return call.who.is_admin() || call.who.user_id == call.part("user");
}

/// Unless it is unrestricted, an application credential may not make or delete another.
Checked<void> check_may_manage(const Call& call) {
  if (call.who.application_credential_id.empty() || call.who.unrestricted) return {};
  return refuse(
      forbidden("Using method 'application_credential' is not allowed for managing additional "
                "application credentials."));
}

Json shown_credential(const Call& call, const Json& credential) {
  Json result = shown(call, credential, "application_credentials");
  Json roles = Json::array();
  for (const std::string& id : strings_member(credential, "_roles")) {
    const Json* role = call.cloud.find(kRole, id);
    if (role != nullptr) roles.push_back(without_private(*role));
  }
  result["roles"] = std::move(roles);
  return result;
}

/// The ids of the roles asked for, all of which the caller must hold; without any, all of theirs.
Checked<std::vector<std::string>> read_roles(const Call& call, const Json& given) {
  std::vector<const Json*> held;
  if (!call.who.project_id.empty()) {
    const Scope scope{.type = "project", .id = call.who.project_id};
    for (const Json* role : roles_of(call.cloud, call.who.user_id, scope)) {
      if (call.who.has(string_member(*role, "name"))) held.push_back(role);
    }
  }
  std::vector<std::string> ids;
  const Json& wanted = member(given, "roles");
  if (wanted.is_null()) {
    for (const Json* role : held) ids.push_back(string_member(*role, "id"));
    return ids;
  }
  if (!wanted.is_array()) {
    return refuse(bad_request("Invalid input for field 'roles': it is not of type 'array'"));
  }
  for (const Json& each : wanted) {
    std::string id = string_member(each, "id");
    if (id.empty()) {
      const std::string name = string_member(each, "name");
      const Json* role = call.cloud.find_by(kRole, "name", name);
      if (role == nullptr) return refuse(error_answer(404, "Role " + name + " is not defined"));
      id = string_member(*role, "id");
    }
    const bool holds = std::any_of(held.begin(), held.end(), [&](const Json* role) {
      return string_member(*role, "id") == id;
    });
    if (!holds) {
      return refuse(
          bad_request("Invalid application credential: Cannot create an application credential "
                      "with unassigned role"));
    }
    ids.push_back(std::move(id));
  }
  return ids;
}

/// `expires_at` in the form in which it is shown: without a zone, which is UTC.
Checked<Json> read_expiry(const Call& call, const Json& given) {
  const Json& value = member(given, "expires_at");
  if (value.is_null()) return Json(nullptr);
  std::string text = value.is_string() ? value.get<std::string>() : "";
  auto time = parse_time(text);
  if (!time) time = parse_time(text + "Z");
  if (!time) return refuse(malformed("Timestamp not in expected format."));
  if (*time <= call.cloud.clock().wall_now()) {
    return refuse(malformed("The 'expires_at' must not be before now."));
  }
  std::string shown_time = format_time(*time);
  shown_time.pop_back();
  return Json(shown_time + "000");
}

ServerResponse create(Call& call) {
  Cloud& cloud = call.cloud;
  if (call.who.user_id != call.part("user")) {
    return forbidden("identity:create_application_credential");
  }
  if (auto may = check_may_manage(call); !may) return may.error();
  auto given = read_resource(call, "application_credential", Purpose::Create, 255);
  if (!given) return given.error();
  if (given->contains("access_rules")) {
    return bad_request("Access rules are not offered by the embedded cloud.");
  }
  const std::string name = string_member(*given, "name");
  for (const Json* other : cloud.where(kApplicationCredential, "user_id", call.who.user_id)) {
    if (string_member(*other, "name") == name) {
      return error_answer(409,
                          "Conflict occurred attempting to store application_credential - "
                          "Duplicate entry found with name " +
                              name + ".");
    }
  }
  auto expires_at = read_expiry(call, *given);
  if (!expires_at) return expires_at.error();
  const auto roles = read_roles(call, *given);
  if (!roles) return roles.error();
  std::string secret = string_member(*given, "secret");
  if (secret.empty()) secret = base64url(cloud.random().bytes(64));
  const Json project = call.who.project_id.empty() ? Json(nullptr) : Json(call.who.project_id);
  const Json& stored =
      cloud.put(kApplicationCredential, {{"id", cloud.new_hex_id()},
                                         {"name", name},
                                         {"description", member(*given, "description")},
                                         {"user_id", call.who.user_id},
                                         {"project_id", project},
                                         {"system", nullptr},
                                         {"expires_at", *expires_at},
                                         {"unrestricted", member(*given, "unrestricted")},
                                         {"_roles", *roles},
                                         {"_password", hash_password(secret)}});
  Json answer = shown_credential(call, stored);
  answer["secret"] = secret;
  return json_answer(201, {{"application_credential", answer}});
}

ServerResponse list_all(Call& call) {
  if (!may_read(call)) return forbidden("identity:list_application_credentials");
  if (auto user = existing(call.cloud, kUser, "user", call.part("user")); !user) {
    return user.error();
  }
  std::vector<Json> credentials;
  for (const Json* each : call.cloud.where(kApplicationCredential, "user_id", call.part("user"))) {
    credentials.push_back(shown_credential(call, *each));
  }
  return list(call, "application_credentials", std::move(credentials), {"name"});
}

Checked<const Json*> own_credential(const Call& call) {
  auto credential = existing(call.cloud, kApplicationCredential, "Application Credential",
                             call.part("credential"));
  if (credential && string_member(**credential, "user_id") != call.part("user")) {
    return refuse(not_found("Application Credential", call.part("credential")));
  }
  return credential;
}

ServerResponse show_one(Call& call) {
  if (!may_read(call)) return forbidden("identity:get_application_credential");
  const auto credential = own_credential(call);
  if (!credential) return credential.error();
  return json_answer(200, {{"application_credential", shown_credential(call, **credential)}});
}

ServerResponse remove(Call& call) {
  if (!may_read(call)) return forbidden("identity:delete_application_credential");
  if (auto may = check_may_manage(call); !may) return may.error();
  if (auto credential = own_credential(call); !credential) return credential.error();
  call.cloud.erase(kApplicationCredential, call.part("credential"));
  return empty_answer(204);
}

}  // namespace

void add_application_credential_routes(Router& router) {
  const std::string base = "/v3/users/{user}/application_credentials";
  router.add("identity", "GET", base, Access::signed_in(), list_all);
  router.add("identity", "POST", base, Access::signed_in(), create);
  router.add("identity", "GET", base + "/{credential}", Access::signed_in(), show_one);
  router.add("identity", "DELETE", base + "/{credential}", Access::signed_in(), remove);
}

}  // namespace bailey::devcloud::identity
