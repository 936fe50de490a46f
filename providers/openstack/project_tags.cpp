#include "providers/openstack/project_tags.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

#include <algorithm>

namespace bailey::openstack {

namespace {

/// Keystone's tags have neither slashes nor commas.
std::string text_of(const ProjectTag& tag) {
  auto text = tag.kind + ":" + tag.what + ":" + tag.marker.str();
  std::replace(text.begin(), text.end(), '/', '|');
  return text;
}

std::optional<ProjectTag> read_tag(const std::string& kind, std::string text) {
  if (!text.starts_with(kind + ":")) return std::nullopt;
  text.erase(0, kind.size() + 1);
  const auto colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  auto marker = text.substr(colon + 1);
  std::replace(marker.begin(), marker.end(), '|', '/');
  auto read = Marker::parse(marker);
  if (!read) return std::nullopt;
  return ProjectTag{kind, text.substr(0, colon), std::move(*read)};
}

std::string path_of(const Work& work, const ProjectTag& tag) {
  return "/projects/" + work.project.id + "/tags/" + percent_encode(text_of(tag));
}

}  // namespace

Result<std::set<ProjectTag>> project_tags(const Work& work, const std::string& kind) {
  auto found = work.admin.get(Service::Identity, "/projects/" + work.project.id + "/tags");
  if (!found) return fail(std::move(found.error()));
  std::set<ProjectTag> tags;
  for (auto& text : strings_member(*found, "tags")) {
    if (auto tag = read_tag(kind, std::move(text))) tags.insert(std::move(*tag));
  }
  return tags;
}

Status add_project_tag(const Work& work, const ProjectTag& tag) {
  auto put = work.admin.put(Service::Identity, path_of(work, tag), Json());
  if (put) return {};
  // Keystone refuses a tag that is there as an invalid list of tags.
  if (put.error().kind() == ErrorKind::InvalidArgument) {
    auto tags = project_tags(work, tag.kind);
    if (tags && tags->contains(tag)) return {};
  }
  return fail(std::move(put.error()));
}

Status remove_project_tag(const Work& work, const ProjectTag& tag) {
  return work.admin.remove(Service::Identity, path_of(work, tag));
}

}  // namespace bailey::openstack
