#include "orchestrator/provision/apply/executor.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/stop.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/provision/apply/journal_writer.hpp"
#include "orchestrator/provision/apply/operation_runner.hpp"
#include "orchestrator/provision/apply/recover_intents.hpp"
#include "orchestrator/provision/apply/scheduler.hpp"
#include "orchestrator/provision/apply/settle.hpp"
#include "orchestrator/provision/apply/steps.hpp"

#include <algorithm>
#include <deque>
#include <mutex>

namespace bailey {

namespace {

using std::chrono::milliseconds;
using Milliseconds = std::chrono::duration<double, std::milli>;

/// How bad: of two halves of an operation the worse one is told.
int weight_of(OperationOutcome outcome) {
  switch (outcome) {
    case OperationOutcome::Succeeded:
      return 0;
    case OperationOutcome::Skipped:
      return 1;
    case OperationOutcome::Cancelled:
      return 2;
    case OperationOutcome::Failed:
      return 3;
    case OperationOutcome::Errored:
      return 4;
  }
  return 4;
}

StepPlan weighed(StepPlan steps, const ApplyContext& context) {
  if (context.weigh) context.weigh(steps);
  return steps;
}

/// The threads' common view of one apply.
class Execution {
 public:
  Execution(const ApplyContext& context, StepPlan steps, OperationRunner& runner,
            LeaseKeeper& keeper, std::stop_token stop)
      : context_(context),
        steps_(weighed(std::move(steps), context)),
        scheduler_(steps_.edges),
        runner_(runner),
        keeper_(keeper),
        stop_(std::move(stop)),
        began_(context.clock.monotonic_now()),
        progress_(steps_.reports.size()),
        changed_(context.threads.wait_point()) {
    for (std::size_t i = 0; i < steps_.reports.size(); ++i) {
      auto& report = report_.operations.emplace_back();
      report.address = steps_.reports[i].address;
      report.action = steps_.reports[i].action;
      report.outcome = OperationOutcome::Succeeded;
    }
    for (const auto& step : steps_.steps) ++progress_[step.report].open;
    for (auto& edge : steps_.edges) edge.weight = 0;  // From here on: what a step really took.
  }

  ApplyReport run() {
    // Those that may not be at the provider write the journal meanwhile. One at a time stays that.
    const auto slots = static_cast<std::size_t>(std::max(1, context_.concurrency));
    const auto threads = std::min(2 * slots - 1, steps_.steps.size());
    const auto work_within_lease = [this] {
      const SendingWithin lease(keeper_.term());
      work();
    };
    if (threads > 0) run_on_threads(context_.threads, threads, work_within_lease);
    report_.makespan = since_start();
    report_.lower_bound = lower_bound();
    return std::move(report_);
  }

 private:
  struct Progress {
    std::size_t open = 0;  ///< Steps that have not ended.
    bool started = false;
  };

  void work() {
    std::unique_lock lock(mutex_);
    while (!scheduler_.finished()) {
      const bool stopped = stop_.stop_requested();
      if (stopped) {
        end_all(scheduler_.cancel(), OperationOutcome::Cancelled);
        deliver(lock);
        if (scheduler_.finished()) break;
      }
      const auto step = scheduler_.next();
      if (!step) {
        changed_->wait(lock, stopped ? std::stop_token() : stop_);
        continue;
      }
      run_step(*step, lock);
    }
    changed_->wake_all();
  }

  void run_step(std::size_t id, std::unique_lock<std::mutex>& lock) {
    const auto& step = steps_.steps[id];
    const auto urgency = scheduler_.urgency(id);
    auto& report = report_.operations[step.report];
    auto& progress = progress_[step.report];
    if (!progress.started) {
      progress.started = true;
      report.started = since_start();
      tell({.kind = ApplyEvent::Kind::Started,
            .address = report.address,
            .action = report.action,
            .error = std::nullopt,
            .finished = finished_,
            .total = report_.operations.size()});
    }
    deliver(lock);
    lock.unlock();
    auto result = runner_.run(step, urgency);
    lock.lock();
    if (result.error && is_lease_lost(*result.error)) keeper_.give_up();
    report.finished = since_start();
    report.duration += std::chrono::duration_cast<milliseconds>(result.remote);
    steps_.edges[id].weight = Milliseconds(result.remote).count();
    const auto ready = scheduler_.ready();
    const auto skipped = scheduler_.done(id, result.outcome == OperationOutcome::Succeeded);
    const bool cancelled = result.outcome == OperationOutcome::Cancelled;
    end_step(id, result.outcome, std::move(result.error));
    end_all(skipped, cancelled ? OperationOutcome::Cancelled : OperationOutcome::Skipped);
    // One for each step that has become ready: to wake hundreds for nothing takes milliseconds.
    for (auto i = ready; i < scheduler_.ready(); ++i) changed_->wake_one();
    deliver(lock);
  }

  void end_all(const std::vector<std::size_t>& steps, OperationOutcome outcome) {
    for (const auto step : steps) end_step(step, outcome, std::nullopt);
  }

  void end_step(std::size_t id, OperationOutcome outcome, std::optional<Error> error) {
    const auto index = steps_.steps[id].report;
    auto& report = report_.operations[index];
    if (weight_of(outcome) > weight_of(report.outcome)) report.outcome = outcome;
    if (error && !report.error) report.error = std::move(error);
    if (--progress_[index].open > 0) return;
    ++finished_;
    tell({.kind = ApplyEvent::Kind::Finished,
          .address = report.address,
          .action = report.action,
          .outcome = report.outcome,
          .error = report.error,
          .finished = finished_,
          .total = report_.operations.size()});
  }

  void tell(ApplyEvent event) {
    if (context_.observer) events_.push_back(std::move(event));
  }

  /// One call at a time, in the order of what happened, and not under the lock: what an observer
  /// does is its own affair.
  void deliver(std::unique_lock<std::mutex>& lock) {
    if (delivering_) return;
    delivering_ = true;
    while (!events_.empty()) {
      const auto event = std::move(events_.front());
      events_.pop_front();
      lock.unlock();
      context_.observer(event);
      lock.lock();
    }
    delivering_ = false;
  }

  milliseconds since_start() const {
    return std::chrono::duration_cast<milliseconds>(context_.clock.monotonic_now() - began_);
  }

  milliseconds lower_bound() const {
    double sum = 0;
    for (const auto& edge : steps_.edges) sum += edge.weight;
    const auto shared = sum / std::max(1, context_.concurrency);
    return milliseconds(static_cast<std::int64_t>(std::max(critical_path(steps_.edges), shared)));
  }

  const ApplyContext& context_;
  StepPlan steps_;
  Scheduler scheduler_;
  OperationRunner& runner_;
  LeaseKeeper& keeper_;
  std::stop_token stop_;
  MonotonicTime began_;
  std::vector<Progress> progress_;
  ApplyReport report_;
  std::size_t finished_ = 0;
  std::deque<ApplyEvent> events_;
  bool delivering_ = false;
  std::mutex mutex_;
  std::unique_ptr<WaitPoint> changed_;
};

Result<Recorded> load_recorded(StateStore& store, const std::string& environment) {
  return in_transaction(store, Access::Read, [&](Transaction& transaction) -> Result<Recorded> {
    auto states = load_resources(transaction, environment);
    if (!states) return fail(std::move(states.error()));
    auto intents = load_intents(transaction, environment);
    if (!intents) return fail(std::move(intents.error()));
    return Recorded{*std::move(states), *std::move(intents)};
  });
}

/// The plan is for this environment, the environment has a record, and the lease is ours.
Status check_start(const ApplyContext& context, const Plan& plan, const Fence& fence) {
  if (plan.environment != fence.environment) {
    return fail(ErrorKind::InvalidArgument,
                "the plan is for " + plan.environment + ", the lease for " + fence.environment);
  }
  return in_transaction(context.store, Access::Write, [&](Transaction& transaction) -> Status {
    if (auto ours = renew_lease(transaction, fence, context.clock.wall_now()); !ours) return ours;
    auto environment = load_environment(transaction, plan.environment);
    if (!environment) return fail(std::move(environment.error()));
    if (!*environment || (*environment)->uid != plan.environment_uid) {
      return fail(Error(ErrorKind::Conflict,
                        "the plan is for another life of the environment " + plan.environment)
                      .with_code("plan.stale"));
    }
    return {};
  });
}

}  // namespace

bool ApplyReport::ok() const noexcept {
  return std::all_of(operations.begin(), operations.end(), [](const OperationReport& operation) {
    return operation.outcome == OperationOutcome::Succeeded;
  });
}

Status check_plan_is_current(Transaction& transaction, const Plan& plan) {
  auto environment = load_environment(transaction, plan.environment);
  if (!environment) return fail(std::move(environment.error()));
  if (*environment && (*environment)->uid == plan.environment_uid &&
      (*environment)->serial == plan.state_serial) {
    return {};
  }
  return fail(Error(ErrorKind::Conflict,
                    "the environment " + plan.environment + " has changed since this was planned")
                  .with_code("plan.stale")
                  .with_hint("Plan again."));
}

Result<ApplyReport> apply_plan(const ApplyContext& context, const Plan& plan,
                               const std::string& boundary, const Fence& fence,
                               std::stop_token stop) {
  const auto frame = "applying the plan of " + plan.environment;
  if (auto allowed = check_start(context, plan, fence); !allowed) {
    return fail(std::move(allowed.error()).in(frame));
  }
  LeaseKeeper keeper(context.store, context.clock, fence, {.threads = context.threads});
  const SendingWithin lease(keeper.term());
  // Waiting between calls ends with either; a call under way ends with the lease alone.
  const EitherStop waiting(stop, keeper.lost());
  JournalWriter journal(context, fence);
  Settler settler(context.provider, context.schema, context.clock, boundary, keeper,
                  waiting.token());

  auto recovered = recover_intents({context, journal, settler, Retiring::No}, fence.environment);
  if (!recovered) return fail(std::move(recovered.error()).in(frame));
  auto recorded = load_recorded(context.store, plan.environment);
  if (!recorded) return fail(std::move(recorded.error()).in(frame));

  std::vector<Intent> retiring;
  std::copy_if(recorded->intents.begin(), recorded->intents.end(), std::back_inserter(retiring),
               [](const Intent& intent) { return intent.verb == Verb::Retire; });
  auto steps = steps_of(plan, recorded->states, retiring);
  OperationRunner runner(context, plan, journal, settler, *std::move(recorded), waiting.token());
  return Execution(context, std::move(steps), runner, keeper, waiting.token()).run();
}

std::string_view to_string(OperationOutcome outcome) noexcept {
  switch (outcome) {
    case OperationOutcome::Succeeded:
      return "succeeded";
    case OperationOutcome::Failed:
      return "failed";
    case OperationOutcome::Errored:
      return "errored";
    case OperationOutcome::Skipped:
      return "skipped";
    case OperationOutcome::Cancelled:
      return "cancelled";
  }
  return "";
}

Json to_json(const std::optional<Error>& error) {
  if (!error) return nullptr;
  return {{"kind", to_string(error->kind())},
          {"message", error->message()},
          {"frames", error->frames()},
          {"hint", error->hint()},
          {"code", error->code()}};
}

Json to_json(const ApplyReport& report) {
  Json operations = Json::array();
  for (const auto& operation : report.operations) {
    operations.push_back({{"address", operation.address.str()},
                          {"action", to_string(operation.action)},
                          {"outcome", to_string(operation.outcome)},
                          {"error", to_json(operation.error)},
                          {"started_ms", operation.started.count()},
                          {"finished_ms", operation.finished.count()},
                          {"duration_ms", operation.duration.count()}});
  }
  return {{"ok", report.ok()},
          {"makespan_ms", report.makespan.count()},
          {"lower_bound_ms", report.lower_bound.count()},
          {"operations", std::move(operations)}};
}

}  // namespace bailey
