#include "orchestrator/promote/gate/standing_decisions.hpp"

#include "orchestrator/base/clock.hpp"

#include <algorithm>
#include <iterator>

namespace bailey {

namespace {

bool takes_back(const Approval& revocation, const Approval& approval) {
  if (revocation.decision != Decision::Revoke || revocation.approver != approval.approver ||
      revocation.change != approval.change) {
    return false;
  }
  const auto revoked = parse_time(revocation.issued_at);
  const auto approved = parse_time(approval.issued_at);
  return !revoked || !approved || *revoked >= *approved;
}

}  // namespace

std::vector<Approval> standing_decisions(std::vector<Approval> decisions) {
  std::vector<Approval> revocations;
  std::copy_if(decisions.begin(), decisions.end(), std::back_inserter(revocations),
               [](const Approval& each) { return each.decision == Decision::Revoke; });
  std::erase_if(decisions, [&](const Approval& each) {
    if (each.decision == Decision::Revoke) return true;
    return each.decision == Decision::Approve &&
           std::any_of(revocations.begin(), revocations.end(),
                       [&](const Approval& revocation) { return takes_back(revocation, each); });
  });
  return decisions;
}

}  // namespace bailey
