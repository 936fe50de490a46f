#include "orchestrator/promote/gate/approvers.hpp"

#include "orchestrator/model/standing.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"
#include "orchestrator/promote/gate/standing_decisions.hpp"

#include <algorithm>
#include <iterator>
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
  std::set<std::string> said;
  for (const auto& approval : decisions_) {
    if (!involved_.contains(approval.approver)) said.insert(approval.approver);
  }
  deciders_ = inputs.bundle.directory.people_among(said, holders_);
}

NameSet Approvers::eligible_among(const std::vector<Subject>& subjects) const {
  std::vector<std::string> names;
  for (const auto* entry : inputs_.bundle.directory.entries_in(subjects)) {
    const auto& [name, person] = *entry;
    if (!involved_.contains(name) && has_a_key(person)) names.push_back(name);
  }
  return {boost::container::ordered_unique_range, names.begin(), names.end()};
}

const NameSet& Approvers::eligible() const {
  if (!eligible_) eligible_ = eligible_among(holders_);
  return *eligible_;
}

const NameSet& Approvers::eligible_in(const Subject& from) const {
  const auto name = to_string(from);
  auto known = eligible_in_.find(name);
  if (known == eligible_in_.end()) known = eligible_in_.emplace(name, holders_in(from)).first;
  return known->second;
}

NameSet Approvers::holders_in(const Subject& from) const {
  auto mine = eligible_among({from});
  const bool hold_it_as_a_whole =
      std::find(holders_.begin(), holders_.end(), from) != holders_.end();
  if (hold_it_as_a_whole) return mine;
  const auto& all = eligible();
  std::vector<std::string> both;
  std::set_intersection(all.begin(), all.end(), mine.begin(), mine.end(), std::back_inserter(both));
  return {boost::container::ordered_unique_range, both.begin(), both.end()};
}

NameSet Approvers::among(const std::set<std::string>& people, const Subject& from) const {
  const auto found = inputs_.bundle.directory.people_among(people, {from});
  return {boost::container::ordered_unique_range, found.begin(), found.end()};
}

bool Approvers::counts(const Approval& approval) const {
  return approval.change == inputs_.change.id && deciders_.contains(approval.approver) &&
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
  const Approvers approvers(inputs);
  return {approvers.eligible().begin(), approvers.eligible().end()};
}

}  // namespace bailey
