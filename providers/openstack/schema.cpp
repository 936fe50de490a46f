#include "providers/openstack/schema.hpp"

#include "orchestrator/base/json.hpp"
#include "providers/openstack/resource_type.hpp"

namespace bailey::openstack {

std::optional<std::string> Memo::get(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

void Memo::put(const std::string& key, std::string value) {
  const std::lock_guard lock(mutex_);
  values_[key] = std::move(value);
}

const std::map<std::string, std::unique_ptr<ResourceType>>& resource_types() {
  static const auto types = [] {
    std::map<std::string, std::unique_ptr<ResourceType>> all;
    for (const auto make :
         {network_type, router_type, security_group_type, server_type, secret_type, keypair_type,
          volume_type, server_group_type, floating_ip_type, shared_image_type, quota_type,
          container_type, zone_type}) {
      auto type = make();
      auto name = type->schema().name;
      all.emplace(std::move(name), std::move(type));
    }
    return all;
  }();
  return types;
}

Result<std::vector<Observed>> list_type(const Work& work, const ResourceType& type) {
  auto all = type.list(work);
  if (!all && all.error().code() == kNoService) return std::vector<Observed>();
  return all;
}

FieldSchema field(std::string name, FieldType type, std::string description, FieldOptions options) {
  FieldSchema made;
  made.name = std::move(name);
  made.type = type;
  made.required = options.required;
  made.replaces = options.replaces;
  made.grows = options.grows;
  made.unordered = options.unordered;
  made.refers_to = std::move(options.refers_to);
  made.format = std::move(options.format);
  made.allowed = std::move(options.allowed);
  made.fields = std::move(options.fields);
  made.description = std::move(description);
  return made;
}

Result<std::set<std::string>> wanted_tags(const std::vector<std::string>& now, const Json& inputs,
                                          const Json& before) {
  std::set<std::string> tags(now.begin(), now.end());
  for (const auto& tag : strings_member(before, "tags")) tags.erase(tag);
  for (const auto& tag : strings_member(inputs, "tags")) {
    if (tag.starts_with("bailey:") || tag.empty()) {
      return fail(ErrorKind::InvalidArgument,
                  tag.empty() ? "a tag is empty" : "the tag \"" + tag + "\" is bailey's own");
    }
    tags.insert(tag);
  }
  return tags;
}

tl::unexpected<Error> vanished(const std::string& type, const std::string& id) {
  return fail(ErrorKind::NotFound, "the " + type + " " + id + " is not in this project");
}

ProviderSchema openstack_schema() {
  ProviderSchema schema;
  schema.name = "openstack";
  for (const auto& [name, type] : resource_types()) {
    schema.resource_types.emplace(name, type->schema());
  }
  return schema;
}

}  // namespace bailey::openstack
