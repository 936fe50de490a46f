#pragma once

#include "orchestrator/model/vocabulary.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey {

enum class ParameterType : std::uint8_t { String, Integer, Boolean };

struct Parameter {
  ParameterType type = ParameterType::String;
  std::optional<nlohmann::json> default_value;
  std::vector<nlohmann::json> allowed;  ///< `enum`; empty means any.
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  std::string description;
};

/// One entry under `resources`, as written: `fields` may hold references.
struct ResourceSpec {
  std::string type;
  nlohmann::json count;   ///< null, a number, or a parameter reference.
  bool protect = false;   ///< Destruction is refused.
  nlohmann::json fields;  ///< An object without `type`, `count` and `protect`.
};

/// A resource that was declared under another name: it keeps standing. Either side is a name, or a
/// name with an index, `web[0]`.
struct Move {
  std::string from;
  std::string to;
};

/// Named powers in an environment plus grants at the provider.
struct Role {
  std::set<Power> powers;
  std::vector<std::string> grants;
};

/// A reusable set of resources and roles with typed parameters, for one provider.
struct Template {
  std::string name;
  std::string provider;
  std::map<std::string, Parameter> parameters;
  std::vector<std::string> artifacts;  ///< Names of artifact slots.
  std::map<std::string, ResourceSpec> resources;
  std::vector<Move> moved;
  std::map<std::string, std::string> outputs;
  std::map<std::string, Role> roles;
};

}  // namespace bailey
