#include "providers/devcloud/network.hpp"

#include "providers/devcloud/services.hpp"

#include <array>
#include <utility>

namespace bailey::devcloud {

namespace network {

namespace {

struct Extension {
  const char* alias;
  const char* name;
};

constexpr std::array<Extension, 25> kExtensions = {{
    {"fip-port-details", "Add Floating IP Port Details extension"},
    {"router", "Neutron L3 Router"},
    {"ext-gw-mode", "Neutron L3 Configurable external gateway mode"},
    {"extraroute", "Neutron Extra Route"},
    {"external-net", "Neutron external network"},
    {"provider", "Provider Network"},
    {"security-group", "security-group"},
    {"stateful-security-group", "Stateful security group"},
    {"security-groups-normalized-cidr", "Normalized CIDR field for security group rules"},
    {"port-security", "Port Security"},
    {"binding", "Port Binding"},
    {"allowed-address-pairs", "Allowed Address Pairs"},
    {"extra_dhcp_opt", "Neutron Extra DHCP options"},
    {"net-mtu", "Network MTU"},
    {"net-mtu-writable", "Network MTU (writable)"},
    {"quotas", "Quota management support"},
    {"quota_details", "Quota details management support"},
    {"standard-attr-tag", "Tag support for resources with standard attribute"},
    {"standard-attr-description", "standard-attr-description"},
    {"standard-attr-revisions", "Resource revision numbers"},
    {"standard-attr-timestamp", "Resource timestamps"},
    {"revision-if-match", "If-Match constraints based on revision_number"},
    {"project-id", "project_id field enabled"},
    {"pagination", "Pagination support"},
    {"filter-validation", "Filter parameters validation"},
}};

Json shown(const Extension& extension) {
  return {{"name", extension.name},
          {"alias", extension.alias},
          {"description", extension.name},
          {"updated", "2022-10-05T00:00:00-00:00"},
          {"links", Json::array()}};
}

ServerResponse list_extensions(Call&) {
  Json extensions = Json::array();
  for (const Extension& extension : kExtensions) extensions.push_back(shown(extension));
  return json_answer(200, {{"extensions", extensions}});
}

ServerResponse show_extension(Call& call) {
  for (const Extension& extension : kExtensions) {
    if (call.part("alias") == extension.alias) {
      return json_answer(200, {{"extension", shown(extension)}});
    }
  }
  return json_answer(404, {{"message",
                            "The resource could not be found.<br /><br />\nExtension "
                            "with alias " +
                                call.part("alias") + " does not exist\n\n"},
                           {"code", "404 Not Found"},
                           {"title", "Not Found"}});
}

ServerResponse show_versions(Call& call) {
  const Json link = {{"rel", "self"}, {"href", call.base() + "/v2.0/"}};
  const Json version = {{"id", "v2.0"}, {"status", "CURRENT"}, {"links", Json::array({link})}};
  return json_answer(200, {{"versions", Json::array({version})}});
}

ServerResponse show_collections(Call& call) {
  Json resources = Json::array();
  for (const Resource* each :
       {&networks(), &subnets(), &ports(), &routers(), &floating_ips(), &security_groups()}) {
    const Json link = {{"rel", "self"}, {"href", call.base() + "/v2.0/" + each->path}};
    resources.push_back({{"name", each->singular},
                         {"collection", each->collection},
                         {"links", Json::array({link})}});
  }
  return json_answer(200, {{"resources", resources}});
}

ServerResponse refuse_call(const Call& call, Refusal refusal, const std::string& detail) {
  constexpr const char* kMalformed =
      "The server could not comply with the request since it is either malformed or otherwise "
      "incorrect.";
  switch (refusal) {
    case Refusal::Unauthenticated:
      return unauthenticated_answer(call.cloud);
    case Refusal::Forbidden:
      return error_answer(403, "PolicyNotAuthorized", detail + " is disallowed by policy");
    case Refusal::NotJson:
      return bad_request("Body contains invalid data");
    case Refusal::UnknownPath:
      return error_answer(404, "HTTPNotFound", "The resource could not be found.");
    case Refusal::MethodNotAllowed:
      return error_answer(405, "HTTPMethodNotAllowed", kMalformed);
    case Refusal::TooManyRequests:
      return error_answer(429, "HTTPTooManyRequests", "Too many requests.");
    case Refusal::ServiceUnavailable:
      return error_answer(503, "HTTPServiceUnavailable", "The server is currently unavailable.");
    case Refusal::InternalServerError:
      break;
  }
  return error_answer(500, "HTTPInternalServerError",
                      "Request Failed: internal server error while processing your request.");
}

/// The one network to the outside, owned by the project `admin`; its range is one that documents
/// use (RFC 5737).
void make_public_network(Cloud& cloud) {
  if (!cloud.all(kNetwork).empty()) return;
  const Json* admin = cloud.find_by("identity.project", "name", "admin");
  const std::string project = admin == nullptr ? "" : string_member(*admin, "id");
  const std::string now = time_in_seconds(cloud.clock().wall_now());
  const Json common = {{"project_id", project}, {"description", ""}, {"tags", Json::array()},
                       {"created_at", now},     {"updated_at", now}, {"revision_number", 1}};
  Json network = {{"id", cloud.new_uuid()},
                  {"name", "public"},
                  {"admin_state_up", true},
                  {"status", "ACTIVE"},
                  {"shared", false},
                  {"router:external", true},
                  {"is_default", true},
                  {"mtu", 1500},
                  {"port_security_enabled", true},
                  {"qos_policy_id", nullptr},
                  {"availability_zone_hints", Json::array()},
                  {"provider:network_type", "flat"},
                  {"provider:physical_network", "public"},
                  {"provider:segmentation_id", nullptr}};
  network.update(common);
  Json subnet = {{"id", cloud.new_uuid()},       {"name", "public-subnet"},
                 {"network_id", network["id"]},  {"ip_version", 4},
                 {"cidr", "198.51.100.0/24"},    {"gateway_ip", "198.51.100.1"},
                 {"enable_dhcp", false},         {"dns_nameservers", Json::array()},
                 {"host_routes", Json::array()}, {"service_types", Json::array()},
                 {"ipv6_ra_mode", nullptr},      {"ipv6_address_mode", nullptr},
                 {"subnetpool_id", nullptr}};
  subnet["allocation_pools"] =
      Json::array({{{"start", "198.51.100.2"}, {"end", "198.51.100.254"}}});
  subnet.update(common);
  cloud.put(kNetwork, std::move(network));
  cloud.put(kSubnet, std::move(subnet));
}

}  // namespace

ServerResponse error_answer(int status, std::string_view type, const std::string& message) {
  return json_answer(status,
                     {{"NeutronError", {{"type", type}, {"message", message}, {"detail", ""}}}});
}

ServerResponse bad_request(const std::string& message) {
  return error_answer(400, "HTTPBadRequest", message);
}

ServerResponse invalid_input(const std::string& message) {
  return error_answer(400, "InvalidInput", "Invalid input for operation: " + message);
}

ServerResponse not_found(const Resource& resource, std::string_view id) {
  return error_answer(404, resource.missing_type,
                      resource.missing_before + std::string(id) + resource.missing_after);
}

}  // namespace network

void add_network(Router& router, Cloud& cloud) {
  using namespace network;
  make_public_network(cloud);
  router.add_service({.type = "network",
                      .name = "neutron",
                      .prefixes = {"/network"},
                      .answers_head = false,
                      .ignores_last_slash = true,
                      .refuse = refuse_call});
  router.add("network", "GET", "/", Access::anyone(), show_versions);
  router.add("network", "GET", "/v2.0", Access::signed_in(), show_collections);
  router.add("network", "GET", "/v2.0/extensions", Access::signed_in(), list_extensions);
  router.add("network", "GET", "/v2.0/extensions/{alias}", Access::signed_in(), show_extension);
  for (const Resource* each : {&networks(), &subnets(), &ports(), &routers(), &floating_ips(),
                               &security_groups(), &security_group_rules()}) {
    add_resource_routes(router, *each);
  }
  add_router_interface_routes(router);
  add_quota_routes(router);
}

}  // namespace bailey::devcloud
