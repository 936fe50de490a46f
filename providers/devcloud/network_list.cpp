#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/network.hpp"

#include <algorithm>
#include <set>
#include <utility>

/// Lists: who sees what, filters, sorting, pages and fields.
namespace bailey::devcloud::network {

namespace {

bool is_control(std::string_view name) {
  static const std::set<std::string, std::less<>> names = {
      "fields",       "limit", "marker",   "sort_key", "sort_dir",
      "page_reverse", "tags",  "tags-any", "not-tags", "not-tags-any"};
  return names.count(name) > 0;
}

bool is_filter(const Resource& resource, std::string_view name) {
  static const std::set<std::string, std::less<>> common = {
      "id", "status", "project_id", "tenant_id", "name", "description", "revision_number"};
  if (common.count(name) > 0) return true;
  return std::any_of(resource.attributes.begin(), resource.attributes.end(),
                     [&](const Attribute& attribute) { return attribute.name == name; });
}

/// One value of an object against one wanted; lists hold when any member does, and `fixed_ips` is
/// asked for as `ip_address=10.0.0.5`.
bool holds(const Json& value, const std::string& wanted) {
  if (value.is_boolean()) {
    return value.get<bool>() == (wanted == "true" || wanted == "True" || wanted == "1");
  }
  if (value.is_string()) return value.get<std::string>() == wanted;
  if (value.is_array()) {
    const auto equals = wanted.find('=');
    return std::any_of(value.begin(), value.end(), [&](const Json& each) {
      if (!each.is_object()) return holds(each, wanted);
      return equals != std::string::npos &&
             string_member(each, wanted.substr(0, equals)) == wanted.substr(equals + 1);
    });
  }
  if (value.is_null()) return wanted.empty();
  return value.dump() == wanted;
}

bool has_tags(const Call& call, const Json& object) {
  const auto own = strings_member(object, "tags");
  const auto split_query = [&](const char* name) {
    std::vector<std::string> wanted;
    for (const std::string& value : call.queries(name)) {
      for (std::string& tag : split(value, ',')) wanted.push_back(std::move(tag));
    }
    return wanted;
  };
  const auto count = [&](const std::vector<std::string>& wanted) {
    return static_cast<std::size_t>(
        std::count_if(wanted.begin(), wanted.end(), [&](const std::string& tag) {
          return std::find(own.begin(), own.end(), tag) != own.end();
        }));
  };
  const auto all = split_query("tags");
  const auto any = split_query("tags-any");
  const auto not_all = split_query("not-tags");
  return count(all) == all.size() && (any.empty() || count(any) > 0) &&
         (not_all.empty() || count(not_all) < not_all.size()) &&
         count(split_query("not-tags-any")) == 0;
}

/// Filters by name, each with all of its values (any of them will do).
Checked<std::map<std::string, std::vector<std::string>>> read_filters(const Call& call,
                                                                      const Resource& resource) {
  std::map<std::string, std::vector<std::string>> filters;
  for (const auto& [name, value] : call.http.query) {
    if (is_control(name)) continue;
    if (!is_filter(resource, name)) {
      return refuse(bad_request("['" + name + "'] is invalid attribute for filtering"));
    }
    for (const Attribute& attribute : resource.attributes) {
      static const std::set<std::string> truths = {"true", "True", "1", "false", "False", "0"};
      if (attribute.name == name && attribute.type == Attribute::Type::Boolean &&
          truths.count(value) == 0) {
        return refuse(invalid_input("'" + value + "' cannot be converted to boolean."));
      }
    }
    filters[name].push_back(value);
  }
  return filters;
}

Checked<void> sort_by_query(const Call& call, const Resource& resource,
                            std::vector<Json>& objects) {
  auto keys = call.queries("sort_key");
  const auto directions = call.queries("sort_dir");
  if (keys.size() != directions.size()) {
    return refuse(bad_request("The number of sort_keys and sort_dirs must be same"));
  }
  for (const std::string& key : keys) {
    if (!is_filter(resource, key)) {
      return refuse(bad_request("['" + key + "'] is invalid attribute for sort_keys"));
    }
  }
  keys.push_back("id");
  std::sort(objects.begin(), objects.end(), [&](const Json& left, const Json& right) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const Json& a = member(left, keys[i]);
      const Json& b = member(right, keys[i]);
      if (a == b) continue;
      const bool descending = i < directions.size() && directions[i] == "desc";
      return descending ? b < a : a < b;
    }
    return false;
  });
  return {};
}

struct Page {
  std::size_t limit = 0;  ///< 0: everything.
  bool reverse = false;
};

std::string link_to(const Call& call, const std::string& marker, bool reverse) {
  std::string url = call.base() + call.path;
  char separator = '?';
  const auto add = [&](const std::string& name, const std::string& value) {
    url += separator + percent_encode(name) + "=" + percent_encode(value);
    separator = '&';
  };
  for (const auto& [name, value] : call.http.query) {
    if (name != "marker" && name != "page_reverse") add(name, value);
  }
  if (!marker.empty()) add("marker", marker);
  if (reverse) add("page_reverse", "True");
  return url;
}

Checked<Page> cut_page(const Call& call, const Resource& resource, std::vector<Json>& objects) {
  Page page;
  const std::string limit = call.query("limit").value_or("0");
  if (limit.empty() || limit.size() > 9 ||
      limit.find_first_not_of("0123456789") != std::string::npos) {
    return refuse(error_answer(
        400, "BadRequest",
        "Bad limit request: Limit must be an integer 0 or greater and not '" + limit + "'."));
  }
  page.limit = std::stoul(limit);
  const std::string reverse = call.query("page_reverse").value_or("");
  page.reverse = reverse == "True" || reverse == "true" || reverse == "1";
  if (const auto marker = call.query("marker")) {
    if (auto known = visible(call, resource, *marker); !known) return refuse(known.error());
    const auto at = std::find_if(objects.begin(), objects.end(), [&](const Json& object) {
      return string_member(object, "id") == *marker;
    });
    if (page.reverse) {
      objects.erase(at, objects.end());
    } else if (at != objects.end()) {
      objects.erase(objects.begin(), at + 1);
    }
  }
  if (page.limit > 0 && objects.size() > page.limit) {
    const auto kept = static_cast<std::ptrdiff_t>(page.limit);
    if (page.reverse) {
      objects.erase(objects.begin(), objects.end() - kept);
    } else {
      objects.erase(objects.begin() + kept, objects.end());
    }
  }
  return page;
}

Json links_of(const Call& call, const Page& page, const std::vector<Json>& objects) {
  Json links = Json::array();
  const bool is_short = objects.size() < page.limit;
  const auto id = [](const Json& object) { return string_member(object, "id"); };
  if (!(is_short && !page.reverse)) {
    const std::string marker = objects.empty() ? "" : id(objects.back());
    links.push_back({{"rel", "next"}, {"href", link_to(call, marker, false)}});
  }
  if (!(is_short && page.reverse)) {
    const std::string marker = objects.empty() ? "" : id(objects.front());
    links.push_back({{"rel", "previous"}, {"href", link_to(call, marker, true)}});
  }
  return links;
}

/// Only the fields asked for. A client that asks for none that exist (the stock one sends a Python
/// tuple as text) is given everything.
Json only_fields(Json object, const std::vector<std::string>& fields) {
  Json chosen = Json::object();
  for (const std::string& field : fields) {
    if (object.contains(field)) chosen[field] = object[field];
  }
  return chosen.empty() ? object : chosen;
}

/// What the caller may see, read as narrowly as the filters allow.
std::vector<const Json*> candidates(const Call& call, const Resource& resource,
                                    const std::map<std::string, std::vector<std::string>>& by) {
  for (const char* field :
       {"id", "network_id", "device_id", "port_id", "security_group_id", "project_id"}) {
    const auto filter = by.find(field);
    if (filter != by.end() && filter->second.size() == 1) {
      return call.cloud.where(resource.kind, field, filter->second.front());
    }
  }
  if (!call.who.is_admin() && !resource.shared) {
    return call.cloud.where(resource.kind, "project_id", call.who.project_id);
  }
  return call.cloud.all(resource.kind);
}

}  // namespace

ServerResponse list(Call& call, const Resource& resource) {
  if (resource.kind == kGroup && !call.who.project_id.empty()) {
    default_group(call.cloud, call.who.project_id);
  }
  const auto filters = read_filters(call, resource);
  if (!filters) return filters.error();
  std::vector<Json> objects;
  for (const Json* object : candidates(call, resource, *filters)) {
    const bool may_see = call.who.owns(string_member(*object, "project_id")) ||
                         (resource.shared && resource.shared(*object));
    if (!may_see || !has_tags(call, *object)) continue;
    Json each = shown(call, resource, *object);
    const bool fits = std::all_of(filters->begin(), filters->end(), [&](const auto& filter) {
      return std::any_of(
          filter.second.begin(), filter.second.end(),
          [&](const std::string& wanted) { return holds(member(each, filter.first), wanted); });
    });
    if (fits) objects.push_back(std::move(each));
  }
  if (auto sorted = sort_by_query(call, resource, objects); !sorted) return sorted.error();
  const auto page = cut_page(call, resource, objects);
  if (!page) return page.error();

  Json answer = Json::object();
  if (page->limit > 0) answer[resource.collection + "_links"] = links_of(call, *page, objects);
  Json& list = answer[resource.collection] = Json::array();
  const auto fields = call.queries("fields");
  for (Json& object : objects) {
    list.push_back(fields.empty() ? std::move(object) : only_fields(std::move(object), fields));
  }
  return json_answer(200, answer);
}

}  // namespace bailey::devcloud::network
