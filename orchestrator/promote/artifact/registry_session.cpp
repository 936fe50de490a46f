#include "orchestrator/promote/artifact/registry_session.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"
#include "orchestrator/promote/artifact/challenge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::size_t kMaximumToken = 64U * 1024;
constexpr int kMaximumHops = 3;

ErrorKind kind_for(int status) {
  switch (status) {
    case 401:
      return ErrorKind::Unauthenticated;
    case 403:
      return ErrorKind::PermissionDenied;
    case 404:
      return ErrorKind::NotFound;
    case 429:
      return ErrorKind::RateLimited;
    default:
      return status >= 500 ? ErrorKind::Unavailable : ErrorKind::Protocol;
  }
}

tl::unexpected<Error> refused_sign_in(std::string why) {
  return fail(ErrorKind::Unauthenticated, "the registry wants a sign-in " + std::move(why));
}

// A registry elsewhere must not send us into our own machine or over plain HTTP.
bool is_safe_place(std::string_view url, std::string_view registry) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return false;
  const auto host_begin = scheme_end + 3;
  const auto authority = url.substr(host_begin, url.find_first_of("/?#", host_begin) - host_begin);
  if (authority.empty() || authority.find('@') != std::string_view::npos ||
      url.find('#') != std::string_view::npos) {
    return false;
  }
  const bool local = is_loopback_registry(authority) && is_loopback_registry(registry);
  if (url.starts_with("https://")) return local || !is_loopback_registry(authority);
  return url.starts_with("http://") && local;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::string pull_scope(std::string_view repository) {
  return fmt::format("repository:{}:pull", repository);
}

std::string push_scope(std::string_view repository) {
  return fmt::format("repository:{}:pull,push", repository);
}

Error registry_failure(const HttpResponse& response, std::string_view what) {
  Error error(kind_for(response.status), fmt::format("{} answered {}", what, response.status));
  const auto delay = response.header("retry-after");
  if (!error.retryable() || !delay || delay->empty() || delay->size() > 6 ||
      !std::all_of(delay->begin(), delay->end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return error;
  }
  return std::move(error).with_retry_after(std::chrono::seconds(std::stol(*delay)));
}

std::string RegistrySession::base_url() const {
  return fmt::format("{}://{}", is_loopback_registry(registry_) ? "http" : "https", registry_);
}

Result<std::string> RegistrySession::resolve(std::string_view location) const {
  const auto base = base_url();
  if (location.starts_with('/') && !location.starts_with("//")) {
    return base + std::string(location);
  }
  if (location.starts_with(base + "/")) return std::string(location);
  return fail(Error(ErrorKind::Refused, "the registry sends an upload to another place")
                  .with_code("registry.foreign-place"));
}

std::optional<Secret> RegistrySession::known(const std::string& scopes) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(scopes);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

Result<Secret> RegistrySession::authorization(const std::string& challenge,
                                              const std::string& scopes,
                                              std::stop_token stop) const {
  const auto parsed = parse_challenge(challenge);
  if (!parsed) return refused_sign_in("that cannot be understood");
  std::optional<Secret> basic;
  if (access_.credential) {
    basic = Secret("Basic " + base64(fmt::format("{}:{}", access_.credential->user,
                                                 access_.credential->password.reveal())));
  }
  if (parsed->scheme == "basic") {
    if (!basic) return refused_sign_in("and there is no credential for it");
    return *basic;
  }
  if (parsed->scheme != "bearer") return refused_sign_in("of a kind that is not supported");
  const auto parameter = [&](const char* name) {
    const auto found = parsed->parameters.find(name);
    return found == parsed->parameters.end() ? std::string() : found->second;
  };
  const auto realm = parameter("realm");
  if (!is_safe_place(realm, registry_)) return refused_sign_in("at a place that is not safe");
  HttpRequest request;
  request.url = realm;
  char joint = realm.find('?') == std::string::npos ? '?' : '&';
  for (const auto& scope : split(scopes, ' ')) {
    request.url += joint + ("scope=" + percent_encode(scope));
    joint = '&';
  }
  if (const auto service = parameter("service"); !service.empty()) {
    request.url += "&service=" + percent_encode(service);
  }
  request.ca_file = access_.ca_file;
  request.timeout = access_.timeout;
  if (basic) request.secret_headers.emplace_back("Authorization", *basic);
  const auto response = http_.send(request, stop);
  if (!response) return fail(Error(response.error()).in("asking for a registry token"));
  if (response->status != 200) return fail(registry_failure(*response, "the token service"));
  const auto body = parse_json(response->body, {.max_bytes = kMaximumToken});
  if (!body) return refused_sign_in("and its token service answers no token");
  auto token = string_member(*body, "token");
  if (token.empty()) token = string_member(*body, "access_token");
  const auto printable = [](char c) { return c > ' ' && c < 0x7F; };
  if (token.empty() || !std::all_of(token.begin(), token.end(), printable)) {
    return refused_sign_in("and its token service answers no token");
  }
  return Secret("Bearer " + token);
}

Result<HttpResponse> RegistrySession::send(HttpRequest request, const std::string& scopes,
                                           std::stop_token stop) {
  if (request.url.starts_with('/')) request.url = base_url() + request.url;
  request.ca_file = access_.ca_file;
  request.timeout = access_.timeout;
  const auto before = known(scopes);
  if (before) request.secret_headers.emplace_back("Authorization", *before);
  auto response = http_.send(request, stop);
  if (!response || response->status != 401) return response;
  const auto challenge = response->header("www-authenticate");
  if (!challenge) return response;
  auto secret = authorization(*challenge, scopes, stop);
  if (!secret) return fail(std::move(secret.error()));
  {
    const std::lock_guard lock(mutex_);
    known_.insert_or_assign(scopes, *secret);
  }
  if (before) request.secret_headers.pop_back();
  request.secret_headers.emplace_back("Authorization", *std::move(secret));
  return http_.send(request, stop);
}

Result<HttpResponse> RegistrySession::get(const HttpRequest& request, const std::string& scopes,
                                          std::stop_token stop) {
  auto response = send(request, scopes, stop);
  auto here = base_url();
  for (int hop = 0; response && is_redirect(response->status); ++hop) {
    const auto location = response->header("location").value_or("");
    const auto next = location.starts_with('/') ? here + location : location;
    if (hop == kMaximumHops || !is_safe_place(next, registry_)) {
      return fail(Error(ErrorKind::Refused, "the registry sends on to a place that is not safe")
                      .with_code("registry.foreign-place"));
    }
    here = next.substr(0, next.find('/', next.find("://") + 3));
    HttpRequest onward;
    onward.url = next;
    onward.headers = request.headers;
    onward.ca_file = access_.ca_file;
    onward.timeout = access_.timeout;
    response = http_.send(onward, stop);
  }
  return response;
}

}  // namespace bailey
