#include "providers/devcloud/volume.hpp"

#include "orchestrator/base/text.hpp"
#include "providers/devcloud/services.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

namespace bailey::devcloud {

namespace volume {

namespace {

constexpr std::string_view kService = "volumev3";

Json versions_of(const Call& call) {
  const Json link = {{"rel", "self"}, {"href", call.base() + "/v3/"}};
  const Json docs = {
      {"rel", "describedby"}, {"type", "text/html"}, {"href", "https://docs.openstack.org/"}};
  const Json media = {{"base", "application/json"},
                      {"type", "application/vnd.openstack.volume+json;version=3"}};
  return {{"versions", Json::array({{{"id", "v3.0"},
                                     {"status", "CURRENT"},
                                     {"version", fmt::format("3.{}", kLatest)},
                                     {"min_version", "3.0"},
                                     {"updated", "2022-08-31T00:00:00Z"},
                                     {"links", Json::array({docs, link})},
                                     {"media-types", Json::array({media})}}})}};
}

void add_version_headers(ServerResponse& response, const std::string& version) {
  response.headers.emplace_back("OpenStack-API-Version", "volume " + version);
  response.headers.emplace_back("Vary", "OpenStack-API-Version");
}

ServerResponse show_versions(const Call& call, int status) {
  ServerResponse response = json_answer(status, versions_of(call));
  add_version_headers(response, "3.0");
  return response;
}

struct AskedVersion {
  std::string text;  ///< For the headers; empty when it was none of Cinder's.
  int minor = 0;
  std::optional<ServerResponse> refusal;
};

AskedVersion read_version(const Call& call) {
  AskedVersion asked{.text = "3.0", .minor = 0, .refusal = {}};
  std::string text;
  for (const std::string& one :
       split(call.http.header("openstack-api-version").value_or(""), ',')) {
    const std::string_view entry = trim(one);
    if (entry.compare(0, 7, "volume ") == 0) text = trim(entry.substr(7));
  }
  if (text.empty()) return asked;
  if (text == "latest") {
    return {.text = fmt::format("3.{}", kLatest), .minor = kLatest, .refusal = {}};
  }
  const std::vector<std::string> numbers = split(text, '.');
  const auto number = [](const std::string& digits, int& into) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return error == std::errc() && end == digits.data() + digits.size() && into >= 0;
  };
  int major = 0;
  asked.text.clear();
  if (numbers.size() != 2 || !number(numbers[0], major) || !number(numbers[1], asked.minor)) {
    asked.refusal =
        fault_answer(400, "API Version String " + text +
                              " is of invalid format. Must be of format MajorNum.MinorNum.");
    return asked;
  }
  if (major == 3) asked.text = text;
  if (major != 3 || asked.minor > kLatest) {
    asked.refusal = fault_answer(406, fmt::format("Version {} is not supported by the API. Minimum "
                                                  "is 3.0 and maximum is 3.{}.",
                                                  text, kLatest));
  }
  return asked;
}

ServerResponse with_version(const Call& call, ServerResponse response) {
  const AskedVersion asked = read_version(call);
  if (asked.refusal) response = *asked.refusal;
  if (!asked.text.empty()) add_version_headers(response, asked.text);
  return response;
}

ServerResponse unknown_path(const Call& call) {
  const bool guarded = call.path.compare(0, 4, "/v3/") == 0;
  if (guarded && !call.http.header("x-auth-token")) return unauthenticated_answer(call.cloud);
  return no_page_answer(call);
}

ServerResponse refuse_call(const Call& call, Refusal refusal, const std::string& detail) {
  switch (refusal) {
    case Refusal::Unauthenticated:
      return unauthenticated_answer(call.cloud);
    case Refusal::Forbidden:
      return with_version(call, forbidden_by(detail));
    case Refusal::NotJson:
      return with_version(call, fault_answer(400, "Malformed request body"));
    case Refusal::UnknownPath:
    case Refusal::MethodNotAllowed:
      return unknown_path(call);
    case Refusal::TooManyRequests:
      return fault_answer(429, "Too many requests.");
    case Refusal::ServiceUnavailable:
      return fault_answer(503, "The server is currently unavailable.");
    case Refusal::InternalServerError:
      break;
  }
  return fault_answer(500,
                      "The server has either erred or is incapable of performing the "
                      "requested operation.");
}

ServerResponse run(Call& call, const std::string& admin_rule, const VolumeHandler& handler) {
  const AskedVersion asked = read_version(call);
  ServerResponse response;
  const auto project = call.parts.find("project");
  if (asked.refusal) {
    response = *asked.refusal;
  } else if (project != call.parts.end() && project->second != call.who.project_id) {
    response = fault_answer(400, "Malformed request url");
  } else if (!admin_rule.empty() && !call.who.is_admin()) {
    response = forbidden_by(admin_rule);
  } else {
    Request request{.call = call, .version = asked.minor};
    response = handler(request);
  }
  if (!asked.text.empty()) add_version_headers(response, asked.text);
  return response;
}

/// What tools ask for in passing and the embedded cloud has none of.
void add_empty_lists(Router& router) {
  const std::pair<const char*, const char*> lists[] = {{"/snapshots", "snapshots"},
                                                       {"/snapshots/detail", "snapshots"},
                                                       {"/backups", "backups"},
                                                       {"/backups/detail", "backups"},
                                                       {"/groups", "groups"},
                                                       {"/groups/detail", "groups"},
                                                       {"/messages", "messages"},
                                                       {"/os-volume-transfer", "transfers"},
                                                       {"/volume-transfers", "transfers"}};
  for (const auto& [path, name] : lists) {
    add_route(router, "GET", path, "", [name = std::string(name)](Request&) {
      return json_answer(200, {{name, Json::array()}});
    });
  }
  add_route(router, "GET", "/os-availability-zone", "", [](Request&) {
    return json_answer(
        200, {{"availabilityZoneInfo",
               Json::array({{{"zoneName", "nova"}, {"zoneState", {{"available", true}}}}})}});
  });
}

}  // namespace

void add_route(Router& router, const std::string& method, const std::string& path,
               const std::string& admin_rule, VolumeHandler handler) {
  for (const char* prefix : {"/v3/{project}", "/v3"}) {
    router.add(kService, method, prefix + path, Access::signed_in(),
               [admin_rule, handler](Call& call) { return run(call, admin_rule, handler); });
  }
}

ServerResponse fault_answer(int status, const std::string& message) {
  return json_answer(status,
                     {{std::string(fault_name(status)), {{"code", status}, {"message", message}}}});
}

ServerResponse forbidden_by(std::string_view rule) {
  return fault_answer(403, fmt::format("Policy doesn't allow {} to be performed.", rule));
}

ServerResponse malformed() {
  return fault_answer(400,
                      "The server could not comply with the request since it is either malformed "
                      "or otherwise incorrect.");
}

ServerResponse invalid_volume(const std::string& reason) {
  return fault_answer(400, "Invalid volume: " + reason);
}

ServerResponse not_found(std::string_view id) {
  return fault_answer(404, fmt::format("Volume {} could not be found.", id));
}

ServerResponse over_limit(const std::string& message) {
  ServerResponse response =
      json_answer(413, {{"overLimit", {{"code", 413}, {"message", message}, {"retryAfter", "0"}}}});
  response.headers.emplace_back("Retry-After", "0");
  return response;
}

ServerResponse empty(int status) {
  return text_answer(status, "text/html; charset=UTF-8", "");
}

Checked<OrderedJson> read_body(const Request& request, const OrderedJson& schema) {
  OrderedJson body = parse_ordered(request.call.http.body);
  if (!body.is_object()) return refuse(fault_answer(400, "Malformed request body"));
  const auto wrong = check_schema(schema, body);
  if (!wrong) return body;
  if (wrong->path.empty()) return refuse(fault_answer(400, wrong->message));
  return refuse(
      fault_answer(400, fmt::format("Invalid input for field/attribute {}. Value: {}. {}",
                                    wrong->path.back(), python_str(wrong->value), wrong->message)));
}

std::string now_text(const Cloud& cloud) {
  std::string text = time_in_microseconds(cloud.clock().wall_now());
  text.pop_back();
  return text;
}

std::int64_t now_ms(const Cloud& cloud) {
  return cloud.clock().wall_now().time_since_epoch().count();
}

}  // namespace volume

void add_volume(Router& router, Cloud& cloud) {
  using namespace volume;
  router.add_service({.type = std::string(kService),
                      .name = "cinderv3",
                      .prefixes = {"/volume"},
                      .refuse = refuse_call});
  router.before_each(settle_volumes);
  router.add(kService, "GET", "/", Access::anyone(),
             [](Call& call) { return show_versions(call, 300); });
  router.add(kService, "GET", "/v3/", Access::signed_in(),
             [](Call& call) { return show_versions(call, 200); });
  router.add(kService, "GET", "/v3", Access::signed_in(), [](Call& call) {
    ServerResponse response = empty_answer(302);
    response.headers.emplace_back("Location", call.base() + "/v3/");
    return response;
  });
  add_types(router, cloud);
  add_volumes(router);
  add_volume_lists(router);
  add_volume_metadata(router);
  add_volume_actions(router);
  add_quotas(router);
  add_empty_lists(router);
}

}  // namespace bailey::devcloud
