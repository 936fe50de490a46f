#include "providers/openstack/home.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

namespace bailey::openstack {

namespace {

constexpr std::string_view kTagPrefix = "bailey:";

/// A domain by name, or by id where `..._domain_id` is given instead.
Status read_domain(const Json& credential, const std::string& whose, std::string& id,
                   std::string& name) {
  id = string_member(credential, whose + "_domain_id");
  if (!id.empty()) return {};
  auto text = require_string(credential, whose + "_domain_name");
  if (!text) return fail(std::move(text.error()));
  name = std::move(*text);
  return {};
}

Result<Login> read_login(const Json& credential) {
  const auto id = string_member(credential, "application_credential_id");
  if (!id.empty()) {
    auto secret = require_string(credential, "application_credential_secret");
    if (!secret) return fail(std::move(secret.error()));
    return Login(ApplicationCredentialLogin{id, Secret(std::move(*secret))});
  }
  PasswordLogin login;
  auto name = require_string(credential, "username");
  if (!name) return fail(std::move(name.error()));
  login.user_name = std::move(*name);
  auto password = require_string(credential, "password");
  if (!password) return fail(std::move(password.error()));
  login.password = Secret(std::move(*password));
  if (auto read = read_domain(credential, "user", login.domain_id, login.domain_name); !read) {
    return fail(std::move(read.error()));
  }
  return Login(std::move(login));
}

Result<TokenScope> read_scope(const Json& credential) {
  auto name = require_string(credential, "project_name");
  if (!name) return fail(std::move(name.error()));
  TokenScope scope{.project_name = std::move(*name)};
  auto read = read_domain(credential, "project", scope.domain_id, scope.domain_name);
  if (!read) return fail(std::move(read.error()));
  return scope;
}

std::string assignment_path(const Json& entry) {
  const auto& scope = member(entry, "scope");
  std::string place;
  if (const auto project = string_member(member(scope, "project"), "id"); !project.empty()) {
    place = "/projects/" + project;
  } else if (const auto domain = string_member(member(scope, "domain"), "id"); !domain.empty()) {
    place = "/domains/" + domain;
  } else {
    place = "/system";
  }
  const bool inherited = !member(scope, "OS-INHERIT:inherited_to").is_null();
  return (inherited ? "/OS-INHERIT" : "") + place + "/users/" +
         string_member(member(entry, "user"), "id") + "/roles/" +
         string_member(member(entry, "role"), "id") + (inherited ? "/inherited_to_projects" : "");
}

}  // namespace

std::string owner_tag(const EnvironmentUid& uid) {
  return std::string(kTagPrefix) + uid.str();
}

std::string short_uid(const EnvironmentUid& uid) {
  const auto& text = uid.str();
  return text.size() <= 8 ? text : text.substr(text.size() - 8);
}

std::optional<EnvironmentUid> owner_of(const Json& project) {
  for (const auto& tag : strings_member(project, "tags")) {
    if (tag.starts_with(kTagPrefix) && tag.size() > kTagPrefix.size()) {
      return EnvironmentUid(tag.substr(kTagPrefix.size()));
    }
  }
  return std::nullopt;
}

Result<SessionOptions> session_options(const Account& account, const Secret& credential) {
  const std::string doing = "reading the credential of account " + account.name;
  const auto json = parse_json(credential.reveal());
  if (!json || !json->is_object()) {
    // The parser's words would quote the text.
    return fail(Error(ErrorKind::InvalidArgument, "it is not a JSON object").in(doing));
  }
  auto login = read_login(*json);
  if (!login) return fail(Error(ErrorKind::InvalidArgument, login.error().message()).in(doing));
  SessionOptions options;
  options.auth_url = account.endpoint;
  options.region = account.region;
  options.login = std::move(*login);
  if (std::holds_alternative<PasswordLogin>(options.login)) {
    auto scope = read_scope(*json);
    if (!scope) return fail(Error(ErrorKind::InvalidArgument, scope.error().message()).in(doing));
    options.scope = std::move(*scope);
  }
  return options;
}

Home::Home(SessionOptions options, Doors doors)
    : doors_(doors), session_(std::move(options), doors) {}

Result<std::string> Home::domain(std::stop_token stop) {
  auto token = session_.token(stop);
  if (!token) return fail(std::move(token.error()));
  const auto& facts = **token;
  return facts.project_domain_id.empty() ? facts.user_domain_id : facts.project_domain_id;
}

Result<std::string> Home::role_id(const std::string& name, std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = roles_.find(name); found != roles_.end()) return found->second;
  }
  auto roles = api(stop).list(Service::Identity, "/roles?name=" + percent_encode(name), "roles");
  if (!roles) return fail(std::move(roles.error()));
  for (const auto& role : *roles) {
    if (string_member(role, "name") != name || !string_member(role, "domain_id").empty()) continue;
    const std::lock_guard lock(mutex_);
    return roles_[name] = string_member(role, "id");
  }
  return fail(ErrorKind::InvalidArgument, "Keystone has no role \"" + name + "\"");
}

Result<std::vector<Assignment>> Home::assignments(const std::string& user, std::stop_token stop) {
  auto found =
      api(stop).list(Service::Identity, "/role_assignments?user.id=" + user, "role_assignments");
  if (!found) return fail(std::move(found.error()));
  std::vector<Assignment> all;
  for (const auto& entry : *found) {
    if (string_member(member(entry, "user"), "id") != user) continue;
    all.push_back({string_member(member(entry, "role"), "id"),
                   string_member(member(member(entry, "scope"), "project"), "id"),
                   assignment_path(entry)});
  }
  return all;
}

Status Home::assign(const std::string& user, const std::string& project, const std::string& role_id,
                    std::stop_token stop) {
  auto put = api(stop).put(Service::Identity,
                           "/projects/" + project + "/users/" + user + "/roles/" + role_id, Json());
  if (!put) return fail(std::move(put.error()));
  return {};
}

Result<std::optional<Json>> Home::user_named(const std::string& name, std::stop_token stop) {
  auto where = domain(stop);
  if (!where) return fail(std::move(where.error()));
  auto users = api(stop).list(
      Service::Identity, "/users?name=" + percent_encode(name) + "&domain_id=" + *where, "users");
  if (!users) return fail(std::move(users.error()));
  for (auto& user : *users) {
    if (string_member(user, "name") == name) return std::optional<Json>(std::move(user));
  }
  return std::optional<Json>();
}

Result<std::optional<Json>> Home::keystone_project(const std::string& id, std::stop_token stop) {
  auto found = api(stop).find(Service::Identity, "/projects/" + percent_encode(id));
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::optional<Json>();
  return std::optional<Json>(member(**found, "project"));
}

bool Home::by_application_credential() const {
  return std::holds_alternative<ApplicationCredentialLogin>(session_.options().login);
}

std::string Home::worker_name(const std::string& project) const {
  return "bailey-worker-" + project;
}

Secret Home::worker_password(const std::string& project) const {
  const auto& login = std::get<ApplicationCredentialLogin>(session_.options().login);
  const auto mac = hmac_sha256(login.secret.reveal(), "bailey worker of project " + project);
  return Secret(base64url(bytes_of(mac)));
}

Result<bool> Home::password_fits(const std::string& user, const Secret& password,
                                 std::stop_token stop) {
  SessionOptions options = session_.options();
  PasswordLogin login;
  login.user_id = user;
  login.password = password;
  options.login = std::move(login);
  options.scope = {};
  Session trial(std::move(options), doors_);
  auto token = trial.token(stop);
  if (token) return true;
  if (token.error().kind() == ErrorKind::Unauthenticated) return false;
  return fail(std::move(token.error()));
}

Result<std::string> Home::ensure_worker(const std::string& project, const EnvironmentUid& uid,
                                        std::stop_token stop) {
  const auto name = worker_name(project);
  auto found = user_named(name, stop);
  if (!found) return fail(std::move(found.error()));
  Json user{{"password", std::string(worker_password(project).reveal())}};
  if (*found) {
    if (!string_member(**found, "description").starts_with(owner_tag(uid))) {
      return fail(ErrorKind::Conflict, "the user " + name + " is not one of bailey's");
    }
    const auto id = string_member(**found, "id");
    auto fits = password_fits(id, worker_password(project), stop);
    if (!fits) return fail(std::move(fits.error()));
    if (*fits) return id;
    // The account's secret has changed since. Setting a password ends what others do with it, so
    // it is not done without need.
    auto set = api(stop).patch(Service::Identity, "/users/" + id, {{"user", user}}, Quote::No);
    if (!set) return fail(std::move(set.error()));
    return id;
  }
  auto where = domain(stop);
  if (!where) return where;
  user["name"] = name;
  user["domain_id"] = *where;
  user["description"] = owner_tag(uid) + " worker";
  auto made = api(stop).post(Service::Identity, "/users", {{"user", std::move(user)}}, Quote::No);
  if (!made) return fail(std::move(made.error()));
  return require_string(member(*made, "user"), "id");
}

Status Home::enter(const std::string& project, const EnvironmentUid& uid, std::stop_token stop) {
  std::string user;
  if (by_application_credential()) {
    auto worker = ensure_worker(project, uid, stop);
    if (!worker) return fail(std::move(worker.error()));
    user = *worker;
  } else {
    auto token = session_.token(stop);
    if (!token) return fail(std::move(token.error()));
    user = (*token)->user_id;
  }
  for (const std::string name : {"member", "creator"}) {
    auto role = role_id(name, stop);
    // Newer key managers have no `creator`: there, members keep secrets.
    if (!role && name == "creator" && role.error().kind() == ErrorKind::InvalidArgument) continue;
    if (!role) return fail(std::move(role.error()));
    if (auto done = assign(user, project, *role, stop); !done) return done;
  }
  return {};
}

Result<SessionOptions> Home::options_inside(const std::string& project, std::stop_token stop) {
  auto options = session_.options();
  options.scope = {.project_id = project};
  if (by_application_credential()) {
    auto where = domain(stop);
    if (!where) return fail(std::move(where.error()));
    PasswordLogin login;
    login.user_name = worker_name(project);
    login.domain_id = *where;
    login.password = worker_password(project);
    options.login = std::move(login);
  }
  return options;
}

Result<std::shared_ptr<Project>> Home::project(const std::string& id, std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = projects_.find(id); found != projects_.end()) return found->second;
  }
  auto found = keystone_project(id, stop);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return fail(ErrorKind::NotFound, "the project " + id + " is not there");
  const auto uid = owner_of(**found);
  if (!uid) {
    return fail(ErrorKind::Refused, "the project " + id + " is not one of bailey's environments");
  }
  auto options = options_inside(id, stop);
  if (!options) return fail(std::move(options.error()));
  auto made = std::make_shared<Project>(id, *uid, std::move(*options), doors_);
  const std::lock_guard lock(mutex_);
  return projects_.emplace(id, std::move(made)).first->second;
}

Status Home::abandon(const std::string& project, std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    projects_.erase(project);
  }
  if (!by_application_credential()) return {};
  auto worker = user_named(worker_name(project), stop);
  if (!worker) return fail(std::move(worker.error()));
  if (!*worker) return {};
  return api(stop).remove(Service::Identity, "/users/" + string_member(**worker, "id"));
}

}  // namespace bailey::openstack
