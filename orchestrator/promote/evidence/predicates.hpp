#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <string_view>

namespace bailey {

inline constexpr std::string_view kProvenancePredicate = "https://slsa.dev/provenance/v1";
inline constexpr std::string_view kSummaryPredicate = "https://slsa.dev/verification_summary/v1";
inline constexpr std::string_view kTestResultPredicate =
    "https://in-toto.io/attestation/test-result/v0.1";
inline constexpr std::string_view kVulnerabilitiesPredicate =
    "https://in-toto.io/attestation/vulns/v0.1";
inline constexpr std::string_view kCosignScanPredicate =
    "https://cosign.sigstore.dev/attestation/vuln/v1";

/// Whether a statement can stand for its type: what it must say is there, and where it tells an
/// outcome, it is a good one, so that a signed report of failed tests opens no gate. A type that is
/// not known here stands by its signature alone. Refused with `evidence.negative` for a bad
/// outcome, Protocol with `evidence.malformed` for what is missing.
[[nodiscard]] Status check_predicate(const Statement& statement);

}  // namespace bailey
