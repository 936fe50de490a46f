#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/image.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace bailey::devcloud::image {

namespace {

constexpr std::size_t kUsualLimit = 25;
constexpr std::size_t kMostLimit = 1000;
constexpr std::array<std::string_view, 8> kSortKeys = {
    "name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at"};

struct Query {
  std::size_t limit = kUsualLimit;
  std::string marker;
  std::string visibility;  ///< Empty: all that belong into a list.
  bool hidden = false;
  std::string member_status = "accepted";
  std::vector<std::string> tags;
  std::vector<std::pair<std::string, std::string>> filters;
  std::vector<std::pair<std::string, bool>> sort;  ///< Key, upwards.
};

Checked<bool> read_sort(const Call& call, Query& query) {
  std::vector<std::string> keys = call.queries("sort_key");
  const std::vector<std::string> directions = call.queries("sort_dir");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t which = directions.size() == 1 ? 0 : i;
    query.sort.emplace_back(keys[i], which < directions.size() && directions[which] == "asc");
  }
  if (const auto sort = call.query("sort")) {
    for (const std::string& one : split(*sort, ',')) {
      const std::vector<std::string> parts = split(one, ':');
      query.sort.emplace_back(parts[0], parts.size() > 1 && parts[1] == "asc");
    }
  }
  for (const auto& [key, upwards] : query.sort) {
    if (std::find(kSortKeys.begin(), kSortKeys.end(), key) != kSortKeys.end()) continue;
    return refuse(error_answer(call, 400,
                               "Invalid sort key: " + key + ". It must be one of the following: " +
                                   join({kSortKeys.begin(), kSortKeys.end()}, ", ") + "."));
  }
  if (query.sort.empty()) {
    query.sort.emplace_back("created_at", !directions.empty() && directions[0] == "asc");
  }
  return true;
}

Checked<bool> read_limit(const Call& call, const std::string& text, Query& query) {
  long limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size()) {
    return refuse(error_answer(call, 400, "limit param must be an integer"));
  }
  if (limit < 0) return refuse(error_answer(call, 400, "limit param must be positive"));
  query.limit = std::min(static_cast<std::size_t>(limit), kMostLimit);
  return true;
}

Checked<Query> read_query(const Call& call) {
  Query query;
  for (const auto& [name, value] : call.http.query) {
    if (name == "limit") {
      if (auto good = read_limit(call, value, query); !good) return refuse(good.error());
    } else if (name == "marker") {
      query.marker = value;
    } else if (name == "visibility") {
      static const std::vector<std::string> known = {"all", "public", "private", "community",
                                                     "shared"};
      if (std::find(known.begin(), known.end(), value) == known.end()) {
        return refuse(error_answer(call, 400, "Invalid visibility value: " + value));
      }
      query.visibility = value;
    } else if (name == "os_hidden") {
      query.hidden = value == "true" || value == "True";
    } else if (name == "member_status") {
      query.member_status = value;
    } else if (name == "tag") {
      query.tags.push_back(value);
    } else if (name != "sort" && name != "sort_key" && name != "sort_dir") {
      query.filters.emplace_back(name, value);
    }
  }
  if (auto good = read_sort(call, query); !good) return refuse(good.error());
  return query;
}

bool belongs_into_list(const Call& call, const Query& query, const Json& image) {
  const std::string visibility = string_member(image, "visibility");
  const bool wanted =
      query.visibility.empty() || query.visibility == "all" || query.visibility == visibility;
  if (!wanted || !may_see(call, image)) return false;
  const std::string owner = string_member(image, "owner");
  const bool own = !owner.empty() && owner == call.who.project_id;
  // Others' community images are shown only to those who look for them.
  if (visibility == "community" && query.visibility.empty() && !own) return false;
  if (visibility != "shared" || own || call.who.is_admin()) return true;
  const Json* membership =
      call.cloud.find(kMember, string_member(image, "id") + "/" + call.who.project_id);
  return membership != nullptr && (query.member_status == "all" ||
                                   string_member(*membership, "status") == query.member_status);
}

/// `in:a,b` for some attributes, and a plain value for all.
bool value_fits(const Json& value, const std::string& wanted) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (wanted.compare(0, 3, "in:") == 0) {
    for (const std::string& one : split(std::string_view(wanted).substr(3), ',')) {
      const bool quoted = one.size() > 1 && one.front() == '"' && one.back() == '"';
      if ((quoted ? one.substr(1, one.size() - 2) : one) == text) return true;
    }
    return false;
  }
  if (value.is_boolean()) {
    return value.get<bool>() == (wanted == "true" || wanted == "True" || wanted == "1");
  }
  return text == wanted;
}

/// `created_at=gt:2026-...`
bool time_fits(const std::string& value, const std::string& wanted) {
  const std::size_t colon = wanted.find(':');
  const std::string operation = wanted.substr(0, colon);
  if (colon == std::string::npos) return value == wanted;
  const std::string limit = wanted.substr(colon + 1);
  if (operation == "gt") return value > limit;
  if (operation == "gte") return value >= limit;
  if (operation == "lt") return value < limit;
  if (operation == "lte") return value <= limit;
  if (operation == "eq") return value == limit;
  if (operation == "neq") return value != limit;
  return value == wanted;
}

bool fits(const Query& query, const Json& image) {
  if ((member(image, "os_hidden") == true) != query.hidden) return false;
  const std::vector<std::string> tags = strings_member(image, "tags");
  for (const std::string& tag : query.tags) {
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) return false;
  }
  for (const auto& [name, wanted] : query.filters) {
    if (name == "size_min" || name == "size_max") {
      if (!member(image, "size").is_number()) return false;
      const auto limit = static_cast<std::int64_t>(std::strtoll(wanted.c_str(), nullptr, 10));
      const auto size = member(image, "size").get<std::int64_t>();
      if (name == "size_min" ? size < limit : size > limit) return false;
      continue;
    }
    if (name == "created_at" || name == "updated_at") {
      if (!time_fits(string_member(image, name), wanted)) return false;
      continue;
    }
    const Json& value =
        is_base_attribute(name) ? member(image, name) : member(member(image, "_properties"), name);
    if (value.is_null() || !value_fits(value, wanted)) return false;
  }
  return true;
}

/// The query without its marker, as the links repeat it.
std::string repeated(const Call& call) {
  std::vector<std::string> parameters;
  for (const auto& [name, value] : call.http.query) {
    if (name != "marker") parameters.push_back(percent_encode(name) + "=" + percent_encode(value));
  }
  return join(parameters, "&");
}

ServerResponse list(Call& call) {
  const auto query = read_query(call);
  if (!query) return query.error();
  std::vector<const Json*> images;
  // From newest to oldest, so that a stable sort by time keeps that order within one second.
  std::vector<const Json*> all = call.cloud.all(kImage);
  std::reverse(all.begin(), all.end());
  for (const Json* image : all) {
    if (belongs_into_list(call, *query, *image) && fits(*query, *image)) images.push_back(image);
  }
  std::stable_sort(images.begin(), images.end(), [&](const Json* left, const Json* right) {
    for (const auto& [key, upwards] : query->sort) {
      const Json& a = member(*left, key);
      const Json& b = member(*right, key);
      if (a != b) return upwards ? a < b : b < a;
    }
    return false;
  });
  std::size_t from = 0;
  if (!query->marker.empty()) {
    const auto found = std::find_if(images.begin(), images.end(), [&](const Json* image) {
      return string_member(*image, "id") == query->marker;
    });
    if (found == images.end()) {
      return error_answer(call, 400, "No image found with ID " + query->marker);
    }
    from = static_cast<std::size_t>(found - images.begin()) + 1;
  }
  Json shown = Json::array();
  for (std::size_t i = from; i < images.size() && shown.size() < query->limit; ++i) {
    shown.push_back(shown_image(*images[i]));
  }
  const std::string parameters = repeated(call);
  Json body = {{"images", shown},
               {"first", "/v2/images" + (parameters.empty() ? "" : "?" + parameters)},
               {"schema", "/v2/schemas/images"}};
  if (!shown.empty() && shown.size() == query->limit) {
    body["next"] = "/v2/images?" + (parameters.empty() ? "" : parameters + "&") +
                   "marker=" + string_member(shown.back(), "id");
  }
  return json_answer(200, body);
}

}  // namespace

void add_image_lists(Router& router) {
  router.add("image", "GET", "/v2/images", Access::signed_in(), list);
}

}  // namespace bailey::devcloud::image
