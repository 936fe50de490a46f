#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/secret.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

namespace bailey::devcloud::secret {

namespace {

constexpr std::size_t kLargestPayload = 20000;

const OrderedJson& secret_schema() {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {
      "name": {"type": ["string", "null"], "maxLength": 255},
      "algorithm": {"type": ["string", "null"], "maxLength": 255},
      "mode": {"type": ["string", "null"], "maxLength": 255},
      "bit_length": {"type": ["integer", "null"], "minimum": 1, "maximum": 32767},
      "expiration": {"type": ["string", "null"], "maxLength": 255},
      "payload": {"type": "string"},
      "secret_type": {"type": "string", "maxLength": 80,
                      "enum": ["symmetric", "passphrase", "private", "public", "certificate",
                               "opaque"]},
      "payload_content_type": {"type": ["string", "null"], "maxLength": 255},
      "payload_content_encoding": {"type": "string", "maxLength": 255, "enum": ["base64"]},
      "transport_key_needed": {"type": "string", "enum": ["true", "false"]},
      "transport_key_id": {"type": "string"}
    }
  })");
  return schema;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return text;
}

bool is_text(const std::string& type) {
  return type.compare(0, 10, "text/plain") == 0;
}

std::string text_of(const OrderedJson& body, const char* name) {
  const auto found = body.find(name);
  return found == body.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

std::optional<ServerResponse> check_type(const std::string& type, const std::string& encoding) {
  static constexpr std::array<std::string_view, 5> kTypes = {
      "text/plain", "text/plain;charset=utf-8", "text/plain; charset=utf-8",
      "application/octet-stream", "application/pkcs8"};
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
    return invalid("Secret",
                   "payload_content_type is not one of ['text/plain', 'text/plain;charset=utf-8', "
                   "'text/plain; charset=utf-8', 'application/octet-stream', 'application/pkcs8']",
                   "payload_content_type");
  }
  if (is_text(type) && !encoding.empty()) {
    return invalid("Secret", "payload_content_encoding is not one of None",
                   "payload_content_encoding");
  }
  if (!is_text(type) && encoding.empty()) {
    return invalid("Secret", "payload_content_encoding is not one of ['base64', 'binary']",
                   "payload_content_encoding");
  }
  return std::nullopt;
}

std::optional<ServerResponse> check_payload(const OrderedJson& body) {
  const std::string type = lower(text_of(body, "payload_content_type"));
  const std::string encoding = text_of(body, "payload_content_encoding");
  if (!body.contains("payload")) {
    if (type.empty()) return std::nullopt;
    return invalid("Secret", "payload must be provided when payload_content_type is specified",
                   "payload");
  }
  if (trim(text_of(body, "payload")).empty()) {
    return invalid("Secret", "If 'payload' specified, must be non empty", "payload");
  }
  if (type.empty()) {
    return invalid("Secret",
                   "If 'payload' is supplied, 'payload_content_type' must also be supplied.",
                   "payload_content_type");
  }
  if (auto wrong = check_type(type, encoding)) return wrong;
  if (text_of(body, "payload").size() > kLargestPayload) {
    return error_answer(413, "Provided information too large to process");
  }
  return std::nullopt;
}

/// As Python's b64decode: what does not belong to the alphabet is passed over.
std::string lenient_base64(const std::string& text) {
  std::string clean;
  for (const char byte : text) {
    if (std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '+' || byte == '/') {
      clean += byte;
    }
  }
  if (clean.size() % 4 == 1) clean.pop_back();
  while (clean.size() % 4 != 0) clean += '=';
  return from_base64(clean).value_or("");
}

/// `2026-11-24T03:37:03`, or nothing when it is no time.
std::optional<std::string> read_expiration(const std::string& text) {
  auto time = parse_time(text);
  if (!time) time = parse_time(text + "Z");
  if (!time) return std::nullopt;
  return time_in_seconds(*time).substr(0, 19);
}

ServerResponse store(Call& call) {
  if (!call.who.has("admin") && !call.who.has("creator")) return not_allowed("Secret creation");
  const std::string type = lower(call.http.header("content-type").value_or(""));
  if (type.compare(0, 16, "application/json") != 0) {
    return error_answer(
        415, "Unexpected content type. Expected content types are: ['application/json']");
  }
  const OrderedJson body = parse_ordered(call.http.body);
  if (auto wrong = check_against("Secret", secret_schema(), body)) return *wrong;
  Json secret = {{"id", call.cloud.new_uuid()},
                 {"project_id", call.who.project_id},
                 {"creator_id", call.who.user_id},
                 {"name", nullptr},
                 {"secret_type", "opaque"},
                 {"algorithm", nullptr},
                 {"bit_length", nullptr},
                 {"mode", nullptr},
                 {"expiration", nullptr},
                 {"created", now(call)},
                 {"updated", now(call)},
                 {"content_type", nullptr},
                 {"payload", nullptr},
                 {"metadata", Json::object()},
                 {"acl", nullptr}};
  for (const char* name : {"name", "secret_type", "algorithm", "bit_length", "mode"}) {
    if (body.contains(name)) secret[name] = body[name];
  }
  if (const std::string text = text_of(body, "expiration"); !text.empty()) {
    const auto expiration = read_expiration(text);
    if (!expiration) return invalid("Secret", "Invalid date for 'expiration'", "expiration");
    if (*expiration <= now(call)) {
      return invalid("Secret", "'expiration' is before current time", "expiration");
    }
    secret["expiration"] = *expiration;
  }
  if (auto wrong = check_payload(body)) return *wrong;
  if (body.contains("payload")) {
    const std::string content = lower(text_of(body, "payload_content_type"));
    const std::string payload = text_of(body, "payload");
    secret["content_type"] = is_text(content) ? "text/plain" : content;
    secret["payload"] = call.cloud.seal(is_text(content) ? payload : lenient_base64(payload));
  }
  const std::string ref = ref_of(call, call.cloud.put(kSecret, std::move(secret)));
  ServerResponse response = json_answer(201, {{"secret_ref", ref}});
  response.headers.emplace_back("Location", ref);
  return response;
}

/// The second step of storing in two.
ServerResponse add_payload(Call& call) {
  const std::string type = lower(call.http.header("content-type").value_or(""));
  const bool text = is_text(type);
  if (!text && type != "application/octet-stream") {
    return error_answer(415,
                        "Unexpected content type. Expected content types are: "
                        "['application/octet-stream', 'text/plain']");
  }
  const auto found = allowed_secret(call, Power::Change, "Secret update");
  if (!found) return found.error();
  if (!member(**found, "payload").is_null()) {
    return error_answer(409, "Secret already has data, cannot modify it.");
  }
  if (call.http.body.empty()) {
    return error_answer(400, "No data supplied to process.");
  }
  if (call.http.body.size() > kLargestPayload) {
    return error_answer(413, "Provided information too large to process");
  }
  Json secret = **found;
  const bool encoded = lower(call.http.header("content-encoding").value_or("")) == "base64";
  secret["content_type"] = text ? "text/plain" : type;
  secret["payload"] =
      call.cloud.seal(encoded && !text ? lenient_base64(call.http.body) : call.http.body);
  touch_secret(call, std::move(secret));
  return empty_answer(204);
}

ServerResponse remove(Call& call) {
  const auto found = allowed_secret(call, Power::Change, "Secret deletion");
  if (!found) return found.error();
  call.cloud.erase(kSecret, call.part("secret"));
  return empty_answer(204);
}

}  // namespace

void add_storing(Router& router) {
  add_route(router, "POST", "/v1/secrets", store);
  add_route(router, "PUT", "/v1/secrets/{secret}", add_payload);
  add_route(router, "DELETE", "/v1/secrets/{secret}", remove);
}

}  // namespace bailey::devcloud::secret
