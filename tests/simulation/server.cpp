#include "tests/simulation/server.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/provision/apply/recovery.hpp"
#include "orchestrator/provision/plan/planner.hpp"
#include "orchestrator/provision/plan/refresh.hpp"

namespace bailey::test {

namespace {

constexpr int kMostSteps = 12;
const char* const kClaimed = "current";  ///< Under Collection::Change.
const char* const kBoundary = "boundary-env-1";

struct Recorded {
  EnvironmentState environment;
  std::vector<ResourceState> resources;
  std::vector<Intent> intents;
};

Result<Recorded> load(StateStore& store) {
  return in_transaction(store, Access::Read, [](Transaction& transaction) -> Result<Recorded> {
    auto environment = load_environment(transaction, "dev");
    if (!environment) return fail(std::move(environment.error()));
    auto resources = load_resources(transaction, "dev");
    if (!resources) return fail(std::move(resources.error()));
    auto intents = load_intents(transaction, "dev");
    if (!intents) return fail(std::move(intents.error()));
    return Recorded{environment->value(), *std::move(resources), *std::move(intents)};
  });
}

}  // namespace

ServerLife::ServerLife(SimulatedCloud& cloud, Server& server, StateStore& store, const Disk& disk,
                       const Assignment& assignment)
    : cloud_(cloud),
      server_(server),
      store_(store, cloud, server, disk),
      provider_(cloud, server),
      clock_(cloud.scheduler),
      threads_(cloud.scheduler, server.process),
      assignment_(assignment) {}

bool ServerLife::live() {
  for (int i = 0; i < kMostSteps; ++i) {
    if (server_.process.dead || server_.stop.stop_requested()) return false;
    if (step()) return true;
    clock_.sleep_for(std::chrono::seconds(5), server_.stop.get_token());
  }
  return false;
}

bool ServerLife::step() {
  const auto say = [&](const char* what, const Error& error) {
    cloud_.trace.add(cloud_.scheduler.now(), "{} {}: {}", server_.process.name, what,
                     error.message());
    return false;
  };
  auto claimed = find_claimed();
  if (!claimed) return say("cannot read", claimed.error());
  const bool is_new = !*claimed;
  if (is_new) {
    claimed = make_plan_now();
    if (!claimed) return say("cannot plan", claimed.error());
    if (!*claimed) return true;
  }
  if (auto held = claim(**claimed, is_new); !held) {
    return held.error().code() == "lease.held" ? false : say("cannot claim", held.error());
  }
  const auto done = carry_out(**claimed);
  return done ? false : say("did not finish", done.error());
}

Result<std::optional<Plan>> ServerLife::find_claimed() {
  return in_transaction(store_, Access::Read,
                        [](Transaction& transaction) -> Result<std::optional<Plan>> {
                          auto record = transaction.get(Collection::Change, kClaimed);
                          if (!record) return fail(std::move(record.error()));
                          if (!*record) return std::optional<Plan>();
                          auto plan = plan_from_json((*record)->body);
                          if (!plan) return fail(std::move(plan.error()));
                          return std::optional(*std::move(plan));
                        });
}

Result<std::optional<Plan>> ServerLife::make_plan_now() {
  auto recorded = load(store_);
  if (!recorded) return fail(std::move(recorded.error()));
  auto refreshed = refresh(provider_,
                           {.environment_uid = recorded->environment.uid,
                            .boundary = kBoundary,
                            .schema = assignment_.schema,
                            .now = clock_.wall_now(),
                            .threads = threads_},
                           recorded->resources, server_.stop.get_token());
  if (!refreshed) return fail(std::move(refreshed.error()));
  auto plan = make_plan({.kind = assignment_.kind,
                         .desired = assignment_.desired,
                         .environment = recorded->environment,
                         .resources = recorded->resources,
                         .refreshed = *refreshed,
                         .schema = assignment_.schema,
                         .policy_digest = "",
                         .template_digest = "",
                         .artifacts = {}});
  if (!plan) return fail(std::move(plan.error()));
  if (plan->empty() && recorded->intents.empty()) return std::optional<Plan>();
  return std::optional(*std::move(plan));
}

Status ServerLife::claim(const Plan& plan, bool is_new) {
  server_.epoch = 0;
  auto fence =
      in_transaction(store_, Access::Write, [&](Transaction& transaction) -> Result<Fence> {
        auto record = transaction.get(Collection::Change, kClaimed);
        if (!record) return fail(std::move(record.error()));
        if (record->has_value() == is_new) return fail(ErrorKind::Conflict, "another was first");
        if (is_new) {
          auto current = check_plan_is_current(transaction, plan);
          if (!current) return fail(std::move(current.error()));
          auto put = transaction.put(Collection::Change, kClaimed, to_json(plan));
          if (!put) return fail(std::move(put.error()));
        } else if (string_member((*record)->body, "digest") != plan.digest) {
          return fail(ErrorKind::Conflict, "another is claimed by now");
        }
        return acquire_lease(transaction, "dev", server_.process.name, kDefaultLeaseTtl,
                             clock_.wall_now());
      });
  if (!fence) return fail(std::move(fence.error()));
  fence_ = *fence;
  server_.epoch = fence->epoch;
  server_.not_before.clear();
  std::string operations;
  for (const auto& operation : plan.operations) {
    if (operation.action == Action::NoOp) continue;
    operations +=
        fmt::format(" {} {}:{} ({})", to_string(operation.action), operation.address.local(),
                    operation.generation, to_string(operation.reason));
  }
  cloud_.trace.add(cloud_.scheduler.now(), "{} has the lease, epoch {}, to{}", server_.process.name,
                   fence->epoch, operations.empty() ? " see" : operations);
  return {};
}

ApplyContext ServerLife::context() {
  return {.store = store_,
          .provider = provider_,
          .schema = assignment_.schema,
          .clock = clock_,
          .random = random_,
          .concurrency = assignment_.concurrency,
          .threads = threads_};
}

Status ServerLife::carry_out(const Plan& plan) {
  const auto stop = server_.stop.get_token();
  auto recovered = recover(context(), kBoundary, fence_, stop);
  if (!recovered) return fail(std::move(recovered.error()).in("recovering"));
  auto report = apply_plan(context(), plan, kBoundary, fence_, stop);
  if (!report) return fail(std::move(report.error()).in("applying"));
  for (const auto& operation : report->operations) {
    if (operation.outcome == OperationOutcome::Succeeded) continue;
    cloud_.trace.add(cloud_.scheduler.now(), "{} {} {}: {}", server_.process.name,
                     to_string(operation.outcome), operation.address.local(),
                     operation.error ? operation.error->message() : "");
  }
  // What was stopped is carried on by whoever comes next; what failed is over.
  return finish(!stop.stop_requested());
}

Status ServerLife::finish(bool ends) {
  return in_transaction(store_, Access::Write, [&](Transaction& transaction) -> Status {
    if (auto ours = check_fence(transaction, fence_); !ours) return ours;
    if (ends) {
      auto erased = transaction.erase(Collection::Change, kClaimed);
      if (!erased) return fail(std::move(erased.error()));
    }
    return release_lease(transaction, fence_);
  });
}

}  // namespace bailey::test
