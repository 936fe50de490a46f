#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/net/http_client.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"
#include "orchestrator/promote/artifact/oci_manifest.hpp"
#include "orchestrator/promote/artifact/registry_session.hpp"

#include <stop_token>
#include <string>
#include <utility>

namespace bailey {

/// What anybody asks of any registry, by reference and read only (see RegistrySession for how it is
/// spoken to). Thread-safe if the client is.
class OciRegistry {
 public:
  explicit OciRegistry(HttpClient& http, RegistryAccess access = {})
      : http_(http), access_(std::move(access)) {}

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
  [[nodiscard]] Result<HttpResponse> get(const std::string& registry, const std::string& repository,
                                         const std::string& reference, std::stop_token stop) const;

  HttpClient& http_;
  RegistryAccess access_;
};

}  // namespace bailey
