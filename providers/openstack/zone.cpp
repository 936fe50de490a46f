#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/neutron.hpp"
#include "providers/openstack/resource_type.hpp"
#include "providers/openstack/waiting.hpp"

namespace bailey::openstack {

namespace {

constexpr std::chrono::minutes kZoneLimit{5};

/// A Designate zone, with the marker in its description from the start.
class ZoneType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema ZoneType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "zone";
  schema.description = "A DNS zone.";
  schema.fields = {
      field("name", FieldType::String, "The domain, with the dot at its end.",
            {.required = true, .replaces = true}),
      field("email", FieldType::String, "Who answers for the zone.", {.required = true}),
      field("ttl", FieldType::Integer, "How long its records hold, in seconds.",
            {.required = true}),
      field("description", FieldType::String, "For people; about 60 characters have room."),
  };
  schema.attributes = {{"id", "The id of the zone."}, {"name", "The domain."}};
  return schema;
}

Observed observe(const Json& zone) {
  const auto id = string_member(zone, "id");
  const auto name = string_member(zone, "name");
  auto marks = marks_of(zone);
  Json inputs{
      {"name", name}, {"email", string_member(zone, "email")}, {"ttl", member(zone, "ttl")}};
  if (!marks.text.empty()) inputs["description"] = marks.text;
  return {.type = "zone",
          .provider_id = id,
          .inputs = std::move(inputs),
          .attributes = {{"id", id}, {"name", name}},
          .marker = std::move(marks.marker),
          .name = name,
          .complete = string_member(zone, "status") == "ACTIVE"};
}

Result<std::optional<Json>> find_zone(const Work& work, const std::string& id) {
  return work.api.find(Service::Dns, "/zones/" + percent_encode(id));
}

Result<std::vector<Json>> all_zones(const Work& work) {
  return work.api.list(Service::Dns, "/zones?limit=500", "zones");
}

/// The zone once the name servers have what was asked for.
Result<Observed> settled(const Work& work, const std::string& id) {
  Patience patience(work.doors.clock, work.stop, kZoneLimit);
  for (;;) {
    auto zone = find_zone(work, id);
    if (!zone) return fail(std::move(zone.error()));
    if (!*zone) return vanished("zone", id);
    const auto status = string_member(**zone, "status");
    if (status == "ACTIVE") return observe(**zone);
    if (status == "ERROR") {
      return fail(ErrorKind::FailedPrecondition, "the cloud could not publish zone " + id);
    }
    if (auto waited = patience.wait("zone " + id + " to be published"); !waited) {
      return fail(std::move(waited.error()));
    }
  }
}

Result<Observed> change(const Work& work, const ResourceRequest& request, const std::string& id) {
  auto patched = work.api.patch(Service::Dns, "/zones/" + percent_encode(id),
                                {{"email", member(request.inputs, "email")},
                                 {"ttl", member(request.inputs, "ttl")},
                                 {"description", described(request)}});
  if (!patched) return fail(std::move(patched.error()));
  return settled(work, id);
}

Result<Observed> ZoneType::create(const Work& work, const ResourceRequest& request) const {
  if (request.earlier == Earlier::Perhaps) {
    auto all = all_zones(work);
    if (!all) return fail(std::move(all.error()));
    for (const auto& zone : *all) {
      if (marks_of(zone).marker != request.marker) continue;
      return change(work, request, string_member(zone, "id"));
    }
  }
  auto made = work.api.post(Service::Dns, "/zones",
                            {{"name", member(request.inputs, "name")},
                             {"email", member(request.inputs, "email")},
                             {"ttl", member(request.inputs, "ttl")},
                             {"description", described(request)}});
  if (!made) return fail(std::move(made.error()));
  return settled(work, string_member(*made, "id"));
}

Result<std::optional<Observed>> ZoneType::read(const Work& work, const std::string& id) const {
  auto zone = find_zone(work, id);
  if (!zone) return fail(std::move(zone.error()));
  if (!*zone) return std::optional<Observed>();
  return std::optional<Observed>(observe(**zone));
}

Result<Observed> ZoneType::update(const Work& work, const ResourceRequest& request,
                                  const std::string& id, const Json& /*before*/) const {
  return change(work, request, id);
}

Status ZoneType::remove(const Work& work, const std::string& id) const {
  auto asked = work.api.remove(Service::Dns, "/zones/" + percent_encode(id));
  if (!asked) return asked;
  Patience patience(work.doors.clock, work.stop, kZoneLimit);
  for (;;) {
    auto zone = find_zone(work, id);
    if (!zone) return fail(std::move(zone.error()));
    if (!*zone) return {};
    if (auto waited = patience.wait("zone " + id + " to go"); !waited) return waited;
  }
}

Result<std::vector<Observed>> ZoneType::list(const Work& work) const {
  auto zones = all_zones(work);
  if (!zones) return fail(std::move(zones.error()));
  std::vector<Observed> all;
  for (const auto& zone : *zones) {
    if (string_member(zone, "project_id") == work.project.id) all.push_back(observe(zone));
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> zone_type() {
  return std::make_unique<ZoneType>();
}

}  // namespace bailey::openstack
