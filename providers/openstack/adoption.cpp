#include "providers/openstack/adoption.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

#include <algorithm>

namespace bailey::openstack {

namespace {

/// The project to adopt, by name or by id, in the account's domain for this class.
Result<Json> find_adoptable(Home& home, const BoundaryRequest& request, std::stop_token stop) {
  auto domain = home.domain(request.environment_class, stop);
  if (!domain) return fail(std::move(domain.error()));
  const auto named = percent_encode(request.adopt);
  auto found = home.api(stop).list(Service::Identity,
                                   "/projects?name=" + named + "&domain_id=" + *domain, "projects");
  if (!found) return fail(with_needed_rights(std::move(found.error())));
  auto by_id = home.api(stop).find(Service::Identity, "/projects/" + named);
  if (!by_id) return fail(with_needed_rights(std::move(by_id.error())));
  if (*by_id) found->push_back(member(**by_id, "project"));
  std::erase_if(*found, [&](const Json& project) {
    return !is_named(project, request.adopt) || string_member(project, "domain_id") != *domain ||
           member(project, "is_domain") == Json(true);
  });
  if (!found->empty()) return std::move(found->front());
  return fail(ErrorKind::NotFound, "there is no project \"" + request.adopt +
                                       "\" to adopt in the account's domain for environments of "
                                       "class \"" +
                                       std::string(to_string(request.environment_class)) + "\"");
}

tl::unexpected<Error> is_anothers(const std::string& named) {
  return fail(
      Error(ErrorKind::Refused,
            "the project \"" + named + "\" is another environment's, and each has one of its own")
          .with_code("openstack.adopted-already"));
}

Status take_roles_back(Home& home, const std::string& boundary,
                       const std::vector<std::string>& tags, std::stop_token stop) {
  for (const auto& tag : tags) {
    if (!tag.starts_with(kGrantedTag)) continue;
    const auto grant = tag.substr(kGrantedTag.size());
    const auto colon = grant.find(':');
    if (colon == std::string::npos) continue;
    auto gone = home.api(stop).remove(Service::Identity,
                                      "/projects/" + boundary + "/users/" +
                                          percent_encode(grant.substr(0, colon)) + "/roles/" +
                                          percent_encode(grant.substr(colon + 1)));
    if (!gone) return gone;
  }
  return {};
}

}  // namespace

bool is_adopted(const Json& project) {
  const auto tags = strings_member(project, "tags");
  return std::find(tags.begin(), tags.end(), kAdoptedTag) != tags.end();
}

std::vector<std::string> owners_of(const Json& project) {
  std::vector<std::string> owners;
  for (auto& tag : strings_member(project, "tags")) {
    if (tag.starts_with("bailey:")) owners.push_back(std::move(tag));
  }
  return owners;
}

bool is_named(const Json& project, const std::string& named) {
  return string_member(project, "id") == named || string_member(project, "name") == named;
}

Result<Json> adopt_project(Home& home, const BoundaryRequest& request, std::stop_token stop) {
  auto project = find_adoptable(home, request, stop);
  if (!project) return project;
  const auto id = string_member(*project, "id");
  if (!owners_of(*project).empty()) return is_anothers(request.adopt);
  auto rules = home.rules_in(id, stop);
  if (!rules) return fail(std::move(rules.error()));
  if (*rules) {
    return fail(Error(ErrorKind::Refused,
                      "the account's own user has the role admin in the project "
                      "\"" +
                          request.adopt +
                          "\", and would take what is in other projects for "
                          "what is in this one")
                    .with_code("openstack.adopt-admin"));
  }
  const auto tag = owner_tag(request.environment_uid);
  const auto name = std::string(kNameTag) + request.environment;
  for (const auto& each : {std::string(kAdoptedTag), name, tag}) {
    if (auto tagged = home.tag(id, each, stop); !tagged) return fail(std::move(tagged.error()));
  }
  // Keystone cannot tag on a condition: who comes second sees both tags, and yields.
  auto now = home.keystone_project(id, stop);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return fail(ErrorKind::NotFound, "the project " + id + " is not there any more");
  if (owners_of(**now) == std::vector{tag}) return std::move(**now);
  for (const auto& each : {tag, name}) {
    auto taken_back = home.api(stop).remove(Service::Identity,
                                            "/projects/" + id + "/tags/" + percent_encode(each));
    if (!taken_back) return fail(std::move(taken_back.error()));
  }
  return is_anothers(request.adopt);
}

Status give_back(Home& home, const std::string& boundary, const EnvironmentUid& uid,
                 std::stop_token stop) {
  auto project = home.keystone_project(boundary, stop);  // with what entering has noted
  if (!project) return fail(std::move(project.error()));
  if (!*project) return {};
  auto tags = strings_member(**project, "tags");
  if (auto left = take_roles_back(home, boundary, tags, stop); !left) return left;
  if (auto left = home.abandon(boundary, stop); !left) return left;
  std::erase_if(tags, [&](const std::string& tag) {
    return tag == owner_tag(uid) || tag == kAdoptedTag || tag.starts_with(kNameTag) ||
           tag.starts_with(kGrantedTag);
  });
  auto put = home.api(stop).put(Service::Identity, "/projects/" + boundary + "/tags",
                                {{"tags", std::move(tags)}});
  if (!put) return fail(std::move(put.error()).in("taking our tags from the project " + boundary));
  return {};
}

}  // namespace bailey::openstack
