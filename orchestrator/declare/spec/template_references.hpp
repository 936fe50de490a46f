#pragma once

#include "orchestrator/declare/spec/workspace.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>

namespace bailey::spec {

/// What the provider says about the resources of one template.
struct TemplateShape {
  const ProviderSchema* provider = nullptr;
  std::map<std::string, const ValueTable*> tables;  ///< By resource, where its type is known.
  std::set<std::string> unread;                     ///< Resources whose type is not.
};

/// Every reference within a template has a meaning where it stands.
void check_references(Workspace& workspace, const Document& document, const Template& of,
                      const TemplateShape& shape);

/// Names of the resources that a value refers to.
[[nodiscard]] std::set<std::string> resources_named_in(const nlohmann::json& fields);

/// Why a parameter cannot have this value, or nothing.
[[nodiscard]] std::optional<std::string> parameter_fault(const Parameter& parameter,
                                                         const nlohmann::json& value);

/// Reports what the fields of the template become with this environment's parameters, where that
/// does not fit: formats, ranges, counts and indexes.
void check_expanded(Workspace& workspace, const Document& document, const Template& of,
                    const Environment& environment);

}  // namespace bailey::spec
