#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

/// `chg-...  payments-dev  executing`.
[[nodiscard]] std::string change_line(const nlohmann::json& change);

/// Where a change stands, as `follow` ends with it: one line; then every operation that failed,
/// with what was tried, the provider's own words, what was left undone because of it and what to do
/// next; or what its gate still asks for and of whom.
[[nodiscard]] std::string render_change_outcome(const nlohmann::json& change);

/// The whole of `change show`.
[[nodiscard]] std::string render_change(const nlohmann::json& change);

/// The gate, a line a condition: met or not, why, and who can meet it.
[[nodiscard]] std::string render_gate(const nlohmann::json& gate);

}  // namespace bailey
