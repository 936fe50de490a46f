#pragma once

#include "orchestrator/base/error.hpp"

#include <nlohmann/json.hpp>

#include <compare>
#include <set>
#include <string>

namespace bailey::openstack {

/// One rule in the one form in which the spec's and Neutron's compare equal. An absent prefix is
/// written out as all addresses of its family.
struct SecurityRule {
  std::string direction = {};  ///< `ingress` or `egress`.
  std::string protocol = {};   ///< `tcp`, `udp`, `icmp`, `any`, or what Neutron calls others.
  int port = 0;                ///< 0: every port.
  int port_max = 0;
  std::string peer = {};  ///< A CIDR or the id of a group.
  bool six = false;       ///< IPv6.
  auto operator<=>(const SecurityRule&) const = default;
};

using SecurityRules = std::set<SecurityRule>;

/// What Neutron puts into every new group: everything may go out.
[[nodiscard]] const SecurityRules& default_egress();

/// The rules that a spec asks for; egress is the default when it names none. A rule for a group
/// means IPv4 peers. Fails with InvalidArgument.
[[nodiscard]] Result<SecurityRules> wanted_rules(const nlohmann::json& inputs);
[[nodiscard]] SecurityRule rule_from_neutron(const nlohmann::json& rule);
[[nodiscard]] nlohmann::json rule_for_neutron(const SecurityRule& rule, const std::string& group);
/// The rules of one direction in the words of the spec, sorted.
[[nodiscard]] nlohmann::json rules_for_spec(const SecurityRules& rules,
                                            const std::string& direction);

}  // namespace bailey::openstack
