#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/directory.hpp"
#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

/// A statement whose signature by somebody in the Directory was verified.
struct SignedStatement {
  Statement statement;
  Subject signer;
  std::string key_fingerprint;
};

/// Opens a DSSE envelope with the keys that the Directory holds now. Refused or Protocol as
/// verify_envelope() and parse_statement() say. Whether the signer may say such a thing is not
/// asked here.
[[nodiscard]] Result<SignedStatement> open_statement(const nlohmann::json& envelope,
                                                     const Directory& directory);

struct SignedApproval {
  ApprovalStatement approval;
  std::string key_fingerprint;
};

/// The same for an approval, which must be signed by a key of the person whom it names: Refused
/// with `approval.wrong-signer` otherwise. What it is for is compared by approval_matches().
[[nodiscard]] Result<SignedApproval> open_approval(const nlohmann::json& envelope,
                                                   const Directory& directory);

}  // namespace bailey
