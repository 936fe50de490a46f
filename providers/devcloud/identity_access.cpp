#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "providers/devcloud/identity.hpp"

#include <algorithm>
#include <set>
#include <utility>

/// Who may do what: roles by grants, groups and implication; tokens that stand for them; and what
/// ends with a grant, a user, a group or a project.
namespace bailey::devcloud {

namespace identity {

namespace {

bool is_for(const Json& grant, const Scope& scope) {
  return string_member(grant, "target_type") == scope.type &&
         string_member(grant, "target_id") == scope.id;
}

void add_granted(const Cloud& cloud, std::string_view actor, const Scope& scope,
                 std::vector<const Json*>& roles) {
  for (const Json* grant : cloud.where(kGrant, "actor_id", actor)) {
    if (!is_for(*grant, scope)) continue;
    const Json* role = cloud.find(kRole, string_member(*grant, "role_id"));
    if (role != nullptr && std::find(roles.begin(), roles.end(), role) == roles.end()) {
      roles.push_back(role);
    }
  }
}

/// The roles that a token gives today; an application credential's are a subset.
std::vector<const Json*> roles_by_token(const Cloud& cloud, const Json& token, const Scope& scope) {
  std::vector<const Json*> held = roles_of(cloud, string_member(token, "user_id"), scope);
  const std::string credential_id = string_member(token, "application_credential_id");
  if (credential_id.empty()) return held;
  const Json* credential = cloud.find(kApplicationCredential, credential_id);
  if (credential == nullptr) return {};
  std::vector<const Json*> chosen;
  for (const std::string& id : strings_member(*credential, "_roles")) {
    const Json* role = cloud.find(kRole, id);
    if (role != nullptr && std::find(held.begin(), held.end(), role) != held.end()) {
      chosen.push_back(role);
    }
  }
  return with_implied(cloud, chosen);
}

/// Empty when the scope can be used; else what Keystone says about it.
tl::expected<void, std::string> usable(const Cloud& cloud, const Scope& scope) {
  if (scope.type == "domain" && !domain_is_enabled(cloud, scope.id)) {
    return tl::unexpected<std::string>("");
  }
  if (scope.type != "project") return {};
  const Json* project = cloud.find(kProject, scope.id);
  if (project == nullptr) {
    return tl::unexpected("Could not find project: " + scope.id + ".");
  }
  if (member(*project, "enabled") != true ||
      !domain_is_enabled(cloud, string_member(*project, "domain_id"))) {
    return tl::unexpected("Unable to validate token because project " + scope.id + " is disabled");
  }
  return {};
}

}  // namespace

std::vector<const Json*> with_implied(const Cloud& cloud, const std::vector<const Json*>& roles) {
  std::vector<const Json*> all = roles;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const Json* implication :
         cloud.where(kImplication, "prior_id", string_member(*all[i], "id"))) {
      const Json* implied = cloud.find(kRole, string_member(*implication, "implied_id"));
      if (implied != nullptr && std::find(all.begin(), all.end(), implied) == all.end()) {
        all.push_back(implied);
      }
    }
  }
  return all;
}

std::vector<const Json*> roles_of(const Cloud& cloud, std::string_view user, const Scope& scope) {
  std::vector<const Json*> roles;
  add_granted(cloud, user, scope, roles);
  for (const Json* membership : cloud.where(kMembership, "user_id", user)) {
    add_granted(cloud, string_member(*membership, "group_id"), scope, roles);
  }
  roles = with_implied(cloud, roles);
  // A role of a domain gives what it implies and nothing by its own name, which could be `admin`.
  roles.erase(
      std::remove_if(roles.begin(), roles.end(),
                     [](const Json* role) { return !member(*role, "domain_id").is_null(); }),
      roles.end());
  return roles;
}

std::vector<const Json*> projects_of(const Cloud& cloud, std::string_view user) {
  std::set<std::string> ids;
  const auto collect = [&](std::string_view actor) {
    for (const Json* grant : cloud.where(kGrant, "actor_id", actor)) {
      if (string_member(*grant, "target_type") == "project") {
        ids.insert(string_member(*grant, "target_id"));
      }
    }
  };
  collect(user);
  for (const Json* membership : cloud.where(kMembership, "user_id", user)) {
    collect(string_member(*membership, "group_id"));
  }
  std::vector<const Json*> projects;
  for (const std::string& id : ids) {
    if (const Json* project = cloud.find(kProject, id)) projects.push_back(project);
  }
  return projects;
}

void grant(Cloud& cloud, const Scope& scope, std::string_view actor_type, std::string_view actor,
           std::string_view role) {
  const std::string id = scope.type + "/" + scope.id + "/" + std::string(actor_type) + "/" +
                         std::string(actor) + "/" + std::string(role);
  if (cloud.find(kGrant, id) != nullptr) return;
  cloud.put(kGrant, {{"id", id},
                     {"target_type", scope.type},
                     {"target_id", scope.id},
                     {"actor_type", actor_type},
                     {"actor_id", actor},
                     {"role_id", role}});
}

void forget_access(Cloud& cloud, std::string_view user, const Scope& scope) {
  for (const Json* token : cloud.where(kToken, "user_id", user)) {
    if (is_for(*token, scope)) cloud.erase(kToken, std::string(string_member(*token, "id")));
  }
  if (scope.type != "project") return;
  for (const Json* credential : cloud.where(kApplicationCredential, "user_id", user)) {
    if (string_member(*credential, "project_id") == scope.id) {
      cloud.erase(kApplicationCredential, std::string(string_member(*credential, "id")));
    }
  }
}

void sign_out(Cloud& cloud, std::string_view user) {
  cloud.erase_where(kToken, "user_id", user);
}

void erase_user(Cloud& cloud, const std::string& user) {
  sign_out(cloud, user);
  cloud.erase_where(kApplicationCredential, "user_id", user);
  cloud.erase_where(kMembership, "user_id", user);
  cloud.erase_where(kGrant, "actor_id", user);
  cloud.erase(kUser, user);
}

void erase_group(Cloud& cloud, const std::string& group) {
  for (const Json* membership : cloud.where(kMembership, "group_id", group)) {
    sign_out(cloud, string_member(*membership, "user_id"));
  }
  cloud.erase_where(kMembership, "group_id", group);
  cloud.erase_where(kGrant, "actor_id", group);
  cloud.erase(kGroup, group);
}

void erase_project(Cloud& cloud, const std::string& project) {
  cloud.erase_where(kToken, "target_id", project);
  cloud.erase_where(kApplicationCredential, "project_id", project);
  cloud.erase_where(kGrant, "target_id", project);
  cloud.erase(kProject, project);
}

}  // namespace identity

tl::expected<Identity, std::string> identify(const Cloud& cloud, std::string_view token) {
  using namespace identity;
  const auto nobody = [](std::string why = {}) { return tl::unexpected(std::move(why)); };
  if (token.empty()) return nobody();
  const std::string id = hex(sha256(token));
  const Json* known = cloud.find(kToken, id);
  if (known == nullptr) return nobody();
  const auto expires = parse_time(string_member(*known, "expires_at"));
  if (!expires || *expires <= cloud.clock().wall_now()) return nobody();

  Identity who;
  who.token_id = id;
  who.user_id = string_member(*known, "user_id");
  const Json* user = cloud.find(kUser, who.user_id);
  if (user == nullptr || member(*user, "enabled") != true) return nobody();
  who.user_name = string_member(*user, "name");
  who.user_domain_id = string_member(*user, "domain_id");
  if (!domain_is_enabled(cloud, who.user_domain_id)) return nobody();

  who.application_credential_id = string_member(*known, "application_credential_id");
  if (!who.application_credential_id.empty()) {
    const Json* credential = cloud.find(kApplicationCredential, who.application_credential_id);
    if (credential == nullptr) {
      return nobody("Could not find Application Credential: " + who.application_credential_id +
                    ".");
    }
    const auto ends = parse_time(string_member(*credential, "expires_at") + "Z");
    if (ends && *ends <= cloud.clock().wall_now()) return nobody();
    who.unrestricted = member(*credential, "unrestricted") == true;
  }

  const Scope scope{.type = string_member(*known, "target_type"),
                    .id = string_member(*known, "target_id")};
  if (scope.type.empty()) return who;
  if (auto fit = usable(cloud, scope); !fit) return nobody(fit.error());
  for (const Json* role : roles_by_token(cloud, *known, scope)) {
    who.roles.insert(string_member(*role, "name"));
  }
  if (who.roles.empty()) return nobody();
  if (scope.type == "project") {
    who.project_id = scope.id;
    who.project_domain_id = string_member(*cloud.find(kProject, scope.id), "domain_id");
  }
  if (scope.type == "domain") who.domain_id = scope.id;
  who.system = scope.type == "system";
  return who;
}

}  // namespace bailey::devcloud
