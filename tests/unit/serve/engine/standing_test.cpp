// What becomes of what stands when the specs change around it: moved, targeted, protected, removed.

#include "orchestrator/serve/engine/import_environment.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "orchestrator/serve/engine/standing_bundle.hpp"
#include "orchestrator/serve/engine/worker.hpp"
#include "tests/support/engine_world.hpp"

#include <thread>

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

/// `dev` and `test` stand with one artifact, verified.
struct Standing : testing::Test {
  void SetUp() override {
    digest = world.registry.push("one");
    world.reach_test(digest);
  }
  [[nodiscard]] std::vector<ResourceState> recorded(const std::string& environment = "dev") {
    return *in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
      return resources_of(transaction, environment);
    });
  }
  [[nodiscard]] const ResourceState* find(const std::vector<ResourceState>& all,
                                          const std::string& resource) {
    for (const auto& each : all) {
      if (each.address.resource == resource) return &each;
    }
    return nullptr;
  }
  void rename_network() {
    world.edit("    net: {type: network,", "    core: {type: network,");
    world.edit("network: ${resource.net}", "network: ${resource.core}");
    world.edit("  outputs: {address", "  moved: [{from: net, to: core}]\n  outputs: {address");
  }
  [[nodiscard]] Result<Json> apply(std::vector<std::string> targets,
                                   const std::string& who = "alice") {
    const auto given = world.sources();
    return apply_bundle(world.engine(), EngineWorld::as(who),
                        {given, "", {{}, ""}, std::move(targets)}, {});
  }
  /// Takes one environment out of the specs.
  void undeclare(const std::string& name) {
    const auto from = world.specs.find(
        "---\napiVersion: bailey/v1\nkind: Environment\nmetadata: "
        "{name: " +
        name + "}");
    ASSERT_NE(from, std::string::npos);
    const auto to = world.specs.find("---\n", from + 4);
    world.specs.erase(from, to == std::string::npos ? to : to - from);
  }
  /// Proposes what decides and lets two administrators agree.
  void accept_policy() {
    const auto proposed = world.apply("alice");
    ASSERT_TRUE(proposed) << proposed.error().render();
    ASSERT_EQ(proposed->at("accepted"), false) << proposed->dump();
    const ChangeId id(proposed->at("changes").at(0).get<std::string>());
    for (const char* who : {"ann", "abe"}) ASSERT_TRUE(world.decide(id, who));
    world.drive();
    ASSERT_EQ(world.load(id).state, ChangeState::Done);
  }
  EngineWorld world;
  std::string digest;
};

TEST_F(Standing, WhatIsRenamedKeepsStanding) {
  const auto before = recorded();
  const auto cloud = world.cloud.snapshot();
  rename_network();
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto change = world.waiting_in("dev");
  world.drive();
  EXPECT_EQ(world.load(change.id).state, ChangeState::Done);
  EXPECT_EQ(world.cloud.snapshot(), cloud) << "nothing happened at the provider";
  const auto after = recorded();
  ASSERT_EQ(after.size(), before.size());
  const auto* core = find(after, "core");
  ASSERT_NE(core, nullptr);
  EXPECT_EQ(core->provider_id, find(before, "net")->provider_id);
  EXPECT_EQ(core->marked_as, find(before, "net")->address);
  EXPECT_EQ(find(after, "net"), nullptr);
  const auto& needs = find(after, "web")->depends_on;
  EXPECT_NE(std::find(needs.begin(), needs.end(), core->address), needs.end());
  EXPECT_EQ(world.logged("resource.move", Outcome::Ok), 1U);
  const auto again = world.apply("alice", "dev");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->at("unchanged").size(), 1U) << "the entry that is left is harmless";
}

TEST_F(Standing, WhatIsRenamedIsChangedOnTheWay) {
  rename_network();
  world.edit("cidr: 10.20.0.0/24}", "cidr: 10.20.0.0/24, description: inner}");
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  const auto after = recorded();
  ASSERT_NE(find(after, "core"), nullptr);
  EXPECT_EQ(find(after, "core")->inputs["description"], "inner");
  EXPECT_NE(find(after, "core")->marked_as, std::nullopt);
  EXPECT_EQ(world.cloud.violations().total(), 0);
}

TEST_F(Standing, AMoveThatACrashInterruptsIsMadeOnce) {
  rename_network();
  world.edit("cidr: 10.20.0.0/24}", "cidr: 10.20.0.0/24, description: inner}");
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto id = world.waiting_in("dev").id;
  auto claim = claim_change(world.engine(), id, std::nullopt, {});
  ASSERT_TRUE(claim);
  world.provider->fake.fail_call(2, test::FakeFault::CrashBefore);
  std::stop_source dies;
  dies.request_stop();
  [[maybe_unused]] const auto died =
      run_change(world.engine(), *std::move(claim), {}, dies.get_token());
  world.reopen();
  world.clock.advance(std::chrono::minutes(2));
  auto taken = reclaim_change(world.engine(), id);
  ASSERT_TRUE(taken) << taken.error().render();
  const auto done = run_change(world.engine(), *std::move(taken), {}, {});
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->state, ChangeState::Done);
  EXPECT_EQ(world.logged("resource.move", Outcome::Ok), 1U);
  EXPECT_EQ(recorded().size(), 3U);
}

TEST_F(Standing, WhatWasRenamedIsFoundWhenTheStoreIsLost) {
  rename_network();
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  const auto before = recorded();
  world.lose_store();
  world.init();
  ASSERT_TRUE(
      import_from_markers(world.engine(), EngineWorld::as("ann"), {"dev", EnvironmentUid()}, {}));
  const auto after = recorded();
  ASSERT_EQ(after.size(), before.size());
  ASSERT_NE(find(after, "core"), nullptr);
  EXPECT_EQ(find(after, "core")->provider_id, find(before, "core")->provider_id);
  EXPECT_EQ(find(after, "core")->marked_as, find(before, "core")->marked_as);
  const auto bundle = *world.engine().bundle();
  const auto next = plan_environment(world.engine(), {*bundle, *bundle->environment("dev")}, {});
  ASSERT_TRUE(next) << next.error().render();
  EXPECT_TRUE(next->empty());
}

TEST_F(Standing, TheOldNameCanBeTakenByAnother) {
  rename_network();
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  world.edit("  moved: [{from: net, to: core}]\n", "");
  world.edit("    core: {type: network,",
             "    net: {type: network, cidr: 10.77.0.0/24}\n    core: {type: network,");
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_EQ(recorded().size(), 4U);
  EXPECT_EQ(world.cloud.duplicates(), 0);
  EXPECT_EQ(world.cloud.violations().total(), 0);
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
}

TEST_F(Standing, ATargetedChangeCountsAsVerifiedNowhere) {
  world.edit("password: {type: secret,",
             "extra: {type: network, cidr: 10.50.0.0/24}\n    password: "
             "{type: secret,");
  world.edit("default: small", "default: large");
  const auto applied = apply({"dev/extra"});
  ASSERT_TRUE(applied) << applied.error().render();
  const auto change = world.waiting_in("dev");
  EXPECT_TRUE(change.plan.partial());
  EXPECT_TRUE(change.introduces.empty());
  world.drive();
  EXPECT_EQ(world.load(change.id).state, ChangeState::Done);
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Partial);
  EXPECT_NE(find(recorded(), "extra"), nullptr);
  EXPECT_EQ(find(recorded(), "web")->inputs["flavor"], "small");
  const auto template_digest = template_digest_of(**world.engine().bundle(), "web");
  const auto verified = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
    return find_verified(transaction, "dev", template_digest);
  });
  ASSERT_TRUE(verified);
  EXPECT_FALSE(*verified);
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
  EXPECT_EQ(find(recorded(), "web")->inputs["flavor"], "large");
}

TEST_F(Standing, AWholeChangeFollowsAPartThatLeftNothingToDo) {
  world.edit("password: {type: secret,",
             "extra: {type: network, cidr: 10.50.0.0/24}\n    password: "
             "{type: secret,");
  ASSERT_TRUE(apply({"dev/extra"}));
  world.drive();
  ASSERT_EQ(world.state_of("dev").status, EnvironmentStatus::Partial);
  const auto whole = world.apply("alice", "dev");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->at("changes").size(), 1U) << "only it can verify";
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
}

TEST_F(Standing, TargetsAreForSandboxesAndDevelopmentOnly) {
  for (const char* stage : {"test", "staging", "production"}) {
    EXPECT_EQ(code_of(apply({std::string(stage) + "/web"})), "plan.target-refused") << stage;
    EXPECT_EQ(code_of(plan_sources(world.engine(), EngineWorld::as("alice"), world.sources(),
                                   {"", {std::string(stage) + "/web"}}, {})),
              "plan.target-refused")
        << stage;
  }
  EXPECT_EQ(code_of(apply({"web"})), "plan.bad-target");
  EXPECT_EQ(code_of(apply({"dev/web", "test/web"})), "plan.bad-target");
  EXPECT_EQ(code_of(apply({"nowhere/web"})), "[not-found]");
  EXPECT_EQ(code_of(apply({"dev/nothing"})), "plan.unknown-target");
  const auto plans = plan_sources(world.engine(), EngineWorld::as("alice"), world.sources(),
                                  {"", {"dev/web"}}, {});
  ASSERT_TRUE(plans) << plans.error().render();
  ASSERT_EQ(plans->at("plans").size(), 1U);
  EXPECT_EQ(plans->at("plans")[0].at("targets"), Json::array({"dev/web"}));
}

TEST_F(Standing, WhatIsProtectedStaysUntilThatIsTakenAway) {
  world.edit("    net: {type: network,", "    net: {type: network, protect: true,");
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_TRUE(find(recorded(), "net")->protect);
  EXPECT_EQ(code_of(request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {})),
            "plan.protected");
  // Replaced, or taken out of the template together with its protection.
  const auto protected_specs = world.specs;
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  EXPECT_EQ(code_of(world.apply("alice", "dev")), "plan.protected");
  world.specs = protected_specs;
  world.edit("    net: {type: network, protect: true, cidr: 10.20.0.0/24}\n",
             "    other: {type: network, cidr: 10.22.0.0/24}\n");
  world.edit("network: ${resource.net}", "network: ${resource.other}");
  EXPECT_EQ(code_of(world.apply("alice", "dev")), "plan.protected");
  // Moved, it stays protected.
  world.specs = protected_specs;
  rename_network();
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  ASSERT_NE(find(recorded(), "core"), nullptr);
  EXPECT_TRUE(find(recorded(), "core")->protect);
  // Taken away by a change of its own, which the gate sees.
  world.edit("protect: true, ", "");
  const auto freed = world.apply("alice", "dev");
  ASSERT_TRUE(freed);
  EXPECT_EQ(freed->at("changes").size(), 1U);
  world.drive();
  EXPECT_TRUE(request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {}));
}

TEST_F(Standing, WhatIsNoLongerDeclaredGoesThroughTheGateThatItHad) {
  undeclare("production");
  undeclare("staging");
  undeclare("test");
  world.edit("stages: [dev, test, staging, production]", "stages: [dev]");
  accept_policy();
  EXPECT_EQ((*world.engine().bundle())->environment("test"), nullptr);
  const auto listed = list_environments(world.engine(), EngineWorld::as("alice"));
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 2U) << "what still stands is shown, what never stood is not";
  EXPECT_EQ(listed->at(1).at("name"), "test");
  EXPECT_EQ(listed->at(1).at("declared"), false);
  EXPECT_FALSE(world.promote("service:ci", digest, "test")) << "nothing is let in any more";
  const auto applied = world.apply("alice");
  ASSERT_TRUE(applied) << applied.error().render();
  ASSERT_EQ(applied->at("changes").size(), 1U) << applied->dump();
  const auto change = world.waiting_in("test");
  EXPECT_EQ(change.kind, ChangeKind::Destroy);
  world.drive();
  EXPECT_EQ(world.load(change.id).state, ChangeState::Done);
  EXPECT_EQ(world.state_of("test").status, EnvironmentStatus::Destroyed);
  EXPECT_TRUE(recorded("test").empty());
  const auto receipt =
      show_receipt(world.engine(), EngineWorld::as("amy"), world.load(change.id).receipt);
  EXPECT_TRUE(receipt) << receipt.error().render();
}

TEST_F(Standing, TheGateOfWhatIsNoLongerDeclaredStillHolds) {
  ASSERT_TRUE(world.promote("service:ci", digest, "staging"));
  for (const auto& change : world.changes()) {
    if (change.finished() || change.environment != "staging") continue;
    const auto current = replan_if_stale(world.engine(), change, {});
    ASSERT_TRUE(current);
    if (current->finished()) continue;
    ASSERT_TRUE(world.decide(change.id, "bob"));
    world.drive();
  }
  ASSERT_EQ(world.state_of("staging").status, EnvironmentStatus::Ready);
  undeclare("production");
  undeclare("staging");
  world.edit("stages: [dev, test, staging, production]", "stages: [dev, test]");
  accept_policy();
  ASSERT_TRUE(world.apply("alice"));
  const auto change = world.waiting_in("staging");
  ASSERT_EQ(change.kind, ChangeKind::Destroy);
  world.drive();
  EXPECT_EQ(world.load(change.id).state, ChangeState::Waiting) << "it asked for an approval";
  EXPECT_EQ(code_of(request_destroy(world.engine(), EngineWorld::as("mallory"), "staging", {})),
            "identity.power-missing");
  ASSERT_TRUE(world.decide(change.id, "bob"));
  world.drive();
  EXPECT_EQ(world.state_of("staging").status, EnvironmentStatus::Destroyed);
}

TEST_F(Standing, ADestroyThatCouldNotEndIsCarriedOnWithoutHands) {
  const auto boundary = world.state_of("dev").boundary;
  const auto stray =
      world.cloud.plant("network", boundary, std::nullopt, {{"cidr", "10.9.0.0/24"}});
  const auto asked = request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {});
  ASSERT_TRUE(asked && *asked);
  Worker worker(world.engine());
  const auto await = [&](auto&& reached) {
    for (int i = 0; i < 4000 && !reached(); ++i) {
      worker.wake();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(reached());
  };
  await([&] { return world.load((*asked)->id).state == ChangeState::Failed; });
  const auto left = world.state_of("dev").left;
  EXPECT_NE(std::find_if(left.begin(), left.end(),
                         [&](const auto& line) { return line.find(stray) != std::string::npos; }),
            left.end());
  world.cloud.vanish(stray);
  await([&] {
    world.clock.advance(std::chrono::seconds(1));
    return world.state_of("dev").status == EnvironmentStatus::Destroyed;
  });
  EXPECT_EQ(world.load((*asked)->id).state, ChangeState::Done);
  EXPECT_TRUE(world.state_of("dev").left.empty());
}

TEST_F(Standing, ADestroyRemovesWhatBearsOurMarkAndIsInNoRecord) {
  const auto state = world.state_of("dev");
  world.cloud.plant("network", state.boundary, Marker{state.uid, {"dev", "net", std::nullopt}, 7},
                    {{"cidr", "10.9.0.0/24"}});
  const auto asked = request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {});
  ASSERT_TRUE(asked && *asked);
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Destroyed);
  for (const auto& each : world.cloud.resources()) EXPECT_NE(each.boundary, state.boundary);
}

}  // namespace
}  // namespace bailey
