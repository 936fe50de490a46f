#include "providers/devcloud/compute.hpp"

#include <string>
#include <utility>

/// Zones, services and hypervisors: what tools ask for in passing.
namespace bailey::devcloud::compute {

namespace {

constexpr const char* kHost = "devcloud";

/// Ids of what the cloud consists of stay the same.
constexpr const char* kServiceIds[] = {"2f6a1c1e-5a40-4c1d-9d7e-0d6f3b1a0001",
                                       "2f6a1c1e-5a40-4c1d-9d7e-0d6f3b1a0002",
                                       "2f6a1c1e-5a40-4c1d-9d7e-0d6f3b1a0003"};

ServerResponse show_zones(Request& request) {
  static_cast<void>(request);
  return answer(200, {{"availabilityZoneInfo", Json::array({{{"zoneName", "nova"},
                                                             {"zoneState", {{"available", true}}},
                                                             {"hosts", nullptr}}})}});
}

ServerResponse show_services(Request& request) {
  Json services = Json::array();
  const char* binaries[] = {"nova-scheduler", "nova-conductor", "nova-compute"};
  for (std::size_t i = 0; i < 3; ++i) {
    Json service = {{"binary", binaries[i]},
                    {"host", kHost},
                    {"id", i + 1},
                    {"zone", i == 2 ? "nova" : "internal"},
                    {"status", "enabled"},
                    {"state", "up"},
                    {"updated_at", long_time_of_ms(now_ms(request.cloud()))},
                    {"disabled_reason", nullptr}};
    if (request.version >= 11) service["forced_down"] = false;
    if (request.version >= 53) service["id"] = kServiceIds[i];
    services.push_back(std::move(service));
  }
  return answer(200, {{"services", services}});
}

ServerResponse show_hypervisors(Request& request) {
  Json one = {{"id", 1}, {"hypervisor_hostname", kHost}, {"state", "up"}, {"status", "enabled"}};
  if (request.version >= 53) one["id"] = kServiceIds[2];
  return answer(200, {{"hypervisors", Json::array({one})}});
}

}  // namespace

void add_inventory(Router& router) {
  add_route(router, "GET", "/os-availability-zone", {}, show_zones);
  add_route(router, "GET", "/os-services",
            {.since = 1, .admin_rule = "os_compute_api:os-services:list"}, show_services);
  add_route(router, "GET", "/os-hypervisors",
            {.since = 1, .admin_rule = "os_compute_api:os-hypervisors:list"}, show_hypervisors);
}

}  // namespace bailey::devcloud::compute
