#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/directory.hpp"
#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

struct SignedApproval {
  ApprovalStatement approval;
  std::string key_fingerprint;
};

/// Opens the envelope of an approval with the keys that the Directory holds now. It must be signed
/// by a key of the person whom it names: Refused with `approval.wrong-signer` otherwise, Refused or
/// Protocol as verify_envelope() and parse_statement() say. What it is for is compared by
/// approval_matches().
[[nodiscard]] Result<SignedApproval> open_approval(const nlohmann::json& envelope,
                                                   const Directory& directory);

}  // namespace bailey
