#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

/// Grants as a table, one line each; a late review stands out in words.
[[nodiscard]] std::string render_grants(const nlohmann::json& grants);
/// One grant as `GET /v1/grants/{id}` gives it: who, why, until when, what was taken, what is owed.
[[nodiscard]] std::string render_grant(const nlohmann::json& grant);
/// The reviews that an environment owes, as its `frozen` gives them: since when, and who can end
/// it.
[[nodiscard]] std::string render_frozen(const nlohmann::json& frozen);

}  // namespace bailey
