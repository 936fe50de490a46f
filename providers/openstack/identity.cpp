#include "providers/openstack/identity.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/waiting.hpp"

#include <set>

namespace bailey::openstack {

namespace {

constexpr std::size_t kPasswordBytes = 32;
constexpr std::chrono::seconds kRevokeLimit{60};

std::string user_name(const IdentityRequest& request) {
  return "bailey-" + request.environment + "-" + request.role + "-" +
         short_uid(request.environment_uid);
}

Secret new_password(Random& random) {
  return Secret(base64url(random.bytes(kPasswordBytes)));
}

/// `admin` on one project is `admin` everywhere: there would be no boundary any more.
Status refuse_admin(const std::vector<std::string>& grants) {
  for (const auto& grant : grants) {
    if (grant == "admin") {
      return fail(Error(ErrorKind::Refused,
                        "the grant \"admin\" holds in every OpenStack project, not in one")
                      .with_code("openstack.admin-grant"));
    }
  }
  return {};
}

Result<std::optional<Json>> find_user(Home& home, const IdentityRequest& request,
                                      const std::optional<Identity>& known, std::stop_token stop) {
  if (known && !known->id.empty()) {
    auto user = home.api(stop).find(Service::Identity, "/users/" + percent_encode(known->id));
    if (!user) return fail(std::move(user.error()));
    if (*user) return std::optional<Json>(member(**user, "user"));
  }
  auto domain = home.domain_of(request.boundary, stop);
  if (!domain) return fail(std::move(domain.error()));
  return home.user_named(user_name(request), *domain, stop);
}

Result<Identity> make_user(Home& home, const IdentityRequest& request, std::stop_token stop) {
  auto domain = home.domain_of(request.boundary, stop);
  if (!domain) return fail(std::move(domain.error()));
  auto password = new_password(home.doors().random);
  // Nobody is there to renew a password or to choose a first one.
  const Json options{{"ignore_password_expiry", true},
                     {"ignore_change_password_upon_first_use", true}};
  auto made = home.api(stop).post(
      Service::Identity, "/users",
      {{"user",
        {{"name", user_name(request)},
         {"domain_id", *domain},
         {"default_project_id", request.boundary},
         {"description", owner_tag(request.environment_uid) + " role " + request.role},
         {"password", std::string(password.reveal())},
         {"options", options}}}},
      Quote::No);
  if (!made)
    return fail(with_needed_rights(std::move(made.error())).in("in the domain " + *domain));
  auto id = require_string(member(*made, "user"), "id");
  if (!id) return fail(std::move(id.error()));
  return Identity{std::move(*id), std::move(password)};
}

Result<Identity> adopt_user(Home& home, const IdentityRequest& request, const Json& user,
                            const std::optional<Identity>& known, std::stop_token stop) {
  const auto id = string_member(user, "id");
  const auto ours = owner_tag(request.environment_uid) + " role " + request.role;
  if (string_member(user, "description") != ours) {
    return fail(ErrorKind::Conflict,
                "the user " + string_member(user, "name") + " does not belong to this role");
  }
  if (known && known->id == id && !known->secret.empty()) return *known;
  auto password = new_password(home.doors().random);
  auto set =
      home.api(stop).patch(Service::Identity, "/users/" + id,
                           {{"user", {{"password", std::string(password.reveal())}}}}, Quote::No);
  if (!set) return fail(std::move(set.error()));
  return Identity{id, std::move(password)};
}

/// Takes away first: between the two acts an identity has too little, never too much.
Status settle_grants(Home& home, const std::string& user, const IdentityRequest& request,
                     std::stop_token stop) {
  std::set<std::string> missing;
  for (const auto& grant : request.grants) {
    auto role = home.role_id(grant, stop);
    if (!role) return fail(std::move(role.error()));
    missing.insert(std::move(*role));
  }
  auto have = home.assignments(user, stop);
  if (!have) return fail(std::move(have.error()));
  for (const auto& assignment : *have) {
    const bool direct = assignment.path.starts_with("/projects/");
    if (direct && assignment.project_id == request.boundary &&
        missing.erase(assignment.role_id) > 0) {
      continue;
    }
    auto gone = home.api(stop).remove(Service::Identity, assignment.path);
    if (!gone) return gone;
  }
  for (const auto& role : missing) {
    if (auto done = home.assign(user, request.boundary, role, stop); !done) return done;
  }
  return {};
}

std::string credentials_path(const std::string& user) {
  return "/users/" + percent_encode(user) + "/application_credentials";
}

/// Keystone reads times without a zone as UTC.
std::string keystone_time(WallTime time) {
  auto text = format_time(time);
  text.pop_back();
  return text;
}

Result<std::vector<Json>> named_credentials(const Api& as_user, const std::string& user,
                                            const std::string& name) {
  auto found =
      as_user.list(Service::Identity, credentials_path(user) + "?name=" + percent_encode(name),
                   "application_credentials");
  if (found) {
    std::erase_if(*found, [&](const Json& one) { return string_member(one, "name") != name; });
  }
  return found;
}

Result<Json> make_credential(const Api& as_user, const std::string& user,
                             const IssueRequest& request) {
  Json roles = Json::array();
  for (const auto& grant : request.grants) roles.push_back({{"name", grant}});
  const Json body{{"application_credential",
                   {{"name", request.name},
                    {"roles", std::move(roles)},
                    {"unrestricted", false},
                    {"expires_at", keystone_time(request.expires_at)}}}};
  auto made = as_user.post(Service::Identity, credentials_path(user), body);
  if (made || made.error().kind() != ErrorKind::Conflict) return made;
  auto old = named_credentials(as_user, user, request.name);
  if (!old) return fail(std::move(old.error()));
  for (const auto& one : *old) {
    auto gone =
        as_user.remove(Service::Identity, credentials_path(user) + "/" + string_member(one, "id"));
    if (!gone) return fail(std::move(gone.error()));
  }
  return as_user.post(Service::Identity, credentials_path(user), body);
}

SessionOptions options_of(Home& home, const Identity& identity, const std::string& project) {
  auto options = home.session().options();
  PasswordLogin login;
  login.user_id = identity.id;
  login.password = identity.secret;
  options.login = std::move(login);
  options.scope = {.project_id = project};
  return options;
}

/// By the user itself where its password is known: Keystone lets owners do it everywhere, and
/// administrators only under some policies.
Status delete_credential(Home& home, const Identity& identity, const std::string& path,
                         std::stop_token stop) {
  auto gone = home.api(stop).remove(Service::Identity, path);
  if (gone || gone.error().kind() != ErrorKind::PermissionDenied || identity.secret.empty()) {
    return gone;
  }
  Session as_user(options_of(home, identity, ""), home.doors());
  return Api(as_user, stop).remove(Service::Identity, path);
}

}  // namespace

Result<Identity> ensure_identity(Home& home, const IdentityRequest& request,
                                 const std::optional<Identity>& known, std::stop_token stop) {
  if (auto fine = refuse_admin(request.grants); !fine) return fail(std::move(fine.error()));
  auto found = find_user(home, request, known, stop);
  if (!found) return fail(std::move(found.error()));
  auto identity =
      *found ? adopt_user(home, request, **found, known, stop) : make_user(home, request, stop);
  if (!identity) return identity;
  if (auto done = settle_grants(home, identity->id, request, stop); !done) {
    return fail(std::move(done.error()).in("giving the user its roles"));
  }
  return identity;
}

Status remove_identity(Home& home, const std::string& identity, std::stop_token stop) {
  const auto path = "/users/" + percent_encode(identity);
  auto user = home.api(stop).find(Service::Identity, path);
  if (!user) return fail(std::move(user.error()));
  if (!*user) return {};
  if (!string_member(member(**user, "user"), "description").starts_with("bailey:")) {
    return fail(ErrorKind::Refused, "the user " + identity + " is not one of bailey's");
  }
  return home.api(stop).remove(Service::Identity, path);
}

Result<IssuedCredential> issue(Home& home, const Identity& identity, const IssueRequest& request,
                               std::stop_token stop) {
  if (auto fine = refuse_admin(request.grants); !fine) return fail(std::move(fine.error()));
  // Keystone gives all roles of the user to a credential that names none.
  if (request.grants.empty()) {
    return fail(ErrorKind::InvalidArgument, "a credential without any grant cannot be issued");
  }
  if (request.expires_at <= home.doors().clock.wall_now()) {
    return fail(ErrorKind::InvalidArgument, "a credential cannot expire before it is issued");
  }
  Session session(options_of(home, identity, request.boundary), home.doors());
  auto made = make_credential(Api(session, stop), identity.id, request);
  if (!made) return fail(std::move(made.error()));
  const auto& credential = member(*made, "application_credential");
  auto id = require_string(credential, "id");
  if (!id) return fail(std::move(id.error()));
  auto secret = require_string(credential, "secret");
  if (!secret) return fail(std::move(secret.error()));
  const auto& options = home.session().options();
  auto token = session.token(stop);
  if (!token) return fail(std::move(token.error()));
  const Json material{{"auth_url", options.auth_url},
                      {"region", (*token)->region},
                      {"interface", options.interface},
                      {"ca_file", options.ca_file},
                      {"project_id", request.boundary},
                      {"application_credential_id", *id},
                      {"application_credential_secret", *secret}};
  return IssuedCredential{std::move(*id), Secret(material.dump())};
}

Status revoke(Home& home, const Identity& identity, const std::string& provider_id,
              std::stop_token stop) {
  const auto path = credentials_path(identity.id) + "/" + percent_encode(provider_id);
  if (auto gone = delete_credential(home, identity, path, stop); !gone) return gone;
  Patience patience(home.doors().clock, stop, kRevokeLimit);
  for (;;) {
    auto left = home.api(stop).find(Service::Identity, path);
    if (!left) return fail(std::move(left.error()).in("making sure that it is gone"));
    if (!*left) return {};
    if (auto waited = patience.wait("the credential to be refused"); !waited) return waited;
  }
}

Result<Material> read_material(const Secret& material) {
  const auto json = parse_json(material.reveal());
  if (!json) return fail(ErrorKind::InvalidArgument, "the credential is not JSON");
  Material read{string_member(*json, "auth_url"),
                string_member(*json, "region"),
                string_member(*json, "interface"),
                string_member(*json, "ca_file"),
                {string_member(*json, "application_credential_id"),
                 Secret(string_member(*json, "application_credential_secret"))}};
  if (read.auth_url.empty() || read.login.id.empty() || read.login.secret.empty()) {
    return fail(ErrorKind::InvalidArgument, "the credential is not one of this provider");
  }
  return read;
}

Result<std::map<std::string, Secret>> tool_environment(const Secret& material) {
  auto read = read_material(material);
  if (!read) return fail(std::move(read.error()));
  std::map<std::string, Secret> variables{
      {"OS_AUTH_TYPE", Secret("v3applicationcredential")},
      {"OS_AUTH_URL", Secret(read->auth_url)},
      {"OS_IDENTITY_API_VERSION", Secret("3")},
      {"OS_INTERFACE", Secret(read->interface)},
      {"OS_APPLICATION_CREDENTIAL_ID", Secret(read->login.id)},
      {"OS_APPLICATION_CREDENTIAL_SECRET", std::move(read->login.secret)}};
  // An empty region is not "any" to those tools.
  if (!read->region.empty()) variables.emplace("OS_REGION_NAME", Secret(read->region));
  if (!read->ca_file.empty()) variables.emplace("OS_CACERT", Secret(read->ca_file));
  return variables;
}

}  // namespace bailey::openstack
