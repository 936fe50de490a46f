#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/secret.hpp"
#include "orchestrator/net/http_client.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace bailey {

struct RegistryCredential {
  std::string user;
  Secret password;
};

/// A manifest or an index whose bytes have the digest they were asked for by.
struct ArtifactManifest {
  ArtifactReference reference;
  std::string media_type;
  bool index = false;  ///< One digest for several platforms.
  std::string body;    ///< The exact bytes.
};

/// An OCI distribution registry, read only. Plain HTTP to loopback hosts alone, HTTPS to all
/// others. Answers a Basic or Bearer challenge with the credential if there is one, anonymously if
/// not; a credential never goes over plain HTTP to another machine. Thread-safe if the client is.
class OciRegistry {
 public:
  explicit OciRegistry(HttpClient& http, std::optional<RegistryCredential> credential = {})
      : http_(http), credential_(std::move(credential)) {}

  /// Fetches by digest and recomputes the digest over the bytes received. Refused with
  /// `artifact.digest-mismatch` when they differ; NotFound, PermissionDenied, RateLimited,
  /// Unavailable as the registry answers; Protocol for what is no manifest of a known kind or
  /// larger than 4 MiB.
  [[nodiscard]] Result<ArtifactManifest> fetch(const ArtifactReference& reference,
                                               std::stop_token stop = {}) const;

  /// The digest that a tag points at now. For hints to people; never to decide by.
  [[nodiscard]] Result<std::string> resolve_tag(const TagReference& reference,
                                                std::stop_token stop = {}) const;

 private:
  Result<HttpResponse> get(const std::string& registry, const std::string& path,
                           const std::string& repository, std::stop_token stop) const;
  Result<Secret> authorization(const std::string& challenge, const std::string& registry,
                               const std::string& repository, std::stop_token stop) const;

  HttpClient& http_;
  std::optional<RegistryCredential> credential_;
};

}  // namespace bailey
