#include "orchestrator/promote/gate/approvers.hpp"

#include "orchestrator/model/standing.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"
#include "orchestrator/promote/gate/standing_decisions.hpp"

#include <algorithm>
#include <utility>

namespace bailey {

namespace {

bool has_a_key(const Person& person) {
  // That it can be used is seen when it is enrolled, and again by what it signs.
  return !person.keys.empty();
}

}  // namespace

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

Approvers::Approvers(const GateInputs& inputs)
    : inputs_(inputs),
      holders_(holders_of(inputs.bundle, inputs.environment, Power::Approve)),
      decisions_(standing_decisions(inputs.approvals)),
      involved_(involved_people(inputs.bundle.directory, all_authors(inputs),
                                inputs.change.requester, inputs.change.executor)) {
  // Nobody approves a change of their own rights.
  involved_.insert(inputs.change.affects.begin(), inputs.change.affects.end());
}

const std::set<std::string>& Approvers::eligible() const {
  if (eligible_) return *eligible_;
  const auto& directory = inputs_.bundle.directory;
  auto people = directory.people_in(holders_);
  std::erase_if(people, [&](const std::string& person) {
    return involved_.contains(person) || !has_a_key(directory.people.at(person));
  });
  return eligible_.emplace(std::move(people));
}

std::set<std::string> Approvers::eligible_in(const Subject& from) const {
  const auto& all = eligible();
  auto people = inputs_.bundle.directory.people_in({from});
  std::erase_if(people, [&](const std::string& person) { return !all.contains(person); });
  return people;
}

std::set<std::string> Approvers::among(const std::set<std::string>& people,
                                       const Subject& from) const {
  std::set<std::string> found;
  for (const auto& person : people) {
    if (inputs_.bundle.directory.contains({from}, {SubjectKind::Person, person})) {
      found.insert(person);
    }
  }
  return found;
}

bool Approvers::may(const std::string& person) const {
  return !involved_.contains(person) &&
         inputs_.bundle.directory.contains(holders_, {SubjectKind::Person, person});
}

bool Approvers::counts(const Approval& approval) const {
  return approval.change == inputs_.change.id && may(approval.approver) &&
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
