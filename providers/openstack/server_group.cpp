#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/resource_type.hpp"

namespace bailey::openstack {

namespace {

constexpr std::size_t kPage = 500;

/// A Nova server group: which servers may, or must, share a host.
///
/// It bears a name and nothing else that is ours, so the marker is part of the name: `<unique name>
/// <marker>`. Nova takes the same name twice; what is left over is looked for.
class ServerGroupType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema ServerGroupType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "server-group";
  schema.description = "Keeps servers on one host, or on different ones.";
  schema.fields = {
      field("policy", FieldType::String, "The soft ones give way when there are too few hosts.",
            {.required = true,
             .replaces = true,
             .allowed = {"affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"}})};
  schema.attributes = {{"id", "The id of the group."}, {"name", "Its name at the provider."}};
  return schema;
}

/// Until version 2.64 of Nova's interface a list of one.
std::string policy_of(const Json& group) {
  auto policy = string_member(group, "policy");
  if (!policy.empty()) return policy;
  const auto policies = strings_member(group, "policies");
  return policies.empty() ? std::string() : policies.front();
}

Observed observe(const Json& group) {
  const auto id = string_member(group, "id");
  const auto name = string_member(group, "name");
  const auto blank = name.find(' ');
  return {
      .type = "server-group",
      .provider_id = id,
      .inputs = {{"policy", policy_of(group)}},
      .attributes = {{"id", id}, {"name", name}},
      .marker = blank == std::string::npos ? std::nullopt : Marker::parse(name.substr(blank + 1)),
      .name = name};
}

Result<Observed> ServerGroupType::create(const Work& work, const ResourceRequest& request) const {
  const auto policy = string_member(request.inputs, "policy");
  if (request.earlier == Earlier::Perhaps) {
    auto all = list(work);
    if (!all) return fail(std::move(all.error()));
    for (auto& group : *all) {
      if (group.marker == request.marker && string_member(group.inputs, "policy") == policy) {
        return std::move(group);
      }
    }
  }
  auto made = work.api.post(Service::Compute, "/os-server-groups",
                            {{"server_group",
                              {{"name", request.marker.unique_name() + " " + request.marker.str()},
                               {"policies", {policy}}}}});
  if (!made) return fail(std::move(made.error()));
  return observe(member(*made, "server_group"));
}

Result<std::optional<Observed>> ServerGroupType::read(const Work& work,
                                                      const std::string& id) const {
  auto found = work.api.find(Service::Compute, "/os-server-groups/" + percent_encode(id));
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::optional<Observed>();
  return std::optional<Observed>(observe(member(**found, "server_group")));
}

Result<Observed> ServerGroupType::update(const Work& work, const ResourceRequest& /*request*/,
                                         const std::string& id, const Json& /*before*/) const {
  auto now = read(work, id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return vanished("server-group", id);
  return std::move(**now);
}

Status ServerGroupType::remove(const Work& work, const std::string& id) const {
  return work.api.remove(Service::Compute, "/os-server-groups/" + percent_encode(id));
}

/// Nova gives no links to further pages here.
Result<std::vector<Observed>> ServerGroupType::list(const Work& work) const {
  std::vector<Observed> all;
  for (;;) {
    auto page = work.api.get(Service::Compute, "/os-server-groups?limit=" + std::to_string(kPage) +
                                                   "&offset=" + std::to_string(all.size()));
    if (!page) return fail(std::move(page.error()));
    const auto& groups = member(*page, "server_groups");
    for (const auto& group : groups) all.push_back(observe(group));
    if (groups.size() < kPage) return all;
  }
}

}  // namespace

std::unique_ptr<ResourceType> server_group_type() {
  return std::make_unique<ServerGroupType>();
}

}  // namespace bailey::openstack
