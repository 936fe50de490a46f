#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/openstack/resource_type.hpp"

#include <algorithm>

namespace bailey::openstack {

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kMeta = "x-container-meta-";
constexpr auto kMarkerHeader = "x-container-meta-bailey";
constexpr auto kEmptyHeader = "x-container-meta-bailey-empty-on-remove";
constexpr auto kReadHeader = "x-container-read";
constexpr auto kEverybody = ".r:*,.rlistings";
constexpr std::size_t kPage = 1'000;

/// A Swift container.
///
/// Swift makes it with all its headers in one call, which may be repeated: nothing is half made.
/// What it is called is its id, so the name is unique to its generation.
class ContainerType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema ContainerType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "container";
  schema.description = "A place for objects.";
  schema.fields = {
      field("metadata", FieldType::StringMap,
            "Words to find it by: small letters, digits and dashes."),
      field("public", FieldType::Boolean, "Everybody may list and read what is in it."),
      field("emptyOnRemove", FieldType::Boolean,
            "Its objects are deleted with it; else it cannot be removed while it holds any."),
  };
  schema.attributes = {{"id", "Its name."}, {"name", "Its name."}};
  return schema;
}

std::string path_of(const std::string& id) {
  return "/" + percent_encode(id);
}

bool flag(const Json& inputs, const char* name) {
  const auto& value = member(inputs, name);
  return value.is_boolean() && value.get<bool>();
}

Status check_metadata(const Json& metadata) {
  if (!metadata.is_object()) return {};
  for (const auto& [key, value] : metadata.items()) {
    const bool fine = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!fine || key.starts_with("bailey") || key.starts_with("quota-")) {
      return fail(ErrorKind::InvalidArgument,
                  "\"" + key + "\" cannot be the name of a container's metadata");
    }
    // Swift takes an empty value for the wish to remove it.
    if (!value.is_string() || trim(value.get<std::string>()) != value || value == "") {
      return fail(ErrorKind::InvalidArgument,
                  "the metadata \"" + key + "\" of a container is a text without outer blanks");
    }
  }
  return {};
}

/// What the container is to say of itself; empty values remove.
Headers wanted_headers(const ResourceRequest& request, const Json& before) {
  const auto& metadata = member(request.inputs, "metadata");
  Headers headers{
      {kMarkerHeader, request.marker.str()},
      {kEmptyHeader, flag(request.inputs, "emptyOnRemove") ? "true" : ""},
      {kReadHeader, flag(request.inputs, "public") ? kEverybody : ""},
  };
  for (const auto& [key, value] : metadata.items()) {
    headers.emplace_back(std::string(kMeta) + key, value.get<std::string>());
  }
  for (const auto& [key, value] : before.items()) {
    if (!metadata.contains(key)) headers.emplace_back(std::string(kMeta) + key, "");
  }
  return headers;
}

Observed observe(const std::string& id, const HttpResponse& head) {
  Json metadata = Json::object();
  std::optional<Marker> marker;
  bool empties = false;
  for (const auto& [name, value] : head.headers) {
    if (!name.starts_with(kMeta)) continue;
    if (name == kMarkerHeader) {
      marker = Marker::parse(value);
    } else if (name == kEmptyHeader) {
      empties = value == "true";
    } else if (!name.starts_with("x-container-meta-quota-")) {
      metadata[name.substr(kMeta.size())] = value;
    }
  }
  Json inputs{{"metadata", std::move(metadata)}};
  // False is what a spec means that says nothing.
  if (empties) inputs["emptyOnRemove"] = true;
  if (!head.header(kReadHeader).value_or("").empty()) inputs["public"] = true;
  return {.type = "container",
          .provider_id = id,
          .inputs = std::move(inputs),
          .attributes = {{"id", id}, {"name", id}},
          .marker = std::move(marker),
          .name = id};
}

Result<std::optional<HttpResponse>> head_of(const Work& work, const std::string& id) {
  auto head = work.api.send(
      {.service = Service::ObjectStore, .method = "HEAD", .path = path_of(id), .accept = "*/*"});
  if (head) return std::optional<HttpResponse>(std::move(*head));
  if (head.error().kind() == ErrorKind::NotFound) return std::optional<HttpResponse>();
  return fail(std::move(head.error()));
}

Result<Observed> write(const Work& work, const std::string& method, const std::string& id,
                       Headers headers) {
  auto written = work.api.send({.service = Service::ObjectStore,
                                .method = method,
                                .path = path_of(id),
                                .headers = std::move(headers)});
  if (!written) return fail(std::move(written.error()));
  auto head = head_of(work, id);
  if (!head) return fail(std::move(head.error()));
  if (!*head) return vanished("container", id);
  return observe(id, **head);
}

/// A list that Swift gives in parts; the next one begins after the last name.
Result<std::vector<std::string>> names_in(const Work& work, const std::string& path) {
  std::vector<std::string> names;
  for (;;) {
    auto query = path + "?format=json&limit=" + std::to_string(kPage);
    if (!names.empty()) query += "&marker=" + percent_encode(names.back());
    auto page = work.api.get(Service::ObjectStore, query);
    if (!page) return fail(std::move(page.error()));
    for (const auto& entry : *page) names.push_back(string_member(entry, "name"));
    if (page->size() < kPage) return names;
  }
}

Result<Observed> ContainerType::create(const Work& work, const ResourceRequest& request) const {
  if (auto fine = check_metadata(member(request.inputs, "metadata")); !fine) {
    return fail(std::move(fine.error()));
  }
  return write(work, "PUT", request.marker.unique_name(), wanted_headers(request, Json::object()));
}

Result<std::optional<Observed>> ContainerType::read(const Work& work, const std::string& id) const {
  auto head = head_of(work, id);
  if (!head) return fail(std::move(head.error()));
  if (!*head) return std::optional<Observed>();
  return std::optional<Observed>(observe(id, **head));
}

Result<Observed> ContainerType::update(const Work& work, const ResourceRequest& request,
                                       const std::string& id, const Json& /*before*/) const {
  if (auto fine = check_metadata(member(request.inputs, "metadata")); !fine) {
    return fail(std::move(fine.error()));
  }
  auto now = read(work, id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return vanished("container", id);
  return write(work, "POST", id, wanted_headers(request, member((*now)->inputs, "metadata")));
}

Status ContainerType::remove(const Work& work, const std::string& id) const {
  auto now = read(work, id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return {};
  if (flag((*now)->inputs, "emptyOnRemove")) {
    auto objects = names_in(work, path_of(id));
    if (!objects) return fail(std::move(objects.error()));
    for (const auto& object : *objects) {
      auto gone = work.api.remove(Service::ObjectStore, path_of(id) + "/" + percent_encode(object));
      if (!gone) return gone;
    }
  }
  auto gone = work.api.remove(Service::ObjectStore, path_of(id));
  if (gone || gone.error().kind() != ErrorKind::Conflict) return gone;
  return fail(Error(ErrorKind::FailedPrecondition, "the container " + id + " holds objects")
                  .with_hint("Delete them, or declare emptyOnRemove: true first."));
}

Result<std::vector<Observed>> ContainerType::list(const Work& work) const {
  auto names = names_in(work, "");
  if (!names) return fail(std::move(names.error()));
  std::vector<Observed> all;
  for (const auto& name : *names) {
    auto seen = read(work, name);
    if (!seen) return fail(std::move(seen.error()));
    if (*seen) all.push_back(std::move(**seen));
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> container_type() {
  return std::make_unique<ContainerType>();
}

}  // namespace bailey::openstack
