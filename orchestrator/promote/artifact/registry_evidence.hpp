#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/artifact/oci_repository.hpp"

#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

inline constexpr std::string_view kDsseMediaType = "application/vnd.dsse.envelope.v1+json";
inline constexpr std::string_view kInTotoArtifact = "application/vnd.in-toto+json";

/// A blob in a registry that may be evidence about an artifact; nothing of it is verified.
struct FoundEvidence {
  std::string media_type;
  std::string bytes;
  std::map<std::string, std::string> annotations;
  std::string where;  ///< `HOST/PATH@DIGEST` or `HOST/PATH:TAG`, for people.
};

struct EvidenceSearch {
  std::vector<FoundEvidence> found;
  std::vector<std::string> problems;  ///< What could not be read, and why.
};

/// Everything in a repository that could be signed evidence about a digest: DSSE envelopes and
/// sigstore bundles among its referrers, and cosign's older tags `.sig` and `.att`. At most
/// kMaximumReferrers manifests, 4 MiB a blob, 32 MiB in all. One that cannot be read is a problem
/// and no failure; a registry that cannot be asked is.
[[nodiscard]] Result<EvidenceSearch> find_evidence(const OciRepository& repository,
                                                   const std::string& digest,
                                                   std::stop_token stop = {});

}  // namespace bailey
