#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/artifact/oci_repository.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

struct CopyReport {
  int manifests = 0;  ///< Written.
  int copied = 0;     ///< Blobs whose bytes went through here.
  int mounted = 0;    ///< Blobs that the registry took over by itself.
  int present = 0;    ///< Blobs that were there already.
  std::uint64_t verified_bytes = 0;
  int referrers = 0;                  ///< That went along.
  std::vector<std::string> left_out;  ///< Why a referrer did not.
};

/// Copies an artifact by digest, manifests and blobs of all its platforms, from one repository to
/// another, each with its own credential; blobs are mounted where both are in one registry and it
/// lends them out. Then everything is read back from the target and its digests recomputed: what
/// succeeds here is there, byte for byte what the digest stands for. Refused with
/// `artifact.digest-mismatch` otherwise; nothing names bytes that failed, since names are digests.
/// Run again, also after a crash, it writes what is missing and verifies all of it; where the
/// target has the artifact, the source is not needed. At most kBlobChunk of a blob is in memory.
[[nodiscard]] Result<CopyReport> copy_artifact(const OciRepository& from, const OciRepository& to,
                                               const std::string& digest,
                                               std::stop_token stop = {});

/// Takes along what refers to a copied artifact, cosign's older tags included. One that cannot be
/// copied is left out, and the report says why: whoever may write to the source could otherwise
/// hold up every promotion.
void copy_referrers(const OciRepository& from, const OciRepository& to, const std::string& digest,
                    CopyReport& report, std::stop_token stop = {});

}  // namespace bailey
