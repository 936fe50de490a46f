#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/project_tags.hpp"
#include "providers/openstack/resource_type.hpp"

namespace bailey::openstack {

namespace {

constexpr auto kKind = "bailey-image";

/// A membership of the environment's project in an image of the account's own project.
///
/// Glance gives a membership no place for a marker: it is a tag of the project. The tag comes
/// first, then the membership, and the project's acceptance last; a tag whose membership is not
/// there says nothing. Images of other projects are refused, since the account's administrator
/// could hand out anybody's.
class SharedImageType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema SharedImageType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "shared-image";
  schema.description = "An image of the account's project that this environment may use.";
  schema.fields = {
      field("image", FieldType::String, "The id of the image, which its project shares.",
            {.required = true, .replaces = true}),
      field("digest", FieldType::String,
            "What its content must be, as `sha512:` and the hash that Glance has of it."),
  };
  schema.attributes = {{"id", "The id of the image."},
                       {"name", "Its name at the provider."},
                       {"checksum", "`sha512:` and the hash of its content."}};
  return schema;
}

std::string digest_of(const Json& image) {
  const auto value = string_member(image, "os_hash_value");
  return value.empty() ? std::string() : string_member(image, "os_hash_algo") + ":" + value;
}

std::string member_path(const std::string& image, const std::string& project) {
  return "/images/" + percent_encode(image) + "/members/" + project;
}

Observed observe(const Json& image, const std::optional<Marker>& marker, bool accepted) {
  const auto id = string_member(image, "id");
  const auto name = string_member(image, "name");
  const auto digest = digest_of(image);
  return {.type = "shared-image",
          .provider_id = id,
          .inputs = {{"image", id}},
          .attributes = {{"id", id}, {"name", name}, {"checksum", digest}},
          .marker = marker,
          .name = name,
          .complete = accepted};
}

Status check_digest(const Json& image, const Json& inputs) {
  const auto wanted = string_member(inputs, "digest");
  const auto shown = digest_of(image);
  if (wanted.empty() || wanted == shown) return {};
  return fail(ErrorKind::Refused,
              "the image " + string_member(image, "id") +
                  (shown.empty() ? " has no hash that its content could be held against"
                                 : " has the content " + shown + " and not " + wanted));
}

/// The image, when the account's project has it to share.
Result<Json> own_image(const Work& work, const Json& inputs) {
  const auto id = string_member(inputs, "image");
  auto found = work.admin.find(Service::Image, "/images/" + percent_encode(id));
  if (!found) return fail(std::move(found.error()));
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::InvalidArgument, "the image \"" + id + "\" " + why);
  };
  if (!*found) return refuse("is not there");
  auto& image = **found;
  auto token = work.admin.session().token(work.stop);
  if (!token) return fail(std::move(token.error()));
  if (string_member(image, "owner") != (*token)->project_id) {
    return refuse("does not belong to the account's project");
  }
  if (string_member(image, "visibility") != "shared") {
    return refuse("is " + string_member(image, "visibility") +
                  ": only one whose visibility is \"shared\" can be shared");
  }
  if (string_member(image, "status") != "active") return refuse("is not active");
  return std::move(image);
}

Status share(const Work& work, const std::string& image) {
  auto made = work.admin.post(Service::Image, "/images/" + percent_encode(image) + "/members",
                              {{"member", work.project.id}});
  // Shared already, by an earlier attempt.
  if (!made && made.error().kind() != ErrorKind::Conflict) return fail(std::move(made.error()));
  auto accepted =
      work.api.put(Service::Image, member_path(image, work.project.id), {{"status", "accepted"}});
  if (!accepted) return fail(std::move(accepted.error()));
  return {};
}

Result<Observed> SharedImageType::create(const Work& work, const ResourceRequest& request) const {
  auto image = own_image(work, request.inputs);
  if (!image) return fail(std::move(image.error()));
  if (auto same = check_digest(*image, request.inputs); !same) return fail(std::move(same.error()));
  const auto id = string_member(*image, "id");
  auto tags = project_tags(work, kKind);
  if (!tags) return fail(std::move(tags.error()));
  for (const auto& tag : *tags) {
    if (tag.what != id || tag.marker == request.marker) continue;
    if (tag.marker.address != request.marker.address) {
      return fail(ErrorKind::Conflict,
                  "the image " + id + " is shared already, as " + tag.marker.address.str());
    }
    // Of a membership that somebody took away: what it was known by goes too.
    if (auto gone = remove_project_tag(work, tag); !gone) return fail(std::move(gone.error()));
  }
  if (auto tagged = add_project_tag(work, {kKind, id, request.marker}); !tagged) {
    return fail(std::move(tagged.error()));
  }
  if (auto shared = share(work, id); !shared) return fail(std::move(shared.error()));
  return observe(*image, request.marker, true);
}

/// The project's marker on an image.
std::optional<Marker> marker_on(const std::set<ProjectTag>& tags, const std::string& image) {
  for (const auto& tag : tags) {
    if (tag.what == image) return tag.marker;
  }
  return std::nullopt;
}

Result<std::optional<Observed>> SharedImageType::read(const Work& work,
                                                      const std::string& id) const {
  auto membership = work.api.find(Service::Image, member_path(id, work.project.id));
  if (!membership) return fail(std::move(membership.error()));
  if (!*membership) return std::optional<Observed>();
  auto image = work.api.find(Service::Image, "/images/" + percent_encode(id));
  if (!image) return fail(std::move(image.error()));
  if (!*image) return std::optional<Observed>();
  auto tags = project_tags(work, kKind);
  if (!tags) return fail(std::move(tags.error()));
  const bool accepted = string_member(**membership, "status") == "accepted";
  return std::optional<Observed>(observe(**image, marker_on(*tags, id), accepted));
}

Result<Observed> SharedImageType::update(const Work& work, const ResourceRequest& request,
                                         const std::string& id, const Json& /*before*/) const {
  auto image = work.api.find(Service::Image, "/images/" + percent_encode(id));
  if (!image) return fail(std::move(image.error()));
  if (!*image) return vanished("shared-image", id);
  if (auto same = check_digest(**image, request.inputs); !same) return fail(same.error());
  if (auto shared = share(work, id); !shared) return fail(std::move(shared.error()));
  return observe(**image, request.marker, true);
}

Status SharedImageType::remove(const Work& work, const std::string& id) const {
  auto gone = work.admin.remove(Service::Image, member_path(id, work.project.id));
  if (!gone) return gone;
  auto tags = project_tags(work, kKind);
  if (!tags) return fail(std::move(tags.error()));
  for (const auto& tag : *tags) {
    if (tag.what != id) continue;
    if (auto removed = remove_project_tag(work, tag); !removed) return removed;
  }
  return {};
}

/// What is offered to the project and bears no tag of ours is not inside: anybody can offer.
Result<std::vector<Observed>> SharedImageType::list(const Work& work) const {
  auto images = work.api.list(Service::Image,
                              "/images?visibility=shared&member_status=all&limit=500", "images");
  if (!images) return fail(std::move(images.error()));
  std::erase_if(*images, [&](const Json& image) {
    return string_member(image, "owner") == work.project.id ||
           string_member(image, "visibility") != "shared";
  });
  if (images->empty()) return std::vector<Observed>();
  auto tags = project_tags(work, kKind);
  if (!tags) return fail(std::move(tags.error()));
  std::vector<Observed> all;
  for (const auto& image : *images) {
    const auto id = string_member(image, "id");
    auto membership = work.api.find(Service::Image, member_path(id, work.project.id));
    if (!membership) return fail(std::move(membership.error()));
    if (!*membership) continue;
    const bool accepted = string_member(**membership, "status") == "accepted";
    auto marker = marker_on(*tags, id);
    if (marker || accepted) all.push_back(observe(image, marker, accepted));
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> shared_image_type() {
  return std::make_unique<SharedImageType>();
}

}  // namespace bailey::openstack
