#include "orchestrator/serve/engine/execute_change.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/stop.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/gate/decisions.hpp"
#include "orchestrator/provision/apply/moves.hpp"
#include "orchestrator/provision/apply/recovery.hpp"
#include "orchestrator/provision/apply/teardown.hpp"
#include "orchestrator/provision/credential/credentials.hpp"
#include "orchestrator/serve/engine/collect_evidence.hpp"
#include "orchestrator/serve/engine/copy_artifacts.hpp"
#include "orchestrator/serve/engine/finish_change.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/lease_credential.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/policy_change.hpp"
#include "orchestrator/serve/engine/progress.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/request_grant.hpp"
#include "orchestrator/serve/engine/root_of_trust.hpp"
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
  if (change.kind == ChangeKind::Grant) return check_grant_is_current(engine, transaction, change);
  return check_plan_is_current(transaction, change.plan);
}

// A grant does nothing to its environment: it neither waits for who works there, nor holds them up.
std::string worked_on(const Change& change) {
  return change.kind == ChangeKind::Grant ? "grant/" + change.id.str() : change.environment;
}

// Decisions about drift leave the environment what it is meanwhile, and so do grants.
Status mark_environment(Transaction& transaction, const Change& change, WallTime steady_now) {
  if (change.kind == ChangeKind::Policy || change.kind == ChangeKind::Drift ||
      change.kind == ChangeKind::Grant) {
    return {};
  }
  auto state = find_environment_state(transaction, change.environment);
  if (!state) return fail(std::move(state.error()));
  if (!*state) return fail(ErrorKind::Internal, "an environment with a change has no record");
  (*state)->status = change.kind == ChangeKind::Destroy ? EnvironmentStatus::Destroying
                                                        : EnvironmentStatus::Applying;
  if ((*state)->made_at.empty()) (*state)->made_at = format_time(steady_now);
  return save(transaction, **state);
}

// The power to execute, and the distance.
Status may_claim(Transaction& transaction, const Bench& bench, const Change& change,
                 const std::optional<Request>& by) {
  auto authors = known_authors(transaction, *bench.bundle, change);
  if (!authors) return fail(std::move(authors.error()));
  const Case about{*bench.bundle, *bench.environment, change, *std::move(authors)};
  if (!by) return may_execute_unasked(about);
  const auto approvals = approvals_of(transaction, change.id);
  if (!approvals) return fail(Error(approvals.error()));
  return may_execute(about, by->caller.subject, *approvals,
                     require(*bench.bundle, *bench.environment, by->caller, Power::Deploy));
}

struct ClaimInputs {
  const std::optional<Request>& by;
  CheckOutcomes checks;
  WallTime steady_now;
};

Result<Claim> claim(Engine& engine, Transaction& transaction, const ChangeId& id,
                    const ClaimInputs& inputs) {
  const auto& by = inputs.by;
  auto change = load_change(transaction, id);
  if (!change) return fail(std::move(change.error()));
  auto bench = bench_for(engine, transaction, *change);
  if (!bench) return fail(std::move(bench.error()));
  if (auto can = can_be_executed(*change, !bench->removed); !can) {
    return fail(std::move(can.error()));
  }
  if (auto may = may_claim(transaction, *bench, *change, by); !may) {
    return fail(std::move(may.error()));
  }
  if (by) change->executor = by->caller.subject;
  auto judged = judge(engine, transaction, *bench, *change, inputs.checks);
  if (!judged) return fail(std::move(judged.error()));
  if (!judged->result.met) return gate_refuses(*change, judged->result);
  if (auto current = check_current(engine, transaction, *bench, *change); !current) {
    return fail(std::move(current.error()));
  }
  auto fence = acquire_lease(transaction, worked_on(*change), "change:" + id.str(),
                             engine.lease_ttl(), engine.clock().wall_now());
  if (!fence) return fail(std::move(fence.error()));
  step(*change, ChangeState::Executing, engine.now(),
       by ? "by " + to_string(by->caller.subject) : "the gate is met");
  if (auto saved = save(transaction, *change); !saved) return fail(std::move(saved.error()));
  auto kept = keep_judgement(engine, transaction, *bench, *change, *judged);
  if (!kept) return fail(std::move(kept.error()));
  if (auto marked = mark_environment(transaction, *change, inputs.steady_now); !marked) {
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
        auto bench = bench_for(engine, transaction, *change);
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
  ProgressTracker& progress;
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
          [&progress = work.progress](const ApplyEvent& event) { progress.observe(event); }};
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

Status check(const ApplyReport& report) {
  if (report.ok()) return {};
  for (const auto& operation : report.operations) {
    if (operation.error && operation.error->code() == kStoreFailed) return fail(*operation.error);
  }
  return fail(ErrorKind::FailedPrecondition, first_failure(report));
}

// For those who watch, and for the order in which operations are started; nothing of it decides.
Result<Estimates> begin_progress(Work& work, int concurrency) {
  const auto& plan = work.claim.change.plan;
  return in_transaction(
      work.engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Estimates> {
        auto states = load_resources(transaction, plan.environment);
        if (!states) return fail(std::move(states.error()));
        auto intents = load_intents(transaction, plan.environment);
        if (!intents) return fail(std::move(intents.error()));
        auto estimates = load_estimates(transaction, work.bench.environment->account);
        if (!estimates) return fail(std::move(estimates.error()));
        std::erase_if(*intents, [](const Intent& each) { return each.verb != Verb::Retire; });
        work.progress.begin(plan, steps_of(plan, *states, *intents), *estimates, concurrency);
        return estimates;
      });
}

// A hint for the next time: a change does not fail for it.
void remember_durations(Work& work, const ApplyReport& report) {
  FencedStore store(work.engine.store(), work.claim.fence);
  [[maybe_unused]] const auto written =
      in_transaction(store, Access::Write, [&](Transaction& transaction) -> Status {
        const auto& account = work.bench.environment->account;
        auto estimates = load_estimates(transaction, account);
        if (!estimates) return fail(std::move(estimates.error()));
        estimates->learn(work.claim.change.plan, report);
        return save(transaction, account, *estimates);
      });
}

// Settles what was left open and carries out the plan; an Error says why it cannot be done.
Status run_plan(Work& work, const std::string& boundary) {
  auto& change = work.claim.change;
  auto context = context_of(work);
  auto recovered = recover(context, boundary, work.claim.fence, work.stop);
  if (!recovered) return fail(std::move(recovered.error()).in("settling what was left open"));
  auto moved = in_transaction(work.engine.store(), Access::Write, [&](Transaction& transaction) {
    return move_resources(transaction, change.plan, work.claim.fence,
                          work.engine.clock().wall_now());
  });
  if (!moved) return fail(std::move(moved.error()).in("moving what has another name now"));
  const auto estimates = begin_progress(work, context.concurrency);
  if (!estimates) return fail(Error(estimates.error()));
  context.weigh = [&](StepPlan& steps) { weigh(steps, *estimates); };
  auto report = apply_plan(context, change.plan, boundary, work.claim.fence, work.stop);
  if (!report) return fail(std::move(report.error()).in("applying the plan"));
  change.outcome = to_json(*report);
  remember_durations(work, *report);
  return check(*report);
}

Status apply(Work& work) {
  auto boundary = ensure_boundary(work);
  if (!boundary) return fail(std::move(boundary.error()).in("making the boundary"));
  return run_plan(work, *boundary);
}

// Leases and identities of the environment that the record still has.
Status check_nobody_left(Work& work) {
  const auto& name = work.claim.change.environment;
  return in_transaction(work.engine.store(), Access::Read, [&](Transaction& transaction) -> Status {
    auto listing = list_credentials(transaction, name);
    if (!listing) return fail(std::move(listing.error()));
    std::vector<std::string> left;
    for (const auto& credential : listing->credentials) {
      if (credential.status != CredentialStatus::Revoked) left.push_back(credential.id.str());
    }
    auto identities =
        transaction.list(Collection::Identity, {.prefix = name + "/", .after = {}, .limit = 0});
    if (!identities) return fail(std::move(identities.error()));
    for (const auto& identity : *identities) left.push_back("identity " + identity.key);
    if (left.empty()) return {};
    return fail(Error(ErrorKind::FailedPrecondition, "still there: " + enumerate(left))
                    .with_code("teardown.left-over"));
  });
}

Status take_down(Work& work) {
  const auto& change = work.claim.change;
  auto state = in_transaction(work.engine.store(), Access::Read, [&](Transaction& transaction) {
    return find_environment_state(transaction, change.environment);
  });
  if (!state) return fail(std::move(state.error()));
  const auto boundary = *state ? (*state)->boundary : std::string();
  if (!boundary.empty()) {
    if (auto ran = run_plan(work, boundary); !ran) return ran;
  }
  work.progress.enter(ExecutionStage::Stamping);
  auto stripped = strip_environment(work.engine, *work.bench.bundle, *work.bench.environment,
                                    work.claim.fence, work.stop);
  if (!stripped) return fail(std::move(stripped.error()).in("revoking its credentials"));
  // An adopted one that an earlier run gave back still stands, and is nobody's of ours: only its
  // mark tells.
  const bool adopted = !work.bench.environment->boundary.adopt.empty();
  work.progress.enter(ExecutionStage::TakingDown);
  auto ended =
      teardown(*work.provider, work.engine.schema(*work.bench.bundle, *work.bench.environment),
               change.environment_uid, adopted ? std::string() : boundary, work.stop);
  if (!ended) return ended;
  return check_nobody_left(work);
}

// Of many attempts the first and the last ones are told.
void forget_old_attempts(Change& change) {
  constexpr std::ptrdiff_t kFirst = 10;
  constexpr std::size_t kMost = 40;
  auto& history = change.history;
  while (history.size() > kMost) history.erase(history.begin() + kFirst);
}

// What stands in the way of the end, as far as it can be told.
std::vector<std::string> what_is_left(Work& work, const Error& reason) {
  std::vector<std::string> left{reason.message()};
  const auto state = in_transaction(work.engine.store(), Access::Read, [&](Transaction& reading) {
    return find_environment_state(reading, work.claim.change.environment);
  });
  if (!state || !*state || (*state)->boundary.empty()) return left;
  const auto inventory = take_inventory(
      *work.provider, work.engine.schema(*work.bench.bundle, *work.bench.environment),
      work.claim.change.environment_uid, (*state)->boundary, work.stop);
  if (!inventory) return left;
  left.insert(left.end(), inventory->ours.begin(), inventory->ours.end());
  left.insert(left.end(), inventory->unmanaged.begin(), inventory->unmanaged.end());
  return left;
}

Result<Change> run_policy(Engine& engine, Claim& claim) {
  return finish_change(engine, claim, [&](Transaction& transaction) -> Status {
    if (auto noted = note_confirmed(transaction, claim.change); !noted) return noted;
    auto root = confirms_root(transaction, claim.change.id);
    if (!root) return fail(std::move(root.error()));
    if (*root) return {};
    return accept_bundle(engine, transaction, own_entry(engine, "bundle.accept", "organization"),
                         claim.change.bundle_digest);
  });
}

Status to_verifying(Work& work) {
  auto& change = work.claim.change;
  work.progress.enter(ExecutionStage::Verifying);
  step(change, ChangeState::Verifying, work.engine.now());
  return in_transaction(work.engine.store(), Access::Write,
                        [&](Transaction& transaction) -> Status {
                          if (auto held = check_fence(transaction, work.claim.fence); !held)
                            return held;
                          return save(transaction, change);
                        });
}

Result<Change> run_apply(Work& work) {
  auto copied = copy_artifacts(work.engine, work.claim, work.bench, work.stop);
  if (!copied) return fail_change(work.engine, work.claim, copied.error(), work.stop);
  auto applied = apply(work);
  if (!applied) return fail_change(work.engine, work.claim, applied.error(), work.stop);
  work.progress.enter(ExecutionStage::Stamping);
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
  collect_evidence_of(engine, id, stop);
  auto checks = fresh_checks(engine, id, stop);
  if (!checks) return fail(std::move(checks.error()));
  auto steady_now = engine.steady_time().now();
  if (!steady_now) return fail(std::move(steady_now.error()));
  const ClaimInputs inputs{by, *std::move(checks), *steady_now};
  return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return claim(engine, transaction, id, inputs);
  });
}

bool may_resume(const EnvironmentState& environment, const Change& change) {
  return change.kind == ChangeKind::Destroy && change.state == ChangeState::Failed &&
         environment.status == EnvironmentStatus::Destroying &&
         environment.uid == change.environment_uid;
}

Result<Claim> reclaim_change(Engine& engine, const ChangeId& id) {
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Claim> {
        auto change = load_change(transaction, id);
        if (!change) return fail(std::move(change.error()));
        auto state = find_environment_state(transaction, change->environment);
        if (!state) return fail(std::move(state.error()));
        const bool resumed = *state && may_resume(**state, *change);
        if (change->state != ChangeState::Executing && change->state != ChangeState::Verifying &&
            !resumed) {
          return fail(ErrorKind::FailedPrecondition, id.str() + " is not being executed");
        }
        auto fence = acquire_lease(transaction, worked_on(*change), "change:" + id.str(),
                                   engine.lease_ttl(), engine.clock().wall_now());
        if (!fence) return fail(std::move(fence.error()));
        if (resumed) {
          forget_old_attempts(*change);
          step(*change, ChangeState::Executing, engine.now(), "to carry on what failed");
          if (auto saved = save(transaction, *change); !saved) {
            return fail(std::move(saved.error()));
          }
        }
        auto index = append(transaction, own_entry(engine, "change.resume", "change:" + id.str()));
        if (!index) return fail(std::move(index.error()));
        return Claim{*std::move(change), *std::move(fence)};
      });
}

Result<Claim> claim_by_operator(Engine& engine, const Request& request, const ChangeId& id,
                                std::stop_token stop) {
  return audited(engine, request, "change.execute", "change:" + id.str(), [&]() -> Result<Claim> {
    // Asked before any program runs, and once more in the transaction that claims it.
    auto allowed =
        in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) -> Status {
          auto change = load_change(transaction, id);
          if (!change) return fail(std::move(change.error()));
          auto bench = bench_for(engine, transaction, *change);
          if (!bench) return fail(std::move(bench.error()));
          return may_claim(transaction, *bench, *change, request);
        });
    if (!allowed) return fail(std::move(allowed.error()));
    return claim_change(engine, id, request, stop);
  });
}

Result<Change> run_change(Engine& engine, Claim claim, ProgressTracker* tracker,
                          std::stop_token stop) {
  if (claim.change.kind == ChangeKind::Policy) return run_policy(engine, claim);
  if (claim.change.kind == ChangeKind::Grant) return run_grant(engine, claim);
  auto bench = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return bench_for(engine, transaction, claim.change);
  });
  if (!bench) return fail_change(engine, claim, bench.error(), stop);
  auto provider = engine.provider(*bench->bundle, *bench->environment);
  if (!provider) return fail_change(engine, claim, provider.error(), stop);
  // The lease is kept alive over everything: programs and credentials take their time too.
  LeaseKeeper keeper(engine.store(), engine.clock(), claim.fence);
  const SendingWithin lease(keeper.term());
  const EitherStop ended(std::move(stop), keeper.lost());
  ProgressTracker unwatched(engine.clock());
  Work work{engine,
            claim,
            *std::move(bench),
            *std::move(provider),
            tracker == nullptr ? unwatched : *tracker,
            ended.token()};
  if (work.stop.stop_requested()) {
    return fail_change(engine, claim, Error(ErrorKind::Cancelled, "stopped before it began"),
                       work.stop);
  }
  if (claim.change.kind != ChangeKind::Destroy) return run_apply(work);
  auto down = take_down(work);
  if (!down) {
    const auto left = what_is_left(work, down.error());
    return fail_change(engine, claim, down.error(), work.stop, left);
  }
  return finish_destroyed(engine, claim);
}

}  // namespace bailey
