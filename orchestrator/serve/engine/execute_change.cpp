#include "orchestrator/serve/engine/execute_change.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/stop.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/provision/apply/recovery.hpp"
#include "orchestrator/provision/apply/teardown.hpp"
#include "orchestrator/serve/engine/finish_change.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/lease_credential.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/policy_change.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/run_programs.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

tl::unexpected<Error> gate_refuses(const Change& change, const GateResult& result) {
  std::string hint;
  for (const auto& condition : result.conditions) {
    if (condition.met) continue;
    hint +=
        fmt::format("{}{}: {}", hint.empty() ? "" : "\n", condition.condition, condition.detail);
    if (!condition.who_can_unblock.empty()) {
      hint += "\n  can be met by: " + enumerate(condition.who_can_unblock, "or");
    }
  }
  return fail(Error(ErrorKind::Refused, fmt::format("the gate of {} does not let {} through",
                                                    change.environment, change.id.str()))
                  .with_hint(std::move(hint))
                  .with_code("gate.not-met"));
}

// Nothing of what it was judged by may have moved since the plan was made.
Status check_current(Engine& engine, Transaction& transaction, const Bench& bench,
                     const Change& change) {
  const auto policy = digest_of(policy_of(*bench.bundle, *bench.environment));
  if (policy != change.plan.policy_digest) {
    return fail(Error(ErrorKind::Conflict, "what decides has changed since this was planned")
                    .with_code("plan.stale"));
  }
  if (change.kind == ChangeKind::Policy)
    return check_policy_is_current(engine, transaction, change);
  return check_plan_is_current(transaction, change.plan);
}

Status mark_environment(Transaction& transaction, const Change& change, EnvironmentStatus status) {
  if (change.kind == ChangeKind::Policy) return {};
  auto state = find_environment_state(transaction, change.environment);
  if (!state) return fail(std::move(state.error()));
  if (!*state) return fail(ErrorKind::Internal, "an environment with a change has no record");
  (*state)->status = status;
  return save(transaction, **state);
}

Result<Claim> claim(Engine& engine, Transaction& transaction, const ChangeId& id,
                    const std::optional<Request>& by, const CheckOutcomes& checks) {
  auto change = load_change(transaction, id);
  if (!change) return fail(std::move(change.error()));
  if (change->state != ChangeState::Waiting && change->state != ChangeState::Approved) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("{} is {} and waits for nothing", id.str(), to_string(change->state)));
  }
  auto bench = bench_for(engine, transaction, change->environment);
  if (!bench) return fail(std::move(bench.error()));
  if (!by && bench->environment->execute == Execution::ByOperator) {
    return fail(Error(ErrorKind::Refused,
                      fmt::format("changes of {} are executed by an operator", change->environment))
                    .with_code("gate.by-operator"));
  }
  if (by) change->executor = by->caller.subject;
  auto judged = judge(engine, transaction, *bench, *change, checks);
  if (!judged) return fail(std::move(judged.error()));
  if (!judged->result.met) return gate_refuses(*change, judged->result);
  if (auto current = check_current(engine, transaction, *bench, *change); !current) {
    return fail(std::move(current.error()));
  }
  auto fence = acquire_lease(transaction, change->environment, "change:" + id.str(),
                             engine.lease_ttl(), engine.clock().wall_now());
  if (!fence) return fail(std::move(fence.error()));
  step(*change, ChangeState::Executing, engine.now(),
       by ? "by " + to_string(by->caller.subject) : "the gate is met");
  if (auto saved = save(transaction, *change); !saved) return fail(std::move(saved.error()));
  auto kept = keep_judgement(engine, transaction, *bench, *change, *judged);
  if (!kept) return fail(std::move(kept.error()));
  const auto status = change->kind == ChangeKind::Destroy ? EnvironmentStatus::Destroying
                                                          : EnvironmentStatus::Applying;
  if (auto marked = mark_environment(transaction, *change, status); !marked) {
    return fail(std::move(marked.error()));
  }
  const auto target = "change:" + id.str();
  auto entry = by ? entry_for(engine, *by, "change.execute", target)
                  : own_entry(engine, "change.execute", target);
  entry.digests = {{"plan", change->plan.digest}, {"gate", digest_of(judged->record)}};
  auto index = append(transaction, entry);
  if (!index) return fail(std::move(index.error()));
  return Claim{*std::move(change), *std::move(fence)};
}

// The answers of the gate's programs, run now unless they are fresh. Never inside a transaction.
Result<CheckOutcomes> fresh_checks(Engine& engine, const ChangeId& id, std::stop_token stop) {
  struct Read {
    Change change;
    Bench bench;
  };
  auto read =
      in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Read> {
        auto change = load_change(transaction, id);
        if (!change) return fail(std::move(change.error()));
        auto bench = bench_for(engine, transaction, change->environment);
        if (!bench) return fail(std::move(bench.error()));
        return Read{*std::move(change), *std::move(bench)};
      });
  if (!read) return fail(std::move(read.error()));
  if (!wants_checks(*read->bench.environment)) return CheckOutcomes();
  if (auto known =
          engine.checks().get(id, read->change.plan.digest, engine.clock().monotonic_now())) {
    return *std::move(known);
  }
  return run_checks(engine, read->bench, read->change, stop);
}

struct Work {
  Engine& engine;
  Claim& claim;
  Bench bench;
  std::shared_ptr<Provider> provider;
  const std::function<void(const ApplyEvent&)>& observer;
  std::stop_token stop;
};

// The environment's boundary at the provider, found or made, and written down.
Result<std::string> ensure_boundary(Work& work) {
  const auto& change = work.claim.change;
  const auto& environment = *work.bench.environment;
  const auto& wanted = environment.boundary;
  auto boundary = work.provider->ensure_boundary(
      {change.environment_uid, environment.name, environment.project, environment.environment_class,
       wanted.adopt, wanted.description, wanted.tags},
      work.stop);
  if (!boundary) return boundary;
  auto written =
      in_transaction(work.engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
        if (auto held = check_fence(transaction, work.claim.fence); !held) return held;
        auto state = find_environment_state(transaction, change.environment);
        if (!state) return fail(std::move(state.error()));
        if (!*state) return fail(ErrorKind::Internal, "the environment has no record");
        if ((*state)->boundary == *boundary) return {};
        (*state)->boundary = *boundary;
        if (auto saved = save(transaction, **state); !saved) return saved;
        auto index = append(transaction, own_entry(work.engine, "boundary.ensure",
                                                   "environment:" + change.environment, *boundary));
        if (!index) return fail(std::move(index.error()));
        return {};
      });
  if (!written) return fail(std::move(written.error()));
  return boundary;
}

ApplyContext context_of(Work& work) {
  const auto& account = work.bench.bundle->accounts.at(work.bench.environment->account);
  return {work.engine.store(),
          *work.provider,
          work.engine.schema(*work.bench.bundle, *work.bench.environment),
          work.engine.clock(),
          work.engine.random(),
          account.limits.concurrency,
          work.observer};
}

std::string first_failure(const ApplyReport& report) {
  std::size_t failed = 0;
  std::string first;
  for (const auto& operation : report.operations) {
    if (operation.outcome == OperationOutcome::Succeeded) continue;
    if (operation.error && first.empty()) {
      first = operation.address.str() + ": " + operation.error->message();
    }
    ++failed;
  }
  return fmt::format("{} of {} operations did not succeed; {}", failed, report.operations.size(),
                     first.empty() ? "none was started" : first);
}

// Applies the plan; an Error says why the change cannot be done.
Status apply(Work& work) {
  auto& change = work.claim.change;
  auto boundary = ensure_boundary(work);
  if (!boundary) return fail(std::move(boundary.error()).in("making the boundary"));
  const auto context = context_of(work);
  auto recovered = recover(context, *boundary, work.claim.fence, work.stop);
  if (!recovered) return fail(std::move(recovered.error()).in("settling what was left open"));
  auto report = apply_plan(context, change.plan, *boundary, work.claim.fence, work.stop);
  if (!report) return fail(std::move(report.error()).in("applying the plan"));
  change.outcome = to_json(*report);
  if (!report->ok()) return fail(ErrorKind::FailedPrecondition, first_failure(*report));
  return {};
}

Status take_down(Work& work) {
  const auto& change = work.claim.change;
  auto state = in_transaction(work.engine.store(), Access::Read, [&](Transaction& transaction) {
    return find_environment_state(transaction, change.environment);
  });
  if (!state) return fail(std::move(state.error()));
  const auto boundary = *state ? (*state)->boundary : std::string();
  if (!boundary.empty()) {
    const auto context = context_of(work);
    auto recovered = recover(context, boundary, work.claim.fence, work.stop);
    if (!recovered) return fail(std::move(recovered.error()));
    auto report = apply_plan(context, change.plan, boundary, work.claim.fence, work.stop);
    if (!report) return fail(std::move(report.error()).in("applying the plan"));
    work.claim.change.outcome = to_json(*report);
    if (!report->ok()) return fail(ErrorKind::FailedPrecondition, first_failure(*report));
  }
  auto stripped = strip_environment(work.engine, *work.bench.bundle, *work.bench.environment,
                                    work.claim.fence, work.stop);
  if (!stripped) return fail(std::move(stripped.error()).in("revoking its credentials"));
  // An adopted one that an earlier run gave back still stands, and is nobody's of ours: only its
  // mark tells.
  const bool adopted = !work.bench.environment->boundary.adopt.empty();
  return teardown(*work.provider, work.engine.schema(*work.bench.bundle, *work.bench.environment),
                  change.environment_uid, adopted ? std::string() : boundary, work.stop);
}

Result<Change> run_policy(Engine& engine, Claim& claim) {
  return finish_change(engine, claim, [&](Transaction& transaction) -> Status {
    return accept_bundle(engine, transaction, own_entry(engine, "bundle.accept", "organization"),
                         claim.change.bundle_digest);
  });
}

Status to_verifying(Work& work) {
  auto& change = work.claim.change;
  step(change, ChangeState::Verifying, work.engine.now());
  return in_transaction(work.engine.store(), Access::Write,
                        [&](Transaction& transaction) -> Status {
                          if (auto held = check_fence(transaction, work.claim.fence); !held)
                            return held;
                          return save(transaction, change);
                        });
}

Result<Change> run_apply(Work& work) {
  auto applied = apply(work);
  if (!applied) return fail_change(work.engine, work.claim, applied.error(), work.stop);
  auto stamped = stamp_environment(work.engine, *work.bench.bundle, *work.bench.environment,
                                   work.claim.fence, work.stop);
  if (!stamped) {
    return fail_change(work.engine, work.claim,
                       std::move(stamped.error()).in("stamping its credentials"), work.stop);
  }
  if (auto stepped = to_verifying(work); !stepped) return fail(std::move(stepped.error()));
  auto results = run_verifications(work.engine, work.bench, work.claim.change, work.stop);
  if (!results) return fail_change(work.engine, work.claim, results.error(), work.stop);
  return finish_applied(work.engine, work.claim, work.bench, *results);
}

}  // namespace

Result<Claim> claim_change(Engine& engine, const ChangeId& id, const std::optional<Request>& by,
                           std::stop_token stop) {
  auto checks = fresh_checks(engine, id, stop);
  if (!checks) return fail(std::move(checks.error()));
  return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return claim(engine, transaction, id, by, *checks);
  });
}

Result<Claim> reclaim_change(Engine& engine, const ChangeId& id) {
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Claim> {
        auto change = load_change(transaction, id);
        if (!change) return fail(std::move(change.error()));
        if (change->state != ChangeState::Executing && change->state != ChangeState::Verifying) {
          return fail(ErrorKind::FailedPrecondition, id.str() + " is not being executed");
        }
        auto fence = acquire_lease(transaction, change->environment, "change:" + id.str(),
                                   engine.lease_ttl(), engine.clock().wall_now());
        if (!fence) return fail(std::move(fence.error()));
        auto index = append(transaction, own_entry(engine, "change.resume", "change:" + id.str()));
        if (!index) return fail(std::move(index.error()));
        return Claim{*std::move(change), *std::move(fence)};
      });
}

Result<Claim> claim_by_operator(Engine& engine, const Request& request, const ChangeId& id,
                                std::stop_token stop) {
  return audited(engine, request, "change.execute", "change:" + id.str(), [&]() -> Result<Claim> {
    auto allowed =
        in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) -> Status {
          auto change = load_change(transaction, id);
          if (!change) return fail(std::move(change.error()));
          auto bench = bench_for(engine, transaction, change->environment);
          if (!bench) return fail(std::move(bench.error()));
          return may_execute(transaction, *bench, *change, request.caller);
        });
    if (!allowed) return fail(std::move(allowed.error()));
    return claim_change(engine, id, request, stop);
  });
}

Result<Change> run_change(Engine& engine, Claim claim,
                          const std::function<void(const ApplyEvent&)>& observer,
                          std::stop_token stop) {
  if (claim.change.kind == ChangeKind::Policy) return run_policy(engine, claim);
  auto bench = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return bench_for(engine, transaction, claim.change.environment);
  });
  if (!bench) return fail_change(engine, claim, bench.error(), stop);
  auto provider = engine.provider(*bench->bundle, *bench->environment);
  if (!provider) return fail_change(engine, claim, provider.error(), stop);
  // The lease is kept alive over everything: programs and credentials take their time too.
  LeaseKeeper keeper(engine.store(), engine.clock(), claim.fence);
  const SendingWithin lease(keeper.term());
  const EitherStop ended(std::move(stop), keeper.lost());
  Work work{engine, claim, *std::move(bench), *std::move(provider), observer, ended.token()};
  if (work.stop.stop_requested()) {
    return fail_change(engine, claim, Error(ErrorKind::Cancelled, "stopped before it began"),
                       work.stop);
  }
  if (claim.change.kind != ChangeKind::Destroy) return run_apply(work);
  auto down = take_down(work);
  if (!down) return fail_change(engine, claim, down.error(), work.stop);
  return finish_destroyed(engine, claim);
}

}  // namespace bailey
