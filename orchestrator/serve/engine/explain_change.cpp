#include "orchestrator/serve/engine/explain_change.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/gate/why.hpp"
#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/serve/engine/policy_change.hpp"
#include "orchestrator/serve/engine/records.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

bool waits(const Change& change) {
  return !change.finished() && change.state != ChangeState::Executing &&
         change.state != ChangeState::Verifying;
}

// Whoever is executed now is waited for.
Result<std::vector<Blocker>> queue_before(Transaction& transaction, const Change& change) {
  auto others = open_changes(transaction, change.environment);
  if (!others) return fail(std::move(others.error()));
  std::vector<Blocker> queue;
  for (const auto& other : *others) {
    if (other.state != ChangeState::Executing && other.state != ChangeState::Verifying) continue;
    const auto& since = other.history.back().at;
    Blocker running;
    running.what = "queue";
    running.detail = fmt::format("{} is being executed since {}.", other.id.str(), since);
    running.since = parse_time(since);
    queue.push_back(std::move(running));
  }
  return queue;
}

bool is_current(Engine& engine, Transaction& transaction, const Bench& bench,
                const Change& change) {
  if (digest_of(policy_of(*bench.bundle, *bench.environment)) != change.plan.policy_digest) {
    return false;
  }
  return change.kind == ChangeKind::Policy
             ? check_policy_is_current(engine, transaction, change).has_value()
             : check_plan_is_current(transaction, change.plan).has_value();
}

}  // namespace

Result<Explanation> explain_change(Engine& engine, Transaction& transaction, const Bench& bench,
                                   const Change& change) {
  Explanation out;
  if (!waits(change) && change.state != ChangeState::Rejected) return out;
  const auto approvals = approvals_of(transaction, change.id);
  if (!approvals) return fail(Error(approvals.error()));
  auto authors = known_authors(transaction, *bench.bundle, change);
  if (!authors) return fail(std::move(authors.error()));
  const Case about{*bench.bundle, *bench.environment, change, *std::move(authors)};
  GateResult gate;
  std::vector<Blocker> queue;
  if (waits(change)) {
    const auto checks =
        engine.checks().get(change.id, change.plan.digest, engine.clock().monotonic_now());
    auto judged = judge(engine, transaction, bench, change, checks.value_or(CheckOutcomes()));
    if (!judged) return fail(std::move(judged.error()));
    gate = std::move(judged->result);
    auto before = queue_before(transaction, change);
    if (!before) return fail(std::move(before.error()));
    queue = *std::move(before);
  }
  out.gate = gate_json(gate);
  for (const auto& each : queue) {
    out.gate.push_back({{"condition", each.what},
                        {"met", false},
                        {"detail", each.detail},
                        {"who_can_unblock", each.who_can_unblock}});
  }
  out.waits_for_people =
      std::any_of(gate.conditions.begin(), gate.conditions.end(),
                  [](const auto& each) { return !each.met && each.waits_for_people; });
  const bool current = !waits(change) || is_current(engine, transaction, bench, change);
  auto blockers = why_blocked({about, gate, *approvals, !bench.removed, current});
  blockers.insert(blockers.end(), queue.begin(), queue.end());
  for (const auto& each : blockers) out.blocked_by.push_back(to_json(each));
  return out;
}

}  // namespace bailey
