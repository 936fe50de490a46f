#include "providers/openstack/home.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

namespace bailey::openstack {

namespace {

constexpr std::string_view kTagPrefix = "bailey:";

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

Error with_needed_rights(Error error) {
  if (error.kind() != ErrorKind::PermissionDenied) return error;
  return std::move(error).with_hint(
      "The account's login needs the right to keep projects, users and their roles in the domain "
      "where its environments live.");
}

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

Home::Home(SessionOptions options, Doors doors, Domains domains)
    : doors_(doors), domains_(std::move(domains)), session_(std::move(options), doors) {}

Result<std::string> Home::own_domain(std::stop_token stop) {
  auto token = session_.token(stop);
  if (!token) return fail(std::move(token.error()));
  const auto& facts = **token;
  return facts.project_domain_id.empty() ? facts.user_domain_id : facts.project_domain_id;
}

Result<std::string> Home::find_domain(const std::string& named, std::stop_token stop) {
  auto all = api(stop).list(Service::Identity, "/domains?name=" + percent_encode(named), "domains");
  if (!all) return fail(std::move(all.error()));
  for (const auto& each : *all) {
    if (string_member(each, "name") == named) return require_string(each, "id");
  }
  auto by_id = api(stop).find(Service::Identity, "/domains/" + percent_encode(named));
  if (!by_id) return fail(std::move(by_id.error()));
  if (*by_id) return require_string(member(**by_id, "domain"), "id");
  return fail(ErrorKind::NotFound, "Keystone shows no domain \"" + named + "\" to this account");
}

Result<std::string> Home::domain(EnvironmentClass of, std::stop_token stop) {
  if (domains_.empty()) return own_domain(stop);
  const auto named = domains_.find(of);
  if (named == domains_.end()) {
    return fail(ErrorKind::Refused, "the account names no domain for environments of class \"" +
                                        std::string(to_string(of)) + "\"");
  }
  {
    const std::lock_guard lock(mutex_);
    const auto known = domain_ids_.find(named->second);
    if (known != domain_ids_.end()) return known->second;
  }
  auto id = find_domain(named->second, stop);
  if (!id) {
    return fail(
        with_needed_rights(std::move(id.error())).in("looking for the domain " + named->second));
  }
  const std::lock_guard lock(mutex_);
  return domain_ids_[named->second] = std::move(*id);
}

Result<std::string> Home::domain_of(const std::string& project, std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = domain_of_project_.find(project);
    if (known != domain_of_project_.end()) return known->second;
  }
  auto found = keystone_project(project, stop);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return fail(ErrorKind::NotFound, "the project " + project + " is not there");
  return require_string(**found, "domain_id");
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

Result<std::optional<Json>> Home::user_named(const std::string& name, const std::string& domain,
                                             std::stop_token stop) {
  auto users = api(stop).list(
      Service::Identity, "/users?name=" + percent_encode(name) + "&domain_id=" + domain, "users");
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
  auto project = member(**found, "project");
  const std::lock_guard lock(mutex_);
  if (auto in = string_member(project, "domain_id"); !in.empty()) {
    domain_of_project_[id] = std::move(in);
  }
  return std::optional<Json>(std::move(project));
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
  auto where = domain_of(project, stop);
  if (!where) return where;
  auto found = user_named(name, *where, stop);
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
  user["name"] = name;
  user["domain_id"] = *where;
  user["description"] = owner_tag(uid) + " worker";
  auto made = api(stop).post(Service::Identity, "/users", {{"user", std::move(user)}}, Quote::No);
  if (!made) return fail(std::move(made.error()));
  return require_string(member(*made, "user"), "id");
}

Status Home::note_grant(const std::string& user, const std::string& project,
                        const std::string& role, std::stop_token stop) {
  auto had = api(stop).find(Service::Identity,
                            "/projects/" + project + "/users/" + user + "/roles/" + role);
  if (!had) return fail(std::move(had.error()));
  if (*had) return {};
  return tag(project, std::string(kGrantedTag) + user + ":" + role, stop);
}

Status Home::tag(const std::string& project, const std::string& text, std::stop_token stop) {
  const auto path = "/projects/" + project + "/tags/" + percent_encode(text);
  // Keystone refuses (400) to set a tag again.
  auto there = api(stop).find(Service::Identity, path);
  if (!there) return fail(std::move(there.error()));
  if (*there) return {};
  auto put = api(stop).put(Service::Identity, path, Json());
  if (!put) return fail(std::move(put.error()).in("tagging the project " + project));
  return {};
}

Result<bool> Home::rules_in(const std::string& project, std::stop_token stop) {
  // Whoever works there for an application credential is made for it and has no role before.
  if (by_application_credential()) return false;
  auto token = session_.token(stop);
  if (!token) return fail(std::move(token.error()));
  auto held =
      api(stop).list(Service::Identity,
                     "/role_assignments?effective&include_names&user.id=" + (*token)->user_id +
                         "&scope.project.id=" + project,
                     "role_assignments");
  if (!held) return fail(std::move(held.error()));
  for (const auto& each : *held) {
    if (string_member(member(each, "role"), "name") == "admin") return true;
  }
  return false;
}

Status Home::enter(const std::string& project, const EnvironmentUid& uid, Adopted adopted,
                   std::stop_token stop) {
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
    if (adopted == Adopted::Yes && !by_application_credential()) {
      if (auto noted = note_grant(user, project, *role, stop); !noted) return noted;
    }
    if (auto done = assign(user, project, *role, stop); !done) return done;
  }
  return {};
}

Result<SessionOptions> Home::options_inside(const std::string& project, std::stop_token stop) {
  auto options = session_.options();
  options.scope = {.project_id = project};
  if (by_application_credential()) {
    auto where = domain_of(project, stop);
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
  auto places = domains_where(project, stop);
  if (!places) return fail(std::move(places.error()));
  for (const auto& place : *places) {
    auto worker = user_named(worker_name(project), place, stop);
    if (!worker) return fail(std::move(worker.error()));
    if (!*worker) continue;
    auto gone = api(stop).remove(Service::Identity, "/users/" + string_member(**worker, "id"));
    if (!gone) return gone;
  }
  return {};
}

/// The one that a project is known to be in, or all that it can have been in.
Result<std::set<std::string>> Home::domains_where(const std::string& project,
                                                  std::stop_token stop) {
  if (auto known = domain_of(project, stop)) return std::set<std::string>{*known};
  std::set<std::string> all;
  for (const auto& [of, named] : domains_) {
    auto id = domain(of, stop);
    if (!id) return fail(std::move(id.error()));
    all.insert(std::move(*id));
  }
  if (!all.empty()) return all;
  auto own = own_domain(stop);
  if (!own) return fail(std::move(own.error()));
  return std::set<std::string>{std::move(*own)};
}

}  // namespace bailey::openstack
