#include "orchestrator/promote/artifact/oci_registry.hpp"

#include "orchestrator/base/digest.hpp"

#include <fmt/format.h>

namespace bailey {

Result<HttpResponse> OciRegistry::get(const std::string& registry, const std::string& repository,
                                      const std::string& reference, std::stop_token stop) const {
  RegistrySession session(http_, registry, access_);
  HttpRequest request;
  request.url = fmt::format("/v2/{}/manifests/{}", repository, reference);
  request.headers.emplace_back("Accept", accepted_manifests());
  auto response = session.send(request, pull_scope(repository), stop);
  if (response && response->status != 200) {
    return fail(registry_failure(*response, "the registry"));
  }
  return response;
}

Result<ArtifactManifest> OciRegistry::fetch(const ArtifactReference& reference,
                                            std::stop_token stop) const {
  const auto frame = fmt::format("fetching {}", reference.str());
  auto response = get(reference.registry, reference.repository, reference.digest, stop);
  if (!response) return fail(Error(response.error()).in(frame));
  auto manifest = read_manifest(reference, response->header("content-type").value_or(""),
                                std::move(response->body));
  if (!manifest) return fail(std::move(manifest.error()).in(frame));
  return manifest;
}

Result<std::string> OciRegistry::resolve_tag(const TagReference& reference,
                                             std::stop_token stop) const {
  const auto frame =
      fmt::format("looking up {}/{}:{}", reference.registry, reference.repository, reference.tag);
  auto response = get(reference.registry, reference.repository, reference.tag, stop);
  if (!response) return fail(Error(response.error()).in(frame));
  // From the bytes rather than from Docker-Content-Digest: the header is only a claim.
  const ArtifactReference now{reference.registry, reference.repository,
                              digest_of(std::string_view(response->body))};
  auto manifest =
      read_manifest(now, response->header("content-type").value_or(""), std::move(response->body));
  if (!manifest) return fail(std::move(manifest.error()).in(frame));
  return now.digest;
}

}  // namespace bailey
