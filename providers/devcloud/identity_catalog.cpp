#include "providers/devcloud/identity.hpp"

#include <algorithm>
#include <utility>

/// Services, endpoints and regions, and the catalog that a token shows of them.
namespace bailey::devcloud::identity {

namespace {

constexpr std::string_view kProjectInUrl = "%(project_id)s";

/// Endpoints of our own services are stored as a path: where they are depends on today's port.
std::string url_of(const Cloud& cloud, const Json& endpoint) {
  const std::string url = string_member(endpoint, "url");
  return url.empty() || url.front() != '/' ? url : cloud.base_url() + url;
}

Json shown_endpoint(const Call& call, const Json& endpoint) {
  Json result = shown(call, endpoint, "endpoints");
  result["url"] = url_of(call.cloud, endpoint);
  return result;
}

ServerResponse list_services(Call& call) {
  std::vector<Json> services;
  for (const Json* service : call.cloud.all(kService)) {
    services.push_back(shown(call, *service, "services"));
  }
  return list(call, "services", std::move(services), {"type", "name"});
}

ServerResponse show_service(Call& call) {
  const auto service = existing(call.cloud, kService, "service", call.part("id"));
  if (!service) return service.error();
  return show(call, 200, "service", **service, "services");
}

ServerResponse create_service(Call& call) {
  const Json given = member(call.body, "service");
  if (string_member(given, "type").empty()) {
    return bad_request("'type' is a required property");
  }
  Json service = {{"id", call.cloud.new_hex_id()},
                  {"type", string_member(given, "type")},
                  {"name", string_member(given, "name")},
                  {"enabled", member(given, "enabled") != false}};
  if (given.contains("description")) service["description"] = given["description"];
  return show(call, 201, "service", call.cloud.put(kService, std::move(service)), "services");
}

ServerResponse delete_service(Call& call) {
  if (auto service = existing(call.cloud, kService, "service", call.part("id")); !service) {
    return service.error();
  }
  call.cloud.erase_where(kEndpoint, "service_id", call.part("id"));
  call.cloud.erase(kService, call.part("id"));
  return empty_answer(204);
}

ServerResponse list_endpoints(Call& call) {
  std::vector<Json> endpoints;
  for (const Json* endpoint : call.cloud.all(kEndpoint)) {
    endpoints.push_back(shown_endpoint(call, *endpoint));
  }
  return list(call, "endpoints", std::move(endpoints), {"interface", "service_id", "region_id"});
}

ServerResponse show_endpoint(Call& call) {
  const auto endpoint = existing(call.cloud, kEndpoint, "endpoint", call.part("id"));
  if (!endpoint) return endpoint.error();
  return json_answer(200, {{"endpoint", shown_endpoint(call, **endpoint)}});
}

ServerResponse create_endpoint(Call& call) {
  const Json given = member(call.body, "endpoint");
  for (const char* required : {"interface", "service_id", "url"}) {
    if (string_member(given, required).empty()) {
      return bad_request("'" + std::string(required) + "' is a required property");
    }
  }
  const std::string service = string_member(given, "service_id");
  if (auto known = existing(call.cloud, kService, "service", service); !known) {
    return known.error();
  }
  const Json region = given.contains("region_id") ? given["region_id"] : member(given, "region");
  const Json& endpoint =
      call.cloud.put(kEndpoint, {{"id", call.cloud.new_hex_id()},
                                 {"interface", string_member(given, "interface")},
                                 {"region_id", region},
                                 {"region", region},
                                 {"service_id", service},
                                 {"url", string_member(given, "url")},
                                 {"enabled", member(given, "enabled") != false}});
  return json_answer(201, {{"endpoint", shown_endpoint(call, endpoint)}});
}

ServerResponse delete_endpoint(Call& call) {
  if (!call.cloud.erase(kEndpoint, call.part("id"))) return not_found("endpoint", call.part("id"));
  return empty_answer(204);
}

ServerResponse list_regions(Call& call) {
  std::vector<Json> regions;
  for (const Json* region : call.cloud.all(kRegion)) {
    regions.push_back(shown(call, *region, "regions"));
  }
  return list(call, "regions", std::move(regions), {"parent_region_id"});
}

ServerResponse show_region(Call& call) {
  const auto region = existing(call.cloud, kRegion, "region", call.part("id"));
  if (!region) return region.error();
  return show(call, 200, "region", **region, "regions");
}

ServerResponse list_nothing(Call& call, std::string_view collection) {
  return list(call, collection, {}, {});
}

}  // namespace

Json catalog(const Cloud& cloud, const std::string& project) {
  Json entries = Json::array();
  for (const Json* service : cloud.all(kService)) {
    if (member(*service, "enabled") != true) continue;
    Json endpoints = Json::array();
    for (const Json* endpoint :
         cloud.where(kEndpoint, "service_id", string_member(*service, "id"))) {
      if (member(*endpoint, "enabled") != true) continue;
      std::string url = url_of(cloud, *endpoint);
      if (const auto at = url.find(kProjectInUrl); at != std::string::npos) {
        if (project.empty()) continue;
        url.replace(at, kProjectInUrl.size(), project);
      }
      endpoints.push_back({{"id", member(*endpoint, "id")},
                           {"interface", member(*endpoint, "interface")},
                           {"region_id", member(*endpoint, "region_id")},
                           {"region", member(*endpoint, "region")},
                           {"url", url}});
    }
    if (endpoints.empty()) continue;
    entries.push_back({{"endpoints", endpoints},
                       {"id", member(*service, "id")},
                       {"type", member(*service, "type")},
                       {"name", member(*service, "name")}});
  }
  return entries;
}

void add_catalog_routes(Router& router) {
  const auto admin = [](const char* rule) {
    return Access::admin(std::string("identity:") + rule);
  };
  router.add("identity", "GET", "/v3/services", admin("list_services"), list_services);
  router.add("identity", "POST", "/v3/services", admin("create_service"), create_service);
  router.add("identity", "GET", "/v3/services/{id}", admin("get_service"), show_service);
  router.add("identity", "DELETE", "/v3/services/{id}", admin("delete_service"), delete_service);
  router.add("identity", "GET", "/v3/endpoints", admin("list_endpoints"), list_endpoints);
  router.add("identity", "POST", "/v3/endpoints", admin("create_endpoint"), create_endpoint);
  router.add("identity", "GET", "/v3/endpoints/{id}", admin("get_endpoint"), show_endpoint);
  router.add("identity", "DELETE", "/v3/endpoints/{id}", admin("delete_endpoint"), delete_endpoint);
  router.add("identity", "GET", "/v3/regions", Access::signed_in(), list_regions);
  router.add("identity", "GET", "/v3/regions/{id}", Access::signed_in(), show_region);
  router.add("identity", "GET", "/v3/limits", Access::signed_in(),
             [](Call& call) { return list_nothing(call, "limits"); });
  router.add("identity", "GET", "/v3/registered_limits", Access::signed_in(),
             [](Call& call) { return list_nothing(call, "registered_limits"); });
}

}  // namespace bailey::devcloud::identity
