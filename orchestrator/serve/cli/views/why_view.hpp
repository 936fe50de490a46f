#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

/// What blocks a change (as show_change() gives it), since when, and who can unblock it.
[[nodiscard]] std::string render_why(const nlohmann::json& change);

}  // namespace bailey
