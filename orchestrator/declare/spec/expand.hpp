#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/address.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/plan.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// A resource that should stand. `fields` are in the words of the spec: parameters, the environment
/// and artifact digests are filled in; a reference to a resource is kept as it was written.
struct DesiredResource {
  ResourceAddress address;
  std::string type;
  nlohmann::json fields;
  std::vector<ResourceAddress> depends_on;  ///< Sorted, each once.
  bool protect = false;  ///< Never in a sandbox, which ends with everything in it.
};

struct Expansion {
  std::vector<DesiredResource> resources;  ///< Sorted by address.
  std::vector<Deferred> deferred;          ///< Sorted by address.
  std::vector<Move> moves = {};            ///< Of the template.
  std::string spec_digest;                 ///< Over both of them.
};

/// What `environment`, which belongs to the validated `bundle`, should consist of. A resource that
/// refers to an artifact slot without a value in `artifacts` (slot to `repository@sha256:...`) is
/// deferred, and with it all that depends on it. A resource with `count` always shows an index in
/// its address. Pure: same inputs, same value.
[[nodiscard]] Expansion expand(const Bundle& bundle, const Environment& environment,
                               const std::map<std::string, std::string>& artifacts);

/// `${resource.NAME}`, `${resource.NAME[0]}` or either with `.ATTRIBUTE`.
struct ResourceReference {
  std::string resource;
  std::optional<int> index;
  std::string attribute;  ///< Empty for the provider's id.
  auto operator<=>(const ResourceReference&) const = default;
};

/// Gives the value of a reference, or nothing when it is not known.
using ReferenceLookup =
    std::function<std::optional<nlohmann::json>(const ResourceReference& reference)>;

/// `fields` with every reference to a resource replaced: a string that is one reference becomes
/// the value as it is, and within longer text the value is written into it. FailedPrecondition,
/// naming the reference, when the look-up does not know one.
[[nodiscard]] Result<nlohmann::json> resolve_references(const nlohmann::json& fields,
                                                        const ReferenceLookup& lookup);

/// Every reference to a resource within `fields`, sorted, each once.
[[nodiscard]] std::vector<ResourceReference> resource_references(const nlohmann::json& fields);

/// The words of a check or verification with `${environment.name}`, `${environment.class}` and
/// `${change.id}` filled in. Each stays one word, whatever the values hold.
[[nodiscard]] std::vector<std::string> fill_command(const std::vector<std::string>& command,
                                                    const Environment& environment,
                                                    std::string_view change);

}  // namespace bailey
