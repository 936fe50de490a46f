#include "providers/devcloud/compute.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/services.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace bailey::devcloud {

namespace compute {

namespace {

constexpr std::string_view kType = "compute";
constexpr std::string_view kFaultType = "application/json; charset=UTF-8";

Json link(const std::string& rel, const std::string& href) {
  return {{"rel", rel}, {"href", href}};
}

Json version_entry(const Call& call, bool latest) {
  const std::string path = latest ? "v2.1" : "v2";
  return {{"id", latest ? "v2.1" : "v2.0"},
          {"status", latest ? "CURRENT" : "SUPPORTED"},
          {"version", latest ? fmt::format("2.{}", kLatest) : ""},
          {"min_version", latest ? "2.1" : ""},
          {"updated", latest ? "2013-07-23T11:33:21Z" : "2011-01-21T11:33:21Z"},
          {"links", Json::array({link("self", call.base() + "/" + path + "/")})}};
}

ServerResponse show_versions(Call& call) {
  return json_answer(
      200, {{"versions", Json::array({version_entry(call, false), version_entry(call, true)})}});
}

ServerResponse show_version(const Call& call, bool latest) {
  Json entry = version_entry(call, latest);
  entry["links"].push_back(
      {{"rel", "describedby"}, {"type", "text/html"}, {"href", "http://docs.openstack.org/"}});
  entry["media-types"] =
      Json::array({{{"base", "application/json"},
                    {"type", std::string("application/vnd.openstack.compute+json;version=") +
                                 (latest ? "2.1" : "2")}}});
  return json_answer(200, {{"version", entry}});
}

ServerResponse unknown_path(const Call& call) {
  if (call.path.compare(0, 3, "/v2") == 0) {
    // The middleware in front of the routes asks for a token first.
    if (!call.http.header("x-auth-token")) return unauthenticated_answer(call.cloud);
    return no_page_answer(call);
  }
  Json choices = Json::array();
  for (const bool latest : {false, true}) {
    const std::string number = latest ? "2.1" : "2";
    choices.push_back(
        {{"id", latest ? "v2.1" : "v2.0"},
         {"status", latest ? "CURRENT" : "SUPPORTED"},
         {"links", Json::array({link("self", call.base() + "/v" + number + call.path)})},
         {"media-types",
          Json::array({{{"base", "application/json"},
                        {"type", "application/vnd.openstack.compute+json;version=" + number}}})}});
  }
  return json_answer(300, {{"choices", choices}});
}

/// The version as it was asked for: nothing means 2.1.
std::string asked_version(const Call& call) {
  if (const auto header = call.http.header("openstack-api-version")) {
    for (const std::string& one : split(*header, ',')) {
      const std::string_view entry = trim(one);
      if (entry.compare(0, 8, "compute ") == 0) return std::string(trim(entry.substr(8)));
    }
  }
  if (const auto header = call.http.header("x-openstack-nova-api-version")) {
    return std::string(trim(*header));
  }
  return "2.1";
}

void add_version_headers(ServerResponse& response, const std::string& version) {
  response.headers.emplace_back("OpenStack-API-Version", "compute " + version);
  response.headers.emplace_back("X-OpenStack-Nova-API-Version", version);
  response.headers.emplace_back("Vary", "OpenStack-API-Version, X-OpenStack-Nova-API-Version");
}

struct AskedVersion {
  std::string text;  ///< For the headers; empty when it was no version at all.
  int minor = 0;
  std::optional<ServerResponse> refusal;
};

AskedVersion read_version(const Call& call) {
  AskedVersion asked;
  const std::string text = asked_version(call);
  if (text == "latest")
    return {.text = fmt::format("2.{}", kLatest), .minor = kLatest, .refusal = {}};
  const std::vector<std::string> numbers = split(text, '.');
  int major = 0;
  const auto number = [](const std::string& digits, int& into) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return error == std::errc() && end == digits.data() + digits.size() && into >= 0;
  };
  if (numbers.size() != 2 || !number(numbers[0], major) || !number(numbers[1], asked.minor)) {
    asked.refusal = fault_answer(400, "API Version String " + text +
                                          " is of invalid format. Must be of format "
                                          "MajorNum.MinorNum.");
    return asked;
  }
  asked.text = text;
  if (major != 2 || asked.minor < 1 || asked.minor > kLatest) {
    asked.refusal = fault_answer(406, fmt::format("Version {} is not supported by the API. Minimum "
                                                  "is 2.1 and maximum is 2.{}.",
                                                  text, kLatest));
  }
  return asked;
}

ServerResponse refuse_call(const Call& call, Refusal refusal, const std::string& detail) {
  switch (refusal) {
    case Refusal::Unauthenticated:
      return unauthenticated_answer(call.cloud);
    case Refusal::Forbidden:
      return forbidden_by(detail);
    case Refusal::NotJson: {
      const AskedVersion asked = read_version(call);
      ServerResponse response =
          asked.refusal ? *asked.refusal : fault_answer(400, "Malformed request body");
      if (!asked.text.empty()) add_version_headers(response, asked.text);
      return response;
    }
    case Refusal::UnknownPath:
      return unknown_path(call);
    case Refusal::MethodNotAllowed:
      return call.http.method == "OPTIONS" ? empty_answer(200) : unknown_path(call);
    case Refusal::TooManyRequests:
      return fault_answer(429, "Too many requests.");
    case Refusal::ServiceUnavailable:
      return fault_answer(503, "Service is unavailable.");
    case Refusal::InternalServerError:
      break;
  }
  return fault_answer(500,
                      "Unexpected API Error. Please report this at "
                      "http://bugs.launchpad.net/nova/ and attach the Nova API log if possible.");
}

ServerResponse run(Call& call, const RouteOptions& options, const ComputeHandler& handler) {
  const AskedVersion asked = read_version(call);
  ServerResponse response;
  if (asked.refusal) {
    response = *asked.refusal;
  } else if (asked.minor < options.since) {
    response = fault_answer(404, "The resource could not be found.");
  } else if (!options.admin_rule.empty() && !call.who.is_admin()) {
    response = forbidden_by(options.admin_rule);
  } else {
    Request request{.call = call, .version = asked.minor};
    response = handler(request);
  }
  if (!asked.text.empty()) add_version_headers(response, asked.text);
  return response;
}

}  // namespace

void add_route(Router& router, const std::string& method, const std::string& path,
               RouteOptions options, ComputeHandler handler) {
  router.add(kType, method, "/v2.1" + path, Access::signed_in(),
             [options = std::move(options), handler = std::move(handler)](Call& call) {
               return run(call, options, handler);
             });
}

ServerResponse fault_answer(int status, const std::string& message) {
  const Json body = {{std::string(fault_name(status)), {{"code", status}, {"message", message}}}};
  return text_answer(status, std::string(kFaultType),
                     body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

ServerResponse forbidden_by(std::string_view rule) {
  return fault_answer(403, fmt::format("Policy doesn't allow {} to be performed.", rule));
}

ServerResponse answer(int status, const Json& body) {
  return json_answer(status, body);
}

ServerResponse empty(int status) {
  return text_answer(status, "application/json", "");
}

Checked<OrderedJson> read_body(const Request& request, const OrderedJson& schema) {
  if (request.call.body.is_null() && !request.call.http.body.empty()) {
    return refuse(fault_answer(400, "Malformed request body"));
  }
  OrderedJson body = request.ordered();
  if (!body.is_object()) return refuse(fault_answer(400, "Malformed request body"));
  const auto wrong = check_schema(schema, body);
  if (!wrong) return body;
  if (wrong->path.empty()) return refuse(fault_answer(400, wrong->message));
  return refuse(
      fault_answer(400, fmt::format("Invalid input for field/attribute {}. Value: {}. {}",
                                    wrong->path.back(), python_str(wrong->value), wrong->message)));
}

Checked<Page> read_query(const Request& request, const QueryRules& rules) {
  Page page;
  for (const auto& [name, value] : request.call.http.query) {
    const bool known = name == "limit" || name == "marker" ||
                       std::find(rules.known.begin(), rules.known.end(), name) != rules.known.end();
    if (!known && rules.by_regex && !name.empty() && name.front() == '_') continue;
    if (!known) {
      return refuse(fault_answer(
          400, rules.by_regex ? python_repr(name) + " does not match any of the regexes: '^_'"
                              : "Additional properties are not allowed (" + python_repr(name) +
                                    " was unexpected)"));
    }
    if (name == "marker") page.marker = value;
    if (name != "limit") continue;
    std::size_t limit = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
    if (!value.empty() && (error != std::errc() || end != value.data() + value.size())) {
      return refuse(fault_answer(400, "Invalid input for query parameters limit. Value: " + value +
                                          ". " + python_repr(value) +
                                          " does not match '^[0-9]*$'"));
    }
    if (limit > 0) page.limit = std::min<std::size_t>(limit, 1000);
  }
  return page;
}

Checked<Json> paged(const Request& request, const std::string& collection,
                    const std::vector<Json>& rows, const Page& page, std::string_view id_field) {
  std::size_t from = 0;
  const auto id_of = [&](const Json& row) {
    return string_member(row.contains("keypair") ? row["keypair"] : row, id_field);
  };
  if (!page.marker.empty()) {
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [&](const Json& row) { return id_of(row) == page.marker; });
    if (found == rows.end()) {
      return refuse(fault_answer(400, "marker [" + page.marker + "] not found"));
    }
    from = static_cast<std::size_t>(found - rows.begin()) + 1;
  }
  Json shown = Json::array();
  for (std::size_t i = from; i < rows.size() && shown.size() < page.limit; ++i) {
    shown.push_back(rows[i]);
  }
  const std::string plural = collection.substr(collection.rfind('-') + 1);
  Json body = {{plural, shown}};
  if (page.limit > 0 && shown.size() == page.limit) {
    std::vector<std::string> parameters;
    std::vector<std::pair<std::string, std::string>> query = request.call.http.query;
    std::stable_sort(query.begin(), query.end(),
                     [](const auto& left, const auto& right) { return left.first < right.first; });
    for (const auto& [name, value] : query) {
      if (name == "marker") continue;
      parameters.push_back(percent_encode(name) + "=" + percent_encode(value));
    }
    parameters.push_back("marker=" + percent_encode(id_of(shown.back())));
    const std::string path = request.call.path.substr(5);
    const bool detail = path.size() > 7 && path.compare(path.size() - 7, 7, "/detail") == 0;
    body[plural + "_links"] =
        Json::array({link("next", request.url("/" + collection + (detail ? "/detail" : "") + "?" +
                                              join(parameters, "&")))});
  }
  return body;
}

Json links_of(const Request& request, const std::string& collection, const std::string& id) {
  return Json::array({link("self", request.url("/" + collection + "/" + id)),
                      link("bookmark", request.call.base() + "/" + collection + "/" + id)});
}

bool truthy(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : static_cast<char>(byte);
  });
  return lower == "1" || lower == "t" || lower == "true" || lower == "on" || lower == "y" ||
         lower == "yes";
}

std::int64_t now_ms(const Cloud& cloud) {
  return cloud.clock().wall_now().time_since_epoch().count();
}

std::string time_of_ms(std::int64_t ms) {
  return time_in_seconds(WallTime(std::chrono::milliseconds(ms)));
}

std::string long_time_of_ms(std::int64_t ms) {
  const std::string text = time_in_microseconds(WallTime(std::chrono::milliseconds(ms)));
  return text.substr(0, text.size() - 1);
}

}  // namespace compute

void add_compute(Router& router, Cloud& cloud) {
  using namespace compute;
  router.add_service(
      {.type = "compute", .name = "nova", .prefixes = {"/compute"}, .refuse = refuse_call});
  router.before_each(settle_servers);
  router.add("compute", "GET", "/", Access::anyone(), show_versions);
  for (const char* path : {"/v2.1", "/v2.1/"}) {
    router.add("compute", "GET", path, Access::anyone(), [](Call& call) {
      ServerResponse response = show_version(call, true);
      add_version_headers(response, "2.1");
      return response;
    });
  }
  for (const char* path : {"/v2", "/v2/"}) {
    router.add("compute", "GET", path, Access::anyone(),
               [](Call& call) { return show_version(call, false); });
  }
  add_flavors(router, cloud);
  add_keypairs(router);
  add_servers(router);
  add_server_lists(router);
  add_server_parts(router);
  add_server_network(router);
  add_server_volumes(router);
  add_server_groups(router);
  add_actions(router);
  add_quotas(router);
  add_inventory(router);
}

}  // namespace bailey::devcloud
