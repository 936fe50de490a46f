#include "providers/openstack/boundary.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/openstack/adoption.hpp"
#include "providers/openstack/neutron.hpp"

#include <algorithm>

namespace bailey::openstack {

namespace {

/// Keystone allows a project's name 64 characters.
constexpr std::size_t kLongestName = 64;

std::string boundary_name(const BoundaryRequest& request) {
  const auto end = "-" + short_uid(request.environment_uid);
  return request.environment.substr(0, kLongestName - end.size()) + end;
}

/// Neutron's own group of a project. It is looked for among those of all projects, and after the
/// project is gone: asked for one project's groups, or with a token of it, Neutron makes the group.
Status remove_default_groups(Home& home, const std::string& project, std::stop_token stop) {
  auto groups = home.api(stop).list(
      Service::Network, "/security-groups?name=default&fields=id&fields=name&fields=project_id",
      "security_groups");
  if (!groups) return fail(std::move(groups.error()));
  for (const auto& group : *groups) {
    if (string_member(group, "project_id") != project ||
        string_member(group, "name") != "default") {
      continue;
    }
    auto gone =
        home.api(stop).remove(Service::Network, "/security-groups/" + string_member(group, "id"));
    if (!gone) return gone;
  }
  return {};
}

/// In an adopted project, only what is marked as this environment's counts.
Result<std::vector<std::string>> contents(const Work& work, Adopted adopted) {
  std::vector<std::string> found;
  for (const auto& [name, type] : resource_types()) {
    auto all = list_type(work, *type);
    if (!all) return fail(std::move(all.error()).in("looking for what is of type " + name));
    for (const auto& thing : *all) {
      const bool ours = thing.marker && thing.marker->environment_uid == work.project.uid;
      if (ours || adopted == Adopted::No) found.push_back(name + " " + thing.name);
    }
  }
  if (adopted == Adopted::Yes) return found;
  auto ports = all_of(work, "ports");
  if (!ports) return fail(std::move(ports.error()));
  for (const auto& port : *ports) found.push_back("port " + string_member(port, "id"));
  return found;
}

Status refuse_unless_empty(Home& home, const std::string& boundary, const EnvironmentUid& uid,
                           Adopted adopted, std::stop_token stop) {
  // Whoever looks must be let in first: an ensure that crashed may not have got so far.
  if (auto entered = home.enter(boundary, uid, adopted, stop); !entered) return entered;
  auto project = home.project(boundary, stop);
  if (!project) return fail(std::move(project.error()));
  const Work work{**project, {(*project)->session, stop}, home.api(stop), home.doors(), stop};
  auto inside = contents(work, adopted);
  if (!inside) return fail(std::move(inside.error()));
  if (inside->empty()) return {};
  const auto count = inside->size();
  if (count > 5) inside->resize(5);
  return fail(ErrorKind::FailedPrecondition,
              "the project " + boundary + " still holds " + std::to_string(count) +
                  (count == 1 ? " thing: " : " things, among them ") + enumerate(*inside));
}

Status refuse_shared(const Json& project) {
  const auto owners = owners_of(project);
  if (owners.size() < 2) return {};
  return fail(Error(ErrorKind::Conflict, "the project " + string_member(project, "id") +
                                             " bears the tags of several environments, " +
                                             enumerate(owners))
                  .with_hint("Take the tag away from it of the one whose project it is not."));
}

/// The project that bears the environment's tag, or nothing.
Result<std::optional<Json>> find_project(Home& home, const EnvironmentUid& uid,
                                         std::stop_token stop) {
  const auto tag = owner_tag(uid);
  auto projects =
      home.api(stop).list(Service::Identity, "/projects?tags=" + percent_encode(tag), "projects");
  if (!projects) return fail(with_needed_rights(std::move(projects.error())));
  std::erase_if(*projects, [&](const Json& project) {
    const auto tags = strings_member(project, "tags");
    return std::find(tags.begin(), tags.end(), tag) == tags.end();
  });
  if (projects->empty()) return std::optional<Json>();
  if (projects->size() > 1) {
    return fail(ErrorKind::Conflict, "more than one project bears the tag \"" + tag + "\"");
  }
  if (auto alone = refuse_shared(projects->front()); !alone) return fail(std::move(alone.error()));
  return std::optional<Json>(std::move(projects->front()));
}

Result<Json> make_project(Home& home, const BoundaryRequest& request, std::stop_token stop) {
  auto domain = home.domain(request.environment_class, stop);
  if (!domain) return fail(std::move(domain.error()));
  auto tags = request.tags;
  tags.push_back(owner_tag(request.environment_uid));
  tags.push_back(std::string(kNameTag) + request.environment);
  auto description = request.description;
  if (description.empty()) {
    description = "Environment " + request.environment + " of project " + request.project +
                  ", kept by bailey";
  }
  auto made = home.api(stop).post(Service::Identity, "/projects",
                                  {{"project",
                                    {{"name", boundary_name(request)},
                                     {"domain_id", *domain},
                                     {"description", std::move(description)},
                                     {"tags", std::move(tags)}}}});
  if (!made)
    return fail(with_needed_rights(std::move(made.error())).in("in the domain " + *domain));
  return member(*made, "project");
}

/// The description and the tags that the environment asks for; other tags are somebody else's.
Status describe(Home& home, const Json& project, const BoundaryRequest& request,
                std::stop_token stop) {
  Json change = Json::object();
  if (!request.description.empty() &&
      request.description != string_member(project, "description")) {
    change["description"] = request.description;
  }
  auto tags = strings_member(project, "tags");
  for (const auto& tag : request.tags) {
    if (std::find(tags.begin(), tags.end(), tag) != tags.end()) continue;
    tags.push_back(tag);
    change["tags"] = tags;
  }
  if (change.empty()) return {};
  auto set = home.api(stop).patch(Service::Identity, "/projects/" + string_member(project, "id"),
                                  {{"project", std::move(change)}});
  if (!set) return fail(std::move(set.error()).in("describing the project"));
  return {};
}

}  // namespace

Result<std::optional<std::string>> find_boundary(Home& home, const EnvironmentUid& uid,
                                                 std::stop_token stop) {
  auto project = find_project(home, uid, stop);
  if (!project) return fail(std::move(project.error()));
  if (!*project) return std::optional<std::string>();
  return std::optional(string_member(**project, "id"));
}

Result<std::vector<FoundBoundary>> list_boundaries(Home& home, std::stop_token stop) {
  auto projects = home.api(stop).list(Service::Identity, "/projects", "projects");
  if (!projects) return fail(std::move(projects.error()));
  std::vector<FoundBoundary> found;
  for (const auto& project : *projects) {
    const auto uid = owner_of(project);
    if (!uid) continue;
    std::string name;
    for (const auto& tag : strings_member(project, "tags")) {
      if (tag.starts_with(kNameTag)) name = tag.substr(kNameTag.size());
    }
    found.push_back({string_member(project, "id"), *uid, std::move(name)});
  }
  return found;
}

Result<std::string> ensure_boundary(Home& home, const BoundaryRequest& request,
                                    std::stop_token stop) {
  auto found = find_project(home, request.environment_uid, stop);
  if (!found) return fail(std::move(found.error()));
  if (*found && !request.adopt.empty() && !is_named(**found, request.adopt)) {
    return fail(ErrorKind::Conflict, "the environment has the project \"" +
                                         string_member(**found, "name") +
                                         "\" already, and adopts no other beside it");
  }
  if (!*found) {
    auto project = request.adopt.empty() ? make_project(home, request, stop)
                                         : adopt_project(home, request, stop);
    if (!project) return fail(std::move(project.error()));
    *found = std::move(*project);
  } else if (!is_adopted(**found)) {
    if (auto described = describe(home, **found, request, stop); !described) {
      return fail(std::move(described.error()));
    }
  }
  auto id = require_string(**found, "id");
  if (!id) return id;
  const auto adopted = is_adopted(**found) ? Adopted::Yes : Adopted::No;
  if (auto entered = home.enter(*id, request.environment_uid, adopted, stop); !entered) {
    return fail(std::move(entered.error()).in("getting access to the project " + *id));
  }
  return id;
}

Status remove_boundary(Home& home, const std::string& boundary, std::stop_token stop) {
  auto project = home.keystone_project(boundary, stop);
  if (!project) return fail(std::move(project.error()));
  if (*project) {
    const auto uid = owner_of(**project);
    if (!uid) {
      return fail(ErrorKind::Refused,
                  "the project " + boundary + " is not one of bailey's environments");
    }
    if (auto alone = refuse_shared(**project); !alone) return alone;
    const auto adopted = is_adopted(**project) ? Adopted::Yes : Adopted::No;
    auto empty = refuse_unless_empty(home, boundary, *uid, adopted, stop);
    if (!empty) return empty;
    if (adopted == Adopted::Yes) return give_back(home, boundary, *uid, stop);
    auto gone = home.api(stop).remove(Service::Identity, "/projects/" + boundary);
    if (!gone) return gone;
  }
  // Also when the project was gone before: an earlier call may have stopped in between.
  if (auto left = home.abandon(boundary, stop); !left) return left;
  return remove_default_groups(home, boundary, stop);
}

}  // namespace bailey::openstack
