#include "orchestrator/base/text.hpp"
#include "providers/devcloud/compute_server.hpp"

#include <algorithm>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bailey::devcloud::compute {

namespace {

const std::vector<std::string>& known_parameters() {
  static const std::vector<std::string> known = {"user_id",
                                                 "project_id",
                                                 "tenant_id",
                                                 "launch_index",
                                                 "image_ref",
                                                 "image",
                                                 "kernel_id",
                                                 "kernel_id",
                                                 "ramdisk_id",
                                                 "hostname",
                                                 "key_name",
                                                 "instance_type_id",
                                                 "flavor",
                                                 "status",
                                                 "vm_state",
                                                 "task_state",
                                                 "power_state",
                                                 "host",
                                                 "node",
                                                 "availability_zone",
                                                 "display_name",
                                                 "name",
                                                 "display_description",
                                                 "description",
                                                 "root_device_name",
                                                 "uuid",
                                                 "reservation_id",
                                                 "locked_by",
                                                 "progress",
                                                 "config_drive",
                                                 "all_tenants",
                                                 "deleted",
                                                 "changes-since",
                                                 "changes-before",
                                                 "created_at",
                                                 "launched_at",
                                                 "terminated_at",
                                                 "access_ip_v4",
                                                 "access_ip_v6",
                                                 "ip",
                                                 "ip6",
                                                 "locked",
                                                 "soft_deleted",
                                                 "sort_key",
                                                 "sort_dir",
                                                 "tags",
                                                 "tags-any",
                                                 "not-tags",
                                                 "not-tags-any"};
  return known;
}

/// Every status that Nova has a word for.
bool is_status(std::string status) {
  std::transform(status.begin(), status.end(), status.begin(), [](unsigned char byte) {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 32) : static_cast<char>(byte);
  });
  static const std::set<std::string> known = {
      "ACTIVE",    "BUILD",        "DELETED",       "ERROR",   "HARD_REBOOT",
      "MIGRATING", "PASSWORD",     "PAUSED",        "REBOOT",  "REBUILD",
      "RESCUE",    "RESIZE",       "REVERT_RESIZE", "SHELVED", "SHELVED_OFFLOADED",
      "SHUTOFF",   "SOFT_DELETED", "SUSPENDED",     "UNKNOWN", "VERIFY_RESIZE"};
  return known.count(status) != 0;
}

struct Filters {
  bool all_projects = false;
  std::optional<std::string> project;
  std::optional<std::regex> name;
  std::set<std::string> statuses;
  std::optional<std::string> image;
  std::optional<std::string> flavor;
  std::optional<std::string> user;
  std::optional<std::string> key;
  std::optional<std::string> uuid;
  std::optional<std::string> reservation;
  std::optional<std::string> address;
  std::optional<std::string> changed_since;
  std::vector<std::string> tags, any_tags, not_tags, not_any_tags;
};

std::vector<std::string> tags_of(const Request& request, const char* name) {
  const auto text = request.call.query(name);
  // Before 2.26 nobody had heard of tags, and the filter is passed over.
  if (!text || request.version < 26) return {};
  return split(*text, ',');
}

Checked<Filters> read_filters(const Request& request) {
  const Call& call = request.call;
  Filters filters;
  if (const auto all = call.query("all_tenants")) {
    filters.all_projects = all->empty() || truthy(*all);
    if (filters.all_projects && !request.who().is_admin()) {
      return refuse(forbidden_by("os_compute_api:servers:index:get_all_tenants"));
    }
  }
  if (filters.all_projects) {
    filters.project = call.query("project_id");
    if (!filters.project) filters.project = call.query("tenant_id");
  } else {
    filters.project = request.who().project_id;
  }
  if (const auto name = call.query("name")) {
    try {
      filters.name = std::regex(*name);
    } catch (const std::regex_error&) {
      return refuse(fault_answer(400, "Invalid regular expression " + python_repr(*name)));
    }
  }
  for (const std::string& status : call.queries("status")) {
    if (!is_status(status)) return refuse(fault_answer(400, "Invalid status value"));
    std::string upper = status;
    for (char& byte : upper) {
      if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 32);
    }
    filters.statuses.insert(upper);
  }
  filters.image = call.query("image");
  filters.flavor = call.query("flavor");
  filters.user = call.query("user_id");
  filters.key = call.query("key_name");
  filters.uuid = call.query("uuid");
  filters.reservation = call.query("reservation_id");
  filters.address = call.query("ip");
  filters.changed_since = call.query("changes-since");
  filters.tags = tags_of(request, "tags");
  filters.any_tags = tags_of(request, "tags-any");
  filters.not_tags = tags_of(request, "not-tags");
  filters.not_any_tags = tags_of(request, "not-tags-any");
  return filters;
}

bool tags_fit(const Filters& filters, const Json& server) {
  const std::vector<std::string> tags = strings_member(server, "tags");
  const auto has = [&](const std::string& tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  };
  const auto all = [&](const auto& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), has);
  };
  const auto any = [&](const auto& wanted) {
    return std::any_of(wanted.begin(), wanted.end(), has);
  };
  return all(filters.tags) && (filters.any_tags.empty() || any(filters.any_tags)) &&
         (filters.not_tags.empty() || !all(filters.not_tags)) && !any(filters.not_any_tags);
}

bool has_address(const Cloud& cloud, const Json& server, const std::string& part) {
  const Json addresses = addresses_of(cloud, server, Detail::Brief);
  for (const auto& network : addresses) {
    for (const auto& address : network) {
      if (string_member(address, "addr").find(part) != std::string::npos) return true;
    }
  }
  return false;
}

bool fits(const Cloud& cloud, const Filters& filters, const Json& server) {
  const auto is = [&](const std::optional<std::string>& wanted, const char* field) {
    return !wanted || string_member(server, field) == *wanted;
  };
  if (!is(filters.project, "project_id") || !is(filters.image, "image_id") ||
      !is(filters.user, "user_id") || !is(filters.key, "key_name") || !is(filters.uuid, "id") ||
      !is(filters.reservation, "reservation_id")) {
    return false;
  }
  if (filters.flavor && string_member(server["flavor"], "id") != *filters.flavor) return false;
  if (filters.name && !std::regex_search(string_member(server, "name"), *filters.name))
    return false;
  if (!filters.statuses.empty() && filters.statuses.count(status_of(server)) == 0) return false;
  if (filters.changed_since) {
    const std::string updated = time_of_ms(server["updated"].get<std::int64_t>());
    if (updated.substr(0, 19) < filters.changed_since->substr(0, 19)) return false;
  }
  if (filters.address && !has_address(cloud, server, *filters.address)) return false;
  return tags_fit(filters, server);
}

/// Newest first unless asked otherwise; only the first key counts.
void sort_servers(const Request& request, std::vector<const Json*>& servers) {
  static const std::map<std::string, std::string> fields = {
      {"created_at", "number"}, {"updated_at", "updated"},  {"display_name", "name"},
      {"uuid", "id"},           {"vm_state", "vm_state"},   {"image_ref", "image_id"},
      {"host", "number"},       {"launched_at", "launched"}};
  const auto field = fields.find(request.call.query("sort_key").value_or("created_at"));
  const std::string key = field == fields.end() ? "number" : field->second;
  const bool upwards = request.call.query("sort_dir").value_or("desc") == "asc";
  std::stable_sort(servers.begin(), servers.end(), [&](const Json* left, const Json* right) {
    return upwards ? member(*left, key) < member(*right, key)
                   : member(*right, key) < member(*left, key);
  });
}

ServerResponse list(Request& request, bool detail) {
  const auto page = read_query(request, {.known = known_parameters(), .by_regex = true});
  if (!page) return page.error();
  const auto filters = read_filters(request);
  if (!filters) return filters.error();
  const Cloud& cloud = request.cloud();
  std::vector<const Json*> servers =
      filters->project ? cloud.where(kServer, "project_id", *filters->project) : cloud.all(kServer);
  sort_servers(request, servers);
  std::vector<Json> rows;
  for (const Json* server : servers) {
    if (!fits(cloud, *filters, *server)) continue;
    const std::string id = string_member(*server, "id");
    if (!detail) {
      rows.push_back(
          {{"id", id}, {"name", (*server)["name"]}, {"links", links_of(request, "servers", id)}});
      continue;
    }
    // What costs a query for each server is not in a list.
    Json shown = shown_server(request, *server);
    shown.erase("server_groups");
    rows.push_back(std::move(shown));
  }
  const auto body = paged(request, "servers", rows, *page);
  return body ? answer(200, *body) : body.error();
}

}  // namespace

void add_server_lists(Router& router) {
  add_route(router, "GET", "/servers", {}, [](Request& request) { return list(request, false); });
  add_route(router, "GET", "/servers/detail", {},
            [](Request& request) { return list(request, true); });
}

}  // namespace bailey::devcloud::compute
