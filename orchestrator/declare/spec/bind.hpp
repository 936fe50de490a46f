#pragma once

#include "orchestrator/model/bundle.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey::spec {

/// Typed JSON, as read_shape() gives it, into the values of the model. A part that could not be
/// read is left at its default: a finding about it exists already, and so no bundle comes of it.
[[nodiscard]] Directory bind_directory(const nlohmann::json& spec);
[[nodiscard]] Organization bind_organization(const std::string& name, const nlohmann::json& spec);
[[nodiscard]] Account bind_account(const std::string& name, const nlohmann::json& spec);
[[nodiscard]] Template bind_template(const std::string& name, const nlohmann::json& spec);
[[nodiscard]] Project bind_project(const std::string& name, const nlohmann::json& spec);
[[nodiscard]] Environment bind_environment(const std::string& name, const nlohmann::json& spec);
[[nodiscard]] Freeze bind_freeze(const std::string& name, const nlohmann::json& spec);
/// Adds to what other documents have said.
void bind_duties(const nlohmann::json& spec, Duties& duties);

}  // namespace bailey::spec
