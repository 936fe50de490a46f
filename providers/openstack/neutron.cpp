#include "providers/openstack/neutron.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <algorithm>
#include <set>

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

std::string described(const ResourceRequest& request) {
  return described(string_member(request.inputs, "description"), request.marker);
}

void add_text_fields(ResourceTypeSchema& schema) {
  schema.fields.push_back(field("description", FieldType::String, "For people."));
  schema.fields.push_back(
      field("tags", FieldType::StringList, "Words to find it by.", {.unordered = true}));
}

void add_texts(Json& inputs, const Marks& marks) {
  if (!marks.text.empty()) inputs["description"] = marks.text;
  if (!marks.tags.empty()) inputs["tags"] = marks.tags;
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
    } else {
      marks.tags.push_back(tag);
    }
  }
  if (!marks.marker) marks.whole = true;
  std::sort(marks.tags.begin(), marks.tags.end());
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
                                      const ResourceRequest& request) {
  if (request.earlier == Earlier::None) return std::optional<Json>();
  const auto name = request.marker.unique_name();
  auto all = all_of(work, collection, "&name=" + percent_encode(name));
  if (!all) return fail(std::move(all.error()));
  for (auto& thing : *all) {
    if (string_member(thing, "name") != name) continue;
    const auto marks = marks_of(thing);
    if (!marks.marker || *marks.marker == request.marker) {
      return std::optional<Json>(std::move(thing));
    }
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

Status settle_texts(const Work& work, const std::string& collection, Json& thing,
                    const ResourceRequest& request, const Json& before) {
  const auto path = "/" + collection + "/" + string_member(thing, "id");
  if (const auto text = described(request); string_member(thing, "description") != text) {
    auto put =
        work.api.put(Service::Network, path, {{singular(collection), {{"description", text}}}});
    if (!put) return fail(std::move(put.error()));
    thing["description"] = text;
  }
  const auto marks = marks_of(thing);
  auto tags = wanted_tags(marks.tags, request.inputs, before);
  if (!tags) return fail(std::move(tags.error()));
  tags->insert(request.marker.str());
  const auto now = strings_member(thing, "tags");
  if (*tags == std::set<std::string>(now.begin(), now.end())) return {};
  auto put = work.api.put(Service::Network, path + "/tags", {{"tags", *tags}});
  if (!put) return fail(std::move(put.error()));
  thing["tags"] = *tags;
  return {};
}

Result<std::string> external_network(const Work& work, const std::string& name) {
  auto networks = work.api.list(Service::Network, "/networks?router%3Aexternal=true", "networks");
  if (!networks) return fail(std::move(networks.error()));
  std::vector<std::string> found;
  std::vector<std::string> names;
  for (const auto& network : *networks) {
    if (!network.value("router:external", false)) continue;
    names.push_back("\"" + string_member(network, "name") + "\"");
    if (string_member(network, "name") == name) found.push_back(string_member(network, "id"));
  }
  if (found.size() == 1) {
    work.project.memo.put("name of network " + found.front(), name);
    return found.front();
  }
  const std::string offer = names.empty() ? "There is none." : "There is " + enumerate(names) + ".";
  return fail(Error(ErrorKind::InvalidArgument, "the external network \"" + name + "\" is " +
                                                    (found.empty() ? "not there" : "ambiguous"))
                  .with_hint(offer));
}

Result<std::string> network_name(const Work& work, const std::string& id) {
  const auto key = "name of network " + id;
  if (auto known = work.project.memo.get(key)) return *known;
  auto network = work.api.find(Service::Network, "/networks/" + percent_encode(id));
  if (!network) return fail(std::move(network.error()));
  if (!*network) return id;
  auto name = string_member(member(**network, "network"), "name");
  work.project.memo.put(key, name);
  return name;
}

}  // namespace bailey::openstack
