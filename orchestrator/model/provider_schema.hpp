#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bailey {

enum class FieldType : std::uint8_t {
  String,
  Integer,
  Boolean,
  StringList,
  StringMap,
  Object,      ///< `fields` says of what.
  ObjectList,  ///< Each element as `fields` says.
};

/// One field of a resource type, as the spec writes it. A string field may always hold references.
struct FieldSchema {
  std::string name;
  FieldType type = FieldType::String;
  bool required = false;
  bool replaces = false;   ///< The API cannot change it: a difference means a new resource.
  bool grows = false;      ///< A number that the API can only raise: a smaller one means the same.
  std::string refers_to;   ///< For a reference to a resource: the type it must have; else empty.
  std::string format;      ///< `cidr`, `ip`, or empty.
  bool unordered = false;  ///< A list whose order means nothing: compared as a set.
  std::vector<nlohmann::json> allowed;
  std::vector<FieldSchema> fields;
  std::string description;
};

struct ResourceTypeSchema {
  std::string name;
  std::string description;
  std::vector<FieldSchema> fields;
  std::map<std::string, std::string>
      attributes;  ///< What `${resource.X.FIELD}` can name, and what it is.
  /// How long the provider may hide a resource from lists after it was made.
  std::chrono::seconds visibility_grace{30};
};

/// What a provider offers to templates. Validation knows a provider by this value alone.
struct ProviderSchema {
  std::string name;
  std::map<std::string, ResourceTypeSchema> resource_types;
  bool cloud = true;  ///< False for registries and the like, which hold no environments.
  /// Pointers of what not every provider understands and this one does: `/interface` of an Account,
  /// `/boundary` of an Environment. Elsewhere they are errors.
  std::set<std::string> account_options;
  std::set<std::string> environment_options;
  /// Whether the credential of an account can say its endpoint.
  bool endpoint_in_credential = false;
};

using ProviderSchemas = std::map<std::string, ProviderSchema>;

}  // namespace bailey
