#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/artifact/oci_repository.hpp"

#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

inline constexpr std::size_t kMaximumReferrers = 100;

/// The tag under which registries without the referrers API keep what refers to a digest (OCI
/// distribution specification 1.1, "Referrers tag schema").
[[nodiscard]] std::string referrers_tag(std::string_view digest);

struct Referrers {
  std::vector<Descriptor> list;  ///< As the registry claims it; each manifest says it for itself.
  bool cut_off = false;          ///< There were more than kMaximumReferrers.
};

/// What refers to a digest, by the referrers API or, where there is none, by the tag. With
/// `artifact_type`, of that type alone.
[[nodiscard]] Result<Referrers> list_referrers(const OciRepository& repository,
                                               const std::string& digest,
                                               const std::string& artifact_type = {},
                                               std::stop_token stop = {});

/// One blob that refers to an artifact.
struct Attachment {
  std::string artifact_type;
  std::string media_type;
  std::string bytes;
  std::map<std::string, std::string> annotations;
};

/// Pushes an attachment as a manifest with `subject` and returns its digest. The same attachment
/// again changes nothing.
[[nodiscard]] Result<std::string> attach(const OciRepository& repository,
                                         const ArtifactManifest& subject,
                                         const Attachment& attachment, std::stop_token stop = {});

/// Pushes a manifest that refers to `subject` and whose blobs are there. Where the registry does
/// not answer that it knows about subjects, the index under the referrers tag is kept too. That
/// index has no lock, so each of us first puts what it adds under a tag of its own, beside that
/// index, and whoever has written the index looks afterwards whether all of those are in it: of any
/// number of writers at the same time, the last one leaves it whole.
[[nodiscard]] Status put_referrer(const OciRepository& repository, const std::string& subject,
                                  const ArtifactManifest& manifest, std::stop_token stop = {});

}  // namespace bailey
