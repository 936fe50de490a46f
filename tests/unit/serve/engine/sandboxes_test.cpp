#include "orchestrator/serve/engine/sandboxes.hpp"

#include "orchestrator/serve/engine/housekeeper.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "orchestrator/serve/engine/worker.hpp"
#include "tests/support/engine_world.hpp"

#include <thread>

namespace bailey {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::code_of;
using test::EngineWorld;

std::string sandbox(const std::string& name) {
  return "---\napiVersion: bailey/v1\nkind: Environment\nmetadata: {name: " + name +
         "}\nspec: {project: payments, class: sandbox, account: cloud, template: web, owner: "
         "alice, "
         "ttl: 8h}\n";
}

/// Two sandboxes of alice stand; the account lets them live 12 hours at most.
struct Sandboxes : testing::Test {
  void SetUp() override {
    world.edit("classes: [development, test, staging]",
               "classes: [sandbox, development, test, staging]\n  limits: {sandboxesPerOwner: 3, "
               "maximumTtl: 12h}");
    world.specs += sandbox("play") + sandbox("toy");
    world.init();
    for (const char* name : {"play", "toy"}) ASSERT_TRUE(world.apply("alice", name));
    world.drive();
    ASSERT_EQ(world.state_of("play").status, EnvironmentStatus::Ready);
    world.clock.advance(minutes(1));
  }
  [[nodiscard]] std::vector<std::string> expired() {
    auto names = expired_sandboxes(world.engine());
    EXPECT_TRUE(names) << names.error().render();
    return names ? *names : std::vector<std::string>();
  }
  Result<Json> extend(std::chrono::seconds ttl, const std::string& who = "alice",
                      const std::string& name = "play") {
    return extend_sandbox(world.engine(), EngineWorld::as(who), name, ttl);
  }
  [[nodiscard]] Json shown(const std::string& name = "play") {
    auto answer = show_environment(world.engine(), EngineWorld::as("alice"), name);
    EXPECT_TRUE(answer) << answer.error().render();
    return answer ? *answer : Json();
  }
  void await(const std::string& name, EnvironmentStatus status) {
    for (int i = 0; i < 4000 && world.state_of(name).status != status; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_EQ(to_string(world.state_of(name).status), to_string(status)) << name;
  }
  EngineWorld world;
};

TEST_F(Sandboxes, EndAfterTheirTime) {
  EXPECT_EQ(shown().at("seconds_left"), 8 * 3600 - 60);
  world.clock.advance(hours(8) - minutes(2));
  EXPECT_TRUE(expired().empty());
  world.clock.advance(minutes(1));
  EXPECT_EQ(expired(), (std::vector<std::string>{"play", "toy"}));
  EXPECT_EQ(shown().at("seconds_left"), 0);
  ASSERT_TRUE(reap_sandbox(world.engine(), "play", {}));
  EXPECT_EQ(world.state_of("play").status, EnvironmentStatus::Destroyed);
  EXPECT_EQ(expired(), std::vector<std::string>{"toy"});
  const auto change = world.changes().back();
  EXPECT_EQ(change.state, ChangeState::Done);
  EXPECT_EQ(change.requester, reaper_subject());
  EXPECT_FALSE(change.receipt.empty());
}

TEST_F(Sandboxes, CanBeExtendedWithinTheAccountsMaximum) {
  EXPECT_EQ(code_of(extend(hours(12))), "sandbox.too-long");
  EXPECT_EQ(code_of(extend(hours(1), "mallory")), "identity.power-missing");
  EXPECT_EQ(code_of(extend(hours(1), "alice", "dev")), "[failed-precondition]");
  ASSERT_TRUE(extend(hours(12) - minutes(1)));
  // It never shortens a life.
  ASSERT_TRUE(extend(minutes(1)));
  EXPECT_EQ(shown().at("seconds_left"), 12 * 3600 - 60);
  world.clock.advance(hours(9));
  EXPECT_EQ(expired(), std::vector<std::string>{"toy"});
  EXPECT_EQ(code_of(extend(hours(4))), "sandbox.too-long");
  world.clock.advance(hours(3));
  EXPECT_EQ(expired(), (std::vector<std::string>{"play", "toy"}));
  EXPECT_EQ(code_of(extend(minutes(1))), "[failed-precondition]") << "its time is over";
  EXPECT_EQ(world.logged("sandbox.extend", Outcome::Ok), 2U);
}

TEST_F(Sandboxes, AClockThatIsSetBackNeverLengthensALife) {
  world.clock.advance(hours(5));
  const auto left = shown().at("seconds_left").get<int>();
  world.clock.set_back(hours(100));
  EXPECT_EQ(shown().at("seconds_left"), left);
  world.reopen();
  EXPECT_LE(shown().at("seconds_left").get<int>(), left + 60) << "nor over a restart";
  world.clock.advance(hours(3));
  EXPECT_EQ(expired().size(), 2U);
}

TEST_F(Sandboxes, WhatCannotGoSaysSoAndIsTriedAgain) {
  world.clock.advance(hours(8));
  const auto stray = world.cloud.plant("network", world.state_of("play").boundary, std::nullopt,
                                       {{"cidr", "10.9.0.0/24"}});
  EXPECT_FALSE(reap_sandbox(world.engine(), "play", {}));
  EXPECT_EQ(world.state_of("play").status, EnvironmentStatus::Destroying);
  EXPECT_NE(shown().at("left").dump().find(stray), std::string::npos) << shown().at("left").dump();
  EXPECT_FALSE(reap_sandbox(world.engine(), "play", {}));
  world.cloud.vanish(stray);
  const auto count = world.changes().size();
  ASSERT_TRUE(reap_sandbox(world.engine(), "play", {}));
  EXPECT_EQ(world.changes().size(), count) << "the same change is carried on";
  EXPECT_EQ(world.state_of("play").status, EnvironmentStatus::Destroyed);
  EXPECT_TRUE(shown().at("left").empty());
}

TEST_F(Sandboxes, WhatCannotBePlannedSaysSo) {
  world.clock.advance(hours(8));
  world.provider->fake.fail_call(1, test::FakeFault::FailBefore);
  EXPECT_FALSE(reap_sandbox(world.engine(), "play", {}));
  EXPECT_EQ(shown().at("left").size(), 1U);
  EXPECT_EQ(world.logged("sandbox.end", Outcome::Failed), 1U);
  ASSERT_TRUE(reap_sandbox(world.engine(), "play", {}));
}

TEST_F(Sandboxes, AStuckOneHoldsUpNoOtherAndNoChange) {
  world.clock.advance(hours(8));
  world.provider->hold_boundary(world.state_of("play").boundary);
  {
    Worker worker(world.engine());
    const Housekeeper housekeeper(world.engine(), {});
    await("toy", EnvironmentStatus::Destroyed);
    ASSERT_TRUE(world.apply("alice", "dev"));
    worker.wake();
    await("dev", EnvironmentStatus::Ready);
    EXPECT_NE(world.state_of("play").status, EnvironmentStatus::Destroyed);
    world.provider->let_go();
    await("play", EnvironmentStatus::Destroyed);
  }
}

TEST_F(Sandboxes, TheServerLooksForDriftAndSweepsOfItself) {
  const auto server =
      world.cloud.with_marker({world.state_of("play").uid, {"play", "net", std::nullopt}, 1});
  ASSERT_TRUE(server);
  world.cloud.drift(server->id, "description", "by hand");
  world.cloud.plant("network", world.state_of("play").boundary, std::nullopt,
                    {{"cidr", "10.9.0.0/24"}});
  const Housekeeper housekeeper(world.engine(), {});
  for (int i = 0; i < 4000 && world.logged("drift.found", Outcome::Ok) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GE(world.logged("drift.found", Outcome::Ok), 1U);
}

TEST_F(Sandboxes, NothingIsProtectedInThem) {
  world.edit("net: {type: network,", "net: {type: network, protect: true,");
  ASSERT_TRUE(world.apply("alice", "play"));
  world.drive();
  world.clock.advance(hours(8));
  ASSERT_TRUE(reap_sandbox(world.engine(), "play", {}));
}

}  // namespace
}  // namespace bailey
