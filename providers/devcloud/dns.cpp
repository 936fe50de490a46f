#include "providers/devcloud/dns.hpp"

#include "orchestrator/base/encoding.hpp"
#include "providers/devcloud/schema.hpp"
#include "providers/devcloud/services.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace bailey::devcloud {

namespace dns {

namespace {

constexpr std::string_view kType = "dns";

ServerResponse show_versions(Call& call) {
  Json versions = Json::array();
  for (const char* id : {"v2", "v2.0"}) {
    versions.push_back({{"id", id},
                        {"status", id == std::string_view("v2") ? "SUPPORTED" : "CURRENT"},
                        {"updated", "2022-06-29T00:00:00Z"},
                        {"links", Json::array({{{"href", call.base() + "/v2"}, {"rel", "self"}},
                                               {{"href", "https://docs.openstack.org/api-ref/dns"},
                                                {"rel", "help"}}})}});
  }
  return json_answer(200, {{"versions", versions}});
}

ServerResponse refuse_call(const Call& call, Refusal refusal, const std::string& detail) {
  switch (refusal) {
    case Refusal::Unauthenticated:
      return unauthenticated_answer(call.cloud);
    case Refusal::Forbidden:
      return error_answer(call, 403, "forbidden", detail + " is disallowed by policy");
    case Refusal::NotJson:
      return error_answer(call, 400, "invalid_json", "Not valid JSON");
    case Refusal::UnknownPath:
      return error_answer(call, 404, "not_found", "");
    case Refusal::MethodNotAllowed:
      return error_answer(call, 405, "method_not_allowed", "");
    case Refusal::TooManyRequests:
      return error_answer(call, 429, "too_many_requests", "");
    case Refusal::ServiceUnavailable:
      return error_answer(call, 503, "service_unavailable", "");
    case Refusal::InternalServerError:
      break;
  }
  return error_answer(call, 500, "unknown", "");
}

const std::map<std::string, std::int64_t>& limits() {
  static const std::map<std::string, std::int64_t> table = {{"zones", 10},
                                                            {"zone_recordsets", 500},
                                                            {"zone_records", 500},
                                                            {"recordset_records", 20},
                                                            {"api_export_size", 1000}};
  return table;
}

ServerResponse show_quota(Call& call) {
  const std::string project =
      call.parts.count("project") > 0 ? call.part("project") : call.who.project_id;
  if (!call.who.owns(project)) {
    return error_answer(call, 403, "forbidden", "get_quotas is disallowed by policy");
  }
  Json quota = Json::object();
  for (const auto& [name, usual] : limits()) quota[name] = limit_of(call.cloud, project, name);
  return json_answer(200, quota);
}

ServerResponse change_quota(Call& call) {
  if (!call.who.is_admin()) {
    return error_answer(call, 403, "forbidden", "set_quota is disallowed by policy");
  }
  const std::string& project = call.part("project");
  const Json* known = call.cloud.find(kQuota, project);
  Json quota = known == nullptr ? Json{{"id", project}} : *known;
  for (const auto& [name, value] : call.body.items()) {
    if (limits().count(name) == 0) {
      return error_answer(call, 404, "quota_resource_unknown",
                          name + " is not a valid quota resource");
    }
    if (!value.is_number_integer() || value.get<std::int64_t>() < -1) {
      return invalid(call, name, "'" + value.dump() + "' is not of type 'integer'");
    }
    quota[name] = value;
  }
  call.cloud.put(kQuota, std::move(quota));
  return show_quota(call);
}

ServerResponse reset_quota(Call& call) {
  if (!call.who.is_admin()) {
    return error_answer(call, 403, "forbidden", "reset_quotas is disallowed by policy");
  }
  call.cloud.erase(kQuota, call.part("project"));
  return empty_answer(204);
}

/// Brings zones and their records to where they would be by now.
void settle(Cloud& cloud) {
  const Cloud::Sight sight = cloud.look(Cloud::Sight::Everything);
  const std::int64_t now = cloud.clock().wall_now().time_since_epoch().count();
  for (const std::string_view kind : {kZone, kRecordset}) {
    std::vector<Json> ready;
    for (const Json* object : cloud.where(kind, "status", "PENDING")) {
      if (member(*object, "_due") <= now) ready.push_back(*object);
    }
    for (Json& object : ready) {
      const std::string id = string_member(object, "id");
      if (string_member(object, "action") == "DELETE") {
        if (kind == kZone) cloud.erase_where(kRecordset, "zone_id", id);
        cloud.erase(kind, id);
        continue;
      }
      object["status"] = "ACTIVE";
      object["action"] = "NONE";
      cloud.put(kind, std::move(object));
    }
  }
  cloud.look(sight);
}

Checked<std::size_t> page_size(const Call& call) {
  const auto text = call.query("limit");
  std::size_t limit = 20;
  if (!text) return limit;
  if (*text == "max") return std::size_t{1000};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (error != std::errc() || end != text->data() + text->size() || limit == 0) {
    return refuse(
        error_answer(call, 400, "invalid_limit", "Limit should be an integer between 1 and 1000"));
  }
  return std::min<std::size_t>(limit, 1000);
}

}  // namespace

ServerResponse error_answer(const Call& call, int status, std::string_view type,
                            const std::string& message) {
  Json body = {{"code", status}, {"type", type}, {"request_id", "req-" + call.cloud.new_uuid()}};
  if (!message.empty()) body["message"] = message;
  return json_answer(status, body);
}

ServerResponse invalid(const Call& call, const std::string& path, const std::string& message) {
  return json_answer(
      400, {{"code", 400},
            {"type", "invalid_object"},
            {"message", "Provided object does not match schema"},
            {"errors",
             {{"errors", Json::array({{{"path", Json::array({path})}, {"message", message}}})}}},
            {"request_id", "req-" + call.cloud.new_uuid()}});
}

Checked<const Json*> zone_of(const Call& call) {
  const std::string& id = call.part("zone");
  if (!looks_like_uuid(id)) {
    return refuse(error_answer(call, 400, "invalid_uuid", "Invalid UUID zone_id: " + id));
  }
  const Json* zone = call.cloud.find(kZone, id);
  if (zone == nullptr || !call.who.owns(string_member(*zone, "project_id"))) {
    return refuse(error_answer(call, 404, "zone_not_found", "Could not find Zone"));
  }
  return zone;
}

bool is_domain_name(std::string_view text) {
  if (text.size() < 2 || text.size() > 255 || text.back() != '.') return false;
  std::size_t label = 0;
  for (const char byte : text) {
    const bool good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                      (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '*';
    if (byte == '.' ? label == 0 : !good || label == 63) return false;
    label = byte == '.' ? 0 : label + 1;
  }
  return true;
}

void begin(const Call& call, Json& object, const std::string& action) {
  std::string now = time_in_microseconds(call.cloud.clock().wall_now());
  now.pop_back();
  const bool fresh = !object.contains("created_at");
  if (fresh) object["created_at"] = now;
  object["updated_at"] = fresh ? Json(nullptr) : Json(now);
  object["version"] = object.value("version", 0) + 1;
  object["status"] = "PENDING";
  object["action"] = action;
  object["_due"] = call.cloud.clock().wall_now().time_since_epoch().count() +
                   call.cloud.settings().build_delay.count();
}

Json shown(const Call& call, const Json& object) {
  Json result = without_private(object);
  const bool zone = !object.contains("zone_id");
  const std::string path = zone ? "" : "/" + string_member(object, "zone_id") + "/recordsets";
  result["links"]["self"] = call.base() + "/v2/zones" + path + "/" + string_member(object, "id");
  return result;
}

ServerResponse list(const Call& call, const std::string& collection,
                    std::vector<const Json*> objects, const std::vector<std::string>& filters) {
  const auto limit = page_size(call);
  if (!limit) return limit.error();
  for (const std::string& name : filters) {
    const auto wanted = call.query(name);
    if (!wanted) continue;
    objects.erase(std::remove_if(objects.begin(), objects.end(),
                                 [&](const Json* object) {
                                   const Json& value = member(*object, name);
                                   return value.is_string() ? value != *wanted
                                                            : value.dump() != *wanted;
                                 }),
                  objects.end());
  }
  const std::size_t total = objects.size();
  auto from = objects.begin();
  if (const auto marker = call.query("marker")) {
    from = std::find_if(objects.begin(), objects.end(), [&](const Json* object) {
      return string_member(*object, "id") == *marker;
    });
    if (from == objects.end()) {
      return error_answer(call, 400, "marker_not_found",
                          "Marker " + *marker + " could not be found");
    }
    ++from;
  }
  Json page = Json::array();
  for (; from != objects.end() && page.size() < *limit; ++from) {
    page.push_back(shown(call, **from));
  }
  std::string url = call.base() + call.path;
  char separator = '?';
  for (const auto& [name, value] : call.http.query) {
    if (name == "marker") continue;
    url += separator + percent_encode(name) + "=" + percent_encode(value);
    separator = '&';
  }
  Json links = {{"self", call.base() + call.http.target.substr(call.prefix.size())}};
  if (from != objects.end()) {
    links["next"] = url + separator + "marker=" + string_member(page.back(), "id");
  }
  return json_answer(
      200, {{collection, page}, {"links", links}, {"metadata", {{"total_count", total}}}});
}

std::int64_t limit_of(const Cloud& cloud, const std::string& project, const std::string& name) {
  const Json* own = cloud.find(kQuota, project);
  if (own != nullptr && member(*own, name).is_number()) return (*own)[name].get<std::int64_t>();
  return limits().at(name);
}

}  // namespace dns

void add_dns(Router& router, Cloud&) {
  using namespace dns;
  router.add_service({.type = std::string(kType),
                      .name = "designate",
                      .prefixes = {"/dns"},
                      .ignores_last_slash = true,
                      .refuse = refuse_call});
  router.before_each(settle);
  router.add(kType, "GET", "/", Access::anyone(), show_versions);
  router.add(kType, "GET", "/v2/quotas", Access::signed_in(), show_quota);
  router.add(kType, "GET", "/v2/quotas/{project}", Access::signed_in(), show_quota);
  router.add(kType, "PATCH", "/v2/quotas/{project}", Access::signed_in(), change_quota);
  router.add(kType, "DELETE", "/v2/quotas/{project}", Access::signed_in(), reset_quota);
  add_zones(router);
  add_recordsets(router);
}

}  // namespace bailey::devcloud
