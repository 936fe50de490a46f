#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/volume.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

namespace bailey::devcloud::volume {

namespace {

constexpr std::size_t kLongestPage = 1000;

bool is_control(std::string_view name) {
  static const std::set<std::string, std::less<>> names = {
      "limit", "marker", "offset", "sort", "sort_key", "sort_dir", "all_tenants", "with_count"};
  return names.count(name) > 0;
}

bool is_filter(std::string_view name, bool admin) {
  static const std::set<std::string, std::less<>> names = {
      "name",       "status",           "metadata",          "bootable",
      "group_id",   "migration_status", "availability_zone", "size",
      "created_at", "updated_at",       "consumes_quota"};
  static const std::set<std::string, std::less<>> for_admins = {"project_id", "user_id", "id",
                                                                "host"};
  return names.count(name) > 0 || (admin && for_admins.count(name) > 0);
}

bool flag(const Request& request, const char* name) {
  const std::string value = request.call.query(name).value_or("");
  return value == "1" || value == "true" || value == "True";
}

/// `{"k": "v"}`, or Python's spelling of the same.
Json read_pairs(std::string text) {
  if (text.find('"') == std::string::npos) std::replace(text.begin(), text.end(), '\'', '"');
  auto pairs = parse_json(text);
  return pairs && pairs->is_object() ? std::move(*pairs) : Json::object();
}

bool fits(const Json& volume, const std::string& name, const std::string& wanted) {
  if (name == "metadata") {
    const Json pairs = read_pairs(wanted);
    return std::all_of(pairs.items().begin(), pairs.items().end(), [&](const auto& pair) {
      return member(volume["metadata"], pair.key()) == pair.value();
    });
  }
  if (name == "availability_zone") return wanted == "nova";
  const Json& value = member(volume, name);
  if (value.is_string()) return value == wanted;
  if (value.is_boolean()) return value.get<bool>() == (wanted == "true" || wanted == "True");
  return value.is_null() ? wanted.empty() : value.dump() == wanted;
}

Checked<void> check_filters(const Request& request) {
  std::string unknown;
  for (const auto& [name, value] : request.call.http.query) {
    if (is_control(name) || is_filter(name, request.who().is_admin())) continue;
    unknown += (unknown.empty() ? "" : ",") + name;
  }
  // Old versions overlook what they do not know.
  if (unknown.empty() || request.version < 31) return {};
  return refuse(fault_answer(400, "Invalid filters " + unknown + " are found in query options."));
}

Checked<std::size_t> read_number(const Request& request, const char* name, std::size_t otherwise) {
  const auto text = request.call.query(name);
  if (!text) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) {
    return refuse(fault_answer(400, std::string(name) + " param must be an integer"));
  }
  if (number < 0) return refuse(fault_answer(400, std::string(name) + " param must be positive"));
  return static_cast<std::size_t>(number);
}

struct SortKey {
  std::string name;
  bool descending = true;
};

Checked<std::vector<SortKey>> read_sort(const Request& request) {
  static const std::set<std::string> known = {"id",         "name",     "size",
                                              "status",     "host",     "created_at",
                                              "updated_at", "bootable", "availability_zone",
                                              "project_id", "user_id"};
  std::vector<SortKey> keys;
  if (const auto sort = request.call.query("sort")) {
    for (const std::string& one : split(*sort, ',')) {
      const auto colon = one.find(':');
      keys.push_back({.name = one.substr(0, colon),
                      .descending = colon == std::string::npos || one.substr(colon) != ":asc"});
    }
  } else if (const auto key = request.call.query("sort_key")) {
    keys.push_back(
        {.name = *key, .descending = request.call.query("sort_dir").value_or("desc") != "asc"});
  }
  for (const SortKey& key : keys) {
    if (known.count(key.name) == 0) {
      return refuse(fault_answer(400, "Invalid input received: Invalid sort key"));
    }
  }
  return keys;
}

/// All that the caller may see and asks for, newest first unless it says how.
Checked<std::vector<const Json*>> matching(const Request& request) {
  if (auto known = check_filters(request); !known) return refuse(std::move(known.error()));
  const auto keys = read_sort(request);
  if (!keys) return refuse(keys.error());
  const bool everybodys = flag(request, "all_tenants") && request.who().is_admin();
  std::vector<const Json*> found =
      everybodys ? request.cloud().all(kVolume)
                 : request.cloud().where(kVolume, "project_id", request.who().project_id);
  std::reverse(found.begin(), found.end());
  const auto unwanted = [&](const Json* volume) {
    return std::any_of(request.call.http.query.begin(), request.call.http.query.end(),
                       [&](const auto& each) {
                         return is_filter(each.first, request.who().is_admin()) &&
                                !fits(*volume, each.first, each.second);
                       });
  };
  found.erase(std::remove_if(found.begin(), found.end(), unwanted), found.end());
  std::stable_sort(found.begin(), found.end(), [&](const Json* left, const Json* right) {
    for (const SortKey& key : *keys) {
      const Json& a = member(*left, key.name);
      const Json& b = member(*right, key.name);
      if (a != b) return key.descending ? b < a : a < b;
    }
    return false;
  });
  return found;
}

Json next_link(const Request& request, const std::string& marker) {
  std::string url = request.call.base() + request.call.path;
  char separator = '?';
  for (const auto& [name, value] : request.call.http.query) {
    if (name == "marker") continue;
    url += separator + percent_encode(name) + "=" + percent_encode(value);
    separator = '&';
  }
  return Json::array(
      {{{"rel", "next"}, {"href", url + separator + "marker=" + percent_encode(marker)}}});
}

ServerResponse list(Request& request, Detail detail) {
  const auto limit = read_number(request, "limit", kLongestPage);
  if (!limit) return limit.error();
  const auto offset = read_number(request, "offset", 0);
  if (!offset) return offset.error();
  const auto found = matching(request);
  if (!found) return found.error();
  auto from = found->begin();
  if (const auto marker = request.call.query("marker")) {
    from = std::find_if(found->begin(), found->end(), [&](const Json* volume) {
      return string_member(*volume, "id") == *marker;
    });
    if (from == found->end()) return not_found(*marker);
    ++from;
  }
  const auto left = static_cast<std::size_t>(found->end() - from);
  from += static_cast<std::ptrdiff_t>(std::min(*offset, left));
  Json body = Json::object();
  Json& shown = body["volumes"] = Json::array();
  const std::size_t page = std::min(*limit, kLongestPage);
  for (; from != found->end() && shown.size() < page; ++from) {
    shown.push_back(shown_volume(request, **from, detail));
  }
  if (page > 0 && shown.size() == page) {
    body["volumes_links"] = next_link(request, string_member(shown.back(), "id"));
  }
  if (request.version >= 45 && flag(request, "with_count")) body["count"] = found->size();
  return json_answer(200, body);
}

ServerResponse summary(Request& request) {
  const auto found = matching(request);
  if (!found) return found.error();
  std::int64_t gigabytes = 0;
  std::map<std::string, std::set<std::string>> metadata;
  for (const Json* volume : *found) {
    gigabytes += (*volume)["size"].get<std::int64_t>();
    for (const auto& [key, value] : (*volume)["metadata"].items()) {
      metadata[key].insert(value.get<std::string>());
    }
  }
  Json shown = {{"total_size", gigabytes}, {"total_count", found->size()}};
  if (request.version >= 36) shown["metadata"] = metadata;
  return json_answer(200, {{"volume-summary", shown}});
}

}  // namespace

void add_volume_lists(Router& router) {
  add_route(router, "GET", "/volumes", "",
            [](Request& request) { return list(request, Detail::Brief); });
  add_route(router, "GET", "/volumes/detail", "",
            [](Request& request) { return list(request, Detail::Full); });
  add_route(router, "GET", "/volumes/summary", "", summary);
}

}  // namespace bailey::devcloud::volume
