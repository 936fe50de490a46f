#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/identity.hpp"

#include <algorithm>
#include <set>
#include <utility>

/// Domains and projects, with the tags of projects.
namespace bailey::devcloud::identity {

namespace {

constexpr std::size_t kLongestName = 64;

std::vector<const Json*> children_of(const Cloud& cloud, std::string_view project) {
  return cloud.where(kProject, "parent_id", project);
}

/// May read the project: administrators, and whoever is signed in to it.
Checked<const Json*> readable_project(const Call& call, std::string_view rule) {
  const std::string& id = call.part("project");
  if (!call.who.is_admin() && call.who.project_id != id) return refuse(forbidden(rule));
  return existing(call.cloud, kProject, "project", id);
}

/// The name is free within the domain.
Checked<void> check_name_is_free(const Call& call, std::string_view name, std::string_view domain,
                                 std::string_view self) {
  for (const Json* other : call.cloud.where(kProject, "name", name)) {
    const std::string id = string_member(*other, "id");
    if (string_member(*other, "domain_id") != domain || id == self) continue;
    return refuse(error_answer(
        409,
        "Conflict occurred attempting to store project - it is not permitted to have two projects "
        "with either the same name or same id in the same domain: name is " +
            std::string(name) + ", project id " + id + "."));
  }
  return {};
}

/// What an object has beyond the members that Keystone defines: an update's answer repeats it.
Json extra_of(const Json& object, const std::set<std::string>& defined) {
  Json extra = Json::object();
  for (const auto& [name, value] : object.items()) {
    if (defined.count(name) == 0 && name.front() != '_') extra[name] = value;
  }
  return extra;
}

// --- domains

ServerResponse list_domains(Call& call) {
  std::vector<Json> domains;
  for (const Json* domain : call.cloud.all(kDomain)) {
    domains.push_back(shown(call, *domain, "domains"));
  }
  return list(call, "domains", std::move(domains), {"name", "enabled"});
}

ServerResponse show_domain(Call& call) {
  const std::string& id = call.part("domain");
  const bool own =
      call.who.user_domain_id == id || call.who.project_domain_id == id || call.who.domain_id == id;
  if (!call.who.is_admin() && !own) return forbidden("identity:get_domain");
  const auto domain = existing(call.cloud, kDomain, "domain", id);
  if (!domain) return domain.error();
  return show(call, 200, "domain", **domain, "domains");
}

ServerResponse domain_exists(const std::string& name) {
  return error_answer(409,
                      "Conflict occurred attempting to store project - it is not permitted to have "
                      "two projects acting as domains with the same name: " +
                          name + ".");
}

ServerResponse create_domain(Call& call) {
  auto given = read_resource(call, "domain", Purpose::Create, kLongestName);
  if (!given) return given.error();
  const std::string name = string_member(*given, "name");
  if (call.cloud.find_by(kDomain, "name", name) != nullptr) return domain_exists(name);
  Json domain = {{"id", call.cloud.new_hex_id()},
                 {"description", ""},
                 {"enabled", true},
                 {"tags", Json::array()},
                 {"options", Json::object()}};
  domain.update(*given);
  return show(call, 201, "domain", call.cloud.put(kDomain, std::move(domain)), "domains");
}

ServerResponse update_domain(Call& call) {
  const auto known = existing(call.cloud, kDomain, "domain", call.part("domain"));
  if (!known) return known.error();
  auto given = read_resource(call, "domain", Purpose::Update, kLongestName);
  if (!given) return given.error();
  if (given->contains("name")) {
    const Json* other = call.cloud.find_by(kDomain, "name", string_member(*given, "name"));
    if (other != nullptr && other != *known) return domain_exists(string_member(*given, "name"));
  }
  Json domain = **known;
  domain.update(*given);
  return show(call, 200, "domain", call.cloud.put(kDomain, std::move(domain)), "domains");
}

ServerResponse delete_domain(Call& call) {
  Cloud& cloud = call.cloud;
  const std::string& id = call.part("domain");
  const auto known = existing(cloud, kDomain, "domain", id);
  if (!known) return known.error();
  if (id == "default" || member(**known, "enabled") == true) {
    return error_answer(403, "Cannot delete a domain that is enabled, please disable it first.");
  }
  const auto ids = [&](std::string_view kind) {
    std::vector<std::string> found;
    for (const Json* object : cloud.where(kind, "domain_id", id)) {
      found.push_back(string_member(*object, "id"));
    }
    return found;
  };
  for (const std::string& each : ids(kUser)) erase_user(cloud, each);
  for (const std::string& each : ids(kGroup)) erase_group(cloud, each);
  for (const std::string& each : ids(kProject)) erase_project(cloud, each);
  for (const std::string& each : ids(kRole)) {
    cloud.erase_where(kGrant, "role_id", each);
    cloud.erase(kRole, each);
  }
  cloud.erase_where(kGrant, "target_id", id);
  cloud.erase_where(kToken, "target_id", id);
  cloud.erase(kDomain, id);
  return empty_answer(204);
}

// --- projects

std::set<std::string> tags_in(const std::optional<std::string>& query) {
  const auto parts = query ? split(*query, ',') : std::vector<std::string>{};
  return {parts.begin(), parts.end()};
}

bool has_tags(const Call& call, const Json& project) {
  const auto own = strings_member(project, "tags");
  const auto count = [&](const std::set<std::string>& wanted) {
    return static_cast<std::size_t>(
        std::count_if(wanted.begin(), wanted.end(), [&](const std::string& tag) {
          return std::find(own.begin(), own.end(), tag) != own.end();
        }));
  };
  const auto all = tags_in(call.query("tags"));
  const auto any = tags_in(call.query("tags-any"));
  const auto not_all = tags_in(call.query("not-tags"));
  const auto not_any = tags_in(call.query("not-tags-any"));
  return count(all) == all.size() && (any.empty() || count(any) > 0) &&
         (not_all.empty() || count(not_all) < not_all.size()) && count(not_any) == 0;
}

ServerResponse list_projects(Call& call) {
  std::vector<Json> projects;
  for (const Json* project : call.cloud.all(kProject)) {
    if (has_tags(call, *project)) projects.push_back(shown(call, *project, "projects"));
  }
  return list(call, "projects", std::move(projects),
              {"name", "domain_id", "enabled", "parent_id", "is_domain"});
}

ServerResponse show_project(Call& call) {
  const auto project = readable_project(call, "identity:get_project");
  if (!project) return project.error();
  return show(call, 200, "project", **project, "projects");
}

/// Domain and parent of a new project, each following from the other when only one is given.
Checked<std::pair<std::string, std::string>> place_of(const Call& call, const Json& given) {
  std::string parent = string_member(given, "parent_id");
  std::string domain = string_member(given, "domain_id");
  if (domain.empty() && !parent.empty()) {
    const Json* above = call.cloud.find(kProject, parent);
    domain = above == nullptr ? parent : string_member(*above, "domain_id");
  }
  if (domain.empty()) {
    domain = call.who.domain_id.empty() ? call.who.project_domain_id : call.who.domain_id;
  }
  if (domain.empty()) domain = "default";
  if (parent.empty()) parent = domain;
  if (call.cloud.find(kDomain, domain) == nullptr) {
    return refuse(bad_request("Could not find domain: " + domain + "."));
  }
  if (parent != domain) {
    const Json* above = call.cloud.find(kProject, parent);
    if (above == nullptr) {
      return refuse(bad_request("Could not find project: " + parent + "."));
    }
    if (string_member(*above, "domain_id") != domain) {
      return refuse(bad_request("Cannot create project, the parent is in a different domain."));
    }
  }
  return std::pair(std::move(domain), std::move(parent));
}

ServerResponse create_project(Call& call) {
  auto given = read_resource(call, "project", Purpose::Create, kLongestName);
  if (!given) return given.error();
  const auto place = place_of(call, *given);
  if (!place) return place.error();
  if (auto is_free = check_name_is_free(call, string_member(*given, "name"), place->first, "");
      !is_free) {
    return is_free.error();
  }
  Json project = {{"id", call.cloud.new_hex_id()},
                  {"description", ""},
                  {"enabled", true},
                  {"tags", Json::array()},
                  {"options", Json::object()}};
  project.update(*given);
  project["domain_id"] = place->first;
  project["parent_id"] = place->second;
  project["is_domain"] = false;
  return show(call, 201, "project", call.cloud.put(kProject, std::move(project)), "projects");
}

ServerResponse update_project(Call& call) {
  const auto known = existing(call.cloud, kProject, "project", call.part("project"));
  if (!known) return known.error();
  const std::string id = call.part("project");
  auto given = read_resource(call, "project", Purpose::Update, kLongestName);
  if (!given) return given.error();
  Json project = **known;
  const std::string domain = string_member(project, "domain_id");
  if (given->contains("domain_id") && string_member(*given, "domain_id") != domain) {
    return bad_request("Cannot change Domain ID");
  }
  if (given->contains("parent_id") && member(*given, "parent_id") != project["parent_id"]) {
    return forbidden("Update of `parent_id` is not allowed.");
  }
  if (given->contains("name")) {
    auto is_free = check_name_is_free(call, string_member(*given, "name"), domain, id);
    if (!is_free) return is_free.error();
  }
  if (member(*given, "enabled") == false) {
    for (const Json* child : children_of(call.cloud, id)) {
      if (member(*child, "enabled") == true) {
        return error_answer(
            403, "Cannot disable project " + id + " since its subtree contains enabled projects.");
      }
    }
  }
  project.update(*given);
  const Json& stored = call.cloud.put(kProject, std::move(project));
  Json answer = shown(call, stored, "projects");
  answer["extra"] = extra_of(stored, {"id", "name", "domain_id", "parent_id", "description",
                                      "enabled", "is_domain", "tags", "options"});
  return json_answer(200, {{"project", answer}});
}

ServerResponse delete_project(Call& call) {
  const std::string id = call.part("project");
  if (auto known = existing(call.cloud, kProject, "project", id); !known) return known.error();
  if (!children_of(call.cloud, id).empty()) {
    return error_answer(403, "Cannot delete the project " + id +
                                 " since it is not a leaf in the hierarchy. Use the cascade option "
                                 "if you want to delete a whole subtree.");
  }
  erase_project(call.cloud, id);
  return empty_answer(204);
}

// --- tags

ServerResponse list_tags(Call& call) {
  const auto project = readable_project(call, "identity:list_project_tags");
  if (!project) return project.error();
  return json_answer(
      200, {{"links", {{"self", call.base() + "/v3"}}}, {"tags", member(**project, "tags")}});
}

ServerResponse put_tags(const Call& call, const Json& known, Json tags, int status) {
  Json project = known;
  project["tags"] = tags;
  call.cloud.put(kProject, std::move(project));
  if (status != 200) return empty_answer(status);
  return json_answer(200, {{"links", {{"self", call.base() + "/v3"}}}, {"tags", tags}});
}

ServerResponse replace_tags(Call& call) {
  const auto project = existing(call.cloud, kProject, "project", call.part("project"));
  if (!project) return project.error();
  auto tags = read_tags(member(call.body, "tags"));
  if (!tags) return tags.error();
  return put_tags(call, **project, std::move(*tags), 200);
}

ServerResponse delete_tags(Call& call) {
  const auto project = existing(call.cloud, kProject, "project", call.part("project"));
  if (!project) return project.error();
  return put_tags(call, **project, Json::array(), 204);
}

ServerResponse show_tag(Call& call) {
  const auto project = readable_project(call, "identity:get_project_tag");
  if (!project) return project.error();
  const auto tags = strings_member(**project, "tags");
  const std::string& tag = call.part("tag");
  if (std::find(tags.begin(), tags.end(), tag) == tags.end()) return not_found("project tag", tag);
  return empty_answer(204);
}

ServerResponse add_tag(Call& call) {
  const auto project = existing(call.cloud, kProject, "project", call.part("project"));
  if (!project) return project.error();
  auto wanted = strings_member(**project, "tags");
  const std::string& tag = call.part("tag");
  if (std::find(wanted.begin(), wanted.end(), tag) == wanted.end()) wanted.push_back(tag);
  auto tags = read_tags(Json(wanted));
  if (!tags) return tags.error();
  ServerResponse answer = put_tags(call, **project, std::move(*tags), 201);
  answer.headers.emplace_back(
      "Location", call.base() + "/v3/" + call.part("project") + "/tags/" + percent_encode(tag));
  return answer;
}

ServerResponse delete_tag(Call& call) {
  const auto project = existing(call.cloud, kProject, "project", call.part("project"));
  if (!project) return project.error();
  auto tags = strings_member(**project, "tags");
  const auto tag = std::find(tags.begin(), tags.end(), call.part("tag"));
  if (tag == tags.end()) return not_found("project tag", call.part("tag"));
  tags.erase(tag);
  return put_tags(call, **project, Json(tags), 204);
}

}  // namespace

void add_project_routes(Router& router) {
  const auto add = [&](const char* method, std::string_view path, const char* rule,
                       Handler handler) {
    const Access access =
        rule == nullptr ? Access::signed_in() : Access::admin(std::string("identity:") + rule);
    router.add("identity", method, path, access, std::move(handler));
  };
  add("GET", "/v3/domains", "list_domains", list_domains);
  add("POST", "/v3/domains", "create_domain", create_domain);
  add("GET", "/v3/domains/{domain}", nullptr, show_domain);
  add("PATCH", "/v3/domains/{domain}", "update_domain", update_domain);
  add("DELETE", "/v3/domains/{domain}", "delete_domain", delete_domain);
  add("GET", "/v3/projects", "list_projects", list_projects);
  add("POST", "/v3/projects", "create_project", create_project);
  add("GET", "/v3/projects/{project}", nullptr, show_project);
  add("PATCH", "/v3/projects/{project}", "update_project", update_project);
  add("DELETE", "/v3/projects/{project}", "delete_project", delete_project);
  add("GET", "/v3/projects/{project}/tags", nullptr, list_tags);
  add("PUT", "/v3/projects/{project}/tags", "update_project_tags", replace_tags);
  add("DELETE", "/v3/projects/{project}/tags", "delete_project_tags", delete_tags);
  add("GET", "/v3/projects/{project}/tags/{tag}", nullptr, show_tag);
  add("PUT", "/v3/projects/{project}/tags/{tag}", "create_project_tag", add_tag);
  add("DELETE", "/v3/projects/{project}/tags/{tag}", "delete_project_tag", delete_tag);
}

}  // namespace bailey::devcloud::identity
