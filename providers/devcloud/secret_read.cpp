#include "orchestrator/base/text.hpp"
#include "providers/devcloud/secret.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bailey::devcloud::secret {

namespace {

constexpr std::size_t kUsualLimit = 10;
constexpr std::size_t kMostLimit = 100;

ServerResponse payload_answer(const Call& call, const Json& secret, const std::string& accept) {
  const Json& sealed = member(secret, "payload");
  if (sealed.is_null()) {
    return error_answer(404, "Not Found. Sorry but your secret has no payload.");
  }
  const auto payload = call.cloud.unseal(sealed.get<std::string>());
  if (!payload) {
    return error_answer(500,
                        "Secret payload retrieval failure seen - please contact site "
                        "administrator.");
  }
  if (accept == "text/plain") return text_answer(200, "text/plain; charset=UTF-8", *payload);
  return text_answer(200, accept, *payload);
}

ServerResponse not_acceptable() {
  return json_answer(406, {{"code", 406}, {"title", "Not Acceptable"}, {"description", nullptr}});
}

std::string accepted(const Call& call) {
  const std::string accept = call.http.header("accept").value_or("");
  return std::string(trim(accept.substr(0, accept.find_first_of(",;"))));
}

ServerResponse show_payload(Call& call) {
  std::string accept = accepted(call);
  if (accept.empty()) accept = "application/octet-stream";
  const auto found = allowed_secret(call, Power::Decrypt, "Secret payload retrieval");
  if (!found) return found.error();
  if (accept == "application/json") {
    return error_answer(406, "Secret payload retrieval issue seen - Wrong payload content-type.");
  }
  if (accept != "text/plain" && accept != "application/octet-stream" && accept != "*/*") {
    return not_acceptable();
  }
  return payload_answer(call, **found, accept);
}

/// Its metadata, or for those who accept no JSON its payload.
ServerResponse show(Call& call) {
  const std::string accept = accepted(call);
  const bool plain = accept == "text/plain" || accept == "application/octet-stream";
  const auto found = allowed_secret(call, plain ? Power::Decrypt : Power::Read, "Secret retrieval");
  if (!found) return found.error();
  if (plain) return payload_answer(call, **found, accept);
  if (!accept.empty() && accept != "application/json" && accept != "*/*") return not_acceptable();
  return json_answer(200, shown_secret(call, **found));
}

std::size_t number_or(const Call& call, const char* name, std::size_t otherwise) {
  const auto text = call.query(name);
  if (!text) return otherwise;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc() && end == text->data() + text->size() ? number : otherwise;
}

/// `gt:2026-...,lte:2026-...`, or a time.
bool time_fits(const std::string& value, const std::string& wanted) {
  for (const std::string& one : split(wanted, ',')) {
    std::size_t colon = one.find(':');
    std::string operation = one.substr(0, colon);
    if (operation.size() > 3) {
      operation = "eq";
      colon = std::string::npos;
    }
    const std::string limit = colon == std::string::npos ? one : one.substr(colon + 1);
    const bool good = operation == "gt"    ? value > limit
                      : operation == "gte" ? value >= limit
                      : operation == "lt"  ? value < limit
                      : operation == "lte" ? value <= limit
                                           : value.substr(0, 19) == limit.substr(0, 19);
    if (!good) return false;
  }
  return true;
}

bool fits(const Call& call, const Json& secret) {
  static const std::vector<std::pair<const char*, const char*>> fields = {
      {"name", "name"}, {"alg", "algorithm"}, {"mode", "mode"}, {"secret_type", "secret_type"}};
  for (const auto& [parameter, field] : fields) {
    const auto wanted = call.query(parameter);
    if (wanted && !wanted->empty() && string_member(secret, field) != *wanted) return false;
  }
  if (call.query("bits")) {
    const std::size_t bits = number_or(call, "bits", 0);
    if (bits != 0 && member(secret, "bit_length") != bits) return false;
  }
  for (const char* field : {"created", "updated", "expiration"}) {
    const auto wanted = call.query(field);
    if (wanted && !time_fits(string_member(secret, field), *wanted)) return false;
  }
  return true;
}

Checked<bool> sort(const Call& call, std::vector<const Json*>& secrets) {
  static const std::vector<std::string> keys = {"algorithm",   "bit_length", "created",
                                                "expiration",  "mode",       "name",
                                                "secret_type", "status",     "updated"};
  const auto wanted = call.query("sort");
  if (!wanted || wanted->empty()) return true;
  std::vector<std::string> order = split(*wanted, ',');
  std::reverse(order.begin(), order.end());
  for (const std::string& one : order) {
    const std::vector<std::string> parts = split(one, ':');
    const bool known = std::find(keys.begin(), keys.end(), parts[0]) != keys.end();
    const bool direction = parts.size() == 1 || parts[1] == "asc" || parts[1] == "desc";
    if (!known || !direction) {
      return refuse(error_answer(400, "URI provided invalid query string parameters."));
    }
    const bool downwards = parts.size() > 1 && parts[1] == "desc";
    std::stable_sort(secrets.begin(), secrets.end(), [&](const Json* left, const Json* right) {
      const Json& a = member(*left, parts[0]);
      const Json& b = member(*right, parts[0]);
      return downwards ? b < a : a < b;
    });
  }
  return true;
}

ServerResponse list(Call& call) {
  const std::string accept = accepted(call);
  if (!accept.empty() && accept != "application/json" && accept != "*/*") return not_acceptable();
  if (call.who.project_id.empty()) {
    return error_answer(500,
                        "Secret(s) retrieval failure seen - please contact site administrator.");
  }
  if (!call.who.has("admin") && !call.who.has("creator") && !call.who.has("observer")) {
    return not_allowed("Secret(s) retrieval");
  }
  std::vector<const Json*> secrets;
  for (const Json* secret : call.cloud.where(kSecret, "project_id", call.who.project_id)) {
    if (!is_expired(call, *secret) && fits(call, *secret)) secrets.push_back(secret);
  }
  if (auto good = sort(call, secrets); !good) return good.error();
  const std::size_t limit =
      std::clamp<std::size_t>(number_or(call, "limit", kUsualLimit), 1, kMostLimit);
  const std::size_t offset = number_or(call, "offset", 0);
  Json shown = Json::array();
  for (std::size_t i = offset; i < secrets.size() && shown.size() < limit; ++i) {
    shown.push_back(shown_secret(call, *secrets[i]));
  }
  const auto page = [&](std::size_t from) {
    return call.base() + "/v1/secrets?limit=" + std::to_string(limit) +
           "&offset=" + std::to_string(from);
  };
  Json body = {{"secrets", shown}, {"total", secrets.size()}};
  if (!shown.empty() && offset > 0) body["previous"] = page(offset > limit ? offset - limit : 0);
  if (!shown.empty() && offset + limit < secrets.size()) body["next"] = page(offset + limit);
  return json_answer(200, body);
}

}  // namespace

void add_reading(Router& router) {
  add_route(router, "GET", "/v1/secrets/{secret}", show);
  add_route(router, "GET", "/v1/secrets/{secret}/payload", show_payload);
}

void add_lists(Router& router) {
  add_route(router, "GET", "/v1/secrets", list);
}

}  // namespace bailey::devcloud::secret
