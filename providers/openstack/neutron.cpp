#include "providers/openstack/neutron.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

#include <algorithm>

namespace bailey::openstack {

namespace {

/// `security-groups` in paths is `security_groups` in bodies.
std::string in_bodies(std::string collection) {
  std::replace(collection.begin(), collection.end(), '-', '_');
  return collection;
}

std::string singular(const std::string& collection) {
  auto name = in_bodies(collection);
  name.pop_back();
  return name;
}

}  // namespace

std::string described(const std::string& text, const Marker& marker) {
  return text.empty() ? marker.str() : text + " (" + marker.str() + ")";
}

Marks marks_of(const Json& thing) {
  Marks marks;
  marks.text = string_member(thing, "description");
  if ((marks.marker = Marker::parse(marks.text))) {
    marks.text.clear();
  } else if (marks.text.ends_with(')')) {
    const auto open = marks.text.rfind(" (bailey:");
    if (open != std::string::npos) {
      const auto inside = marks.text.substr(open + 2, marks.text.size() - open - 3);
      if ((marks.marker = Marker::parse(inside))) marks.text.resize(open);
    }
  }
  for (const auto& tag : strings_member(thing, "tags")) {
    if (auto marker = Marker::parse(tag)) {
      marks.marker = std::move(marker);
      marks.whole = true;
    }
  }
  if (!marks.marker) marks.whole = true;
  return marks;
}

Result<std::vector<Json>> all_of(const Work& work, const std::string& collection,
                                 const std::string& filter) {
  auto all =
      work.api.list(Service::Network, "/" + collection + "?project_id=" + work.project.id + filter,
                    in_bodies(collection));
  if (!all) return all;
  // An administrator's token sees everything, and a service may know nothing of a filter.
  std::erase_if(*all, [&](const Json& thing) {
    return string_member(thing, "project_id") != work.project.id;
  });
  return all;
}

Result<std::optional<Json>> left_over(const Work& work, const std::string& collection,
                                      const Marker& marker) {
  auto all = all_of(work, collection, "&name=" + percent_encode(marker.unique_name()));
  if (!all) return fail(std::move(all.error()));
  for (auto& thing : *all) {
    if (string_member(thing, "name") != marker.unique_name()) continue;
    const auto marks = marks_of(thing);
    if (!marks.marker || *marks.marker == marker) return std::optional<Json>(std::move(thing));
  }
  return std::optional<Json>();
}

Result<std::optional<Json>> one_of(const Work& work, const std::string& collection,
                                   const std::string& id) {
  auto found = work.api.find(Service::Network, "/" + collection + "/" + percent_encode(id));
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::optional<Json>();
  auto thing = member(**found, singular(collection));
  if (string_member(thing, "project_id") != work.project.id) return std::optional<Json>();
  return std::optional<Json>(std::move(thing));
}

Status mark_whole(const Work& work, const std::string& collection, const Json& thing,
                  const Marker& marker) {
  auto tags = strings_member(thing, "tags");
  if (std::find(tags.begin(), tags.end(), marker.str()) != tags.end()) return {};
  tags.push_back(marker.str());
  const auto path = "/" + collection + "/" + string_member(thing, "id") + "/tags";
  if (auto put = work.api.put(Service::Network, path, {{"tags", tags}}); !put) {
    return fail(std::move(put.error()));
  }
  return {};
}

}  // namespace bailey::openstack
