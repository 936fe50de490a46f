#pragma once

#include <cstdint>
#include <string_view>

namespace bailey::openstack {

enum class Service : std::uint8_t {
  Identity,
  Network,
  Compute,
  Image,
  KeyManager,
  Volume,
  ObjectStore,
  Dns
};

/// The code of the failure that a cloud has no such service at all.
inline constexpr std::string_view kNoService = "openstack.no-service";

/// The type by which the service catalogue lists it.
[[nodiscard]] std::string_view to_string(Service service) noexcept;

}  // namespace bailey::openstack
