#pragma once

#include "orchestrator/provision/provider/provider.hpp"
#include "providers/openstack/api.hpp"
#include "providers/openstack/watch.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey::openstack {

/// What was looked up once and does not change: ids of flavors, of a project's default group.
/// Thread-safe.
class Memo {
 public:
  [[nodiscard]] std::optional<std::string> get(const std::string& key) const;
  void put(const std::string& key, std::string value);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> values_;
};

/// What is waited for in one project, by many at once.
struct Watches {
  Watch building;  ///< Servers that Nova is at work on.
  Watch servers;   ///< Servers that are there.
  Watch volumes;
};

/// One environment's project, and the session in which everything inside it is done.
struct Project {
  Project(std::string project_id, EnvironmentUid owner, SessionOptions options, Doors doors)
      : id(std::move(project_id)), uid(std::move(owner)), session(std::move(options), doors) {}
  const std::string id;
  const EnvironmentUid uid;
  Session session;
  Memo memo;
  Watches watches;
};

/// One call of the engine: where it works and what it works with.
struct Work {
  Project& project;
  Api api;
  Api admin;  ///< The account's own session: for what only the cloud's administrator may do.
  Doors doors;
  std::stop_token stop;
};

/// One resource type of the spec. Stateless; the calls mean what Provider's mean, with these
/// additions: create() for a marker that exists half made finishes that one, and list() tells half
/// made ones by Observed::complete.
class ResourceType {
 public:
  virtual ~ResourceType() = default;
  [[nodiscard]] virtual ResourceTypeSchema schema() const = 0;
  virtual Result<Observed> create(const Work& work, const ResourceRequest& request) const = 0;
  virtual Result<std::optional<Observed>> read(const Work& work, const std::string& id) const = 0;
  virtual Result<Observed> update(const Work& work, const ResourceRequest& request,
                                  const std::string& id, const nlohmann::json& before) const = 0;
  virtual Status remove(const Work& work, const std::string& id) const = 0;
  virtual Result<std::vector<Observed>> list(const Work& work) const = 0;
};

[[nodiscard]] std::unique_ptr<ResourceType> network_type();
[[nodiscard]] std::unique_ptr<ResourceType> router_type();
[[nodiscard]] std::unique_ptr<ResourceType> security_group_type();
[[nodiscard]] std::unique_ptr<ResourceType> server_type();
[[nodiscard]] std::unique_ptr<ResourceType> secret_type();
[[nodiscard]] std::unique_ptr<ResourceType> keypair_type();
[[nodiscard]] std::unique_ptr<ResourceType> volume_type();
[[nodiscard]] std::unique_ptr<ResourceType> server_group_type();
[[nodiscard]] std::unique_ptr<ResourceType> floating_ip_type();
[[nodiscard]] std::unique_ptr<ResourceType> shared_image_type();
[[nodiscard]] std::unique_ptr<ResourceType> quota_type();
[[nodiscard]] std::unique_ptr<ResourceType> container_type();
[[nodiscard]] std::unique_ptr<ResourceType> zone_type();

/// All of them, by the name that the spec uses.
[[nodiscard]] const std::map<std::string, std::unique_ptr<ResourceType>>& resource_types();

/// Everything of one type in the project; nothing where the cloud has no such service.
[[nodiscard]] Result<std::vector<Observed>> list_type(const Work& work, const ResourceType& type);

struct FieldOptions {
  bool required = false;
  bool replaces = false;
  bool grows = false;
  bool unordered = false;
  std::string refers_to = {};
  std::string format = {};
  std::vector<nlohmann::json> allowed = {};
  std::vector<FieldSchema> fields = {};
};

[[nodiscard]] FieldSchema field(std::string name, FieldType type, std::string description,
                                FieldOptions options = {});

/// The tags that a thing is to have: those of the spec, and of those that it has now what neither
/// the spec nor `before` names. Fails with InvalidArgument for a tag that begins as our markers do.
[[nodiscard]] Result<std::set<std::string>> wanted_tags(const std::vector<std::string>& now,
                                                        const nlohmann::json& inputs,
                                                        const nlohmann::json& before);

/// The failure of a resource that went while it was being worked on.
[[nodiscard]] tl::unexpected<Error> vanished(const std::string& type, const std::string& id);

}  // namespace bailey::openstack
