#include "orchestrator/provision/apply/executor.hpp"

#include "orchestrator/provision/apply/steps.hpp"
#include "orchestrator/provision/apply/teardown.hpp"
#include "tests/support/counting_store.hpp"
#include "tests/unit/provision/apply/apply_world.hpp"

#include <set>

namespace bailey {
namespace {

using test::ApplyWorld;
using test::at;
using test::outcome_of;

class Executor : public ::testing::Test {
 protected:
  /// After any end: nothing twice, nothing that nobody knows, nothing that must not happen.
  void check_invariants() {
    EXPECT_EQ(world_.cloud.duplicates(), 0);
    EXPECT_EQ(world_.cloud.violations().total(), 0);
  }
  void apply_all() {
    world_.declare_all();
    ASSERT_TRUE(world_.apply(world_.plan()).ok());
  }

  ApplyWorld world_;
};

TEST_F(Executor, MakesWhatIsPlannedAndThenThereIsNothingToDo) {
  world_.declare_all();
  const auto report = world_.apply(world_.plan());
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.operations.size(), 5U);
  EXPECT_EQ(world_.states().size(), 5U);
  EXPECT_TRUE(world_.intents().empty());
  EXPECT_EQ(world_.environment().serial, 5U);
  const auto again = world_.plan();
  EXPECT_TRUE(again.empty());
  EXPECT_EQ(again.digest, world_.plan().digest);
  check_invariants();
}

TEST_F(Executor, ResolvesReferencesOnceTheyAreKnown) {
  apply_all();
  const auto net = world_.cloud.with_marker({EnvironmentUid("env-1"), at("net"), 1});
  const auto web = world_.cloud.with_marker({EnvironmentUid("env-1"), at("web[1]"), 1});
  ASSERT_TRUE(net && web);
  EXPECT_EQ(web->inputs["network"], net->id);
  EXPECT_EQ(web->inputs["metadata"]["password"].get<std::string>().substr(0, 9), "secret://");
}

TEST_F(Executor, WritesAnAuditEntryForEachChange) {
  apply_all();
  const auto entries = world_.log();
  EXPECT_EQ(entries.size(), 5U);
  for (const auto& entry : entries) {
    EXPECT_EQ(entry.action, "resource.create");
    EXPECT_EQ(entry.outcome, Outcome::Ok);
    EXPECT_TRUE(entry.digests.contains("plan"));
  }
}

TEST_F(Executor, WritesTheIntentBeforeTheCall) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  const auto planned = world_.plan();
  world_.provider->fail_call(1, test::FakeFault::CrashBefore);
  EXPECT_EQ(outcome_of(world_.apply(planned), "net"), OperationOutcome::Errored);
  const auto intents = world_.intents();
  ASSERT_EQ(intents.size(), 1U);
  EXPECT_EQ(intents[0].phase, Phase::Sent);
  EXPECT_EQ(intents[0].marker, (Marker{EnvironmentUid("env-1"), at("net"), 1}));
  EXPECT_EQ(intents[0].plan_digest, planned.digest);
}

TEST_F(Executor, SendsNothingThatCouldNotBeWrittenDown) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  const auto planned = world_.plan();
  world_.store->fail_write(2, test::FaultyStore::Fault::Stay);
  EXPECT_EQ(outcome_of(world_.apply(planned), "net"), OperationOutcome::Errored);
  EXPECT_TRUE(world_.cloud.resources().empty());
}

TEST_F(Executor, UpdatesReplacesAndDeletes) {
  apply_all();
  world_.declared("net").fields["cidr"] = "10.30.0.0/24";
  world_.declared("sg").fields["description"] = "web";
  world_.desired.resources.pop_back();
  const auto report = world_.apply(world_.plan());
  EXPECT_TRUE(report.ok());
  EXPECT_TRUE(world_.plan().empty());
  EXPECT_TRUE(world_.intents().empty());
  EXPECT_EQ(world_.cloud.resources().size(), 4U);
  EXPECT_TRUE(world_.cloud.with_marker({EnvironmentUid("env-1"), at("net"), 2}));
  EXPECT_TRUE(world_.cloud.with_marker({EnvironmentUid("env-1"), at("web[0]"), 2}));
  check_invariants();
}

TEST_F(Executor, RepairsDriftAndLoss) {
  apply_all();
  for (const auto& resource : world_.cloud.resources()) {
    if (resource.type == "network") world_.cloud.vanish(resource.id);
    if (resource.type == "security-group") {
      world_.cloud.drift(resource.id, "ingress", {{{"protocol", "tcp"}, {"port", 22}}});
    }
  }
  world_.clock.advance(std::chrono::minutes(1));
  EXPECT_TRUE(world_.apply(world_.plan()).ok());
  EXPECT_TRUE(world_.plan().empty());
  check_invariants();
}

TEST_F(Executor, TakesOverWhatTheStoreLost) {
  world_.cloud.plant("network", world_.boundary, Marker{EnvironmentUid("env-1"), at("net"), 3},
                     {{"cidr", "10.0.0.0/24"}});
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  EXPECT_TRUE(world_.apply(world_.plan()).ok());
  EXPECT_EQ(world_.states().at(0).generation, 3);
  EXPECT_EQ(world_.cloud.resources().size(), 1U);
  EXPECT_TRUE(world_.plan().empty());
}

TEST_F(Executor, DestroysInReverseOrder) {
  apply_all();
  const auto report = world_.apply(world_.plan(PlanKind::Destroy));
  EXPECT_TRUE(report.ok());
  EXPECT_TRUE(world_.cloud.resources().empty());
  EXPECT_TRUE(world_.states().empty());
  check_invariants();
}

TEST_F(Executor, LetsIndependentBranchesGoOnAfterARefusal) {
  world_.declare_all();
  world_.provider->refuse_type("network");
  const auto report = world_.apply(world_.plan());
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(outcome_of(report, "net"), OperationOutcome::Failed);
  EXPECT_EQ(outcome_of(report, "web[0]"), OperationOutcome::Skipped);
  EXPECT_EQ(outcome_of(report, "sg"), OperationOutcome::Succeeded);
  EXPECT_EQ(outcome_of(report, "password"), OperationOutcome::Succeeded);
  EXPECT_TRUE(world_.intents().empty());
  world_.provider->refuse_type("network", false);
  EXPECT_TRUE(world_.apply(world_.plan()).ok());
  check_invariants();
}

TEST_F(Executor, KeepsWhatWasReplacedWhileItIsStillReferredTo) {
  apply_all();
  world_.declared("password").fields["generate"]["length"] = 48;
  const auto planned = world_.plan();
  world_.provider->refuse_type("server");
  const auto report = world_.apply(planned);
  EXPECT_EQ(outcome_of(report, "web[0]"), OperationOutcome::Failed);
  EXPECT_EQ(outcome_of(report, "password"), OperationOutcome::Skipped);
  EXPECT_EQ(world_.cloud.resources().size(), 6U);
  ASSERT_EQ(world_.intents().size(), 1U);
  EXPECT_EQ(world_.intents()[0].verb, Verb::Retire);
  EXPECT_TRUE(world_.recover_all().settled());
  world_.provider->refuse_type("server", false);
  EXPECT_TRUE(world_.apply(world_.plan()).ok());
  EXPECT_EQ(world_.cloud.resources().size(), 5U);
  EXPECT_TRUE(world_.intents().empty());
  check_invariants();
}

TEST_F(Executor, ReportsAQuotaAsAFailure) {
  world_.declare_all(3);
  world_.cloud.set_quota("server", 2);
  const auto report = world_.apply(world_.plan());
  int failed = 0;
  for (const auto& operation : report.operations) {
    if (operation.outcome != OperationOutcome::Failed) continue;
    ++failed;
    EXPECT_EQ(operation.error->kind(), ErrorKind::QuotaExceeded);
  }
  EXPECT_EQ(failed, 1);
  EXPECT_TRUE(world_.intents().empty());
}

TEST_F(Executor, SettlesALostAnswerWithoutASecondCreate) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  world_.cloud.set_visibility_delay(std::chrono::seconds(3));
  const auto planned = world_.plan();
  world_.provider->fail_call(1, test::FakeFault::LoseAnswer);
  EXPECT_TRUE(world_.apply(planned).ok());
  EXPECT_EQ(world_.provider->calls_by_name().at("create"), 1);
  EXPECT_EQ(world_.cloud.resources().size(), 1U);
  check_invariants();
}

TEST_F(Executor, RemovesAgainRatherThanBelieveThatNothingIsShown) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  world_.cloud.set_visibility_delay(std::chrono::hours(1));
  world_.cloud.set_hides_reads(true);
  ASSERT_TRUE(world_.apply(world_.plan()).ok());
  const auto planned = world_.plan(PlanKind::Destroy);
  const auto before = world_.clock.wall_now();
  world_.provider->fail_call(1, test::FakeFault::RateLimit);
  EXPECT_TRUE(world_.apply(planned).ok());
  EXPECT_TRUE(world_.cloud.resources().empty());
  EXPECT_GE(world_.clock.wall_now() - before, test::kFakeRetryAfter);
}

TEST_F(Executor, WaitsForWhatWasMadeLateAndIsHidden) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  const auto planned = world_.plan();
  world_.provider->set_create_time(std::chrono::seconds(4));
  world_.cloud.set_visibility_delay(std::chrono::seconds(4));
  world_.provider->fail_call(1, test::FakeFault::LoseAnswer);
  EXPECT_TRUE(world_.apply(planned).ok());
  EXPECT_EQ(world_.cloud.resources().size(), 1U);
  check_invariants();
}

TEST_F(Executor, WhatDoesNotShowYetIsNotTakenForRefused) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  world_.cloud.set_visibility_delay(std::chrono::seconds(3));
  const auto planned = world_.plan();
  world_.provider->fail_call(1, test::FakeFault::NotShown);
  EXPECT_TRUE(world_.apply(planned).ok());
  EXPECT_TRUE(world_.plan().empty());
  EXPECT_EQ(world_.cloud.resources().size(), 1U);
  check_invariants();
}

TEST_F(Executor, SendsNothingAfterAPauseInWhichTheLeaseWasLost) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  const auto planned = world_.plan();
  const auto ours = world_.fence;
  // The first transaction begins the run, the second announces the create.
  world_.store->then([&] {
    world_.store->then([&] {
      world_.take_lease();
      world_.fence = ours;
    });
  });
  const auto report = world_.apply(planned);
  ASSERT_EQ(report.operations.size(), 1U);
  EXPECT_EQ(report.operations[0].outcome, OperationOutcome::Errored);
  EXPECT_EQ(report.operations[0].error->code(), "lease.lost");
  EXPECT_TRUE(world_.cloud.resources().empty());
  EXPECT_EQ(world_.provider->calls_by_name().count("create"), 0U);
}

TEST_F(Executor, FinishesWhatALostAnswerLeftHalfMade) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  const auto planned = world_.plan();
  world_.provider->fail_call(1, test::FakeFault::HalfMade);
  EXPECT_TRUE(world_.apply(planned).ok());
  EXPECT_TRUE(world_.plan().empty());
  EXPECT_EQ(world_.cloud.resources().size(), 1U);
  check_invariants();
}

TEST_F(Executor, StopsStartingAndFinishesWhatIsInFlight) {
  world_.declare_all(20);
  world_.concurrency = 1;
  std::stop_source stop;
  int finished = 0;
  world_.observer = [&](const ApplyEvent& event) {
    if (event.kind == ApplyEvent::Kind::Finished && ++finished == 2) stop.request_stop();
  };
  const auto report = world_.apply(world_.plan(), stop.get_token());
  int succeeded = 0;
  int cancelled = 0;
  for (const auto& operation : report.operations) {
    succeeded += operation.outcome == OperationOutcome::Succeeded ? 1 : 0;
    cancelled += operation.outcome == OperationOutcome::Cancelled ? 1 : 0;
  }
  EXPECT_EQ(succeeded, 2);
  EXPECT_EQ(cancelled, 21);
  EXPECT_EQ(world_.cloud.resources().size(), 2U);
  EXPECT_TRUE(world_.intents().empty());
}

TEST_F(Executor, RefusesAStalePlanAndAnotherLife) {
  world_.declare_all();
  auto planned = world_.plan();
  auto check = [&] {
    return in_transaction(*world_.store, Access::Read, [&](Transaction& transaction) {
      return check_plan_is_current(transaction, planned);
    });
  };
  EXPECT_TRUE(check());
  ASSERT_TRUE(world_.apply(planned).ok());
  ASSERT_FALSE(check());
  EXPECT_EQ(check().error().code(), "plan.stale");
  planned.environment_uid = EnvironmentUid("env-2");
  const auto report = world_.try_apply(planned);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), "plan.stale");
}

TEST_F(Executor, DoesNothingWithoutTheLease) {
  world_.declare_all();
  const auto planned = world_.plan();
  const auto old = world_.fence;
  world_.take_lease();
  world_.fence = old;
  const auto report = world_.try_apply(planned);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), "lease.lost");
  EXPECT_TRUE(world_.cloud.resources().empty());
}

TEST_F(Executor, StartsNothingOnceTheLeaseIsLost) {
  world_.declare_all(10);
  world_.concurrency = 1;
  int started = 0;
  world_.observer = [&](const ApplyEvent& event) {
    if (event.kind != ApplyEvent::Kind::Finished || ++started != 2) return;
    const auto ours = world_.fence;
    world_.take_lease();
    world_.fence = ours;
  };
  const auto report = world_.apply(world_.plan());
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(world_.cloud.resources().size(), 2U);
  EXPECT_EQ(world_.states().size(), 2U);
}

TEST_F(Executor, GivesTheSamePlanAgainWithoutDoingItTwice) {
  world_.declare_all();
  const auto planned = world_.plan();
  ASSERT_TRUE(world_.apply(planned).ok());
  const auto before = world_.cloud.snapshot();
  EXPECT_TRUE(world_.apply(planned).ok());
  EXPECT_EQ(world_.cloud.snapshot(), before);
  EXPECT_EQ(world_.provider->calls_by_name().at("create"), 5);
  check_invariants();
}

TEST_F(Executor, TellsEveryStartAndEndOnce) {
  world_.declare_all();
  std::multiset<std::string> started;
  std::multiset<std::string> finished;
  std::size_t last = 0;
  world_.observer = [&](const ApplyEvent& event) {
    (event.kind == ApplyEvent::Kind::Started ? started : finished).insert(event.address.str());
    EXPECT_GE(event.finished, last);
    last = event.finished;
    EXPECT_EQ(event.total, 5U);
  };
  ASSERT_TRUE(world_.apply(world_.plan()).ok());
  EXPECT_EQ(started, finished);
  EXPECT_EQ(started.size(), 5U);
  EXPECT_EQ(last, 5U);
}

TEST_F(Executor, HasAJsonForm) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  world_.provider->refuse_type("network");
  const auto json = to_json(world_.apply(world_.plan()));
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["operations"][0]["outcome"], "failed");
  EXPECT_EQ(json["operations"][0]["error"]["kind"], "refused");
}

TEST_F(Executor, SendsNothingAfterAStopAndTakesBackWhatItAnnounced) {
  world_.declare_all(20);
  world_.concurrency = 4;
  world_.provider->set_latency(std::chrono::milliseconds(2));
  std::stop_source stop;
  int started = 0;
  world_.observer = [&](const ApplyEvent& event) {
    if (event.kind == ApplyEvent::Kind::Started && ++started == 8) stop.request_stop();
  };
  const auto report = world_.apply(world_.plan(), stop.get_token());
  std::size_t succeeded = 0;
  for (const auto& operation : report.operations) {
    const bool made = operation.outcome == OperationOutcome::Succeeded;
    EXPECT_TRUE(made || operation.outcome == OperationOutcome::Cancelled);
    EXPECT_EQ(world_.cloud.with_marker({EnvironmentUid("env-1"), operation.address, 1}).has_value(),
              made);
    succeeded += made ? 1 : 0;
  }
  EXPECT_LT(succeeded, report.operations.size());
  EXPECT_EQ(world_.states().size(), succeeded);
  EXPECT_TRUE(world_.intents().empty());
  EXPECT_TRUE(world_.apply(world_.plan()).ok());
  check_invariants();
}

TEST_F(Executor, BeginsWithTheLongestExpectedWay) {
  world_.declare("a", "secret", {{"generate", {{"length", 32}}}});
  world_.declare("b", "network", {{"cidr", "10.0.0.0/24"}});
  world_.declare("c", "security-group", Json::object());
  world_.concurrency = 1;
  std::vector<std::string> order;
  world_.observer = [&](const ApplyEvent& event) {
    if (event.kind == ApplyEvent::Kind::Started) order.push_back(event.address.local());
  };
  auto context = world_.context();
  context.weigh = [](StepPlan& steps) {
    for (std::size_t i = 0; i < steps.steps.size(); ++i) {
      const auto& type = steps.steps[i].operation->type;
      steps.edges[i].weight = type == "network" ? 9 : type == "security-group" ? 5 : 1;
    }
  };
  ASSERT_TRUE(apply_plan(context, world_.plan(), world_.boundary, world_.fence, {}));
  EXPECT_EQ(order, (std::vector<std::string>{"b", "c", "a"}));
}

/// What an apply asks of its store grows with the plan and with nothing else.
class ExecutorsStore : public ::testing::TestWithParam<int> {};

TEST_P(ExecutorsStore, WritesTwoRecordsAnOperationAndReadsNone) {
  ApplyWorld world;
  world.declare_all(GetParam() - 3);
  test::CountingStore counting(*world.store);
  const auto context = [&] {
    return ApplyContext{.store = counting,
                        .provider = *world.provider,
                        .schema = world.schema,
                        .clock = world.clock,
                        .random = world.random,
                        .concurrency = world.concurrency};
  };
  const auto size = static_cast<std::size_t>(GetParam());
  ASSERT_TRUE(apply_plan(context(), world.plan(), world.boundary, world.fence, {})->ok());
  auto counts = counting.counts();
  EXPECT_EQ(counts.written[Collection::Intent], size);
  EXPECT_EQ(counts.written[Collection::Resource], size);
  EXPECT_EQ(counts.entries, size);
  EXPECT_EQ(counts.read[Collection::Resource], 0U);
  EXPECT_EQ(counts.read[Collection::Intent], 0U);
  EXPECT_LE(counts.commits, 2 * size + 1);
  EXPECT_LE(counts.written[Collection::Environment], counts.commits);

  counting.reset();
  ASSERT_TRUE(apply_plan(context(), world.plan(), world.boundary, world.fence, {})->ok());
  counts = counting.counts();
  EXPECT_EQ(counts.commits, 1U);
  EXPECT_EQ(counts.read[Collection::Resource], size);  // For references.
  EXPECT_EQ(counts.entries, 0U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ExecutorsStore, ::testing::Values(10, 100, 300));

TEST(ExecutorAtScale, AppliesAThousandResourcesWithManyInFlight) {
  ApplyWorld world;
  world.declare_all(0);
  for (int i = 0; i < 330; ++i) {
    const auto number = std::to_string(i);
    world.declare("net" + number, "network", {{"cidr", "10.0.0.0/24"}});
    world.declare("a" + number, "server",
                  {{"flavor", "small"}, {"network", "${resource.net" + number + "}"}});
    world.declare("b" + number, "server",
                  {{"flavor", "small"},
                   {"network", "${resource.net" + number + "}"},
                   {"securityGroups", {"${resource.sg}"}}});
  }
  world.concurrency = 64;
  world.provider->set_latency(std::chrono::milliseconds(2));
  const auto report = world.apply(world.plan());
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(world.cloud.resources().size(), 993U);
  EXPECT_EQ(world.cloud.duplicates(), 0);
  EXPECT_EQ(world.cloud.violations().total(), 0);
  EXPECT_GT(world.provider->most_in_flight(), 1);
  EXPECT_LE(world.provider->most_in_flight(), 64);
  EXPECT_LE(report.lower_bound, report.makespan);
  EXPECT_TRUE(world.plan().empty());
}

TEST(Teardown, RemovesTheBoundaryOnlyWhenNothingIsLeft) {
  ApplyWorld world;
  world.declare_all();
  ASSERT_TRUE(world.apply(world.plan()).ok());
  const auto tear = [&] {
    return teardown(*world.provider, world.schema, EnvironmentUid("env-1"), world.boundary, {});
  };
  world.provider->refuse_type("server");
  auto status = tear();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), "teardown.left-over");
  EXPECT_EQ(world.cloud.boundaries().size(), 1U);
  world.provider->refuse_type("server", false);

  const auto foreign = world.cloud.plant("network", world.boundary, std::nullopt, Json::object());
  status = tear();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), "teardown.left-over");
  world.cloud.vanish(foreign);
  EXPECT_TRUE(tear());
  EXPECT_TRUE(world.cloud.boundaries().empty());
  EXPECT_TRUE(tear());
}

}  // namespace
}  // namespace bailey
