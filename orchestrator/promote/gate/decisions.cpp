#include "orchestrator/promote/gate/decisions.hpp"

#include "orchestrator/base/lookup.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/model/standing.hpp"
#include "orchestrator/promote/gate/standing_decisions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace bailey {

namespace {

// Decisions are taken and changes are executed while they wait.
bool waits(const Change& change) {
  return change.state == ChangeState::Waiting || change.state == ChangeState::Approved;
}

tl::unexpected<Error> not_independent(std::string message, std::string hint = {}) {
  Error error(ErrorKind::Refused, std::move(message));
  if (!hint.empty()) error = std::move(error).with_hint(std::move(hint));
  return fail(std::move(error).with_code("gate.not-independent"));
}

// Nobody decides on a change that they wrote or asked for.
Status stands_apart(const Case& about, const std::string& person) {
  const auto& directory = about.bundle.directory;
  const auto& change = about.change;
  auto involved = involved_people(directory, about.authors, change.requester, change.executor);
  const bool own_rights = std::binary_search(change.affects.begin(), change.affects.end(), person);
  involved.insert(change.affects.begin(), change.affects.end());
  if (!involved.contains(person)) return {};
  const bool author = involved_people(directory, about.authors, {}, {}).contains(person);
  const auto holders = people_holding(about.bundle, about.environment, Power::Approve);
  std::vector<std::string> others;
  std::set_difference(holders.begin(), holders.end(), involved.begin(), involved.end(),
                      std::back_inserter(others));
  return not_independent(fmt::format("{} {} {} and cannot decide on it", person,
                                     author       ? "is an author of"
                                     : own_rights ? "has rights of their own that are changed by"
                                                  : "stands behind the requester or executor of",
                                     change.id.str()),
                         others.empty() ? "Nobody else can approve it either."
                                        : "These people can: " + enumerate(others, "or") + ".");
}

}  // namespace

Status may_decide(const Case& about, const Subject& who, const Status& holds_approve) {
  if (who.kind != SubjectKind::Person) {
    return fail(Error(ErrorKind::Refused, "only a person can decide on a change")
                    .with_code("gate.not-a-person"));
  }
  if (!waits(about.change)) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("{} is {} and takes no decision any more", about.change.id.str(),
                            to_string(about.change.state)));
  }
  if (auto apart = stands_apart(about, who.name); !apart) return apart;
  if (!holds_approve) return holds_approve;
  const auto* person = find_value(about.bundle.directory.people, who.name);
  if (person == nullptr || person->keys.empty()) {
    return fail(Error(ErrorKind::Refused, "the Directory has no key for " + who.name)
                    .with_hint("An approval is signed with the approver's own SSH key: add its "
                               "public half to the Directory.")
                    .with_code("gate.no-key"));
  }
  return {};
}

Status may_revoke(const Case& about, const Subject& who, const std::vector<Approval>& approvals) {
  if (!waits(about.change)) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("{} is {}: nothing said about it can be taken back any more",
                            about.change.id.str(), to_string(about.change.state)));
  }
  const auto standing = standing_decisions(approvals);
  const bool approved = who.kind == SubjectKind::Person &&
                        std::any_of(standing.begin(), standing.end(), [&](const Approval& each) {
                          return each.approver == who.name && each.change == about.change.id &&
                                 each.decision == Decision::Approve;
                        });
  if (approved) return {};
  return fail(
      Error(ErrorKind::FailedPrecondition, fmt::format("{} has no approval of {} to take back",
                                                       to_string(who), about.change.id.str()))
          .with_code("approval.nothing-to-revoke"));
}

Status may_execute(const Case& about, const Subject& who, const std::vector<Approval>& approvals,
                   const Status& holds_deploy) {
  if (!holds_deploy) return holds_deploy;
  const auto& directory = about.bundle.directory;
  const auto behind = people_behind(directory, who);
  if (behind.empty()) {
    return not_independent(
        fmt::format("nobody stands behind {}, so it cannot execute {}", to_string(who),
                    about.change.id.str()),
        "A service acts for those who control it: name them under `controlledBy`.");
  }
  const auto authors = involved_people(directory, about.authors, {}, {});
  for (const auto& person : behind) {
    const bool approved =
        std::any_of(approvals.begin(), approvals.end(), [&](const Approval& approval) {
          return approval.approver == person && approval.decision == Decision::Approve;
        });
    if (!authors.contains(person) && !approved) continue;
    return not_independent(fmt::format("{} {} {} and cannot execute it", person,
                                       approved ? "approved" : "is an author of",
                                       about.change.id.str()));
  }
  return {};
}

Status may_execute_unasked(const Case& about) {
  if (about.environment.execute != Execution::ByOperator) return {};
  return fail(Error(ErrorKind::Refused, fmt::format("changes of {} are executed by an operator",
                                                    about.change.environment))
                  .with_code("gate.by-operator"));
}

Status can_be_executed(const Change& change, bool environment_is_declared) {
  if (!waits(change)) {
    return fail(
        ErrorKind::FailedPrecondition,
        fmt::format("{} is {} and waits for nothing", change.id.str(), to_string(change.state)));
  }
  if (!environment_is_declared && change.kind != ChangeKind::Destroy) {
    return fail(Error(ErrorKind::FailedPrecondition,
                      change.environment + " is no longer declared: it can only be taken down")
                    .with_code("environment.removed"));
  }
  return {};
}

std::chrono::seconds time_to_expire(const Environment& environment) {
  std::chrono::seconds shortest = std::chrono::hours(72);
  for (const auto& condition : environment.gate) {
    if (const auto* approvals = std::get_if<ApprovalsCondition>(&condition)) {
      shortest = std::min(shortest, approvals->expire);
    }
  }
  return shortest;
}

std::string acting_role(const Bundle& bundle, const Environment& environment,
                        const std::set<std::string>& roles) {
  const auto* found = find_value(bundle.templates, environment.template_name);
  if (found == nullptr) return {};
  for (const auto& name : roles) {
    const auto* role = find_value(found->roles, name);
    if (role != nullptr && role->powers.contains(Power::Approve)) return name;
  }
  return {};
}

}  // namespace bailey
