#pragma once

#include "orchestrator/model/provider_schema.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace bailey {

/// One field that is not as it should be. Either side is null where it has no value.
struct FieldDifference {
  std::string path;  ///< `flavor`, or `metadata.artifact` inside a map or an object.
  nlohmann::json before;
  nlohmann::json after;
  bool replaces = false;  ///< The API cannot change it in place.
  bool by_spec = false;   ///< The spec moved; else the provider's side did.
};

struct ResourceDifference {
  nlohmann::json before = nlohmann::json::object();  ///< Observed where readable, else recorded.
  std::vector<FieldDifference> fields;               ///< Sorted by path.
};

/// Holds `desired` against `observed`, and against `recorded` (the inputs as last applied) where a
/// field cannot be read back. `observed` may be null: nothing is known but what was recorded.
///
/// - A value that still holds a reference differs from everything.
/// - A null, an empty text, list or map equals an absent field.
/// - A list whose schema says `unordered` is compared as a set.
/// - A field that is neither desired nor recorded is the provider's own business, except a list of
///   objects: rules that somebody added by hand (a port opened in a group that declares none)
///   count.
///
/// With `desired` = `recorded` the answer is the drift of one resource.
[[nodiscard]] ResourceDifference diff_fields(const ResourceTypeSchema& schema,
                                             const nlohmann::json& desired,
                                             const nlohmann::json& recorded,
                                             const nlohmann::json& observed);

}  // namespace bailey
