#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace bailey {

/// One resource of one environment: `environment/resource` or `environment/resource[0]`.
struct ResourceAddress {
  std::string environment;
  std::string resource;
  std::optional<int> index;
  auto operator<=>(const ResourceAddress&) const = default;

  [[nodiscard]] std::string str() const;
  /// Without the environment: `web[0]`. Also what a plan sorts by.
  [[nodiscard]] std::string local() const;
  [[nodiscard]] static std::optional<ResourceAddress> parse(std::string_view text);
};

}  // namespace bailey
