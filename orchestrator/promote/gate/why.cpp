#include "orchestrator/promote/gate/why.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/model/standing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

std::string how_to_meet(const std::string& condition, const Change& change) {
  if (condition == "approvals" || condition == "floor") {
    return "bailey approve " + change.id.str();
  }
  if (condition == "evidence") return "bailey artifact submit";
  return {};
}

Blocker rejection(const WhyInputs& inputs) {
  const auto& change = inputs.about.change;
  Blocker out;
  out.what = "rejected";
  out.detail = "It was rejected. What is wanted still has to be asked for anew.";
  if (!change.history.empty()) out.since = parse_time(change.history.back().at);
  for (const auto& approval : inputs.approvals) {
    if (approval.decision != Decision::Reject) continue;
    out.detail = fmt::format("{} rejected it{}. What is wanted still has to be asked for anew.",
                             approval.approver,
                             approval.reason.empty() ? "" : ": \"" + approval.reason + "\"");
  }
  out.who_can_unblock = {to_string(change.requester)};
  return out;
}

Blocker removal(const WhyInputs& inputs) {
  Blocker out;
  out.what = "removed";
  out.detail = fmt::format("{} is no longer declared: it can only be taken down.",
                           inputs.about.change.environment);
  out.how = "bailey destroy " + inputs.about.change.environment;
  return out;
}

Blocker staleness() {
  Blocker out;
  out.what = "stale";
  out.detail =
      "What it was planned from has changed since. Bailey plans it anew; approvals of the old plan "
      "do not count for the new one.";
  return out;
}

/// Everybody who could let it run: holders of `deploy` who neither wrote nor approved it.
Blocker operation(const WhyInputs& inputs) {
  const auto& about = inputs.about;
  Blocker out;
  out.what = "by-operator";
  out.detail = fmt::format(
      "In {} an operator lets a change run: somebody who neither wrote nor "
      "approved it.",
      about.change.environment);
  for (const auto& holder :
       about.bundle.directory.expand(holders_of(about.bundle, about.environment, Power::Deploy))) {
    if (may_execute(about, holder, inputs.approvals, {})) {
      out.who_can_unblock.push_back(to_string(holder));
    }
  }
  out.how = "bailey change execute " + about.change.id.str();
  return out;
}

}  // namespace

std::vector<Blocker> why_blocked(const WhyInputs& inputs) {
  const auto& change = inputs.about.change;
  if (change.state == ChangeState::Rejected) return {rejection(inputs)};
  if (change.finished() || change.state == ChangeState::Executing ||
      change.state == ChangeState::Verifying) {
    return {};
  }
  if (!can_be_executed(change, inputs.declared) && !inputs.declared) return {removal(inputs)};
  std::vector<Blocker> out;
  if (!inputs.current) out.push_back(staleness());
  for (const auto& condition : inputs.gate.conditions) {
    if (condition.met) continue;
    out.push_back({condition.condition, condition.detail, condition.since, condition.opens_at,
                   condition.who_can_unblock, how_to_meet(condition.condition, change)});
  }
  if (!may_execute_unasked(inputs.about)) out.push_back(operation(inputs));
  return out;
}

Json to_json(const Blocker& blocker) {
  const auto time = [](const std::optional<WallTime>& at) {
    return at ? Json(format_time(*at)) : Json();
  };
  return {{"what", blocker.what},
          {"detail", blocker.detail},
          {"since", time(blocker.since)},
          {"until", time(blocker.until)},
          {"who_can_unblock", blocker.who_can_unblock},
          {"how", blocker.how}};
}

}  // namespace bailey
