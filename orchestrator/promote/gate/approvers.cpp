#include "orchestrator/promote/gate/approvers.hpp"

#include "orchestrator/model/standing.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"
#include "orchestrator/promote/gate/standing_decisions.hpp"

#include <algorithm>
#include <iterator>

namespace bailey {

namespace {

std::vector<Author> all_authors(const GateInputs& inputs) {
  auto authors = inputs.change.authors;
  // Also those whom only the evidence names: the change may have been opened before it came.
  for (const auto& [slot, reference] : inputs.change.plan.artifacts) {
    for (const auto& item : inputs.evidence) {
      if (!reference.ends_with("@" + item.subject_digest)) continue;
      authors.insert(authors.end(), item.authors.begin(), item.authors.end());
    }
  }
  return authors;
}

bool has_usable_key(const Directory& directory, const std::string& person) {
  const auto keys = enrolled_keys(directory, Subject{SubjectKind::Person, person});
  return std::any_of(keys.begin(), keys.end(), [](const EnrolledKey& key) {
    return parse_ssh_public_key(key.line).has_value();
  });
}

}  // namespace

Approvers::Approvers(const GateInputs& inputs)
    : inputs_(inputs),
      decisions_(standing_decisions(inputs.approvals)),
      involved_(involved_people(inputs.bundle.directory, all_authors(inputs),
                                inputs.change.requester, inputs.change.executor)) {
  // Nobody approves a change of their own rights.
  involved_.insert(inputs.change.affects.begin(), inputs.change.affects.end());
  for (const auto& person : people_holding(inputs.bundle, inputs.environment, Power::Approve)) {
    if (!involved_.contains(person) && has_usable_key(inputs.bundle.directory, person)) {
      eligible_.insert(person);
    }
  }
}

std::set<std::string> Approvers::eligible_in(const Subject& from) const {
  std::set<std::string> people;
  for (const auto& person : inputs_.bundle.directory.people_in({from})) {
    if (eligible_.contains(person)) people.insert(person);
  }
  return people;
}

bool Approvers::counts(const Approval& approval) const {
  return approval.change == inputs_.change.id && eligible_.contains(approval.approver) &&
         has_key(inputs_.bundle.directory, Subject{SubjectKind::Person, approval.approver},
                 approval.key_fingerprint);
}

std::set<std::string> Approvers::agreed(std::chrono::seconds expire) const {
  std::set<std::string> people;
  for (const auto& approval : decisions_) {
    if (approval.decision != Decision::Approve || !counts(approval)) continue;
    const auto issued = parse_time(approval.issued_at);
    const auto expires = parse_time(approval.expires_at);
    if (!issued || !expires || inputs_.now < *issued) continue;
    if (inputs_.now < std::min(*expires, *issued + expire)) people.insert(approval.approver);
  }
  return people;
}

std::set<std::string> Approvers::rejected_by() const {
  std::set<std::string> people;
  for (const auto& approval : decisions_) {
    if (approval.decision == Decision::Reject && counts(approval)) people.insert(approval.approver);
  }
  return people;
}

std::set<std::string> eligible_approvers(const GateInputs& inputs) {
  return Approvers(inputs).eligible();
}

}  // namespace bailey
