#include "orchestrator/provision/apply/recovery.hpp"

#include "tests/unit/provision/apply/apply_world.hpp"

namespace bailey {
namespace {

using test::ApplyWorld;
using test::at;
using test::FakeFault;

class Recovery : public ::testing::Test {
 protected:
  /// Dies at the n-th call of the apply; a new process has the lease afterwards.
  void die_at(int nth, FakeFault fault, PlanKind kind = PlanKind::Apply) {
    const auto planned = world_.plan(kind);
    world_.provider->fail_call(nth, fault);
    EXPECT_FALSE(world_.apply(planned).ok());
    world_.restart();
    world_.take_lease();
  }
  Settlement settle_one() {
    const auto report = world_.recover_all();
    EXPECT_EQ(report.intents.size(), 1U);
    return report.intents.empty() ? Settlement::Open : report.intents[0].settlement;
  }
  void stand() {
    world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
    ASSERT_TRUE(world_.apply(world_.plan()).ok());
  }

  ApplyWorld world_;
};

TEST_F(Recovery, HasNothingToDoWithoutIntents) {
  stand();
  const auto report = world_.recover_all();
  EXPECT_TRUE(report.settled());
  EXPECT_TRUE(report.intents.empty());
}

TEST_F(Recovery, AdoptsWhatACrashedCreateLeft) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  die_at(1, FakeFault::CrashAfter);
  EXPECT_EQ(settle_one(), Settlement::Adopted);
  EXPECT_EQ(world_.states().size(), 1U);
  EXPECT_EQ(world_.provider->calls_by_name().count("create"), 0U);
  EXPECT_TRUE(world_.plan().empty());
}

TEST_F(Recovery, WaitsForWhatIsStillHiddenBeforeItBelievesInNothing) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  world_.cloud.set_visibility_delay(std::chrono::minutes(2) + std::chrono::seconds(4));
  const auto planned = world_.plan();
  world_.provider->fail_call(1, FakeFault::CrashAfter);
  EXPECT_FALSE(world_.apply(planned).ok());
  world_.restart();
  world_.schema = test::fake_provider_schema(std::chrono::minutes(3));
  world_.take_lease();
  EXPECT_EQ(settle_one(), Settlement::Adopted);
}

TEST_F(Recovery, WaitsTheGraceFromItsOwnBeginOn) {
  // The last attempt may have been long after the intent, and act after the process was gone.
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  const auto planned = world_.plan();
  world_.provider->set_create_time(std::chrono::minutes(3));
  world_.cloud.set_visibility_delay(2 * kDefaultLeaseTtl + std::chrono::seconds(3));
  world_.provider->fail_call(1, FakeFault::CrashAfter);
  EXPECT_FALSE(world_.apply(planned).ok());
  world_.restart();
  world_.take_lease();
  EXPECT_EQ(settle_one(), Settlement::Adopted);
}

TEST_F(Recovery, LooksAgainNoEarlierThanItWasTold) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  die_at(1, FakeFault::CrashAfter);
  world_.provider->fail_call(1, FakeFault::RateLimit);
  const auto before = world_.clock.wall_now();
  EXPECT_EQ(settle_one(), Settlement::Adopted);
  EXPECT_GE(world_.clock.wall_now() - before, test::kFakeRetryAfter);
}

TEST_F(Recovery, MakesNothingWhenNothingWasMade) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  die_at(1, FakeFault::CrashBefore);
  EXPECT_EQ(settle_one(), Settlement::Absent);
  EXPECT_TRUE(world_.cloud.resources().empty());
  EXPECT_TRUE(world_.intents().empty());
}

TEST_F(Recovery, FindsOutWhetherAnUpdateArrived) {
  stand();
  world_.declared("net").fields["description"] = "new";
  die_at(1, FakeFault::CrashAfter);
  EXPECT_EQ(settle_one(), Settlement::Updated);
  EXPECT_EQ(world_.states()[0].inputs["description"], "new");
  world_.declared("net").fields["description"] = "newer";
  die_at(1, FakeFault::CrashBefore);
  EXPECT_EQ(settle_one(), Settlement::Unsure);
  EXPECT_FALSE(world_.plan().empty());
  EXPECT_TRUE(world_.apply(world_.plan()).ok());
  EXPECT_TRUE(world_.plan().empty());
}

TEST_F(Recovery, FindsOutWhetherADeleteHappened) {
  stand();
  die_at(1, FakeFault::CrashBefore, PlanKind::Destroy);
  EXPECT_EQ(settle_one(), Settlement::Standing);
  EXPECT_EQ(world_.states().size(), 1U);
  die_at(1, FakeFault::CrashAfter, PlanKind::Destroy);
  EXPECT_EQ(settle_one(), Settlement::Deleted);
  EXPECT_TRUE(world_.states().empty());
}

TEST_F(Recovery, DoesNotTakeWhatIsHiddenForDeleted) {
  stand();
  world_.schema = test::fake_provider_schema(std::chrono::minutes(10));
  die_at(1, FakeFault::CrashBefore, PlanKind::Destroy);
  world_.cloud.vanish(world_.states().at(0).provider_id);
  EXPECT_EQ(settle_one(), Settlement::Standing);
  EXPECT_EQ(world_.states().size(), 1U);
}

TEST_F(Recovery, KeepsAnIntentThatItCannotSettle) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  const auto planned = world_.plan();
  die_at(1, FakeFault::CrashAfter);
  world_.provider->fail_call(1, FakeFault::CrashBefore);
  EXPECT_EQ(settle_one(), Settlement::Open);
  EXPECT_EQ(world_.intents().size(), 1U);
  const auto report = world_.apply(planned);
  EXPECT_EQ(test::outcome_of(report, "net"), OperationOutcome::Errored);
  EXPECT_EQ(world_.cloud.resources().size(), 1U);
}

TEST_F(Recovery, RemovesASecondOneWithTheSameMarker) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  die_at(1, FakeFault::CrashAfter);
  world_.cloud.plant("network", world_.boundary, Marker{EnvironmentUid("env-1"), at("net"), 1},
                     {{"cidr", "10.0.0.0/24"}});
  EXPECT_EQ(settle_one(), Settlement::Adopted);
  EXPECT_EQ(world_.cloud.resources().size(), 1U);
}

TEST_F(Recovery, SparesAReplacementThatWasPlannedWithoutKnowing) {
  // How it was generated cannot be read back: the plan has to think that it differs.
  world_.declare("password", "secret", {{"generate", {{"length", 32}}}});
  die_at(1, FakeFault::CrashAfter);
  const auto planned = world_.plan();
  ASSERT_EQ(planned.operations[0].action, Action::Replace);
  EXPECT_EQ(settle_one(), Settlement::Adopted);
  EXPECT_TRUE(world_.apply(planned).ok());
  EXPECT_EQ(world_.cloud.resources().size(), 1U);
  EXPECT_EQ(world_.states().at(0).generation, 1);
  EXPECT_EQ(world_.provider->calls_by_name().count("create"), 0U);
  EXPECT_TRUE(world_.plan().empty());
}

TEST_F(Recovery, DoesNotPassOffWhatAnEarlierPlanMade) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}, {"description", "old"}});
  world_.cloud.set_visibility_delay(2 * kDefaultLeaseTtl + std::chrono::seconds(3));
  die_at(1, FakeFault::CrashAfter);
  world_.declared("net").fields["description"] = "new";
  const auto planned = world_.plan();
  ASSERT_EQ(planned.operations[0].action, Action::Create);
  EXPECT_EQ(settle_one(), Settlement::Adopted);
  const auto report = world_.apply(planned);
  EXPECT_EQ(test::outcome_of(report, "net"), OperationOutcome::Failed);
  EXPECT_EQ(report.operations[0].error->code(), "plan.stale");
  EXPECT_TRUE(world_.apply(world_.plan()).ok());
  EXPECT_TRUE(world_.plan().empty());
}

TEST_F(Recovery, RemovesWhatWasSupersededInTheOrderOfItsReferences) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  world_.declare("web", "server", {{"flavor", "small"}, {"network", "${resource.net}"}});
  ASSERT_TRUE(world_.apply(world_.plan()).ok());
  world_.declared("net").fields["cidr"] = "10.1.0.0/24";
  const auto planned = world_.plan();
  // Both are made; then the removals cannot be written down.
  world_.concurrency = 1;
  world_.store->fail_write(6, test::FaultyStore::Fault::Stay);
  EXPECT_FALSE(world_.apply(planned).ok());
  ASSERT_EQ(world_.intents().size(), 2U);
  world_.restart();
  world_.take_lease();
  EXPECT_TRUE(world_.recover_all().settled());
  EXPECT_TRUE(world_.intents().empty());
  EXPECT_EQ(world_.cloud.resources().size(), 2U);
  EXPECT_EQ(world_.cloud.violations().total(), 0);
}

TEST_F(Recovery, NeedsTheLease) {
  const auto old = world_.fence;
  world_.take_lease();
  const auto report = recover(world_.context(), world_.boundary, old, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), "lease.lost");
}

TEST_F(Recovery, StopsWaitingWhenAsked) {
  world_.declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  die_at(1, FakeFault::CrashBefore);
  world_.schema = test::fake_provider_schema(std::chrono::hours(1));
  std::stop_source stop;
  stop.request_stop();
  const auto report = recover(world_.context(), world_.boundary, world_.fence, stop.get_token());
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->settled());
  EXPECT_EQ(world_.intents().size(), 1U);
}

TEST(Intent, ReadsBackWhatItWrote) {
  Intent intent;
  intent.address = at("web[0]");
  intent.verb = Verb::Retire;
  intent.phase = Phase::Observed;
  intent.operation = "replace";
  intent.type = "server";
  intent.marker = {EnvironmentUid("env-1"), at("web[0]"), 3};
  intent.provider_id = "id";
  intent.inputs = {{"a", 1}};
  intent.depends_on = {at("net")};
  intent.superseded = {{"server", "old", {{"address", "10.0.0.1"}}}};
  intent.plan_digest = "sha256:x";
  intent.time = "2026-03-04T10:00:00.000Z";
  const auto read = intent_from_json(to_json(intent));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, intent);
  auto json = to_json(intent);
  json["verb"] = "burn";
  EXPECT_FALSE(intent_from_json(json));
  json = to_json(intent);
  json.erase("marker");
  EXPECT_FALSE(intent_from_json(json));
}

}  // namespace
}  // namespace bailey
