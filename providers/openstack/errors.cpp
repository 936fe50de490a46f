#include "providers/openstack/errors.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <charconv>
#include <optional>

namespace bailey::openstack {

namespace {

constexpr std::size_t kLongestQuote = 300;

std::string without_markup(std::string_view text) {
  std::string out;
  bool inside = false;
  for (const char c : text) {
    if (c == '<') inside = true;
    const bool blank = inside || c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (c == '>') inside = false;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return std::string(trim(out));
}

/// The text in the one object that wraps it (`{"NeutronError": {"message": ...}}`), or beside it.
std::string message_in(const Json& body) {
  if (!body.is_object()) return {};
  for (const auto* name : {"message", "description"}) {
    if (auto text = string_member(body, name); !text.empty()) return text;
  }
  if (const auto& errors = member(body, "errors"); errors.is_array() && !errors.empty()) {
    return string_member(errors.front(), "detail");
  }
  for (const auto& [name, value] : body.items()) {
    if (auto text = string_member(value, "message"); !text.empty()) return text;
  }
  return {};
}

std::string neutron_type(const Json& body) {
  return string_member(member(body, "NeutronError"), "type");
}

/// Neutron names the type; Nova, Cinder and Barbican have nothing but their words to tell a quota
/// from a policy by.
bool is_quota(const Json& body, const std::string& message) {
  if (neutron_type(body) == "OverQuota") return true;
  for (const auto* words : {"Quota exceeded", "Quota reached", "quota reached", "Exceeded quota",
                            "exceeded for quota", "exceeds allowed"}) {
    if (message.find(words) != std::string::npos) return true;
  }
  return false;
}

ErrorKind kind_of(int status, bool quota) {
  switch (status) {
    case 400:
    case 415:
    case 422:
      return ErrorKind::InvalidArgument;
    case 401:
      return ErrorKind::Unauthenticated;
    case 403:
      return quota ? ErrorKind::QuotaExceeded : ErrorKind::PermissionDenied;
    case 404:
    case 410:
      return ErrorKind::NotFound;
    case 405:
    case 406:
    case 501:
      return ErrorKind::Unsupported;
    case 408:
    case 504:
      return ErrorKind::Timeout;
    case 409:
      return quota ? ErrorKind::QuotaExceeded : ErrorKind::Conflict;
    case 412:
      return ErrorKind::Conflict;
    case 413:
      return quota ? ErrorKind::QuotaExceeded : ErrorKind::RateLimited;
    case 429:
      return ErrorKind::RateLimited;
    default:
      break;
  }
  if (status >= 500) return ErrorKind::Unavailable;
  return status >= 400 ? ErrorKind::InvalidArgument : ErrorKind::Protocol;
}

std::optional<std::chrono::milliseconds> retry_after(const HttpResponse& answer) {
  const auto text = answer.header("retry-after");
  if (!text) return std::nullopt;
  int seconds = 0;
  const auto* last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, seconds);
  if (error != std::errc() || end != last || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

std::string service_message(const std::string& body) {
  const auto json = parse_json(body);
  auto text = without_markup(json ? message_in(*json) : body);
  if (utf8_length(text) > kLongestQuote) text = utf8_substr(text, 0, kLongestQuote) + "...";
  return text;
}

Error error_from(const HttpResponse& answer, const std::string& asked, Quote quote) {
  const auto message = find_invalid_utf8(answer.body) ? "" : service_message(answer.body);
  const auto body = parse_json(answer.body);
  const bool quota = is_quota(body ? *body : Json(), message);
  std::string text = asked + " answered " + std::to_string(answer.status);
  if (quote == Quote::Yes && !message.empty()) text += ": " + message;
  Error error(kind_of(answer.status, quota), std::move(text));
  if (const auto delay = retry_after(answer)) error = std::move(error).with_retry_after(*delay);
  if (quota) {
    error = std::move(error).with_hint(
        "The project's quota is used up; remove something or have the quota raised.");
  }
  return error;
}

}  // namespace bailey::openstack
