#include "orchestrator/serve/engine/import_environment.hpp"

#include "orchestrator/provision/credential/credentials.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

struct ImportEnvironment : testing::Test {
  /// `dev` and `test` stood with one artifact; then the store was lost.
  void SetUp() override {
    digest = world.registry.push("one");
    world.reach_test(digest);
    before = world.state_of("dev");
    resources = recorded();
    ASSERT_EQ(resources.size(), 3U);
    world.lose_store();
    world.init();
  }
  [[nodiscard]] std::vector<ResourceState> recorded(const std::string& environment = "dev") {
    return *in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
      return resources_of(transaction, environment);
    });
  }
  Result<Json> import(const std::string& who = "ann", const std::string& environment = "dev",
                      const std::string& uid = "") {
    return import_from_markers(world.engine(), EngineWorld::as(who),
                               {environment, EnvironmentUid(uid)}, {});
  }
  [[nodiscard]] Result<Plan> plan() {
    const auto bundle = *world.engine().bundle();
    return plan_environment(world.engine(), {*bundle, *bundle->environment("dev")}, {});
  }
  EngineWorld world;
  std::string digest;
  EnvironmentState before;
  std::vector<ResourceState> resources;
};

TEST_F(ImportEnvironment, RebuildsTheRecordAndTheNextPlanIsEmpty) {
  const auto cloud = world.cloud.snapshot();
  const auto imported = import();
  ASSERT_TRUE(imported) << imported.error().render();
  const auto now = world.state_of("dev");
  EXPECT_EQ(now.uid, before.uid);
  EXPECT_EQ(now.boundary, before.boundary);
  EXPECT_EQ(now.artifacts, before.artifacts);
  EXPECT_EQ(now.status, EnvironmentStatus::Imported);
  auto expected = resources;
  for (auto& resource : expected) resource.made_at.clear();
  EXPECT_EQ(recorded(), expected);
  const auto next = plan();
  ASSERT_TRUE(next) << next.error().render();
  EXPECT_TRUE(next->empty());
  EXPECT_TRUE(next->deferred.empty());
  EXPECT_EQ(world.cloud.snapshot(), cloud);
  EXPECT_EQ(world.logged("environment.import", Outcome::Ok), 1U);
}

TEST_F(ImportEnvironment, CountsNothingAsVerifiedUntilTheNextChangeIs) {
  ASSERT_TRUE(import());
  ASSERT_TRUE(import("ann", "test"));
  const auto too_early = world.promote("service:ci", digest, "test");
  ASSERT_TRUE(too_early) << too_early.error().render();
  world.drive();
  EXPECT_EQ(world.state_of("test").status, EnvironmentStatus::Imported);
  ASSERT_TRUE(world.promote("service:ci", digest, "dev"));
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
  EXPECT_EQ(world.state_of("test").status, EnvironmentStatus::Ready);
}

TEST_F(ImportEnvironment, GivesItsRolesNewCredentials) {
  ASSERT_TRUE(import());
  const auto listing = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
    return list_credentials(transaction, "dev");
  });
  ASSERT_TRUE(listing);
  EXPECT_EQ(listing->credentials.size(), 1U);
}

TEST_F(ImportEnvironment, IsForAdministratorsOnly) {
  for (const char* who : {"alice", "gina", "mallory", "erin", "service:ci"}) {
    EXPECT_FALSE(import(who)) << who;
  }
  EXPECT_EQ(world.logged("environment.import", Outcome::Refused), 5U);
  EXPECT_TRUE(recorded().empty());
}

TEST_F(ImportEnvironment, NeverOverwritesARecord) {
  ASSERT_TRUE(import());
  EXPECT_EQ(code_of(import()), "import.recorded");
  ASSERT_TRUE(world.apply("alice"));
  world.drive();
  EXPECT_EQ(code_of(import()), "import.recorded");
}

TEST_F(ImportEnvironment, RefusesWhatBearsNoMarkOrTwo) {
  EXPECT_EQ(code_of(import("ann", "staging")), "import.not-found");
  EXPECT_EQ(code_of(import("ann", "nowhere")), "[not-found]");
  EXPECT_EQ(code_of(import("ann", "dev", "env-other")), "import.not-found");
  const BoundaryRequest twin{.environment_uid = EnvironmentUid("env-twin"),
                             .environment = "dev",
                             .project = "payments",
                             .environment_class = EnvironmentClass::Development};
  ASSERT_TRUE(world.provider->ensure_boundary(twin, {}));
  EXPECT_EQ(code_of(import()), "import.ambiguous");
  const auto chosen = import("ann", "dev", before.uid.str());
  ASSERT_TRUE(chosen) << chosen.error().render();
  EXPECT_EQ(world.state_of("dev").uid, before.uid);
}

TEST_F(ImportEnvironment, LeavesWhatIsNotWholeOrNotOursAndSaysSo) {
  world.cloud.plant("network", before.boundary, std::nullopt, {{"cidr", "10.9.0.0/24"}});
  world.cloud.plant("network", before.boundary,
                    Marker{EnvironmentUid("env-other"), {"other", "net", std::nullopt}, 1},
                    {{"cidr", "10.8.0.0/24"}});
  const auto imported = import();
  ASSERT_TRUE(imported) << imported.error().render();
  ASSERT_EQ(imported->at("left").size(), 2U);
  EXPECT_EQ(imported->at("left")[0].at("owner"), "nobody");
  EXPECT_EQ(imported->at("left")[1].at("owner"), "env-other");
  EXPECT_EQ(recorded().size(), 3U);
}

TEST_F(ImportEnvironment, ASlotInWhosePlaceNoDigestStandsStaysEmpty) {
  const auto web = world.cloud.with_marker({before.uid, {"dev", "web", std::nullopt}, 1});
  ASSERT_TRUE(web);
  world.cloud.drift(web->id, "metadata", {{"artifact", "not a digest"}});
  ASSERT_TRUE(import());
  EXPECT_TRUE(world.state_of("dev").artifacts.empty());
  const auto next = plan();
  ASSERT_TRUE(next) << next.error().render();
  EXPECT_TRUE(next->empty());
  EXPECT_EQ(next->deferred.size(), 1U);
}

TEST_F(ImportEnvironment, RecordsNothingWhenTheLogCannotBeWritten) {
  world.store->log_is_broken = true;
  EXPECT_FALSE(import());
  world.store->log_is_broken = false;
  EXPECT_TRUE(recorded().empty());
  EXPECT_TRUE(import());
}

}  // namespace
}  // namespace bailey
