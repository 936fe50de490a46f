#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/openstack/project_tags.hpp"
#include "providers/openstack/resource_type.hpp"

#include <algorithm>
#include <array>

namespace bailey::openstack {

namespace {

constexpr auto kMade = "bailey-quota";
constexpr auto kNames = "bailey-quota-names";

/// One service's quotas: where they are and what each is called there.
struct Part {
  std::string_view name;  ///< The field of the spec.
  Service service;
  std::string_view collection;
  std::string_view wrapper;
  std::string_view defaults;  ///< The end of the path at which the defaults are.
  std::vector<std::pair<std::string, std::string>> names;
};

const std::vector<Part>& parts() {
  static const std::vector<Part> all{{"compute",
                                      Service::Compute,
                                      "/os-quota-sets/",
                                      "quota_set",
                                      "/defaults",
                                      {{"instances", "instances"},
                                       {"cores", "cores"},
                                       {"ram", "ram"},
                                       {"metadataItems", "metadata_items"},
                                       {"serverGroups", "server_groups"},
                                       {"serverGroupMembers", "server_group_members"}}},
                                     {"network",
                                      Service::Network,
                                      "/quotas/",
                                      "quota",
                                      "/default",
                                      {{"networks", "network"},
                                       {"subnets", "subnet"},
                                       {"ports", "port"},
                                       {"routers", "router"},
                                       {"floatingIps", "floatingip"},
                                       {"securityGroups", "security_group"},
                                       {"securityGroupRules", "security_group_rule"}}},
                                     {"volume",
                                      Service::Volume,
                                      "/os-quota-sets/",
                                      "quota_set",
                                      "/defaults",
                                      {{"volumes", "volumes"},
                                       {"gigabytes", "gigabytes"},
                                       {"perVolumeGigabytes", "per_volume_gigabytes"},
                                       {"snapshots", "snapshots"},
                                       {"backups", "backups"},
                                       {"backupGigabytes", "backup_gigabytes"}}}};
  return all;
}

std::string path_of(const Work& work, const Part& part) {
  return std::string(part.collection) + work.project.id;
}

/// The limits of the environment's project. There is one set of them, so one resource of this type.
///
/// Three tags of the project tell of it: whose it is, before anything is set; and, for each
/// service, which of the limits the spec names, once they are set. Only those are shown.
class QuotaType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema QuotaType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "quota";
  schema.description = "How much the environment may use, by service; -1: without limit.";
  for (const auto& part : parts()) {
    std::vector<FieldSchema> limits;
    for (const auto& [name, at_service] : part.names) {
      limits.push_back(field(name, FieldType::Integer, "The service's " + at_service + "."));
    }
    schema.fields.push_back(field(std::string(part.name), FieldType::Object,
                                  "Limits of the " + std::string(part.name) + " service.",
                                  {.fields = std::move(limits)}));
  }
  schema.attributes = {{"id", "The id of the project."}};
  return schema;
}

std::optional<std::string> at_service(const Part& part, const std::string& name) {
  for (const auto& [ours, theirs] : part.names) {
    if (ours == name) return theirs;
  }
  return std::nullopt;
}

/// The part's limits as the spec has them, in the words of the service.
Result<Json> wanted_limits(const Part& part, const Json& inputs) {
  const std::string service(part.name);
  Json limits = Json::object();
  for (const auto& [name, value] : member(inputs, service).items()) {
    const auto theirs = at_service(part, name);
    if (!theirs) {
      return fail(ErrorKind::InvalidArgument,
                  "the " + service + " service has no quota \"" + name + "\"");
    }
    if (!value.is_number_integer() || value < -1) {
      return fail(ErrorKind::InvalidArgument,
                  "the quota \"" + service + "." + name + "\" is a whole number, or -1");
    }
    limits[*theirs] = value;
  }
  return limits;
}

Status check_inputs(const Json& inputs) {
  for (const auto& part : parts()) {
    if (auto limits = wanted_limits(part, inputs); !limits) return fail(limits.error());
  }
  return {};
}

Result<Json> limits_at(const Work& work, const Part& part, const std::string& path) {
  auto found = work.admin.get(part.service, path);
  if (!found) return fail(std::move(found.error()));
  return Json(member(*found, part.wrapper));
}

/// What the tags say of one part: which limits are declared.
std::vector<std::string> declared(const std::set<ProjectTag>& names, const Part& part,
                                  const Marker& marker) {
  for (const auto& tag : names) {
    if (tag.marker != marker) continue;
    auto words = split(tag.what, '.');
    if (!words.empty() && words.front() == part.name) {
      words.erase(words.begin());
      return words;
    }
  }
  return {};
}

struct Found {
  std::set<ProjectTag> made;
  std::set<ProjectTag> names;
};

Result<Found> find_tags(const Work& work) {
  auto made = project_tags(work, kMade);
  if (!made) return fail(std::move(made.error()));
  if (made->empty()) return Found{};
  auto names = project_tags(work, kNames);
  if (!names) return fail(std::move(names.error()));
  return Found{std::move(*made), std::move(*names)};
}

Result<Observed> observe(const Work& work, const Found& found) {
  const auto& marker = found.made.rbegin()->marker;
  Json inputs = Json::object();
  for (const auto& part : parts()) {
    const auto names = declared(found.names, part, marker);
    if (names.empty()) continue;
    auto limits = limits_at(work, part, path_of(work, part));
    if (!limits) return fail(std::move(limits.error()));
    for (const auto& name : names) {
      const auto theirs = at_service(part, name);
      if (theirs) inputs[std::string(part.name)][name] = member(*limits, *theirs);
    }
  }
  const bool named = std::any_of(found.names.begin(), found.names.end(),
                                 [&](const auto& tag) { return tag.marker == marker; });
  return Observed{.type = "quota",
                  .provider_id = work.project.id,
                  .inputs = std::move(inputs),
                  .attributes = {{"id", work.project.id}},
                  .marker = marker,
                  .name = "quota",
                  .complete = named};
}

/// Sets what is declared, and gives back its default to what is no longer.
Status settle_part(const Work& work, const Part& part, const Json& inputs,
                   const std::vector<std::string>& before) {
  auto limits = wanted_limits(part, inputs);
  if (!limits) return fail(std::move(limits.error()));
  const auto path = path_of(work, part);
  std::vector<std::string> dropped;
  for (const auto& name : before) {
    const auto theirs = at_service(part, name);
    if (theirs && !limits->contains(*theirs)) dropped.push_back(*theirs);
  }
  if (!dropped.empty()) {
    auto defaults = limits_at(work, part, path + std::string(part.defaults));
    if (!defaults) return fail(std::move(defaults.error()));
    for (const auto& name : dropped) (*limits)[name] = member(*defaults, name);
  }
  if (limits->empty()) return {};
  auto put = work.admin.put(part.service, path, {{std::string(part.wrapper), std::move(*limits)}});
  if (!put) return fail(std::move(put.error()));
  return {};
}

std::set<ProjectTag> wanted_names(const Json& inputs, const Marker& marker) {
  std::set<ProjectTag> tags;
  for (const auto& part : parts()) {
    std::string what(part.name);
    for (const auto& [name, value] : member(inputs, part.name).items()) what += "." + name;
    tags.insert({kNames, std::move(what), marker});
  }
  return tags;
}

Result<Observed> settle(const Work& work, const ResourceRequest& request, const Found& found) {
  for (const auto& part : parts()) {
    const auto before = declared(found.names, part, request.marker);
    if (auto done = settle_part(work, part, request.inputs, before); !done) {
      return fail(std::move(done.error()));
    }
  }
  const auto wanted = wanted_names(request.inputs, request.marker);
  for (const auto& tag : wanted) {
    if (found.names.contains(tag)) continue;
    if (auto added = add_project_tag(work, tag); !added) return fail(std::move(added.error()));
  }
  for (const auto& tag : found.names) {
    if (wanted.contains(tag)) continue;
    if (auto gone = remove_project_tag(work, tag); !gone) return fail(std::move(gone.error()));
  }
  return observe(work, {found.made, wanted});
}

Result<Observed> QuotaType::create(const Work& work, const ResourceRequest& request) const {
  if (auto fine = check_inputs(request.inputs); !fine) return fail(std::move(fine.error()));
  auto found = find_tags(work);
  if (!found) return fail(std::move(found.error()));
  for (const auto& tag : found->made) {
    if (tag.marker == request.marker) continue;
    return fail(ErrorKind::Conflict,
                "the environment's quota is declared already, as " + tag.marker.address.str());
  }
  const ProjectTag made{kMade, "all", request.marker};
  if (auto tagged = add_project_tag(work, made); !tagged) return fail(std::move(tagged.error()));
  found->made = {made};
  return settle(work, request, *found);
}

Result<std::optional<Observed>> QuotaType::read(const Work& work, const std::string& id) const {
  if (id != work.project.id) return std::optional<Observed>();
  auto found = find_tags(work);
  if (!found) return fail(std::move(found.error()));
  if (found->made.empty()) return std::optional<Observed>();
  auto seen = observe(work, *found);
  if (!seen) return fail(std::move(seen.error()));
  return std::optional<Observed>(std::move(*seen));
}

Result<Observed> QuotaType::update(const Work& work, const ResourceRequest& request,
                                   const std::string& id, const Json& /*before*/) const {
  if (auto fine = check_inputs(request.inputs); !fine) return fail(std::move(fine.error()));
  auto found = find_tags(work);
  if (!found) return fail(std::move(found.error()));
  if (found->made.empty() || id != work.project.id) return vanished("quota", id);
  return settle(work, request, *found);
}

/// Back to the cloud's defaults, of every service that it has.
Status QuotaType::remove(const Work& work, const std::string& id) const {
  if (id != work.project.id) return {};
  auto found = find_tags(work);
  if (!found) return fail(std::move(found.error()));
  if (found->made.empty()) return {};
  for (const auto& part : parts()) {
    auto gone = work.admin.remove(part.service, path_of(work, part));
    if (!gone && gone.error().code() != kNoService) return gone;
  }
  for (const auto* tags : {&found->names, &found->made}) {
    for (const auto& tag : *tags) {
      if (auto gone = remove_project_tag(work, tag); !gone) return gone;
    }
  }
  return {};
}

Result<std::vector<Observed>> QuotaType::list(const Work& work) const {
  auto seen = read(work, work.project.id);
  if (!seen) return fail(std::move(seen.error()));
  std::vector<Observed> all;
  if (*seen) all.push_back(std::move(**seen));
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> quota_type() {
  return std::make_unique<QuotaType>();
}

}  // namespace bailey::openstack
