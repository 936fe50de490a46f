#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/change.hpp"
#include "orchestrator/promote/evidence/receipt_reader.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

/// Whether the spec in a receipt's policy offers the grant that the change asked for: the role is
/// `grantable` to who asked, or they may break the glass; no longer than it says; and the gate that
/// the server made for it asks for no fewer people, and no others, than the spec does. What was
/// found, for people.
[[nodiscard]] Result<std::string> check_grant(const Change& change, const nlohmann::json& policy,
                                              const ReceiptPolicy& read);

}  // namespace bailey
