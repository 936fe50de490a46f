#include "providers/devcloud/volume.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace bailey::devcloud::volume {

namespace {

using Limits = std::map<std::string, std::int64_t>;

/// The usual limits: of all, and of each type without any.
Limits defaults(const Cloud& cloud) {
  Limits limits = {{"volumes", 10},
                   {"gigabytes", 1000},
                   {"snapshots", 10},
                   {"backups", 10},
                   {"backup_gigabytes", 1000},
                   {"groups", 10},
                   {"per_volume_gigabytes", -1}};
  for (const Json* type : cloud.all(kType)) {
    for (const char* name : {"volumes_", "gigabytes_", "snapshots_"}) {
      limits[name + string_member(*type, "name")] = -1;
    }
  }
  return limits;
}

Limits quota_of(const Cloud& cloud, const std::string& project) {
  Limits limits = defaults(cloud);
  const Json* quota = cloud.find(kQuota, project);
  if (quota == nullptr) return limits;
  for (auto& [name, limit] : limits) {
    if (const Json& own = member(*quota, name); own.is_number()) limit = own.get<std::int64_t>();
  }
  return limits;
}

/// In use of what is counted at all, by the names of the limits.
Limits usage_of(const Cloud& cloud, const std::string& project) {
  Limits usage;
  for (const Json* volume : cloud.where(kVolume, "project_id", project)) {
    const Json* type = cloud.find(kType, string_member(*volume, "type_id"));
    const std::string of_type = type == nullptr ? "" : "_" + string_member(*type, "name");
    const auto size =
        member(*volume, volume->contains("new_size") ? "new_size" : "size").get<std::int64_t>();
    usage["volumes"] += 1;
    usage["gigabytes"] += size;
    if (of_type.empty()) continue;
    usage["volumes" + of_type] += 1;
    usage["gigabytes" + of_type] += size;
  }
  return usage;
}

ServerResponse answer(const Limits& limits, const std::string& id) {
  Json set = limits;
  if (!id.empty()) set["id"] = id;
  return json_answer(200, {{"quota_set", set}});
}

ServerResponse show(Request& request) {
  const std::string& project = request.part("of");
  if (!request.who().owns(project)) return forbidden_by("volume_extension:quotas:show");
  const Limits limits = quota_of(request.cloud(), project);
  const std::string usage = request.call.query("usage").value_or("");
  if (usage != "True" && usage != "true" && usage != "1") return answer(limits, project);
  const Limits used = usage_of(request.cloud(), project);
  Json set = {{"id", project}};
  for (const auto& [name, limit] : limits) {
    const auto in_use = used.find(name);
    set[name] = {
        {"limit", limit}, {"in_use", in_use == used.end() ? 0 : in_use->second}, {"reserved", 0}};
  }
  return json_answer(200, {{"quota_set", set}});
}

ServerResponse show_defaults(Request& request) {
  if (!request.who().owns(request.part("of"))) {
    return forbidden_by("volume_extension:quotas:show");
  }
  return answer(defaults(request.cloud()), request.part("of"));
}

ServerResponse update(Request& request) {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"quota_set": {"type": "object"}},
    "required": ["quota_set"], "additionalProperties": true
  })");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const OrderedJson& asked = (*body)["quota_set"];
  if (asked.empty()) {
    return fault_answer(400,
                        "Invalid input for field/attribute quota_set. Value: {}. {} does not "
                        "have enough properties");
  }
  const std::string& project = request.part("of");
  const Limits known = defaults(request.cloud());
  const Limits used = usage_of(request.cloud(), project);
  Json quota = {{"id", project}};
  if (const Json* own = request.cloud().find(kQuota, project)) quota = *own;
  for (const auto& [name, value] : asked.items()) {
    // Who the quota is of may be said once more.
    if (name == "tenant_id" || name == "id") continue;
    if (known.count(name) == 0) {
      return fault_answer(400, "Invalid input received: Bad key(s) in quota set: " + name);
    }
    if (value.is_string() && !value.get<std::string>().empty() &&
        value.get<std::string>().find_first_not_of("0123456789") == std::string::npos) {
      return malformed();
    }
    if (!value.is_number_integer()) return fault_answer(400, name + " must be an integer");
    const auto limit = value.get<std::int64_t>();
    if (limit < -1) return fault_answer(400, name + " must be >= -1");
    if (limit > 2147483647) return fault_answer(400, name + " must be <= 2147483647");
    const auto in_use = used.find(name);
    if (limit >= 0 && in_use != used.end() && limit < in_use->second) {
      return fault_answer(400, fmt::format("Quota {} limit must be equal or greater than existing "
                                           "resources. Current usage is {} and the requested limit "
                                           "is {}.",
                                           name, in_use->second, limit));
    }
    quota[name] = limit;
  }
  request.cloud().put(kQuota, std::move(quota));
  return answer(quota_of(request.cloud(), project), "");
}

ServerResponse remove(Request& request) {
  request.cloud().erase(kQuota, request.part("of"));
  return empty_answer(200);
}

ServerResponse show_limits(Request& request) {
  const std::string& project = request.who().project_id;
  const Limits limits = quota_of(request.cloud(), project);
  const Limits used = usage_of(request.cloud(), project);
  const auto in_use = [&](const char* name) {
    const auto found = used.find(name);
    return found == used.end() ? 0 : found->second;
  };
  return json_answer(200, {{"limits",
                            {{"rate", Json::array()},
                             {"absolute",
                              {{"maxTotalVolumes", limits.at("volumes")},
                               {"maxTotalVolumeGigabytes", limits.at("gigabytes")},
                               {"maxTotalSnapshots", limits.at("snapshots")},
                               {"maxTotalBackups", limits.at("backups")},
                               {"maxTotalBackupGigabytes", limits.at("backup_gigabytes")},
                               {"totalVolumesUsed", in_use("volumes")},
                               {"totalGigabytesUsed", in_use("gigabytes")},
                               {"totalSnapshotsUsed", 0},
                               {"totalBackupsUsed", 0},
                               {"totalBackupGigabytesUsed", 0}}}}}});
}

}  // namespace

Checked<void> check_size(const Request& request, std::int64_t size) {
  const std::int64_t limit =
      quota_of(request.cloud(), request.who().project_id).at("per_volume_gigabytes");
  if (limit < 0 || size <= limit) return {};
  return refuse(
      over_limit(fmt::format("VolumeSizeExceedsLimit: Requested volume size {}G is larger "
                             "than maximum allowed limit {}G.",
                             size, limit)));
}

Checked<void> check_quota(const Request& request, const Json& type, int volumes,
                          std::int64_t gigabytes) {
  const std::string& project = request.who().project_id;
  const Limits limits = quota_of(request.cloud(), project);
  Limits used = usage_of(request.cloud(), project);
  const std::string name = string_member(type, "name");
  for (const std::string& each : {std::string("gigabytes"), "gigabytes_" + name}) {
    const std::int64_t limit = limits.at(each);
    if (limit < 0 || used[each] + gigabytes <= limit) continue;
    return refuse(
        over_limit(fmt::format("VolumeSizeExceedsAvailableQuota: Requested volume or "
                               "snapshot exceeds allowed {} quota. Requested {}G, quota "
                               "is {}G and {}G has been consumed.",
                               each, gigabytes, limit, used[each])));
  }
  for (const std::string& each : {std::string("volumes"), "volumes_" + name}) {
    const std::int64_t limit = limits.at(each);
    if (limit < 0 || used[each] + volumes <= limit || volumes == 0) continue;
    return refuse(
        over_limit(fmt::format("VolumeLimitExceeded: Maximum number of volumes allowed "
                               "({}) exceeded for quota '{}'.",
                               limit, each)));
  }
  return {};
}

void add_quotas(Router& router) {
  const std::string one = "/os-quota-sets/{of}";
  add_route(router, "GET", one, "", show);
  add_route(router, "GET", one + "/defaults", "", show_defaults);
  add_route(router, "PUT", one, "volume_extension:quotas:update", update);
  add_route(router, "DELETE", one, "volume_extension:quotas:delete", remove);
  add_route(router, "GET", "/limits", "", show_limits);
}

}  // namespace bailey::devcloud::volume
