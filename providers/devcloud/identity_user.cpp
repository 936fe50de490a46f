#include "providers/devcloud/identity.hpp"

#include <algorithm>
#include <set>
#include <utility>

/// Users, groups, and who is in which.
namespace bailey::devcloud::identity {

namespace {

std::string membership_id(std::string_view group, std::string_view user) {
  return std::string(group) + "/" + std::string(user);
}

/// Administrators, and everybody about themselves.
bool may_read_user(const Call& call) {
  return call.who.is_admin() || call.who.user_id == call.part("user");
}

/// The domain that a new user or group is to be in, or the 404.
Checked<std::string> domain_for(const Call& call, const Json& given) {
  std::string domain = string_member(given, "domain_id");
  if (domain.empty()) {
    domain = call.who.domain_id.empty() ? call.who.project_domain_id : call.who.domain_id;
  }
  if (domain.empty()) domain = "default";
  if (auto known = existing(call.cloud, kDomain, "domain", domain); !known) {
    return refuse(known.error());
  }
  return domain;
}

Checked<void> check_name_is_free(const Call& call, std::string_view kind, std::string_view what,
                                 const Json& object) {
  const std::string name = string_member(object, "name");
  const std::string domain = string_member(object, "domain_id");
  for (const Json* other : call.cloud.where(kind, "name", name)) {
    if (string_member(*other, "domain_id") == domain &&
        string_member(*other, "id") != string_member(object, "id")) {
      return refuse(
          duplicate(what, "Duplicate entry found with name " + name + " at domain ID " + domain));
    }
  }
  return {};
}

/// Moves a given password into its hash; an explicit null takes the password away.
Checked<void> take_password(Json& user) {
  if (!user.contains("password")) return {};
  const Json password = user["password"];
  user.erase("password");
  if (password.is_null()) {
    user.erase("_password");
    return {};
  }
  if (!password.is_string() || password.get<std::string>().size() > 4096) {
    return refuse(bad_request("Invalid input for field 'password': it is not of type 'string'"));
  }
  user["_password"] = hash_password(password.get<std::string>());
  return {};
}

// --- users

ServerResponse list_users(Call& call) {
  std::vector<Json> users;
  for (const Json* user : call.cloud.all(kUser)) users.push_back(shown(call, *user, "users"));
  return list(call, "users", std::move(users), {"name", "domain_id", "enabled"});
}

ServerResponse show_user(Call& call) {
  if (!may_read_user(call)) return forbidden("identity:get_user");
  const auto user = existing(call.cloud, kUser, "user", call.part("user"));
  if (!user) return user.error();
  return show(call, 200, "user", **user, "users");
}

ServerResponse create_user(Call& call) {
  auto given = read_resource(call, "user", Purpose::Create, 255);
  if (!given) return given.error();
  const auto domain = domain_for(call, *given);
  if (!domain) return domain.error();
  Json user = {{"id", call.cloud.new_hex_id()},
               {"enabled", true},
               {"password_expires_at", nullptr},
               {"options", Json::object()}};
  user.update(*given);
  user["domain_id"] = *domain;
  if (member(user, "default_project_id").is_null()) user.erase("default_project_id");
  if (auto is_free = check_name_is_free(call, kUser, "user", user); !is_free) {
    return is_free.error();
  }
  if (auto taken = take_password(user); !taken) return taken.error();
  return show(call, 201, "user", call.cloud.put(kUser, std::move(user)), "users");
}

ServerResponse update_user(Call& call) {
  const auto known = existing(call.cloud, kUser, "user", call.part("user"));
  if (!known) return known.error();
  auto given = read_resource(call, "user", Purpose::Update, 255);
  if (!given) return given.error();
  Json user = **known;
  if (given->contains("domain_id") && (*given)["domain_id"] != user["domain_id"]) {
    return bad_request("Cannot change Domain ID");
  }
  const bool ends_sessions = given->contains("password") || member(*given, "enabled") == false;
  user.update(*given);
  if (auto is_free = check_name_is_free(call, kUser, "user", user); !is_free) {
    return is_free.error();
  }
  if (auto taken = take_password(user); !taken) return taken.error();
  if (ends_sessions) sign_out(call.cloud, call.part("user"));
  const Json& stored = call.cloud.put(kUser, std::move(user));
  Json answer = shown(call, stored, "users");
  const std::set<std::string> defined = {"id",      "name",    "domain_id",
                                         "enabled", "options", "default_project_id",
                                         "links",   "extra",   "password_expires_at"};
  Json extra = Json::object();
  for (const auto& [name, value] : answer.items()) {
    if (defined.count(name) == 0) extra[name] = value;
  }
  answer["extra"] = std::move(extra);
  return json_answer(200, {{"user", answer}});
}

ServerResponse delete_user(Call& call) {
  const std::string id = call.part("user");
  if (auto known = existing(call.cloud, kUser, "user", id); !known) return known.error();
  erase_user(call.cloud, id);
  return empty_answer(204);
}

/// Needs no token: the original password is the proof.
ServerResponse change_own_password(Call& call) {
  const Json& given = member(call.body, "user");
  for (const char* required : {"original_password", "password"}) {
    if (!member(given, required).is_string()) {
      return bad_request("'" + std::string(required) + "' is a required property");
    }
  }
  const Json* known = call.cloud.find(kUser, call.part("user"));
  if (known == nullptr || member(*known, "enabled") != true ||
      !password_matches(*known, string_member(given, "original_password"))) {
    return unauthenticated_answer(call.cloud);
  }
  Json user = *known;
  user["password"] = given["password"];
  if (auto taken = take_password(user); !taken) return taken.error();
  sign_out(call.cloud, call.part("user"));
  call.cloud.put(kUser, std::move(user));
  return empty_answer(204);
}

ServerResponse list_projects_of_user(Call& call) {
  if (!may_read_user(call)) return forbidden("identity:list_user_projects");
  if (auto known = existing(call.cloud, kUser, "user", call.part("user")); !known) {
    return known.error();
  }
  std::vector<Json> projects;
  for (const Json* project : projects_of(call.cloud, call.part("user"))) {
    projects.push_back(shown(call, *project, "projects"));
  }
  return list(call, "projects", std::move(projects), {"name", "enabled", "domain_id"});
}

ServerResponse list_groups_of_user(Call& call) {
  if (!may_read_user(call)) return forbidden("identity:list_groups_for_user");
  if (auto known = existing(call.cloud, kUser, "user", call.part("user")); !known) {
    return known.error();
  }
  std::vector<Json> groups;
  for (const Json* membership : call.cloud.where(kMembership, "user_id", call.part("user"))) {
    const Json* group = call.cloud.find(kGroup, string_member(*membership, "group_id"));
    if (group == nullptr) continue;
    groups.push_back(shown(call, *group, "groups"));
    groups.back()["membership_expires_at"] = nullptr;
  }
  return list(call, "groups", std::move(groups), {"name"});
}

// --- groups

ServerResponse list_groups(Call& call) {
  std::vector<Json> groups;
  for (const Json* group : call.cloud.all(kGroup)) groups.push_back(shown(call, *group, "groups"));
  return list(call, "groups", std::move(groups), {"name", "domain_id"});
}

ServerResponse show_group(Call& call) {
  const auto group = existing(call.cloud, kGroup, "group", call.part("group"));
  if (!group) return group.error();
  return show(call, 200, "group", **group, "groups");
}

ServerResponse create_group(Call& call) {
  auto given = read_resource(call, "group", Purpose::Create, 64);
  if (!given) return given.error();
  const auto domain = domain_for(call, *given);
  if (!domain) return domain.error();
  Json group = {{"id", call.cloud.new_hex_id()}, {"description", ""}};
  group.update(*given);
  group["domain_id"] = *domain;
  if (auto is_free = check_name_is_free(call, kGroup, "group", group); !is_free) {
    return is_free.error();
  }
  return show(call, 201, "group", call.cloud.put(kGroup, std::move(group)), "groups");
}

ServerResponse update_group(Call& call) {
  const auto known = existing(call.cloud, kGroup, "group", call.part("group"));
  if (!known) return known.error();
  auto given = read_resource(call, "group", Purpose::Update, 64);
  if (!given) return given.error();
  Json group = **known;
  group.update(*given);
  group["domain_id"] = (**known)["domain_id"];
  if (auto is_free = check_name_is_free(call, kGroup, "group", group); !is_free) {
    return is_free.error();
  }
  return show(call, 200, "group", call.cloud.put(kGroup, std::move(group)), "groups");
}

ServerResponse delete_group(Call& call) {
  const std::string id = call.part("group");
  if (auto known = existing(call.cloud, kGroup, "group", id); !known) return known.error();
  erase_group(call.cloud, id);
  return empty_answer(204);
}

// --- memberships

Checked<void> check_both_exist(const Call& call) {
  if (auto group = existing(call.cloud, kGroup, "group", call.part("group")); !group) {
    return refuse(group.error());
  }
  if (auto user = existing(call.cloud, kUser, "user", call.part("user")); !user) {
    return refuse(user.error());
  }
  return {};
}

ServerResponse not_a_member(const Call& call) {
  return error_answer(
      404, "User '" + call.part("user") + "' not found in group '" + call.part("group") + "'");
}

ServerResponse list_members(Call& call) {
  if (auto group = existing(call.cloud, kGroup, "group", call.part("group")); !group) {
    return group.error();
  }
  std::vector<Json> users;
  for (const Json* membership : call.cloud.where(kMembership, "group_id", call.part("group"))) {
    const Json* user = call.cloud.find(kUser, string_member(*membership, "user_id"));
    if (user != nullptr) users.push_back(shown(call, *user, "users"));
  }
  return list(call, "users", std::move(users), {"name", "domain_id", "enabled"});
}

ServerResponse add_member(Call& call) {
  if (auto both = check_both_exist(call); !both) return both.error();
  const std::string id = membership_id(call.part("group"), call.part("user"));
  if (call.cloud.find(kMembership, id) == nullptr) {
    call.cloud.put(kMembership, id,
                   {{"group_id", call.part("group")}, {"user_id", call.part("user")}});
  }
  return empty_answer(204);
}

ServerResponse check_member(Call& call) {
  if (auto both = check_both_exist(call); !both) return both.error();
  const std::string id = membership_id(call.part("group"), call.part("user"));
  return call.cloud.find(kMembership, id) == nullptr ? not_a_member(call) : empty_answer(204);
}

ServerResponse remove_member(Call& call) {
  if (auto both = check_both_exist(call); !both) return both.error();
  const std::string& group = call.part("group");
  const std::string& user = call.part("user");
  if (!call.cloud.erase(kMembership, membership_id(group, user))) return not_a_member(call);
  for (const Json* grant : call.cloud.where(kGrant, "actor_id", group)) {
    forget_access(
        call.cloud, user,
        {.type = string_member(*grant, "target_type"), .id = string_member(*grant, "target_id")});
  }
  return empty_answer(204);
}

}  // namespace

void add_user_routes(Router& router) {
  const auto add = [&](const char* method, std::string_view path, const char* rule,
                       Handler handler) {
    const Access access =
        rule == nullptr ? Access::signed_in() : Access::admin(std::string("identity:") + rule);
    router.add("identity", method, path, access, std::move(handler));
  };
  add("GET", "/v3/users", "list_users", list_users);
  add("POST", "/v3/users", "create_user", create_user);
  add("GET", "/v3/users/{user}", nullptr, show_user);
  add("PATCH", "/v3/users/{user}", "update_user", update_user);
  add("DELETE", "/v3/users/{user}", "delete_user", delete_user);
  router.add("identity", "POST", "/v3/users/{user}/password", Access::anyone(),
             change_own_password);
  add("GET", "/v3/users/{user}/projects", nullptr, list_projects_of_user);
  add("GET", "/v3/users/{user}/groups", nullptr, list_groups_of_user);
  add("GET", "/v3/groups", "list_groups", list_groups);
  add("POST", "/v3/groups", "create_group", create_group);
  add("GET", "/v3/groups/{group}", "get_group", show_group);
  add("PATCH", "/v3/groups/{group}", "update_group", update_group);
  add("DELETE", "/v3/groups/{group}", "delete_group", delete_group);
  add("GET", "/v3/groups/{group}/users", "list_users_in_group", list_members);
  add("PUT", "/v3/groups/{group}/users/{user}", "add_user_to_group", add_member);
  add("GET", "/v3/groups/{group}/users/{user}", "check_user_in_group", check_member);
  add("DELETE", "/v3/groups/{group}/users/{user}", "remove_user_from_group", remove_member);
}

}  // namespace bailey::devcloud::identity
