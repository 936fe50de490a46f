#include "orchestrator/serve/engine/worker.hpp"

#include "orchestrator/serve/engine/collect_evidence.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/request_change.hpp"
#include "orchestrator/serve/engine/roll_back.hpp"
#include "orchestrator/serve/engine/run_programs.hpp"
#include "orchestrator/serve/engine/sandboxes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::chrono::milliseconds kTick{500};
// After something could not be found out, it is not asked again at once.
constexpr std::chrono::seconds kPause{5};

// Everything but its programs, which are run only when nothing else stands in the way.
bool only_checks_are_missing(const GateResult& result) {
  return std::all_of(result.conditions.begin(), result.conditions.end(),
                     [](const auto& each) { return each.met || each.condition == "check"; });
}

// What was let in and waits for an operator may have lost an approval, or its window.
Status back_to_waiting(Engine& engine, const Change& change) {
  return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
    auto now = load_change(transaction, change.id);
    if (!now) return fail(std::move(now.error()));
    if (now->state != ChangeState::Approved) return {};
    step(*now, ChangeState::Waiting, engine.now(), "the gate is no longer met");
    return save(transaction, *now);
  });
}

}  // namespace

Worker::Worker(Engine& engine)
    : engine_(engine), thread_([this](std::stop_token stop) { run(stop); }) {}

Worker::~Worker() {
  thread_.request_stop();
  thread_.join();
  for (auto& executor : executors_) executor.thread.request_stop();
  executors_.clear();
}

void Worker::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  wake_.notify_all();
}

bool Worker::runs(const ChangeId& id) const {
  const std::lock_guard lock(mutex_);
  return running_.contains(id);
}

std::optional<Progress> Worker::progress(const ChangeId& id) const {
  std::shared_ptr<ProgressTracker> tracker;
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(id);
    if (found == running_.end()) return std::nullopt;
    tracker = found->second;
  }
  return tracker->now();
}

void Worker::forget(const ChangeId& id) {
  const std::lock_guard lock(mutex_);
  running_.erase(id);
}

void Worker::execute(Claim claim) {
  const auto id = claim.change.id;
  const std::lock_guard lock(mutex_);
  const auto tracker = std::make_shared<ProgressTracker>(engine_.clock());
  if (!running_.try_emplace(id, tracker).second) return;
  std::erase_if(executors_, [](const auto& executor) { return executor.done->load(); });
  auto ended = std::make_shared<std::atomic<bool>>(false);
  std::jthread thread(
      [this, id, ended, tracker, claim = std::move(claim)](std::stop_token stop) mutable {
        const auto done = run_change(engine_, std::move(claim), tracker.get(), stop);
        if (!done) {
          // It stays as the store has it and is taken up again once its lease has run out.
          [[maybe_unused]] const auto error = logged(
              engine_, own_entry(engine_, "change.interrupt", "change:" + id.str()), done.error());
        }
        forget(id);
        wake();
        ended->store(true);
      });
  executors_.push_back({std::move(ended), std::move(thread)});
}

void Worker::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    look(stop);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kTick, [this] { return woken_; });
    woken_ = false;
  }
}

void Worker::look(std::stop_token stop) {
  if (engine_.clock().monotonic_now() >= rollbacks_at_ && !open_due_rollbacks(engine_, stop)) {
    rollbacks_at_ = engine_.clock().monotonic_now() + kPause;
  }
  const auto open = in_transaction(engine_.store(), Access::Read, [](Transaction& transaction) {
    return list_open_changes(transaction);
  });
  if (!open) return;
  for (const auto& each : *open) {
    if (stop.stop_requested()) return;
    const auto& id = each.id;
    const auto pause = retry_at_.find(id);
    if (pause != retry_at_.end() && engine_.clock().monotonic_now() < pause->second) continue;
    retry_at_.erase(id);
    if (runs(id)) continue;
    const auto change =
        in_transaction(engine_.store(), Access::Read,
                       [&](Transaction& transaction) { return load_change(transaction, id); });
    // What ends sandboxes has its own queue: one that is stuck holds up nothing here.
    if (!change || change->requester == reaper_subject()) continue;
    if (each.failed_destroy) {
      carry_on(*change);
    } else if (!change->finished()) {
      consider(*change, stop);
    }
  }
}

// What is left of an environment whose destroy failed goes without anybody's hand.
void Worker::carry_on(const Change& change) {
  const auto state = in_transaction(engine_.store(), Access::Read, [&](Transaction& transaction) {
    return find_environment_state(transaction, change.environment);
  });
  if (!state || !*state || !may_resume(**state, change)) return;
  const auto now = engine_.clock().monotonic_now();
  const auto [entry, fresh] = destroys_.try_emplace(change.id);
  if (fresh) return entry->second.failed(now);  // It just has.
  if (!entry->second.due(now)) return;
  entry->second.failed(now);
  auto claim = reclaim_change(engine_, change.id);
  if (claim) execute(*std::move(claim));
}

void Worker::consider(const Change& change, std::stop_token stop) {
  if (change.state == ChangeState::Executing || change.state == ChangeState::Verifying) {
    auto claim = reclaim_change(engine_, change.id);
    if (claim) execute(*std::move(claim));
    return;
  }
  if (change.state == ChangeState::Waiting || change.state == ChangeState::Approved) {
    judge_waiting(change, stop);
  }
}

void Worker::judge_waiting(const Change& change, std::stop_token stop) {
  const auto pause = [&] { retry_at_[change.id] = engine_.clock().monotonic_now() + kPause; };
  auto young = expire_if_old(engine_, change);
  if (!young) return pause();
  if (young->finished()) return;
  auto current = replan_if_stale(engine_, *std::move(young), stop);
  if (!current) return pause();
  if (current->finished()) return;
  collect_evidence_of(engine_, current->id, stop);

  const auto checks =
      engine_.checks().get(current->id, current->plan.digest, engine_.clock().monotonic_now());
  Bench bench;
  auto judged = in_transaction(
      engine_.store(), Access::Read, [&](Transaction& transaction) -> Result<Judgement> {
        auto found = bench_for(engine_, transaction, *current);
        if (!found) return fail(std::move(found.error()));
        bench = *std::move(found);
        return judge(engine_, transaction, bench, *current, checks.value_or(CheckOutcomes()));
      });
  if (!judged) return pause();
  if (judged->result.rejected || !only_checks_are_missing(judged->result)) {
    if (current->state == ChangeState::Approved && !back_to_waiting(engine_, *current)) pause();
    return;
  }
  if (!judged->result.met && checks) return;  // They ran lately and said no.
  if (!judged->result.met) {
    if (!run_checks(engine_, bench, *current, stop)) pause();
    return wake();
  }
  if (bench.environment->execute == Execution::ByOperator) {
    if (current->state == ChangeState::Approved) return;
    step(*current, ChangeState::Approved, engine_.now(), "waits for an operator");
    const auto saved =
        in_transaction(engine_.store(), Access::Write, [&](Transaction& transaction) -> Status {
          auto now = load_change(transaction, current->id);
          if (!now || now->state != ChangeState::Waiting) return {};
          return save(transaction, *current);
        });
    if (!saved) pause();
    return;
  }
  auto claim = claim_change(engine_, current->id, std::nullopt, stop);
  if (!claim) return pause();
  execute(*std::move(claim));
}

}  // namespace bailey
