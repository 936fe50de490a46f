#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::size_t kMaximumManifest = 4U * 1024 * 1024;

/// A manifest or an index whose bytes have the digest they were asked for by.
struct ArtifactManifest {
  ArtifactReference reference;
  std::string media_type;
  bool index = false;  ///< One digest for several platforms.
  std::string body;    ///< The exact bytes.
};

/// The media types of manifests and indexes that are read, for an Accept header.
[[nodiscard]] std::string accepted_manifests();
[[nodiscard]] bool is_manifest_type(std::string_view media_type);

/// Takes a registry's answer for the manifest that it was asked for. Refused with
/// `artifact.digest-mismatch` when the bytes have another digest; Protocol with
/// `artifact.no-manifest` for what is no manifest of a known kind or larger than 4 MiB.
[[nodiscard]] Result<ArtifactManifest> read_manifest(const ArtifactReference& reference,
                                                     std::string_view content_type,
                                                     std::string body);

/// What a manifest says about something else that is kept by its digest.
struct Descriptor {
  std::string media_type;
  std::string digest;
  std::uint64_t size = 0;
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
};

/// The descriptors under a member of a manifest: `config`, `layers`, `manifests` or `subject`; none
/// when it is not there. Protocol with `artifact.no-manifest` when one has no SHA-256 digest or no
/// size, or when there are more than 1,000.
[[nodiscard]] Result<std::vector<Descriptor>> descriptors_in(const nlohmann::json& manifest,
                                                             std::string_view member);
[[nodiscard]] nlohmann::json to_json(const Descriptor& descriptor);

/// OCI 1.1: `artifactType`, or the type of the config where it says none.
[[nodiscard]] std::string artifact_type_of(const nlohmann::json& manifest);

}  // namespace bailey
