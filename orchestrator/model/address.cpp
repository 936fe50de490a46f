#include "orchestrator/model/address.hpp"

#include <charconv>

namespace bailey {

std::string ResourceAddress::local() const {
  return index ? resource + "[" + std::to_string(*index) + "]" : resource;
}

std::string ResourceAddress::str() const {
  return environment + "/" + local();
}

std::optional<ResourceAddress> ResourceAddress::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  ResourceAddress address;
  address.environment = text.substr(0, slash);
  auto rest = text.substr(slash + 1);
  if (!rest.empty() && rest.back() == ']') {
    const auto open = rest.find('[');
    if (open == std::string_view::npos) return std::nullopt;
    const auto digits = rest.substr(open + 1, rest.size() - open - 2);
    int index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc() || end != digits.data() + digits.size() || index < 0) {
      return std::nullopt;
    }
    address.index = index;
    rest = rest.substr(0, open);
  }
  if (rest.empty() || rest.find_first_of("/[]") != std::string_view::npos) return std::nullopt;
  address.resource = rest;
  return address;
}

}  // namespace bailey
