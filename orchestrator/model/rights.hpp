#pragma once

#include "orchestrator/model/bundle.hpp"

#include <string>
#include <vector>

namespace bailey {

/// The people whose own rights differ between two bundles, sorted: roles that they hold, also by a
/// group or a service that they stand behind, and the powers of these roles; what they may ask for,
/// approve, sign for, break the glass of or review; authorship of a project; being an
/// administrator; and their own keys and address, or those of a service behind which they stand.
/// Sandboxes give no rights over anything else and do not count.
[[nodiscard]] std::vector<std::string> people_with_other_rights(const Bundle& before,
                                                                const Bundle& after);

}  // namespace bailey
