#include "providers/devcloud/network.hpp"
#include "providers/devcloud/network_address.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

/// Security groups and their rules.
namespace bailey::devcloud::network {

namespace {

using Type = Attribute::Type;

constexpr std::array kProtocols = {"ah",         "dccp",       "egp",       "esp",        "gre",
                                   "hopopt",     "icmp",       "igmp",      "ip",         "ipip",
                                   "ospf",       "ipv6-encap", "ipv6-frag", "ipv6-icmp",  "icmpv6",
                                   "ipv6-nonxt", "ipv6-opts",  "pgm",       "ipv6-route", "rsvp",
                                   "sctp",       "tcp",        "udp",       "udplite",    "vrrp"};

// --- rules

Json new_rule(const Call& call, const Json& attributes) {
  Json rule = {{"ethertype", "IPv4"},
               {"direction", "egress"},
               {"protocol", nullptr},
               {"port_range_min", nullptr},
               {"port_range_max", nullptr},
               {"remote_ip_prefix", nullptr},
               {"remote_address_group_id", nullptr},
               {"remote_group_id", nullptr},
               {"normalized_cidr", nullptr},
               {"description", nullptr}};
  rule.update(attributes);
  stamp(call, rule, 0);
  return rule;
}

/// A protocol by name or number, in small letters; null is any.
Checked<Json> read_protocol(const Json& value) {
  if (value.is_null()) return value;
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool number = !text.empty() && text.size() <= 3 &&
                      text.find_first_not_of("0123456789") == std::string::npos &&
                      std::stoi(text) <= 255;
  const bool name = std::find(kProtocols.begin(), kProtocols.end(), text) != kProtocols.end();
  if (number || name) return Json(text);
  return refuse(error_answer(400, "SecurityGroupRuleInvalidProtocol",
                             "Security group rule protocol " + text +
                                 " not supported. Only protocol values [None, 'icmp', 'tcp', "
                                 "'udp', ...] and integer representations [0 to 255] are "
                                 "supported."));
}

Checked<void> check_icmp(const Json& type, const Json& code) {
  const auto out_of_range = [](const char* field, const Json& value) {
    return refuse(error_answer(400, "SecurityGroupInvalidIcmpValue",
                               "Invalid value for ICMP " + std::string(field) + " " + value.dump() +
                                   ". It must be 0 to 255."));
  };
  if (!type.is_null() && type.get<int>() > 255) return out_of_range("type (port_range_min)", type);
  if (!code.is_null() && code.get<int>() > 255) return out_of_range("code (port_range_max)", code);
  if (type.is_null() && !code.is_null()) {
    return refuse(error_answer(400, "SecurityGroupMissingIcmpType",
                               "ICMP code (port-range-max) " + code.dump() +
                                   " is provided but ICMP type (port-range-min) is missing."));
  }
  return {};
}

Checked<void> check_ports(const Json& rule) {
  const Json& least = member(rule, "port_range_min");
  const Json& most = member(rule, "port_range_max");
  if (least.is_null() && most.is_null()) return {};
  const std::string protocol = string_member(rule, "protocol");
  if (protocol.empty()) {
    return refuse(error_answer(400, "SecurityGroupProtocolRequiredWithPorts",
                               "Must also specify protocol if port range is given."));
  }
  if (protocol == "icmp" || protocol == "ipv6-icmp" || protocol == "icmpv6" || protocol == "1" ||
      protocol == "58") {
    return check_icmp(least, most);
  }
  for (const Json* port : {&least, &most}) {
    if (!port->is_null() && (port->get<int>() < 1 || port->get<int>() > 65535)) {
      return refuse(error_answer(400, "SecurityGroupInvalidPortValue",
                                 "Invalid value for port " + port->dump()));
    }
  }
  if (least.is_null() || most.is_null() || least.get<int>() > most.get<int>()) {
    return refuse(error_answer(400, "SecurityGroupInvalidPortRange",
                               "For TCP/UDP protocols, port_range_min must be <= port_range_max"));
  }
  return {};
}

/// Sets `normalized_cidr`; the prefix must be of the rule's family.
Checked<void> read_prefix(Json& rule) {
  const std::string text = string_member(rule, "remote_ip_prefix");
  if (member(rule, "remote_ip_prefix").is_null()) return {};
  const auto cidr = read_cidr(text);
  if (!cidr) {
    return refuse(
        error_answer(400, "InvalidCIDR", "Invalid CIDR " + text + " given as IP prefix."));
  }
  const std::string family = string_member(rule, "ethertype");
  if (family != (cidr->base.version == 4 ? "IPv4" : "IPv6")) {
    return refuse(error_answer(400, "SecurityGroupRuleParameterConflict",
                               "Conflicting value ethertype " + family + " for CIDR " + text));
  }
  rule["normalized_cidr"] = write_cidr(*cidr);
  return {};
}

Checked<void> check_rule(Json& rule) {
  const std::string direction = string_member(rule, "direction");
  if (direction != "ingress" && direction != "egress") {
    return refuse(bad_request("Invalid input for direction. Reason: " + direction +
                              " is not in valid_values."));
  }
  const std::string family = string_member(rule, "ethertype");
  if (family != "IPv4" && family != "IPv6") {
    return refuse(error_answer(400, "SecurityGroupRuleInvalidEtherType",
                               "Security group rule for ethertype '" + family +
                                   "' not supported. Allowed values are ['IPv4', 'IPv6']."));
  }
  auto protocol = read_protocol(rule["protocol"]);
  if (!protocol) return refuse(std::move(protocol.error()));
  rule["protocol"] = std::move(*protocol);
  const std::string name = string_member(rule, "protocol");
  if (family == "IPv4" && (name.compare(0, 4, "ipv6") == 0 || name == "icmpv6")) {
    return refuse(error_answer(400, "SecurityGroupEthertypeConflictWithProtocol",
                               "Invalid ethertype IPv4 for protocol " + name + "."));
  }
  if (!rule["remote_ip_prefix"].is_null() && !rule["remote_group_id"].is_null()) {
    return refuse(error_answer(400, "SecurityGroupMultipleRemoteEntites",
                               "Only one of remote_ip_prefix or remote_group_id or "
                               "remote_address_group_id may be provided."));
  }
  if (auto sound = check_ports(rule); !sound) return sound;
  return read_prefix(rule);
}

Checked<void> check_not_there(const Call& call, const Json& rule) {
  for (const Json* other :
       call.cloud.where(kRule, "security_group_id", string_member(rule, "security_group_id"))) {
    bool same = true;
    for (const char* field : {"direction", "ethertype", "protocol", "port_range_min",
                              "port_range_max", "normalized_cidr", "remote_group_id"}) {
      same = same && member(*other, field) == member(rule, field);
    }
    if (same) {
      return refuse(error_answer(
          409, "SecurityGroupRuleExists",
          "Security group rule already exists. Rule id is " + string_member(*other, "id") + "."));
    }
  }
  return {};
}

Checked<Json> create_rule(Call& call, Json rule) {
  rule["normalized_cidr"] = nullptr;
  rule["remote_address_group_id"] = nullptr;
  if (auto sound = check_rule(rule); !sound) return refuse(std::move(sound.error()));
  const std::string group_id = string_member(rule, "security_group_id");
  auto group = owned(call, security_groups(), group_id, "update");
  if (!group) return refuse(std::move(group.error()));
  if (const std::string remote = string_member(rule, "remote_group_id"); !remote.empty()) {
    auto known = visible(call, security_groups(), remote);
    if (!known) return refuse(std::move(known.error()));
  }
  rule["project_id"] = member(**group, "project_id");
  if (auto room = check_quota(call, security_group_rules(), string_member(rule, "project_id"));
      !room) {
    return refuse(std::move(room.error()));
  }
  if (auto is_new = check_not_there(call, rule); !is_new) {
    return refuse(std::move(is_new.error()));
  }
  touch_stored(call, kGroup, group_id);
  return call.cloud.put(kRule, new_rule(call, rule));
}

// --- groups

void add_default_rules(Cloud& cloud, const Json& group, bool from_itself) {
  const std::string now = string_member(group, "created_at");
  const auto add = [&](const char* direction, const char* family, const Json& remote) {
    cloud.put(kRule, {{"id", cloud.new_uuid()},
                      {"project_id", member(group, "project_id")},
                      {"security_group_id", member(group, "id")},
                      {"direction", direction},
                      {"ethertype", family},
                      {"remote_group_id", remote},
                      {"protocol", nullptr},
                      {"port_range_min", nullptr},
                      {"port_range_max", nullptr},
                      {"remote_ip_prefix", nullptr},
                      {"remote_address_group_id", nullptr},
                      {"normalized_cidr", nullptr},
                      {"description", nullptr},
                      {"tags", Json::array()},
                      {"created_at", now},
                      {"updated_at", now},
                      {"revision_number", 0}});
  };
  for (const char* family : {"IPv4", "IPv6"}) {
    add("egress", family, nullptr);
    if (from_itself) add("ingress", family, member(group, "id"));
  }
}

Checked<Json> create_group(Call& call, Json group) {
  const std::string project = string_member(group, "project_id");
  default_group(call.cloud, project);
  if (string_member(group, "name") == "default") {
    return refuse(error_answer(409, "SecurityGroupDefaultAlreadyExists",
                               "Default security group already exists."));
  }
  if (auto room = check_quota(call, security_groups(), project); !room) {
    return refuse(std::move(room.error()));
  }
  stamp(call, group, 1);
  const Json& stored = call.cloud.put(kGroup, std::move(group));
  add_default_rules(call.cloud, stored, false);
  return stored;
}

Checked<Json> update_group(Call& call, const Json& known, const Json& changes) {
  static_cast<void>(call);
  if (string_member(known, "name") == "default" && changes.contains("name") &&
      changes["name"] != "default") {
    return refuse(error_answer(409, "SecurityGroupCannotUpdateDefault",
                               "Updating default security group not allowed."));
  }
  Json group = known;
  group.update(changes);
  return group;
}

Checked<void> remove_group(Call& call, const Json& known) {
  const std::string id = string_member(known, "id");
  if (string_member(known, "name") == "default" && !call.who.is_admin()) {
    return refuse(error_answer(409, "SecurityGroupCannotRemoveDefault",
                               "Insufficient rights for removing default security group."));
  }
  for (const Json* port :
       call.cloud.where(kPort, "project_id", string_member(known, "project_id"))) {
    const auto groups = strings_member(*port, "security_groups");
    if (std::find(groups.begin(), groups.end(), id) != groups.end()) {
      return refuse(error_answer(409, "SecurityGroupInUse", "Security Group " + id + " in use."));
    }
  }
  call.cloud.erase_where(kRule, "security_group_id", id);
  call.cloud.erase_where(kRule, "remote_group_id", id);
  call.cloud.erase(kGroup, id);
  return {};
}

Json view_group(const Call& call, const Json& group) {
  Json result = group;
  Json& rules = result["security_group_rules"] = Json::array();
  for (const Json* rule :
       call.cloud.where(kRule, "security_group_id", string_member(group, "id"))) {
    rules.push_back(without_private(*rule));
    rules.back()["tenant_id"] = member(*rule, "project_id");
  }
  result["shared"] = false;
  return result;
}

Resource describe_groups() {
  Resource resource;
  resource.kind = kGroup;
  resource.singular = "security_group";
  resource.collection = "security_groups";
  resource.path = "security-groups";
  resource.missing_type = "SecurityGroupNotFound";
  resource.missing_before = "Security group ";
  resource.missing_after = " does not exist";
  resource.attributes = {
      {.name = "name", .type = Type::Text, .otherwise = ""},
      {.name = "description", .type = Type::Text, .otherwise = ""},
      {.name = "stateful", .type = Type::Boolean, .otherwise = true},
      {.name = "shared", .in_post = false, .in_put = false},
      {.name = "security_group_rules", .in_post = false, .in_put = false},
  };
  resource.create = create_group;
  resource.update = update_group;
  resource.remove = remove_group;
  resource.view = view_group;
  return resource;
}

Resource describe_rules() {
  Resource resource;
  resource.kind = kRule;
  resource.singular = "security_group_rule";
  resource.collection = "security_group_rules";
  resource.path = "security-group-rules";
  resource.missing_type = "SecurityGroupRuleNotFound";
  resource.missing_before = "Security group rule ";
  resource.missing_after = " does not exist";
  resource.attributes = {
      {.name = "security_group_id", .type = Type::Uuid, .in_put = false, .required = true},
      {.name = "direction", .type = Type::Text, .in_put = false, .required = true},
      {.name = "ethertype", .type = Type::Text, .in_put = false, .otherwise = "IPv4"},
      {.name = "protocol", .in_put = false},
      {.name = "port_range_min", .type = Type::Number, .in_put = false, .nullable = true},
      {.name = "port_range_max", .type = Type::Number, .in_put = false, .nullable = true},
      {.name = "remote_ip_prefix", .type = Type::Text, .in_put = false, .nullable = true},
      {.name = "remote_group_id", .type = Type::Uuid, .in_put = false, .nullable = true},
      {.name = "remote_address_group_id", .in_put = false},
      {.name = "description", .type = Type::Text, .otherwise = ""},
  };
  resource.create = create_rule;
  resource.update = [](Call&, const Json& known, const Json& changes) -> Checked<Json> {
    Json rule = known;
    rule.update(changes);
    return rule;
  };
  resource.remove = [](Call& call, const Json& known) -> Checked<void> {
    call.cloud.erase(kRule, string_member(known, "id"));
    touch_stored(call, kGroup, string_member(known, "security_group_id"));
    return {};
  };
  resource.view = [](const Call&, const Json& rule) {
    Json result = rule;
    result.erase("tags");
    return result;
  };
  return resource;
}

}  // namespace

const Resource& security_groups() {
  static const Resource resource = describe_groups();
  return resource;
}

const Resource& security_group_rules() {
  static const Resource resource = describe_rules();
  return resource;
}

std::string default_group(Cloud& cloud, const std::string& project) {
  // Also asked for by reads: a group that is only not shown yet must not be made twice.
  const Cloud::Sight before = cloud.look(Cloud::Sight::Everything);
  std::string id;
  for (const Json* group : cloud.where(kGroup, "project_id", project)) {
    if (string_member(*group, "name") == "default") id = string_member(*group, "id");
  }
  if (id.empty()) {
    id = cloud.new_uuid();
    const std::string now = time_in_seconds(cloud.clock().wall_now());
    const Json& group = cloud.put(kGroup, {{"id", id},
                                           {"name", "default"},
                                           {"description", "Default security group"},
                                           {"stateful", true},
                                           {"project_id", project},
                                           {"tags", Json::array()},
                                           {"created_at", now},
                                           {"updated_at", now},
                                           {"revision_number", 1}});
    add_default_rules(cloud, group, true);
  }
  cloud.look(before);
  return id;
}

}  // namespace bailey::devcloud::network
