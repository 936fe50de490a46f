#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/openstack/resource_type.hpp"

#include <algorithm>

namespace bailey::openstack {

namespace {

/// A Nova keypair.
///
/// Keypairs belong to a user and not to a project: whoever works in the environment's project makes
/// it, since a server can only be given a keypair of the user that creates the server. That user is
/// the same in every environment of an account, so its keypairs lie side by side in one namespace,
/// under one quota, and vanish with no project. Nova lets them bear a name and nothing else. So the
/// name is the marker itself, in the characters that Nova allows: `bailey <environment uid>
/// <environment>_<resource>[_<index>] <generation>`. By it an environment's keypairs are told from
/// those of the others, and from keypairs that people have made; a boundary counts them as inside.
class KeypairType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema KeypairType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "keypair";
  schema.description = "An SSH public key that servers are made with.";
  schema.fields = {field("publicKey", FieldType::String, "As in an authorized_keys file.",
                         {.required = true, .replaces = true})};
  schema.attributes = {{"id", "Its name, by which Nova knows it."},
                       {"fingerprint", "Of the key, as Nova writes it."}};
  return schema;
}

std::string name_for(const Marker& marker) {
  auto name = marker.str();
  std::replace(name.begin(), name.end(), ':', ' ');
  std::replace(name.begin(), name.end(), '/', '_');
  std::replace(name.begin(), name.end(), '[', '_');
  std::erase(name, ']');
  return name;
}

std::optional<Marker> marker_in(const std::string& name) {
  const auto words = split(name, ' ');
  if (words.size() != 4) return std::nullopt;
  const auto parts = split(words[2], '_');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  auto address = parts[0] + "/" + parts[1];
  if (parts.size() == 3) address += "[" + parts[2] + "]";
  return Marker::parse(words[0] + ":" + words[1] + ":" + address + ":" + words[3]);
}

Observed observe(const Json& keypair) {
  const auto name = string_member(keypair, "name");
  return {.type = "keypair",
          .provider_id = name,
          .inputs = {{"publicKey", trim(string_member(keypair, "public_key"))}},
          .attributes = {{"id", name}, {"fingerprint", string_member(keypair, "fingerprint")}},
          .marker = marker_in(name),
          .name = name};
}

std::string path_of(const std::string& id) {
  return "/os-keypairs/" + percent_encode(id);
}

Result<Observed> KeypairType::create(const Work& work, const ResourceRequest& request) const {
  const auto name = name_for(request.marker);
  const auto key = std::string(trim(string_member(request.inputs, "publicKey")));
  auto made = work.api.post(Service::Compute, "/os-keypairs",
                            {{"keypair", {{"name", name}, {"public_key", key}}}});
  if (made) return observe(member(*made, "keypair"));
  if (made.error().kind() != ErrorKind::Conflict) return fail(std::move(made.error()));
  // The name is this marker's alone, so what bears it is of an earlier attempt.
  auto old = read(work, name);
  if (!old) return fail(std::move(old.error()));
  if (!*old || string_member((*old)->inputs, "publicKey") != key) {
    return fail(std::move(made.error()));
  }
  return std::move(**old);
}

Result<std::optional<Observed>> KeypairType::read(const Work& work, const std::string& id) const {
  auto found = work.api.find(Service::Compute, path_of(id));
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::optional<Observed>();
  return std::optional<Observed>(observe(member(**found, "keypair")));
}

Result<Observed> KeypairType::update(const Work& work, const ResourceRequest& /*request*/,
                                     const std::string& id, const Json& /*before*/) const {
  auto now = read(work, id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return vanished("keypair", id);
  return std::move(**now);
}

Status KeypairType::remove(const Work& work, const std::string& id) const {
  return work.api.remove(Service::Compute, path_of(id));
}

Result<std::vector<Observed>> KeypairType::list(const Work& work) const {
  auto keypairs = work.api.list(Service::Compute, "/os-keypairs", "keypairs");
  if (!keypairs) return fail(std::move(keypairs.error()));
  std::vector<Observed> all;
  for (const auto& entry : *keypairs) {
    auto seen = observe(member(entry, "keypair"));
    if (seen.marker && seen.marker->environment_uid == work.project.uid) {
      all.push_back(std::move(seen));
    }
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> keypair_type() {
  return std::make_unique<KeypairType>();
}

}  // namespace bailey::openstack
