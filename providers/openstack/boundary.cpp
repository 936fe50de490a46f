#include "providers/openstack/boundary.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
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

Result<std::vector<std::string>> contents(const Work& work) {
  std::vector<std::string> found;
  for (const auto& [name, type] : resource_types()) {
    auto all = list_type(work, *type);
    if (!all) return fail(std::move(all.error()).in("looking for what is of type " + name));
    for (const auto& thing : *all) found.push_back(name + " " + thing.name);
  }
  auto ports = all_of(work, "ports");
  if (!ports) return fail(std::move(ports.error()));
  for (const auto& port : *ports) found.push_back("port " + string_member(port, "id"));
  return found;
}

Status refuse_unless_empty(Home& home, const std::string& boundary, const EnvironmentUid& uid,
                           std::stop_token stop) {
  // Whoever looks must be let in first: an ensure that crashed may not have got so far.
  if (auto entered = home.enter(boundary, uid, stop); !entered) return entered;
  auto project = home.project(boundary, stop);
  if (!project) return fail(std::move(project.error()));
  const Work work{**project, {(*project)->session, stop}, home.api(stop), home.doors(), stop};
  auto inside = contents(work);
  if (!inside) return fail(std::move(inside.error()));
  if (inside->empty()) return {};
  const auto count = inside->size();
  if (count > 5) inside->resize(5);
  return fail(ErrorKind::FailedPrecondition,
              "the project " + boundary + " still holds " + std::to_string(count) +
                  (count == 1 ? " thing: " : " things, among them ") + enumerate(*inside));
}

}  // namespace

Result<std::optional<std::string>> find_boundary(Home& home, const EnvironmentUid& uid,
                                                 std::stop_token stop) {
  const auto tag = owner_tag(uid);
  auto projects =
      home.api(stop).list(Service::Identity, "/projects?tags=" + percent_encode(tag), "projects");
  if (!projects) return fail(std::move(projects.error()));
  std::erase_if(*projects, [&](const Json& project) {
    const auto tags = strings_member(project, "tags");
    return std::find(tags.begin(), tags.end(), tag) == tags.end();
  });
  if (projects->empty()) return std::optional<std::string>();
  if (projects->size() > 1) {
    return fail(ErrorKind::Conflict, "more than one project bears the tag \"" + tag + "\"");
  }
  return std::optional(string_member(projects->front(), "id"));
}

Result<std::string> ensure_boundary(Home& home, const BoundaryRequest& request,
                                    std::stop_token stop) {
  auto found = find_boundary(home, request.environment_uid, stop);
  if (!found) return fail(std::move(found.error()));
  if (!*found) {
    auto domain = home.domain(stop);
    if (!domain) return domain;
    auto made = home.api(stop).post(
        Service::Identity, "/projects",
        {{"project",
          {{"name", boundary_name(request)},
           {"domain_id", *domain},
           {"description", "Environment " + request.environment + " of project " + request.project +
                               ", kept by bailey"},
           {"tags", {owner_tag(request.environment_uid)}}}}});
    if (!made) return fail(std::move(made.error()));
    auto id = require_string(member(*made, "project"), "id");
    if (!id) return id;
    *found = std::move(*id);
  }
  if (auto entered = home.enter(**found, request.environment_uid, stop); !entered) {
    return fail(std::move(entered.error()).in("getting access to the project " + **found));
  }
  return std::move(**found);
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
    if (auto empty = refuse_unless_empty(home, boundary, *uid, stop); !empty) return empty;
    auto gone = home.api(stop).remove(Service::Identity, "/projects/" + boundary);
    if (!gone) return gone;
  }
  // Also when the project was gone before: an earlier call may have stopped in between.
  if (auto left = home.abandon(boundary, stop); !left) return left;
  return remove_default_groups(home, boundary, stop);
}

}  // namespace bailey::openstack
