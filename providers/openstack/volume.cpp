#include "providers/openstack/volume.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/openstack/server_facts.hpp"

namespace bailey::openstack {

namespace {

constexpr std::chrono::minutes kVolumeLimit{15};
constexpr auto kDetail = "/volumes/detail?limit=500";
/// Present when the spec names a type: else the cloud's default is what shows.
constexpr auto kTypeKey = "bailey.type";

/// A Cinder volume, with the marker in its metadata from the start.
class VolumeType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema VolumeType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "volume";
  schema.description = "A disk that outlives the servers that it is attached to.";
  schema.fields = {
      field("size", FieldType::Integer, "In GiB. It can grow; a smaller one is a new volume.",
            {.required = true, .grows = true}),
      field("volumeType", FieldType::String,
            "The cloud's name of the kind of storage; left out: its default.", {.replaces = true}),
      field("image", FieldType::String, "Name or id of the image that it begins with.",
            {.replaces = true}),
      field("description", FieldType::String, "For people."),
      field("metadata", FieldType::StringMap, "Words to find it by."),
  };
  schema.attributes = {{"id", "The id of the volume."}, {"name", "Its name at the provider."}};
  return schema;
}

bool is_broken(const std::string& status) {
  return status.starts_with("error");
}

bool is_busy(const std::string& status) {
  return !is_broken(status) && status != "available" && status != "in-use";
}

Observed observe(const Json& volume) {
  const auto& metadata = member(volume, "metadata");
  const auto id = string_member(volume, "id");
  const auto name = string_member(volume, "name");
  const auto status = string_member(volume, "status");
  Json inputs{{"size", member(volume, "size")}, {"metadata", spec_metadata(metadata)}};
  if (const auto text = string_member(volume, "description"); !text.empty()) {
    inputs["description"] = text;
  }
  if (!string_member(metadata, kTypeKey).empty()) {
    inputs["volumeType"] = string_member(volume, "volume_type");
  }
  if (const auto noted = string_member(metadata, kImageKey); !noted.empty()) {
    inputs["image"] = noted.substr(noted.find(' ') + 1);
  }
  return {.type = "volume",
          .provider_id = id,
          .inputs = std::move(inputs),
          .attributes = {{"id", id}, {"name", name}},
          .marker = Marker::parse(string_member(metadata, kMarkerKey)),
          .name = name,
          .complete = status != "creating" && status != "downloading" && status != "error"};
}

Result<std::optional<Json>> find_volume(const Work& work, const std::string& id) {
  auto found = work.api.find(Service::Volume, "/volumes/" + percent_encode(id));
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::optional<Json>();
  auto volume = member(**found, "volume");
  const auto owner = string_member(volume, "os-vol-tenant-attr:tenant_id");
  if (!owner.empty() && owner != work.project.id) return std::optional<Json>();
  return std::optional<Json>(std::move(volume));
}

Result<std::vector<Json>> all_volumes(const Work& work) {
  return work.api.list(Service::Volume, kDetail, "volumes");
}

Status watch(const Work& work, const std::string& id, const std::string& awaited,
             const Watch::Done& done) {
  const auto statuses = [&]() -> Result<Watch::Listing> {
    auto volumes = all_volumes(work);
    if (!volumes) return fail(std::move(volumes.error()));
    Watch::Listing listing;
    for (const auto& volume : *volumes) {
      listing.emplace(string_member(volume, "id"), string_member(volume, "status"));
    }
    return listing;
  };
  return work.project.watches.volumes.until(id, done, statuses,
                                            {work.doors.clock, work.stop, kVolumeLimit, awaited});
}

/// Cinder refuses to delete what it is deleting already: asked again after a lost answer, say.
bool is_going(const Work& work, const std::string& id) {
  const auto volume = find_volume(work, id);
  return volume && (!*volume || string_member(**volume, "status") == "deleting");
}

Status remove_volume(const Work& work, const std::string& id) {
  auto asked = work.api.remove(Service::Volume, "/volumes/" + percent_encode(id));
  if (!asked && !is_going(work, id)) return asked;
  bool broken = false;
  auto gone = watch(work, id, "volume " + id + " to go", [&](const std::string* status) {
    broken = status != nullptr && is_broken(*status);
    return status == nullptr || broken;
  });
  if (gone && broken) {
    return fail(ErrorKind::FailedPrecondition, "the cloud could not delete volume " + id);
  }
  return gone;
}

Result<Json> request_body(const Work& work, const ResourceRequest& request) {
  const auto& inputs = request.inputs;
  const auto type = string_member(inputs, "volumeType");
  const auto image = string_member(inputs, "image");
  if (auto fine = check_metadata(inputs); !fine) return fail(std::move(fine.error()));
  Json metadata =
      member(inputs, "metadata").is_object() ? member(inputs, "metadata") : Json::object();
  metadata[kMarkerKey] = request.marker.str();
  Json volume{{"size", member(inputs, "size")}, {"name", request.marker.unique_name()}};
  if (const auto text = string_member(inputs, "description"); !text.empty()) {
    volume["description"] = text;
  }
  if (!type.empty()) {
    volume["volume_type"] = type;
    metadata[kTypeKey] = "named";
  }
  if (!image.empty()) {
    auto id = image_id(work, image);
    if (!id) return fail(std::move(id.error()));
    volume["imageRef"] = *id;
    metadata[kImageKey] = *id + " " + image;
  }
  volume["metadata"] = std::move(metadata);
  return Json{{"volume", std::move(volume)}};
}

/// What an earlier attempt has left, unless it cannot be used.
Result<std::optional<std::string>> left_over_volume(const Work& work,
                                                    const ResourceRequest& request) {
  if (request.earlier == Earlier::None) return std::optional<std::string>();
  auto volumes = all_volumes(work);
  if (!volumes) return fail(std::move(volumes.error()));
  for (const auto& volume : *volumes) {
    if (observe(volume).marker != request.marker) continue;
    const auto id = string_member(volume, "id");
    if (!is_broken(string_member(volume, "status"))) return std::optional(id);
    if (auto gone = remove_volume(work, id); !gone) return fail(std::move(gone.error()));
  }
  return std::optional<std::string>();
}

Result<Observed> VolumeType::create(const Work& work, const ResourceRequest& request) const {
  auto body = request_body(work, request);
  if (!body) return fail(std::move(body.error()));
  auto id = left_over_volume(work, request);
  if (!id) return fail(std::move(id.error()));
  if (!*id) {
    auto made = work.api.post(Service::Volume, "/volumes", *body);
    if (!made) return fail(std::move(made.error()));
    *id = string_member(member(*made, "volume"), "id");
  }
  if (auto ready = await_volume(work, **id, "volume " + **id + " to be made"); !ready) {
    if (ready.error().kind() != ErrorKind::FailedPrecondition) return fail(ready.error());
    // What cannot be made is taken away again, so that the next attempt finds room.
    auto gone = remove_volume(work, **id);
    if (gone) return fail(std::move(ready.error()));
    return fail(std::move(ready.error()).with_hint("It is still there: " + gone.error().message()));
  }
  auto now = read(work, **id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return vanished("volume", **id);
  return std::move(**now);
}

Result<std::optional<Observed>> VolumeType::read(const Work& work, const std::string& id) const {
  auto volume = find_volume(work, id);
  if (!volume) return fail(std::move(volume.error()));
  if (!*volume) return std::optional<Observed>();
  return std::optional<Observed>(observe(**volume));
}

Status settle_size(const Work& work, const Json& volume, const Json& size) {
  if (!size.is_number_integer() || size <= member(volume, "size")) return {};
  const auto id = string_member(volume, "id");
  auto asked = work.api.post(Service::Volume, "/volumes/" + id + "/action",
                             {{"os-extend", {{"new_size", size}}}});
  if (!asked) return fail(std::move(asked.error()));
  return await_volume(work, id, "volume " + id + " to grow");
}

Status settle_texts(const Work& work, const Json& volume, const Json& inputs) {
  const auto path = "/volumes/" + string_member(volume, "id");
  const auto text = string_member(inputs, "description");
  if (string_member(volume, "description") != text) {
    auto put = work.api.put(Service::Volume, path, {{"volume", {{"description", text}}}});
    if (!put) return fail(std::move(put.error()));
  }
  const auto& now = member(volume, "metadata");
  const auto wanted = settled_metadata(now, inputs);
  if (wanted == now) return {};
  auto put = work.api.put(Service::Volume, path + "/metadata", {{"metadata", wanted}});
  if (!put) return fail(std::move(put.error()));
  return {};
}

Result<Observed> VolumeType::update(const Work& work, const ResourceRequest& request,
                                    const std::string& id, const Json& /*before*/) const {
  if (auto fine = check_metadata(request.inputs); !fine) return fail(std::move(fine.error()));
  auto volume = find_volume(work, id);
  if (!volume) return fail(std::move(volume.error()));
  if (!*volume) return vanished("volume", id);
  if (auto done = settle_texts(work, **volume, request.inputs); !done) return fail(done.error());
  if (auto done = settle_size(work, **volume, member(request.inputs, "size")); !done) {
    return fail(done.error());
  }
  auto now = read(work, id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return vanished("volume", id);
  return std::move(**now);
}

/// Detaches nothing: whose data it is, is the user's to say.
Status VolumeType::remove(const Work& work, const std::string& id) const {
  auto volume = find_volume(work, id);
  if (!volume) return fail(std::move(volume.error()));
  if (!*volume) return {};
  if (is_busy(string_member(**volume, "status"))) {
    const auto settled = await_volume(work, id, "volume " + id + " to come to rest");
    volume = find_volume(work, id);
    if (!volume) return fail(std::move(volume.error()));
    if (!*volume) return {};  // It was being deleted.
    if (!settled) return settled;
  }
  std::vector<std::string> users;
  for (const auto& attachment : member(**volume, "attachments")) {
    users.push_back(string_member(attachment, "server_id"));
  }
  if (!users.empty()) {
    return fail(ErrorKind::FailedPrecondition,
                "the volume " + id + " is attached to " + enumerate(users));
  }
  return remove_volume(work, id);
}

Result<std::vector<Observed>> VolumeType::list(const Work& work) const {
  auto volumes = all_volumes(work);
  if (!volumes) return fail(std::move(volumes.error()));
  std::vector<Observed> all;
  for (const auto& volume : *volumes) all.push_back(observe(volume));
  return all;
}

}  // namespace

Status await_volume(const Work& work, const std::string& id, const std::string& awaited) {
  std::string last;
  auto seen = watch(work, id, awaited, [&](const std::string* status) {
    last = status == nullptr ? "gone" : *status;
    return !is_busy(last) || status == nullptr;
  });
  if (!seen) return seen;
  if (!is_broken(last) && last != "gone") return {};
  return fail(ErrorKind::FailedPrecondition,
              "gave up waiting for " + awaited + ": Cinder shows it as " + last);
}

std::unique_ptr<ResourceType> volume_type() {
  return std::make_unique<VolumeType>();
}

}  // namespace bailey::openstack
