#include "providers/devcloud/network.hpp"

#include <charconv>
#include <utility>

/// How much of what a project may have.
namespace bailey::devcloud::network {

namespace {

struct Limit {
  std::string name;
  int usual;
  std::string_view kind;  ///< What is counted; empty for what the embedded cloud has none of.
};

const std::vector<Limit>& limits() {
  static const std::vector<Limit> table = {{"network", 100, kNetwork},
                                           {"subnet", 100, kSubnet},
                                           {"subnetpool", -1, ""},
                                           {"port", 500, kPort},
                                           {"router", 10, kRouter},
                                           {"floatingip", 50, kFloatingIp},
                                           {"rbac_policy", 10, ""},
                                           {"security_group", 10, kGroup},
                                           {"security_group_rule", 100, kRule},
                                           {"trunk", -1, ""}};
  return table;
}

int limit_of(const Cloud& cloud, const Limit& limit, std::string_view project) {
  const Json* own = cloud.find(kQuota, project);
  const Json& value = own == nullptr ? member(Json(), "") : member(*own, limit.name);
  return value.is_number_integer() ? value.get<int>() : limit.usual;
}

Json quota_of(const Cloud& cloud, std::string_view project) {
  Json quota = Json::object();
  for (const Limit& limit : limits()) quota[limit.name] = limit_of(cloud, limit, project);
  return quota;
}

ServerResponse disallowed(const char* rule) {
  return error_answer(403, "PolicyNotAuthorized",
                      "rule:" + std::string(rule) + " is disallowed by policy");
}

ServerResponse list_quotas(Call& call) {
  if (!call.who.is_admin()) return disallowed("get_quota");
  Json quotas = Json::array();
  for (const Json* own : call.cloud.all(kQuota)) {
    const std::string project = string_member(*own, "project_id");
    Json quota = quota_of(call.cloud, project);
    quota["project_id"] = project;
    quota["tenant_id"] = project;
    quotas.push_back(std::move(quota));
  }
  return json_answer(200, {{"quotas", quotas}});
}

ServerResponse show_quota(Call& call) {
  if (!call.who.owns(call.part("project"))) return disallowed("get_quota");
  return json_answer(200, {{"quota", quota_of(call.cloud, call.part("project"))}});
}

ServerResponse show_usual(Call& call) {
  if (!call.who.owns(call.part("project"))) return disallowed("get_quota");
  Json quota = Json::object();
  for (const Limit& limit : limits()) quota[limit.name] = limit.usual;
  return json_answer(200, {{"quota", quota}});
}

ServerResponse show_details(Call& call) {
  const std::string& project = call.part("project");
  if (!call.who.owns(project)) return disallowed("get_quota");
  Json quota = Json::object();
  for (const Limit& limit : limits()) {
    const std::size_t used =
        limit.kind.empty() ? 0 : call.cloud.where(limit.kind, "project_id", project).size();
    quota[limit.name] = {
        {"limit", limit_of(call.cloud, limit, project)}, {"used", used}, {"reserved", 0}};
  }
  return json_answer(200, {{"quota", quota}});
}

const Limit* limit_named(std::string_view name) {
  for (const Limit& limit : limits()) {
    if (limit.name == name) return &limit;
  }
  return nullptr;
}

/// A number, or a string that is one.
Checked<std::int64_t> read_limit(const std::string& name, const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  std::int64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size()) {
    return refuse(invalid_input("'" + text + "' is not an integer."));
  }
  if (limit >= -1 && limit <= 2147483647) return limit;
  return refuse(bad_request("Invalid input for " + name + ". Reason: '" + text +
                            (limit < -1 ? "' is too small - must be at least '-1'."
                                        : "' is too large - must be no larger than "
                                          "'2147483647'.")));
}

ServerResponse update_quota(Call& call) {
  if (!call.who.is_admin()) return disallowed("update_quota");
  const std::string& project = call.part("project");
  const Json& given = member(call.body, "quota");
  if (!given.is_object()) return bad_request("Unable to find 'quota' in request body");
  const Json* known = call.cloud.find(kQuota, project);
  Json own = known == nullptr ? Json{{"id", project}, {"project_id", project}} : *known;
  for (const auto& [name, value] : given.items()) {
    if (name == "project_id" || name == "tenant_id") continue;
    if (limit_named(name) == nullptr) {
      return bad_request("Unrecognized attribute(s) '" + name + "'");
    }
    const auto wanted = read_limit(name, value);
    if (!wanted) return wanted.error();
    own[name] = *wanted;
  }
  call.cloud.put(kQuota, std::move(own));
  return json_answer(200, {{"quota", quota_of(call.cloud, project)}});
}

ServerResponse delete_quota(Call& call) {
  if (!call.who.is_admin()) return disallowed("delete_quota");
  if (!call.cloud.erase(kQuota, call.part("project"))) {
    return error_answer(404, "TenantQuotaNotFound",
                        "Quota for tenant " + call.part("project") + " could not be found.");
  }
  return empty_answer(204);
}

}  // namespace

Checked<void> check_quota(const Call& call, const Resource& resource, std::string_view project) {
  const Limit* limit = limit_named(resource.singular);
  if (limit == nullptr) return {};
  const int most = limit_of(call.cloud, *limit, project);
  if (most < 0) return {};
  const auto used = call.cloud.where(resource.kind, "project_id", project).size();
  if (used < static_cast<std::size_t>(most)) return {};
  return refuse(error_answer(409, "OverQuota",
                             "Quota exceeded for resources: ['" + resource.singular + "']."));
}

void add_quota_routes(Router& router) {
  const auto add = [&](const char* method, const char* path, Handler handler) {
    router.add("network", method, path, Access::signed_in(), std::move(handler));
  };
  add("GET", "/v2.0/quotas", list_quotas);
  add("GET", "/v2.0/quotas/{project}", show_quota);
  add("GET", "/v2.0/quotas/{project}/default", show_usual);
  add("GET", "/v2.0/quotas/{project}/details", show_details);
  add("GET", "/v2.0/quotas/{project}/details.json", show_details);
  add("PUT", "/v2.0/quotas/{project}", update_quota);
  add("DELETE", "/v2.0/quotas/{project}", delete_quota);
}

}  // namespace bailey::devcloud::network
