#pragma once

#include "orchestrator/base/error.hpp"

#include <string>
#include <string_view>

namespace bailey {

/// An artifact by its content: `HOST[:PORT]/PATH@sha256:<64 hex>`. There is no form with a tag.
struct ArtifactReference {
  std::string registry;    ///< `HOST[:PORT]`.
  std::string repository;  ///< PATH, in the grammar of the OCI distribution specification.
  std::string digest;
  bool operator==(const ArtifactReference&) const = default;

  [[nodiscard]] std::string str() const;
  /// `HOST[:PORT]/PATH`: how a Project names it.
  [[nodiscard]] std::string name() const { return registry + "/" + repository; }
};

/// A mutable name, good for nothing but finding out what it points at now.
struct TagReference {
  std::string registry;
  std::string repository;
  std::string tag;  ///< `latest` when none was written.
};

/// Refused with `artifact.tag-refused` when the digest is missing or a tag is there; the hint says
/// how to get the digest. InvalidArgument with `artifact.malformed` for anything else that is not
/// exactly such a reference.
[[nodiscard]] Result<ArtifactReference> parse_artifact_reference(std::string_view text);
[[nodiscard]] Result<TagReference> parse_tag_reference(std::string_view text);

/// True when HOST is a loopback address or `localhost`.
[[nodiscard]] bool is_loopback_registry(std::string_view registry) noexcept;

}  // namespace bailey
