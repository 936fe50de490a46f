#include "providers/openstack/security_rules.hpp"

#include "orchestrator/base/json.hpp"

namespace bailey::openstack {

namespace {

constexpr auto kAllFour = "0.0.0.0/0";
constexpr auto kAllSix = "::/0";

int integer(const Json& object, const char* name) {
  const auto& value = member(object, name);
  return value.is_number_integer() ? value.get<int>() : 0;
}

bool has_ports(const std::string& protocol) {
  return protocol == "tcp" || protocol == "udp";
}

Result<SecurityRule> wanted_rule(const Json& input, const std::string& direction) {
  SecurityRule rule;
  rule.direction = direction;
  rule.protocol = string_member(input, "protocol");
  rule.port = integer(input, "port");
  rule.port_max = integer(input, "portMax");
  if (rule.port_max == 0) rule.port_max = rule.port;
  rule.peer = string_member(input, direction == "ingress" ? "from" : "to");
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::InvalidArgument, "an " + direction + " rule " + why);
  };
  if (rule.protocol != "any" && rule.protocol != "icmp" && !has_ports(rule.protocol)) {
    return refuse("has the protocol \"" + rule.protocol + "\": it is tcp, udp, icmp or any");
  }
  if (rule.peer.empty()) return refuse("says nobody for whom it holds");
  if (rule.port_max != 0 && !has_ports(rule.protocol)) {
    return refuse("names a port, which " + rule.protocol + " has not");
  }
  if (rule.port < 0 || rule.port > rule.port_max || rule.port_max > 65535 ||
      (rule.port_max != 0 && rule.port == 0)) {
    return refuse("has ports that are no range within 1 to 65535");
  }
  rule.six = rule.peer.find(':') != std::string::npos;
  return rule;
}

}  // namespace

const SecurityRules& default_egress() {
  static const SecurityRules rules{
      {.direction = "egress", .protocol = "any", .peer = kAllFour, .six = false},
      {.direction = "egress", .protocol = "any", .peer = kAllSix, .six = true}};
  return rules;
}

Result<SecurityRules> wanted_rules(const Json& inputs) {
  SecurityRules rules;
  for (const std::string direction : {"ingress", "egress"}) {
    for (const auto& input : member(inputs, direction)) {
      auto rule = wanted_rule(input, direction);
      if (!rule) return fail(std::move(rule.error()));
      rules.insert(std::move(*rule));
    }
  }
  if (member(inputs, "egress").is_null()) {
    rules.insert(default_egress().begin(), default_egress().end());
  }
  return rules;
}

SecurityRule rule_from_neutron(const Json& rule) {
  SecurityRule read;
  read.direction = string_member(rule, "direction");
  read.protocol = string_member(rule, "protocol");
  if (read.protocol.empty()) read.protocol = "any";
  read.six = string_member(rule, "ethertype") == "IPv6";
  if (read.protocol == "ipv6-icmp" || read.protocol == "icmpv6") read.protocol = "icmp";
  read.port = integer(rule, "port_range_min");
  read.port_max = integer(rule, "port_range_max");
  read.peer = string_member(rule, "remote_group_id");
  if (read.peer.empty()) read.peer = string_member(rule, "remote_ip_prefix");
  if (read.peer.empty()) read.peer = string_member(rule, "remote_address_group_id");
  if (read.peer.empty()) read.peer = read.six ? kAllSix : kAllFour;
  if (has_ports(read.protocol) && read.port == 1 && read.port_max == 65535) {
    read.port = read.port_max = 0;
  }
  return read;
}

Json rule_for_neutron(const SecurityRule& rule, const std::string& group) {
  Json body{{"security_group_id", group},
            {"direction", rule.direction},
            {"ethertype", rule.six ? "IPv6" : "IPv4"}};
  if (rule.protocol != "any") {
    body["protocol"] = rule.protocol == "icmp" && rule.six ? "ipv6-icmp" : rule.protocol;
  }
  if (rule.port_max != 0) {
    body["port_range_min"] = rule.port;
    body["port_range_max"] = rule.port_max;
  }
  const bool is_prefix = rule.peer.find('/') != std::string::npos;
  // All addresses are said by leaving them out, as Neutron does in the rules that it makes itself:
  // so asking for one of those finds it there.
  if (rule.peer != kAllFour && rule.peer != kAllSix) {
    body[is_prefix ? "remote_ip_prefix" : "remote_group_id"] = rule.peer;
  }
  return body;
}

Json rules_for_spec(const SecurityRules& rules, const std::string& direction) {
  Json list = Json::array();
  for (const auto& rule : rules) {
    if (rule.direction != direction) continue;
    Json entry{{"protocol", rule.protocol}, {direction == "ingress" ? "from" : "to", rule.peer}};
    if (rule.port_max != 0) entry["port"] = rule.port;
    if (rule.port_max != rule.port) entry["portMax"] = rule.port_max;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace bailey::openstack
