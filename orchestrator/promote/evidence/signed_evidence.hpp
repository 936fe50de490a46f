#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace bailey {

/// A signed statement about artifacts comes as a DSSE envelope, as a sigstore bundle, or as
/// cosign's simple signing. All are kept as they were signed and opened with the keys of the day.
struct SignedEvidence {
  Statement statement;
  std::vector<EnrolledKey> signers;       ///< At least one; each key once.
  std::vector<std::string> fingerprints;  ///< Of the signers, in the same order.
};

/// The form in which evidence is kept and digested: the envelope out of a bundle, the signature
/// without its hints and log entries. No signature is verified. The
/// failures are those of the readers of the three forms.
[[nodiscard]] Result<nlohmann::json> normal_evidence(const nlohmann::json& value);

/// Opens evidence in its normal form: at least one signature is by one of `keys`, and what it says
/// is read from the very bytes that were verified. A signature that is no statement, as cosign
/// makes it, becomes one of type kSignaturePredicate. Statements of in-toto v0.1, which cosign
/// writes, read like v1. Whether it can stand for its type is asked by check_predicate().
[[nodiscard]] Result<SignedEvidence> open_evidence(const nlohmann::json& evidence,
                                                   const std::vector<EnrolledKey>& keys);

/// True when one of the subjects has the digest; names mean nothing.
[[nodiscard]] bool is_about(const Statement& statement, const std::string& digest);

}  // namespace bailey
