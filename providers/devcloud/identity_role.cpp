#include "providers/devcloud/identity.hpp"

#include <algorithm>
#include <utility>

/// Roles, what they imply, their grants to users and groups, and the list of those.
namespace bailey::devcloud::identity {

namespace {

// --- roles

ServerResponse list_roles(Call& call) {
  std::vector<Json> roles;
  for (const Json* role : call.cloud.all(kRole)) {
    // Without a filter for it, only the roles of no domain are listed.
    if (!call.query("domain_id") && !member(*role, "domain_id").is_null()) continue;
    roles.push_back(shown(call, *role, "roles"));
  }
  return list(call, "roles", std::move(roles), {"name", "domain_id"});
}

ServerResponse show_role(Call& call) {
  const auto role = existing(call.cloud, kRole, "role", call.part("role"));
  if (!role) return role.error();
  return show(call, 200, "role", **role, "roles");
}

Checked<void> check_name_is_free(const Call& call, const Json& role) {
  const std::string name = string_member(role, "name");
  for (const Json* other : call.cloud.where(kRole, "name", name)) {
    if (member(*other, "domain_id") == member(role, "domain_id") &&
        string_member(*other, "id") != string_member(role, "id")) {
      return refuse(duplicate("role", "Duplicate entry found with name " + name));
    }
  }
  return {};
}

ServerResponse create_role(Call& call) {
  auto given = read_resource(call, "role", Purpose::Create, 255);
  if (!given) return given.error();
  const std::string domain = string_member(*given, "domain_id");
  if (!domain.empty()) {
    if (auto known = existing(call.cloud, kDomain, "domain", domain); !known) return known.error();
  }
  Json role = {{"id", call.cloud.new_hex_id()},
               {"domain_id", nullptr},
               {"description", nullptr},
               {"options", Json::object()}};
  role.update(*given);
  if (auto is_free = check_name_is_free(call, role); !is_free) return is_free.error();
  return show(call, 201, "role", call.cloud.put(kRole, std::move(role)), "roles");
}

Checked<const Json*> mutable_role(const Call& call) {
  auto role = existing(call.cloud, kRole, "role", call.part("role"));
  if (role && member(member(**role, "options"), "immutable") == true) {
    return refuse(
        error_answer(403, "Cannot change or delete immutable role " + call.part("role") + "."));
  }
  return role;
}

ServerResponse update_role(Call& call) {
  const auto known = mutable_role(call);
  if (!known) return known.error();
  auto given = read_resource(call, "role", Purpose::Update, 255);
  if (!given) return given.error();
  Json role = **known;
  role.update(*given);
  role["domain_id"] = (**known)["domain_id"];
  if (auto is_free = check_name_is_free(call, role); !is_free) return is_free.error();
  return show(call, 200, "role", call.cloud.put(kRole, std::move(role)), "roles");
}

ServerResponse delete_role(Call& call) {
  if (auto known = mutable_role(call); !known) return known.error();
  const std::string& id = call.part("role");
  call.cloud.erase_where(kGrant, "role_id", id);
  call.cloud.erase_where(kImplication, "prior_id", id);
  call.cloud.erase_where(kImplication, "implied_id", id);
  call.cloud.erase(kRole, id);
  return empty_answer(204);
}

Json brief(const Call& call, const Json& role) {
  const std::string id = string_member(role, "id");
  return {{"id", id},
          {"name", member(role, "name")},
          {"links", {{"self", call.base() + "/v3/roles/" + id}}}};
}

Json inference(const Call& call, const Json& prior) {
  Json implied = Json::array();
  for (const Json* each : call.cloud.where(kImplication, "prior_id", string_member(prior, "id"))) {
    const Json* role = call.cloud.find(kRole, string_member(*each, "implied_id"));
    if (role != nullptr) implied.push_back(brief(call, *role));
  }
  return {{"prior_role", brief(call, prior)}, {"implies", implied}};
}

ServerResponse show_implied(Call& call) {
  const auto role = existing(call.cloud, kRole, "role", call.part("role"));
  if (!role) return role.error();
  return json_answer(
      200, {{"role_inference", inference(call, **role)},
            {"links", {{"self", call.base() + "/v3/roles/" + call.part("role") + "/implies"}}}});
}

ServerResponse list_inferences(Call& call) {
  Json inferences = Json::array();
  for (const Json* role : call.cloud.all(kRole)) {
    Json each = inference(call, *role);
    if (!each["implies"].empty()) inferences.push_back(std::move(each));
  }
  return json_answer(200, {{"role_inferences", inferences}});
}

// --- grants: /v3/{projects|domains|system}/.../{users|groups}/.../roles/...

struct GrantPath {
  Scope scope;
  std::string actor_type;  ///< `user` or `group`
  std::string actor_id;
};

/// The three ends of a grant's path, each of which must be there.
Checked<GrantPath> read_grant_path(const Call& call, const std::string& target,
                                   const std::string& actor) {
  const Cloud& cloud = call.cloud;
  GrantPath path{
      .scope = {.type = target, .id = "all"}, .actor_type = actor, .actor_id = call.part("actor")};
  const auto known_actor = existing(cloud, actor == "user" ? kUser : kGroup, actor, path.actor_id);
  if (target != "system") path.scope.id = call.part("target");
  if (call.parts.find("role") != call.parts.end()) {
    if (auto role = existing(cloud, kRole, "role", call.part("role")); !role) {
      return refuse(role.error());
    }
  }
  if (!known_actor) return refuse(known_actor.error());
  if (target == "system") return path;
  const auto known_target =
      existing(cloud, target == "project" ? kProject : kDomain, target, path.scope.id);
  if (!known_target) return refuse(known_target.error());
  return path;
}

std::string grant_id(const GrantPath& path, const std::string& role) {
  return path.scope.type + "/" + path.scope.id + "/" + path.actor_type + "/" + path.actor_id + "/" +
         role;
}

ServerResponse no_such_grant(const Call& call, const GrantPath& path) {
  return error_answer(404, "Could not find role assignment with role: " + call.part("role") +
                               ", user or group: " + path.actor_id +
                               ", project, domain, or system: " + path.scope.id + ".");
}

ServerResponse list_granted(const Call& call, const GrantPath& path) {
  std::vector<Json> roles;
  for (const Json* each : call.cloud.where(kGrant, "actor_id", path.actor_id)) {
    if (string_member(*each, "target_type") != path.scope.type ||
        string_member(*each, "target_id") != path.scope.id) {
      continue;
    }
    const Json* role = call.cloud.find(kRole, string_member(*each, "role_id"));
    if (role != nullptr) roles.push_back(shown(call, *role, "roles"));
  }
  return list(call, "roles", std::move(roles), {"name"});
}

ServerResponse take_grant(const Call& call, const GrantPath& path) {
  if (!call.cloud.erase(kGrant, grant_id(path, call.part("role")))) {
    return no_such_grant(call, path);
  }
  if (path.actor_type == "user") {
    forget_access(call.cloud, path.actor_id, path.scope);
    return empty_answer(204);
  }
  for (const Json* membership : call.cloud.where(kMembership, "group_id", path.actor_id)) {
    forget_access(call.cloud, string_member(*membership, "user_id"), path.scope);
  }
  return empty_answer(204);
}

using GrantHandler = ServerResponse (*)(const Call& call, const GrantPath& path);

Handler on_grant(const std::string& target, const std::string& actor, GrantHandler handler) {
  return [=](Call& call) {
    const auto path = read_grant_path(call, target, actor);
    return path ? handler(call, *path) : path.error();
  };
}

void add_grant_routes(Router& router, const std::string& target, const std::string& actor) {
  std::string base = target == "system" ? "/v3/system" : "/v3/" + target + "s/{target}";
  base += "/" + actor + "s/{actor}/roles";
  const auto add = [&](const char* method, const std::string& path, const char* rule,
                       GrantHandler handler) {
    router.add("identity", method, path, Access::admin(std::string("identity:") + rule),
               on_grant(target, actor, handler));
  };
  add("GET", base, "list_grants", list_granted);
  add("GET", base + "/{role}", "check_grant", [](const Call& call, const GrantPath& path) {
    const bool there = call.cloud.find(kGrant, grant_id(path, call.part("role"))) != nullptr;
    return there ? empty_answer(204) : no_such_grant(call, path);
  });
  add("PUT", base + "/{role}", "create_grant", [](const Call& call, const GrantPath& path) {
    grant(call.cloud, path.scope, path.actor_type, path.actor_id, call.part("role"));
    return empty_answer(204);
  });
  add("DELETE", base + "/{role}", "revoke_grant", take_grant);
}

// --- /v3/role_assignments

/// One line of the list: a grant, or what it comes to for one user and one role.
struct Assignment {
  Json grant;             ///< With the effective actor and role.
  std::string via_group;  ///< The group it came by, when `effective` resolved one.
  std::string granted_role;
};

bool flag(const Call& call, std::string_view name) {
  const auto value = call.query(name);
  return value && *value != "0" && *value != "false" && *value != "False";
}

std::vector<Assignment> effective_of(const Cloud& cloud, const Json& grant) {
  std::vector<std::pair<std::string, std::string>> actors;  // user, group
  if (string_member(grant, "actor_type") == "user") {
    actors.emplace_back(string_member(grant, "actor_id"), "");
  } else {
    const std::string group = string_member(grant, "actor_id");
    for (const Json* membership : cloud.where(kMembership, "group_id", group)) {
      actors.emplace_back(string_member(*membership, "user_id"), group);
    }
  }
  const Json* role = cloud.find(kRole, string_member(grant, "role_id"));
  std::vector<Assignment> found;
  if (role == nullptr) return found;
  for (const auto& [user, group] : actors) {
    for (const Json* each : with_implied(cloud, {role})) {
      Assignment assignment{
          .grant = grant, .via_group = group, .granted_role = string_member(grant, "role_id")};
      assignment.grant["actor_type"] = "user";
      assignment.grant["actor_id"] = user;
      assignment.grant["role_id"] = string_member(*each, "id");
      found.push_back(std::move(assignment));
    }
  }
  return found;
}

Json reference(const Cloud& cloud, std::string_view kind, const std::string& id, bool names) {
  Json result = {{"id", id}};
  const Json* object = cloud.find(kind, id);
  if (!names || object == nullptr) return result;
  result["name"] = member(*object, "name");
  if (const std::string domain = string_member(*object, "domain_id"); !domain.empty()) {
    result["domain"] = domain_of(cloud, domain);
  }
  return result;
}

Json shown_assignment(const Call& call, const Assignment& assignment, bool names) {
  const Cloud& cloud = call.cloud;
  const Json& grant = assignment.grant;
  const std::string target_type = string_member(grant, "target_type");
  const std::string target = string_member(grant, "target_id");
  const std::string actor_type = string_member(grant, "actor_type");
  const std::string actor = string_member(grant, "actor_id");
  const std::string role = string_member(grant, "role_id");

  Json result;
  if (target_type == "system") {
    result["scope"]["system"] = {{"all", true}};
  } else {
    result["scope"][target_type] =
        reference(cloud, target_type == "project" ? kProject : kDomain, target, names);
  }
  result[actor_type] = reference(cloud, actor_type == "user" ? kUser : kGroup, actor, names);
  result["role"] = reference(cloud, kRole, role, names);
  const std::string place =
      target_type == "system" ? "/v3/system" : "/v3/" + target_type + "s/" + target;
  const std::string& group = assignment.via_group;
  const std::string holder = group.empty() ? "/" + actor_type + "s/" + actor : "/groups/" + group;
  const std::string& granted = assignment.granted_role;
  result["links"]["assignment"] = call.base() + place + holder + "/roles/" + granted;
  if (!group.empty()) {
    result["links"]["membership"] = call.base() + "/v3/groups/" + group + "/users/" + actor;
  }
  if (role != granted) {
    result["links"]["prior_role"] = call.base() + "/v3/roles/" + granted + "/implies/" + role;
  }
  return result;
}

bool is_wanted(const Call& call, const Json& grant) {
  const auto fits = [&](std::string_view query, const char* type_field, std::string_view type,
                        const char* id_field) {
    const auto wanted = call.query(query);
    return !wanted ||
           (string_member(grant, type_field) == type && string_member(grant, id_field) == *wanted);
  };
  const auto role = call.query("role.id");
  const bool system = call.query("scope.system").has_value();
  return fits("user.id", "actor_type", "user", "actor_id") &&
         fits("group.id", "actor_type", "group", "actor_id") &&
         fits("scope.project.id", "target_type", "project", "target_id") &&
         fits("scope.domain.id", "target_type", "domain", "target_id") &&
         (!system || string_member(grant, "target_type") == "system") &&
         (!role || string_member(grant, "role_id") == *role);
}

ServerResponse list_assignments(Call& call) {
  const bool effective = flag(call, "effective");
  if (call.query("user.id") && call.query("group.id")) {
    return bad_request("Specify a user or group, not both");
  }
  if (call.query("scope.project.id") && call.query("scope.domain.id")) {
    return bad_request("Specify a domain or project, not both");
  }
  if (effective && call.query("group.id")) {
    return bad_request("Combining effective and group filter will always result in an empty list.");
  }
  const bool names = flag(call, "include_names");
  Json assignments = Json::array();
  for (const Json* grant : call.cloud.all(kGrant)) {
    std::vector<Assignment> lines;
    if (effective) {
      lines = effective_of(call.cloud, *grant);
    } else {
      lines.push_back(
          {.grant = *grant, .via_group = "", .granted_role = string_member(*grant, "role_id")});
    }
    for (const Assignment& line : lines) {
      if (is_wanted(call, line.grant)) assignments.push_back(shown_assignment(call, line, names));
    }
  }
  return json_answer(200, {{"role_assignments", assignments},
                           {"links",
                            {{"next", nullptr},
                             {"self", call.cloud.base_url() + call.http.target},
                             {"previous", nullptr}}}});
}

}  // namespace

void add_role_routes(Router& router) {
  const auto add = [&](const char* method, std::string_view path, const char* rule,
                       Handler handler) {
    router.add("identity", method, path, Access::admin(std::string("identity:") + rule),
               std::move(handler));
  };
  add("GET", "/v3/roles", "list_roles", list_roles);
  add("POST", "/v3/roles", "create_role", create_role);
  add("GET", "/v3/roles/{role}", "get_role", show_role);
  add("PATCH", "/v3/roles/{role}", "update_role", update_role);
  add("DELETE", "/v3/roles/{role}", "delete_role", delete_role);
  add("GET", "/v3/roles/{role}/implies", "list_implied_roles", show_implied);
  add("GET", "/v3/role_inferences", "list_role_inference_rules", list_inferences);
  add("GET", "/v3/role_assignments", "list_role_assignments", list_assignments);
  for (const char* target : {"project", "domain", "system"}) {
    for (const char* actor : {"user", "group"}) add_grant_routes(router, target, actor);
  }
}

}  // namespace bailey::devcloud::identity
