#include "orchestrator/serve/identity/issuer_keys.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace bailey {

namespace {

tl::unexpected<Error> unreachable(std::string message) {
  return fail(Error(ErrorKind::Unavailable, std::move(message)).with_code("issuer.unreachable"));
}

bool may_be_asked(std::string_view url) {
  if (url.starts_with("https://")) return true;
  for (const char* here : {"http://127.0.0.1", "http://[::1]", "http://localhost"}) {
    if (!url.starts_with(here)) continue;
    const auto rest = url.substr(std::string_view(here).size());
    if (rest.empty() || rest.front() == ':' || rest.front() == '/') return true;
  }
  return false;
}

}  // namespace

std::chrono::seconds key_life(const HttpResponse& answer) {
  const auto control = answer.header("cache-control").value_or("");
  constexpr std::string_view kName = "max-age=";
  const auto at = control.find(kName);
  if (at == std::string::npos) return IssuerKeys::kLife;
  std::uint32_t seconds = 0;
  const char* begin = control.data() + at + kName.size();
  const auto read = std::from_chars(begin, control.data() + control.size(), seconds);
  if (read.ec == std::errc::result_out_of_range) return IssuerKeys::kLongestLife;
  if (read.ec != std::errc()) return IssuerKeys::kLife;
  return std::clamp<std::chrono::seconds>(std::chrono::seconds(seconds), IssuerKeys::kShortestLife,
                                          IssuerKeys::kLongestLife);
}

IssuerKeys::IssuerKeys(HttpClient& http, Clock& clock, std::string issuer, std::string ca_file)
    : http_(http), clock_(clock), issuer_(std::move(issuer)), ca_file_(std::move(ca_file)) {}

IssuerKeys& Issuers::of(const std::string& issuer) {
  const std::lock_guard lock(mutex_);
  auto& keys = known_[issuer];
  if (!keys) keys = std::make_unique<IssuerKeys>(http_, clock_, issuer, ca_file_);
  return *keys;
}

Result<HttpResponse> IssuerKeys::ask(const std::string& url, std::stop_token stop) {
  if (!may_be_asked(url)) return unreachable(fmt::format("{} is no https address", url));
  HttpRequest request;
  request.url = url;
  request.headers = {{"accept", "application/json"}};
  request.timeout = std::chrono::seconds(10);
  request.ca_file = ca_file_;
  auto answer = http_.send(request, stop);
  if (!answer) return unreachable(fmt::format("{}: {}", url, answer.error().message()));
  if (answer->status != 200) return unreachable(fmt::format("{} answered {}", url, answer->status));
  if (answer->body.size() > JsonWebKeySet::kMostBytes) {
    return unreachable(fmt::format("{} answered more than 256 KiB", url));
  }
  return answer;
}

Result<IssuerKeys::Kept> IssuerKeys::fetch(std::stop_token stop) {
  std::string base = issuer_;
  while (base.ends_with('/')) base.pop_back();
  const auto described = ask(base + "/.well-known/openid-configuration", stop);
  if (!described) return fail(described.error());
  const auto about = parse_json(described->body, {.max_bytes = JsonWebKeySet::kMostBytes});
  if (!about || string_member(*about, "issuer") != issuer_) {
    return unreachable(fmt::format("{} does not describe itself as this issuer", issuer_));
  }
  const auto answer = ask(string_member(*about, "jwks_uri"), stop);
  if (!answer) return fail(answer.error());
  auto keys = JsonWebKeySet::parse(answer->body);
  if (!keys) return unreachable(fmt::format("the keys of {}: {}", issuer_, keys.error().message()));
  if (keys->size() == 0) return unreachable(fmt::format("{} has no key to verify with", issuer_));
  const auto now = clock_.monotonic_now();
  return Kept{std::make_shared<const JsonWebKeySet>(*std::move(keys)), now,
              now + key_life(*answer)};
}

Result<std::shared_ptr<const JsonWebKeySet>> IssuerKeys::get(
    const std::optional<std::string>& key_id, std::stop_token stop) {
  // What can be answered from what is there.
  const auto known = [&]() -> std::optional<Result<std::shared_ptr<const JsonWebKeySet>>> {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.monotonic_now();
    const bool cools = asked_ && now < *asked_ + kCooldown;
    if (kept_ && now < kept_->stale && (cools || kept_->keys->find(key_id) != nullptr)) {
      return kept_->keys;
    }
    if (!cools) return std::nullopt;
    if (kept_ && now < kept_->fetched + kKeptInFailure) return kept_->keys;
    if (failure_) return fail(*failure_);
    return std::nullopt;
  };
  if (auto answer = known()) return *std::move(answer);
  const std::lock_guard one_at_a_time(fetching_);
  // Somebody may have asked while we waited for our turn.
  if (auto answer = known()) return *std::move(answer);
  auto fresh = fetch(stop);
  const std::lock_guard lock(mutex_);
  asked_ = clock_.monotonic_now();
  if (fresh) {
    kept_ = *std::move(fresh);
    failure_.reset();
    return kept_->keys;
  }
  failure_ = fresh.error();
  if (kept_ && *asked_ < kept_->fetched + kKeptInFailure) return kept_->keys;
  return fail(*failure_);
}

}  // namespace bailey
