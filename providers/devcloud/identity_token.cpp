#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "providers/devcloud/identity.hpp"

#include <algorithm>
#include <utility>

/// /v3/auth: signing in by password, token or application credential; validating, revoking.
namespace bailey::devcloud::identity {

namespace {

constexpr std::chrono::hours kTokenLife{1};

/// What an accepted sign-in is worth.
struct Session {
  const Json* user = nullptr;
  std::vector<std::string> methods;
  const Json* credential = nullptr;  ///< Application credential, or null.
  const Json* parent = nullptr;      ///< The token it was made from, or null.
  WallTime expires_at;
};

ServerResponse unsupported(const Call& call, const std::string& message, Json details) {
  ServerResponse answer = json_answer(401, {{"error",
                                             {{"code", 401},
                                              {"identity", std::move(details)},
                                              {"message", message},
                                              {"title", "Unauthorized"}}}});
  answer.headers.emplace_back("WWW-Authenticate",
                              "Keystone uri=\"" + call.cloud.base_url() + "/v3\"");
  return answer;
}

/// A domain given by `id` or `name`.
const Json* domain_in(const Cloud& cloud, const Json& reference) {
  const std::string id = string_member(reference, "id");
  return id.empty() ? cloud.find_by(kDomain, "name", string_member(reference, "name"))
                    : cloud.find(kDomain, id);
}

/// An object given by `id`, or by `name` and `domain`.
const Json* named_in(const Cloud& cloud, std::string_view kind, const Json& reference) {
  const std::string id = string_member(reference, "id");
  if (!id.empty()) return cloud.find(kind, id);
  const Json* domain = domain_in(cloud, member(reference, "domain"));
  if (domain == nullptr) return nullptr;
  for (const Json* object : cloud.where(kind, "name", string_member(reference, "name"))) {
    if (string_member(*object, "domain_id") == string_member(*domain, "id")) return object;
  }
  return nullptr;
}

bool may_sign_in(const Cloud& cloud, const Json* user) {
  return user != nullptr && member(*user, "enabled") == true &&
         domain_is_enabled(cloud, string_member(*user, "domain_id"));
}

Checked<Session> by_password(const Call& call, const Json& identity) {
  const Json& user = member(member(identity, "password"), "user");
  if (!user.is_object()) return refuse(malformed("Expecting to find password in identity."));
  if (!user.contains("id") && !user.contains("name")) {
    return refuse(malformed("Expecting to find id or name in user."));
  }
  if (!user.contains("id") && !user.contains("domain")) {
    return refuse(malformed("Expecting to find domain in user."));
  }
  const Json* known = named_in(call.cloud, kUser, user);
  if (!may_sign_in(call.cloud, known) ||
      !password_matches(*known, string_member(user, "password"))) {
    return refuse(unauthenticated_answer(call.cloud));
  }
  return Session{.user = known,
                 .methods = {"password"},
                 .credential = nullptr,
                 .parent = nullptr,
                 .expires_at = call.cloud.clock().wall_now() + kTokenLife};
}

Checked<Session> by_token(const Call& call, const Json& identity) {
  const Json& id = member(member(identity, "token"), "id");
  if (!id.is_string()) return refuse(malformed("Expecting to find token in identity."));
  const std::string token = id.get<std::string>();
  const Json* parent = call.cloud.find(kToken, hex(sha256(token)));
  if (parent == nullptr) return refuse(error_answer(404, "Could not recognize Fernet token"));
  if (auto who = identify(call.cloud, token); !who) {
    return refuse(unauthenticated_answer(call.cloud));
  }
  if (!string_member(*parent, "application_credential_id").empty()) {
    return refuse(forbidden("Using a delegated token to create another token is not allowed."));
  }
  Session session{.user = call.cloud.find(kUser, string_member(*parent, "user_id")),
                  .methods = {"token"},
                  .credential = nullptr,
                  .parent = parent,
                  .expires_at = *parse_time(string_member(*parent, "expires_at"))};
  for (const std::string& method : strings_member(*parent, "methods")) {
    if (method != "token") session.methods.push_back(method);
  }
  return session;
}

Checked<Session> by_application_credential(const Call& call, const Json& identity) {
  const Cloud& cloud = call.cloud;
  const Json& given = member(identity, "application_credential");
  if (!given.is_object()) {
    return refuse(malformed("Expecting to find application_credential in identity."));
  }
  const Json* credential = nullptr;
  if (const std::string id = string_member(given, "id"); !id.empty()) {
    credential = cloud.find(kApplicationCredential, id);
    if (credential == nullptr) return refuse(not_found("Application Credential", id));
  } else {
    if (!given.contains("user")) {
      return refuse(malformed("Expecting to find user in application credential."));
    }
    const Json* user = named_in(cloud, kUser, member(given, "user"));
    if (user == nullptr) return refuse(unauthenticated_answer(cloud));
    for (const Json* each :
         cloud.where(kApplicationCredential, "user_id", string_member(*user, "id"))) {
      if (string_member(*each, "name") == string_member(given, "name")) credential = each;
    }
  }
  const WallTime now = cloud.clock().wall_now();
  if (credential == nullptr || !password_matches(*credential, string_member(given, "secret"))) {
    return refuse(unauthenticated_answer(cloud));
  }
  const Json* user = cloud.find(kUser, string_member(*credential, "user_id"));
  const auto ends = parse_time(string_member(*credential, "expires_at") + "Z");
  if (!may_sign_in(cloud, user) || (ends && *ends <= now)) {
    return refuse(unauthenticated_answer(cloud));
  }
  return Session{.user = user,
                 .methods = {"application_credential"},
                 .credential = credential,
                 .parent = nullptr,
                 .expires_at = ends ? std::min(*ends, now + kTokenLife) : now + kTokenLife};
}

Checked<Session> sign_in(const Call& call) {
  const Json& auth = member(call.body, "auth");
  if (!auth.is_object()) return refuse(malformed("Expecting to find auth in request body."));
  const Json& identity = member(auth, "identity");
  if (!identity.is_object()) return refuse(bad_request("'identity' is a required property"));
  const Json& methods = member(identity, "methods");
  if (!methods.is_array()) {
    return refuse(
        bad_request("Invalid input for field 'identity': 'methods' is a required property"));
  }
  if (methods.size() == 1 && methods[0].is_string()) {
    const std::string method = methods[0].get<std::string>();
    if (method == "password") return by_password(call, identity);
    if (method == "token") return by_token(call, identity);
    if (method == "application_credential") return by_application_credential(call, identity);
  }
  return refuse(unsupported(call, "Attempted to authenticate with an unsupported method.",
                            {{"methods", {"password", "token", "application_credential"}}}));
}

/// The scope that the request names; without one, the user's default project where they hold a
/// role in it.
Checked<Scope> requested_scope(const Call& call, const Session& session) {
  const Cloud& cloud = call.cloud;
  const Json& scope = member(member(call.body, "auth"), "scope");
  if (session.credential != nullptr) {
    if (!scope.is_null()) {
      return refuse(unsupported(call,
                                "Error authenticating with application credential: Application "
                                "credentials cannot request a scope.",
                                Json::object()));
    }
    const std::string project = string_member(*session.credential, "project_id");
    return project.empty() ? Scope{} : Scope{.type = "project", .id = project};
  }
  if (scope.is_null()) {
    Scope usual{.type = "project", .id = string_member(*session.user, "default_project_id")};
    const Json* project = cloud.find(kProject, usual.id);
    const bool usable = session.parent == nullptr && project != nullptr &&
                        member(*project, "enabled") == true &&
                        !roles_of(cloud, string_member(*session.user, "id"), usual).empty();
    return usable ? usual : Scope{};
  }
  if (scope == "unscoped" || (scope.is_object() && scope.contains("unscoped"))) return Scope{};
  if (!scope.is_object() || scope.size() != 1) {
    return refuse(
        malformed("Expecting to find system, project, domain, OS-TRUST:trust or unscoped in "
                  "scope."));
  }
  if (scope.contains("system")) return Scope{.type = "system", .id = "all"};
  if (const Json& wanted = member(scope, "project"); wanted.is_object()) {
    if (!wanted.contains("id") && !wanted.contains("domain")) {
      return refuse(malformed("Expecting to find domain in project."));
    }
    const Json* project = named_in(cloud, kProject, wanted);
    if (project == nullptr || member(*project, "enabled") != true ||
        !domain_is_enabled(cloud, string_member(*project, "domain_id"))) {
      return refuse(unauthenticated_answer(cloud));
    }
    return Scope{.type = "project", .id = string_member(*project, "id")};
  }
  const Json* domain = domain_in(cloud, member(scope, "domain"));
  if (domain == nullptr || member(*domain, "enabled") != true) {
    return refuse(unauthenticated_answer(cloud));
  }
  return Scope{.type = "domain", .id = string_member(*domain, "id")};
}

Json roles_of_token(const Cloud& cloud, const Json& token, const Identity& who) {
  const Scope scope{.type = string_member(token, "target_type"),
                    .id = string_member(token, "target_id")};
  Json roles = Json::array();
  for (const Json* role : roles_of(cloud, who.user_id, scope)) {
    const std::string name = string_member(*role, "name");
    if (who.has(name)) roles.push_back({{"id", string_member(*role, "id")}, {"name", name}});
  }
  return roles;
}

/// A token as its owner and the services see it.
Json token_body(const Call& call, const Json& token, const Identity& who) {
  const Cloud& cloud = call.cloud;
  Json body = {{"methods", member(token, "methods")},
               {"user",
                {{"domain", domain_of(cloud, who.user_domain_id)},
                 {"id", who.user_id},
                 {"name", who.user_name},
                 {"password_expires_at", nullptr}}},
               {"audit_ids", member(token, "audit_ids")},
               {"expires_at", member(token, "expires_at")},
               {"issued_at", member(token, "issued_at")}};
  const std::string scope = string_member(token, "target_type");
  if (scope.empty()) return {{"token", body}};
  if (scope == "project") {
    const Json& project = *cloud.find(kProject, who.project_id);
    body["project"] = {{"domain", domain_of(cloud, who.project_domain_id)},
                       {"id", who.project_id},
                       {"name", member(project, "name")}};
    body["is_domain"] = false;
  }
  if (scope == "domain") body["domain"] = domain_of(cloud, who.domain_id);
  if (scope == "system") body["system"] = {{"all", true}};
  body["roles"] = roles_of_token(cloud, token, who);
  if (!call.query("nocatalog")) body["catalog"] = catalog(cloud, who.project_id);
  if (!who.application_credential_id.empty()) {
    const Json& credential = *cloud.find(kApplicationCredential, who.application_credential_id);
    body["application_credential"] = {{"id", who.application_credential_id},
                                      {"name", member(credential, "name")},
                                      {"restricted", !who.unrestricted}};
  }
  return {{"token", body}};
}

void forget_expired(Cloud& cloud) {
  const std::string now = time_in_microseconds(cloud.clock().wall_now() - kTokenLife);
  // Kept for an hour beyond their end, so that "expired" and "unknown" can be told apart.
  for (const Json* token = cloud.oldest(kToken);
       token != nullptr && string_member(*token, "expires_at") < now;
       token = cloud.oldest(kToken)) {
    cloud.erase(kToken, std::string(string_member(*token, "id")));
  }
}

ServerResponse issue(Call& call) {
  Cloud& cloud = call.cloud;
  if (const auto type = call.http.header("content-type");
      type && !call.http.body.empty() && type->find("json") == std::string::npos) {
    return malformed("Expecting to find application/json in Content-Type header.");
  }
  const auto session = sign_in(call);
  if (!session) return session.error();
  const auto scope = requested_scope(call, *session);
  if (!scope) return scope.error();

  forget_expired(cloud);
  const std::string token = "bdc-" + base64url(cloud.random().bytes(48));
  Json audit_ids = Json::array({base64url(cloud.random().bytes(16))});
  if (session->parent != nullptr) audit_ids.push_back(member(*session->parent, "audit_ids")[0]);
  const Json& stored = cloud.put(
      kToken, {{"id", hex(sha256(token))},
               {"user_id", string_member(*session->user, "id")},
               {"target_type", scope->type},
               {"target_id", scope->id},
               {"methods", session->methods},
               {"audit_ids", audit_ids},
               {"issued_at", time_in_microseconds(cloud.clock().wall_now())},
               {"expires_at", time_in_microseconds(session->expires_at)},
               {"application_credential_id",
                session->credential == nullptr ? "" : string_member(*session->credential, "id")}});
  const auto who = identify(cloud, token);
  if (!who) return unauthenticated_answer(cloud);
  ServerResponse answer = json_answer(201, token_body(call, stored, *who));
  answer.headers.emplace_back("X-Subject-Token", token);
  answer.headers.emplace_back("Vary", "X-Auth-Token");
  return answer;
}

/// The token that a request is about, in X-Subject-Token, and who holds it.
struct Subject {
  std::string token;
  const Json* stored = nullptr;
  Identity who;
};

Checked<Subject> subject_of(const Call& call, const std::string& rule) {
  const auto token = call.http.header("x-subject-token");
  if (!token) return refuse(error_answer(404, "No token in the request"));
  Subject subject{
      .token = *token, .stored = call.cloud.find(kToken, hex(sha256(*token))), .who = {}};
  if (subject.stored == nullptr) {
    return refuse(error_answer(404, "Could not recognize Fernet token"));
  }
  auto who = identify(call.cloud, *token);
  if (!who) {
    return refuse(
        error_answer(404, who.error().empty() ? "Failed to validate token" : who.error()));
  }
  subject.who = std::move(*who);
  if (subject.who.user_id != call.who.user_id && !call.who.is_admin() && !call.who.has("service")) {
    return refuse(forbidden(rule));
  }
  return subject;
}

ServerResponse validate(Call& call) {
  const auto subject = subject_of(call, "identity:validate_token");
  if (!subject) return subject.error();
  ServerResponse answer = json_answer(200, token_body(call, *subject->stored, subject->who));
  answer.headers.emplace_back("X-Subject-Token", subject->token);
  answer.headers.emplace_back("Vary", "X-Auth-Token");
  return answer;
}

ServerResponse revoke(Call& call) {
  const auto subject = subject_of(call, "identity:revoke_token");
  if (!subject) return subject.error();
  call.cloud.erase(kToken, subject->who.token_id);
  return empty_answer(204);
}

ServerResponse show_catalog(Call& call) {
  if (call.who.roles.empty()) {
    return error_answer(403, "You are not authorized to perform the requested action.");
  }
  return json_answer(200, {{"catalog", catalog(call.cloud, call.who.project_id)},
                           {"links", {{"self", call.base() + "/v3/auth/catalog"}}}});
}

ServerResponse list_own_projects(Call& call) {
  std::vector<Json> projects;
  for (const Json* project : projects_of(call.cloud, call.who.user_id)) {
    if (member(*project, "enabled") == true) projects.push_back(shown(call, *project, "projects"));
  }
  return list(call, "projects", std::move(projects), {});
}

ServerResponse list_own_domains(Call& call) {
  std::vector<Json> domains;
  for (const Json* domain : call.cloud.all(kDomain)) {
    const Scope scope{.type = "domain", .id = string_member(*domain, "id")};
    if (member(*domain, "enabled") == true &&
        !roles_of(call.cloud, call.who.user_id, scope).empty()) {
      domains.push_back(shown(call, *domain, "domains"));
    }
  }
  return list(call, "domains", std::move(domains), {});
}

}  // namespace

void add_token_routes(Router& router) {
  router.add("identity", "POST", "/v3/auth/tokens", Access::anyone(), issue);
  router.add("identity", "GET", "/v3/auth/tokens", Access::signed_in(), validate);
  router.add("identity", "DELETE", "/v3/auth/tokens", Access::signed_in(), revoke);
  router.add("identity", "GET", "/v3/auth/catalog", Access::signed_in(), show_catalog);
  router.add("identity", "GET", "/v3/auth/projects", Access::signed_in(), list_own_projects);
  router.add("identity", "GET", "/v3/auth/domains", Access::signed_in(), list_own_domains);
}

}  // namespace bailey::devcloud::identity
