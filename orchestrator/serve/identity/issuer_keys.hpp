#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/net/http_client.hpp"
#include "orchestrator/serve/identity/json_web_key.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace bailey {

/// The keys of one issuer, as it publishes them (OpenID Connect Discovery 1.0), kept for a quarter
/// of an hour or as long as its Cache-Control says. Tokens cannot drive the traffic: whatever they
/// name, one request is under way at a time, and after one that brought nothing new there is none
/// for half a minute. A set that is there stays until a newer one is: an issuer that does not
/// answer for a day locks nobody out. Thread-safe.
class IssuerKeys {
 public:
  static constexpr std::chrono::minutes kLife{15};
  static constexpr std::chrono::minutes kShortestLife{1};
  static constexpr std::chrono::hours kLongestLife{24};
  static constexpr std::chrono::seconds kCooldown{30};
  static constexpr std::chrono::hours kKeptInFailure{24};

  /// `issuer` is an https URL; http is taken only of this machine itself. `ca_file` as in
  /// HttpRequest.
  IssuerKeys(HttpClient& http, Clock& clock, std::string issuer, std::string ca_file = {});

  /// The keys to look for `key_id` in. They may lack it: then the issuer was asked, or was asked
  /// less than half a minute ago. Unavailable with `issuer.unreachable` when there are none, or
  /// none younger than a day.
  [[nodiscard]] Result<std::shared_ptr<const JsonWebKeySet>> get(
      const std::optional<std::string>& key_id, std::stop_token stop);

 private:
  struct Kept {
    std::shared_ptr<const JsonWebKeySet> keys;
    MonotonicTime fetched, stale;
  };

  Result<Kept> fetch(std::stop_token stop);
  Result<HttpResponse> ask(const std::string& url, std::stop_token stop);

  HttpClient& http_;
  Clock& clock_;
  const std::string issuer_;
  const std::string ca_file_;
  std::mutex mutex_;     ///< Of what is below.
  std::mutex fetching_;  ///< Held while the issuer is asked; taken before the other.
  std::optional<Kept> kept_;
  std::optional<MonotonicTime> asked_;
  std::optional<Error> failure_;
};

/// The issuers that were asked so far. Thread-safe; what it returns lives as long as it does.
class Issuers {
 public:
  Issuers(HttpClient& http, Clock& clock, std::string ca_file = {})
      : http_(http), clock_(clock), ca_file_(std::move(ca_file)) {}
  /// Only for issuers that the bundle names: each stays here.
  [[nodiscard]] IssuerKeys& of(const std::string& issuer);

 private:
  HttpClient& http_;
  Clock& clock_;
  const std::string ca_file_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<IssuerKeys>> known_;
};

/// How long an answer may be kept: `max-age` of Cache-Control (RFC 9111 section 5.2.2.1) within
/// kShortestLife and kLongestLife, kLife without one.
[[nodiscard]] std::chrono::seconds key_life(const HttpResponse& answer);

}  // namespace bailey
