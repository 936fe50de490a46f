#include "orchestrator/provision/provider/marker.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"

#include <charconv>

namespace bailey {

namespace {
constexpr std::string_view kPrefix = "bailey:";
}

std::string Marker::str() const {
  return std::string(kPrefix) + environment_uid.str() + ":" + address.str() + ":" +
         std::to_string(generation);
}

std::optional<Marker> Marker::parse(std::string_view text) {
  if (text.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const auto first = text.find(':');
  const auto last = text.rfind(':');
  if (first == std::string_view::npos || first == last || first == 0) return std::nullopt;
  auto address = ResourceAddress::parse(text.substr(first + 1, last - first - 1));
  const auto digits = text.substr(last + 1);
  int generation = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), generation);
  if (!address || error != std::errc() || end != digits.data() + digits.size() || generation < 1) {
    return std::nullopt;
  }
  return Marker{EnvironmentUid(std::string(text.substr(0, first))), std::move(*address),
                generation};
}

std::string Marker::unique_name() const {
  std::string name = address.environment + "-" + address.resource;
  if (address.index) name += "-" + std::to_string(*address.index);
  const auto hash = sha256(str());
  return name + "-" + base32_lower(bytes_of(hash)).substr(0, 10);
}

}  // namespace bailey
