#include "providers/devcloud/object.hpp"

#include "orchestrator/base/text.hpp"
#include "providers/devcloud/services.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace bailey::devcloud {

namespace object {

namespace {

constexpr std::string_view kType = "object-store";
constexpr std::string_view kPrefix = "AUTH_";
constexpr std::size_t kLongestPage = 10000;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : static_cast<char>(byte);
  });
  return result;
}

/// `x-container-meta-color` as Swift shows it: `X-Container-Meta-Color`.
std::string title(std::string text) {
  bool first = true;
  for (char& byte : text) {
    if (first && byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 32);
    first = byte == '-';
  }
  return text;
}

bool is_operator(const Call& call) {
  const std::string& account = call.part("account");
  const bool own = account.compare(0, kPrefix.size(), kPrefix) == 0 &&
                   !call.who.project_id.empty() &&
                   account.substr(kPrefix.size()) == call.who.project_id;
  return own && (call.who.has("admin") || call.who.has("member"));
}

bool wants_json(const Call& call) {
  if (const auto format = call.query("format")) return *format == "json";
  return call.http.header("accept").value_or("").find("application/json") != std::string::npos;
}

ServerResponse refuse_call(const Call& call, Refusal refusal, const std::string&) {
  switch (refusal) {
    case Refusal::Unauthenticated: {
      ServerResponse response = page(401);
      const auto account = call.path.find(kPrefix);
      const std::string realm =
          account == std::string::npos
              ? "unknown"
              : call.path.substr(account, call.path.find('/', account) - account);
      response.headers.emplace_back("Www-Authenticate", "Swift realm=\"" + realm + "\"");
      return response;
    }
    case Refusal::Forbidden:
      return page(403);
    case Refusal::NotJson:
      return text_page(400, "Invalid JSON");
    case Refusal::UnknownPath:
      return page(404);
    case Refusal::MethodNotAllowed:
      return page(405);
    case Refusal::TooManyRequests:
      return page(429);
    case Refusal::ServiceUnavailable:
      return page(503);
    case Refusal::InternalServerError:
      break;
  }
  return page(500);
}

ServerResponse show_limits(Call&) {
  return json_answer(200, {{"swift",
                            {{"account_listing_limit", kLongestPage},
                             {"container_listing_limit", kLongestPage},
                             {"max_container_name_length", 256},
                             {"max_file_size", 1024 * 1024},
                             {"max_meta_name_length", 128},
                             {"max_meta_value_length", 256},
                             {"max_object_name_length", 1024}}}});
}

Json account_metadata(const Call& call) {
  const Json* known = call.cloud.find(kAccount, call.who.project_id);
  return known == nullptr ? Json::object() : member(*known, "metadata");
}

ServerResponse show_account(Call& call) {
  std::vector<Row> rows;
  std::int64_t objects = 0;
  std::int64_t bytes = 0;
  for (const Json* container : call.cloud.where(kContainer, "project_id", call.who.project_id)) {
    std::int64_t count = 0;
    std::int64_t size = 0;
    for (const Json* one :
         call.cloud.where(kObject, "container", string_member(*container, "id"))) {
      ++count;
      size += (*one)["bytes"].get<std::int64_t>();
    }
    objects += count;
    bytes += size;
    const auto modified = (*container)["modified"].get<std::int64_t>();
    std::string time = time_in_microseconds(WallTime(std::chrono::milliseconds(modified)));
    time.pop_back();
    const std::string name = string_member(*container, "name");
    rows.push_back(
        {.name = name,
         .shown = {{"name", name}, {"count", count}, {"bytes", size}, {"last_modified", time}}});
  }
  const std::size_t containers = rows.size();
  ServerResponse response =
      call.http.method == "HEAD" ? text_page(204, "") : listing(call, std::move(rows));
  if (response.status >= 400) return response;
  response.headers.emplace_back("X-Account-Container-Count", std::to_string(containers));
  response.headers.emplace_back("X-Account-Object-Count", std::to_string(objects));
  response.headers.emplace_back("X-Account-Bytes-Used", std::to_string(bytes));
  add_metadata(response, account_metadata(call));
  return response;
}

ServerResponse change_account(Call& call) {
  Json metadata = account_metadata(call);
  take_metadata(call, "account", {}, metadata);
  call.cloud.put(kAccount, call.who.project_id,
                 {{"id", call.who.project_id}, {"metadata", metadata}});
  return text_page(204, "");
}

}  // namespace

void add_route(Router& router, const std::string& method, const std::string& path,
               Handler handler) {
  router.add(kType, method, "/v1/{account}" + path, Access::signed_in(),
             [handler = std::move(handler)](Call& call) {
               ServerResponse response = is_operator(call) ? handler(call) : page(403);
               response.headers.emplace_back("X-Trans-Id", "tx" + call.cloud.new_hex_id());
               return response;
             });
}

ServerResponse text_page(int status, const std::string& text) {
  return text_answer(status, "text/html; charset=UTF-8", text);
}

ServerResponse page(int status) {
  struct Words {
    int status;
    const char* title;
    const char* text;
  };
  constexpr std::array<Words, 7> kWords = {{
      {401, "Unauthorized",
       "This server could not verify that you are authorized to access the document you "
       "requested."},
      {403, "Forbidden", "Access was denied to this resource."},
      {404, "Not Found", "The resource could not be found."},
      {405, "Method Not Allowed", "The method is not allowed for this resource."},
      {409, "Conflict", "There was a conflict when trying to complete your request."},
      {422, "Unprocessable Entity", "Unable to process the contained instructions"},
      {503, "Service Unavailable",
       "The server is currently unavailable. Please try again at a "
       "later time."},
  }};
  for (const Words& words : kWords) {
    if (words.status != status) continue;
    return text_page(status,
                     fmt::format("<html><h1>{}</h1><p>{}</p></html>", words.title, words.text));
  }
  return text_page(status, "");
}

std::int64_t now_ms(const Cloud& cloud) {
  return cloud.clock().wall_now().time_since_epoch().count();
}

std::string id_of(const Call& call) {
  return call.who.project_id + "/" + call.part("container");
}

void take_metadata(const Call& call, const std::string& kind,
                   const std::vector<std::string>& others, Json& metadata) {
  const std::string own = "x-" + kind + "-meta-";
  const std::string remove = "x-remove-" + kind + "-meta-";
  for (const auto& [given, value] : call.http.headers) {
    const std::string name = lower(given);
    if (name.compare(0, remove.size(), remove) == 0) {
      metadata.erase(own + name.substr(remove.size()));
      continue;
    }
    const bool taken = (name.compare(0, own.size(), own) == 0 && name.size() > own.size()) ||
                       std::find(others.begin(), others.end(), name) != others.end();
    if (!taken) continue;
    if (value.empty()) {
      metadata.erase(name);
    } else {
      metadata[name] = value;
    }
  }
}

void add_metadata(ServerResponse& response, const Json& metadata) {
  for (const auto& [name, value] : metadata.items()) {
    response.headers.emplace_back(title(name), value.get<std::string>());
  }
}

void add_times(ServerResponse& response, std::int64_t modified) {
  response.headers.emplace_back("X-Timestamp",
                                fmt::format("{}.{:03}00", modified / 1000, modified % 1000));
  const auto seconds = static_cast<std::time_t>(modified / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  response.headers.emplace_back("Last-Modified", text.data());
}

ServerResponse listing(const Call& call, std::vector<Row> rows) {
  std::size_t limit = kLongestPage;
  if (const auto text = call.query("limit"); text && !text->empty()) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
    if (error != std::errc() || end != text->data() + text->size()) limit = kLongestPage;
    if (limit > kLongestPage) return text_page(412, "Maximum limit is 10000");
  }
  const std::string prefix = call.query("prefix").value_or("");
  const std::string marker = call.query("marker").value_or("");
  const std::string end_marker = call.query("end_marker").value_or("");
  const std::string delimiter = call.query("delimiter").value_or("");
  std::sort(rows.begin(), rows.end(),
            [](const Row& left, const Row& right) { return left.name < right.name; });
  Json shown = Json::array();
  std::string names;
  std::string folder;
  for (Row& row : rows) {
    if (shown.size() >= limit) break;
    if (row.name.compare(0, prefix.size(), prefix) != 0 || row.name <= marker) continue;
    if (!end_marker.empty() && row.name >= end_marker) continue;
    const auto cut =
        delimiter.empty() ? std::string::npos : row.name.find(delimiter, prefix.size());
    if (cut != std::string::npos) {
      const std::string whole = row.name.substr(0, cut + delimiter.size());
      if (whole == folder || whole <= marker) continue;
      folder = whole;
      row = {.name = whole, .shown = {{"subdir", whole}}};
    }
    names += row.name + "\n";
    shown.push_back(std::move(row.shown));
  }
  if (wants_json(call)) {
    return text_answer(200, "application/json; charset=utf-8", shown.dump());
  }
  return text_answer(names.empty() ? 204 : 200, "text/plain; charset=utf-8", names);
}

}  // namespace object

void add_object(Router& router, Cloud&) {
  using namespace object;
  router.add_service({.type = std::string(kType),
                      .name = "swift",
                      .prefixes = {"/object-store"},
                      .answers_head = true,
                      .ignores_last_slash = true,
                      .bodies_are_json = false,
                      .refuse = refuse_call});
  router.add(kType, "GET", "/info", Access::anyone(), show_limits);
  add_route(router, "GET", "", show_account);
  add_route(router, "POST", "", change_account);
  add_containers(router);
  add_objects(router);
}

}  // namespace bailey::devcloud
