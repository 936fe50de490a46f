#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/address.hpp"
#include "orchestrator/model/ids.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// What Bailey knows about one resource that it made.
struct ResourceState {
  ResourceAddress address;
  std::string type;
  std::string provider_id;
  nlohmann::json inputs;      ///< As applied, references resolved, in the words of the spec.
  nlohmann::json attributes;  ///< What the provider answered: values of `${resource.X.FIELD}`.
  std::vector<ResourceAddress> depends_on;
  int generation = 1;
  /// RFC 3339; when it was last made: for a while after, the provider may hide it. Empty: long ago.
  std::string made_at = {};
  bool protect = false;  ///< As last applied: holds when the resource is no longer declared.
  /// The address that its marker at the provider bears, where it was moved since it was made.
  std::optional<ResourceAddress> marked_as = {};
  bool operator==(const ResourceState&) const = default;
};

enum class EnvironmentStatus : std::uint8_t {
  Absent,    ///< Declared; nothing made yet.
  Applying,  ///< A change is being executed.
  Ready,
  Failed,      ///< The last change ended in failure; the next may mend it.
  Imported,    ///< Recorded again from its markers; nothing here counts as verified.
  Partial,     ///< A targeted change ran last; nothing counts as verified until a whole one has.
  Destroying,  ///< Stays here until the inventory finds nothing left.
  Destroyed,
};

/// What stands in one environment. `serial` grows with every change of its resources or artifacts.
struct EnvironmentState {
  EnvironmentUid uid;
  std::string name;
  EnvironmentStatus status = EnvironmentStatus::Absent;
  std::uint64_t serial = 0;
  std::string
      boundary;  ///< The provider's id of the environment's boundary; empty before it exists.
  std::map<std::string, std::string> artifacts;  ///< Slot to `repository@sha256:...`.
  std::string template_digest;
  std::string receipt;       ///< Digest of the newest receipt.
  std::string made_at = {};  ///< RFC 3339; when its first change began: its time runs from there.
  std::string extended_until = {};     ///< RFC 3339; a sandbox's owner asked for more time.
  std::vector<std::string> left = {};  ///< While it is destroying: what still is in the way.
  bool operator==(const EnvironmentState&) const = default;
};

/// Something verified in an environment: an artifact's digest or a template's.
struct VerifiedItem {
  std::string environment;
  std::string digest;
  std::string since;   ///< RFC 3339; when the verification passed.
  std::string change;  ///< The change after which it ran.
};

[[nodiscard]] std::string_view to_string(EnvironmentStatus status) noexcept;
[[nodiscard]] nlohmann::json to_json(const ResourceState& state);
[[nodiscard]] nlohmann::json to_json(const EnvironmentState& state);
[[nodiscard]] nlohmann::json to_json(const VerifiedItem& item);
[[nodiscard]] Result<ResourceState> resource_state_from_json(const nlohmann::json& value);
[[nodiscard]] Result<EnvironmentState> environment_state_from_json(const nlohmann::json& value);
[[nodiscard]] Result<VerifiedItem> verified_item_from_json(const nlohmann::json& value);

}  // namespace bailey
