#pragma once

#include "orchestrator/declare/spec/field_table.hpp"
#include "orchestrator/declare/spec/references.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <string>

namespace bailey::spec {

using LeafVisitor = std::function<void(const nlohmann::json& value, const ValueTable& table,
                                       const std::string& pointer)>;

/// Visits every scalar of `value` together with what its table says about it.
void for_each_leaf(const nlohmann::json& value, const ValueTable& table, const std::string& pointer,
                   const LeafVisitor& visit);

/// Gives the value of a reference, or nothing to leave it as it is written.
using Substitution = std::function<std::optional<nlohmann::json>(const Reference& reference)>;

/// A text with its references replaced: one that is a single reference becomes the value as it is,
/// and within longer text the value is written into it.
[[nodiscard]] nlohmann::json substitute(const std::string& text, const Substitution& value_of);
/// The same for every text within `value`.
[[nodiscard]] nlohmann::json substitute_all(const nlohmann::json& value,
                                            const Substitution& value_of);

}  // namespace bailey::spec
