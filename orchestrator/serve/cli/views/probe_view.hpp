#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

/// The matrix of a probe: a row an environment whose credentials were used, a column an environment
/// that they were tried on, in each cell how many attempts were refused of how many. Below it,
/// every attempt that was not.
[[nodiscard]] std::string render_probe(const nlohmann::json& result);

}  // namespace bailey
