#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/net/http_client.hpp"
#include "orchestrator/promote/artifact/registry_credential.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace bailey {

/// With what a registry is spoken to.
struct RegistryAccess {
  std::optional<RegistryCredential> credential;                 ///< None: anonymously.
  std::string ca_file{};                                        ///< See HttpRequest.
  std::chrono::milliseconds timeout{std::chrono::seconds(60)};  ///< Of one request.
};

/// What a request needs to be let in: `repository:NAME:pull`.
[[nodiscard]] std::string pull_scope(std::string_view repository);
[[nodiscard]] std::string push_scope(std::string_view repository);

/// One registry, `HOST[:PORT]`, signed in to where it asks for it. Plain HTTP to loopback hosts
/// alone, HTTPS to all others. Answers a Basic or Bearer challenge with the credential if there is
/// one, anonymously if not; a credential never goes over plain HTTP to another machine, nor to
/// another host than the registry and the token service it names. Thread-safe if the client is.
class RegistrySession {
 public:
  RegistrySession(HttpClient& http, std::string registry, RegistryAccess access = {})
      : http_(http), registry_(std::move(registry)), access_(std::move(access)) {}

  [[nodiscard]] const std::string& registry() const noexcept { return registry_; }

  /// Sends to a path from `/v2/` on, or to a place that resolve() let through; `scopes` are joined
  /// by blanks. Sends once more when the registry asks who is there.
  [[nodiscard]] Result<HttpResponse> send(HttpRequest request, const std::string& scopes,
                                          std::stop_token stop = {});
  /// As send() for a GET, and follows where the registry sends on to, without the credential.
  [[nodiscard]] Result<HttpResponse> get(const HttpRequest& request, const std::string& scopes,
                                         std::stop_token stop = {});

  /// Where a Location header of this registry leads: a place of its own, else Refused with
  /// `registry.foreign-place`.
  [[nodiscard]] Result<std::string> resolve(std::string_view location) const;

 private:
  Result<Secret> authorization(const std::string& challenge, const std::string& scopes,
                               std::stop_token stop) const;
  [[nodiscard]] std::optional<Secret> known(const std::string& scopes) const;
  [[nodiscard]] std::string base_url() const;

  HttpClient& http_;
  std::string registry_;
  RegistryAccess access_;
  mutable std::mutex mutex_;
  std::map<std::string, Secret> known_;
};

/// The failure that an answer other than the wanted one stands for; `what` answered it.
[[nodiscard]] Error registry_failure(const HttpResponse& response, std::string_view what);

}  // namespace bailey
