#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/net/http_client.hpp"

#include <cstdint>
#include <string>

namespace bailey::openstack {

/// Whether the service's own words may be shown: services repeat what they were sent when they
/// refuse it, so the answer to a request with a secret inside is never quoted.
enum class Quote : std::uint8_t { Yes, No };

/// What the service itself says went wrong, on one line and without markup; empty when it says
/// nothing. Knows the forms of Keystone, Neutron, Nova, Glance, Barbican and their gateways.
[[nodiscard]] std::string service_message(const std::string& body);

/// The failure that an answer without success means. `asked` names the request: "POST network
/// /networks".
[[nodiscard]] Error error_from(const HttpResponse& answer, const std::string& asked, Quote quote);

}  // namespace bailey::openstack
