#pragma once

#include "orchestrator/model/change.hpp"

#include <vector>

namespace bailey {

/// The approvals and rejections that stand among all that was said about one change. A revocation
/// takes back each approval that the same person gave until then, whatever plan either was about,
/// and stands for nothing itself; one whose time cannot be read takes back all of them. Rejections
/// cannot be taken back: they end the change.
[[nodiscard]] std::vector<Approval> standing_decisions(std::vector<Approval> decisions);

}  // namespace bailey
