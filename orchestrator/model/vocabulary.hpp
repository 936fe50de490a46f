#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace bailey {

/// Sets the floor of rules that no spec can lower.
enum class EnvironmentClass : std::uint8_t { Sandbox, Development, Test, Staging, Production };

/// What somebody may do in an environment. A fixed set: roles are made of powers, and every route
/// of the server asks for exactly one.
enum class Power : std::uint8_t {
  Read,
  Request,
  Approve,
  Deploy,
  Operate,
  Administer,
  Audit,
  BreakGlass,
};

[[nodiscard]] std::string_view to_string(EnvironmentClass value) noexcept;
[[nodiscard]] std::string_view to_string(Power value) noexcept;
[[nodiscard]] std::optional<EnvironmentClass> parse_environment_class(
    std::string_view text) noexcept;
[[nodiscard]] std::optional<Power> parse_power(std::string_view text) noexcept;
[[nodiscard]] const std::vector<EnvironmentClass>& all_environment_classes();
[[nodiscard]] const std::vector<Power>& all_powers();

}  // namespace bailey
