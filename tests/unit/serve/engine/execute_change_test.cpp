#include "orchestrator/serve/engine/execute_change.hpp"

#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/provision/apply/estimates.hpp"
#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

std::optional<VerifiedItem> verified_in(EngineWorld& world, const std::string& environment,
                                        const std::string& digest) {
  auto item = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
    return find_verified(transaction, environment, digest);
  });
  EXPECT_TRUE(item);
  return item ? *item : std::nullopt;
}

TEST(ExecuteChange, DevelopmentGoesInByItselfAndTestOnceItIsVerifiedThere) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.init();
  ASSERT_TRUE(world.apply("alice"));
  const auto in_test = world.waiting_in("test");
  EXPECT_EQ(code_of(world.run(in_test.id)), "gate.not-met");
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
  EXPECT_EQ(world.state_of("test").status, EnvironmentStatus::Ready);
  const auto early = world.promote("service:ci", digest, "test");
  ASSERT_TRUE(early && *early);
  EXPECT_EQ(code_of(world.run((*early)->id)), "gate.not-met");
  ASSERT_TRUE(world.promote("service:ci", digest, "dev"));
  world.drive();
  EXPECT_EQ(world.state_of("test").artifacts["web"], world.reference(digest));
  EXPECT_TRUE(verified_in(world, "test", digest));
  EXPECT_FALSE(verified_in(world, "staging", digest));
  EXPECT_EQ(world.cloud.violations().total(), 0);
}

TEST(ExecuteChange, NothingRunsThatTheLogDoesNotKnow) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto change = world.waiting_in("dev");
  world.store->log_is_broken = true;
  EXPECT_EQ(code_of(claim_change(world.engine(), change.id, std::nullopt, {})), "[io]");
  world.store->log_is_broken = false;
  EXPECT_EQ(world.load(change.id).state, ChangeState::Waiting);
  EXPECT_TRUE(world.cloud.boundaries().empty());
  // The lease was taken back with the rest.
  EXPECT_TRUE(world.run(change.id));
}

TEST(ExecuteChange, IsClaimedOnce) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto change = world.waiting_in("dev");
  ASSERT_TRUE(claim_change(world.engine(), change.id, std::nullopt, {}));
  EXPECT_EQ(code_of(claim_change(world.engine(), change.id, std::nullopt, {})),
            "[failed-precondition]");
  EXPECT_EQ(code_of(reclaim_change(world.engine(), change.id)), "lease.held");
  EXPECT_EQ(world.logged("change.execute", Outcome::Ok), 2U) << "the first bundle's, and this";
}

TEST(ExecuteChange, RefusesAPlanThatIsNotTheNewest) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto first = world.waiting_in("dev");
  ASSERT_TRUE(world.promote("service:ci", digest, "dev"));
  ASSERT_TRUE(world.run(first.id));
  const auto second = world.waiting_in("dev");
  EXPECT_NE(code_of(world.run(second.id)), "");
  EXPECT_EQ(world.load(second.id).state, ChangeState::Waiting);
  ASSERT_TRUE(replan_if_stale(world.engine(), second, {}));
  EXPECT_EQ(code_of(world.run(second.id)), "");
}

TEST(ExecuteChange, AFailedVerificationLeavesNoReceiptAndNothingVerified) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.init();
  ASSERT_TRUE(world.apply("alice"));
  world.drive();
  ASSERT_TRUE(world.promote("service:ci", digest, "dev"));
  world.drive();
  const auto receipt_before = world.state_of("test").receipt;
  world.break_program("verify");
  const auto promoted = world.promote("service:ci", digest, "test");
  ASSERT_TRUE(promoted && *promoted);
  const auto failed = world.run((*promoted)->id);
  ASSERT_TRUE(failed) << failed.error().render();
  EXPECT_EQ(failed->state, ChangeState::Failed);
  EXPECT_TRUE(failed->receipt.empty());
  EXPECT_EQ(world.state_of("test").status, EnvironmentStatus::Failed);
  EXPECT_EQ(world.state_of("test").receipt, receipt_before);
  EXPECT_FALSE(verified_in(world, "test", digest));
  EXPECT_EQ(world.logged("change.verify", Outcome::Failed), 1U);
  // What is told is the command as it was run.
  EXPECT_NE(failed->history.back().detail.find("\"checks/verify test\""), std::string::npos)
      << failed->history.back().detail;
  // Mended, the same promotion can be asked for again and passes.
  world.mend_program("verify");
  const auto again = world.promote("service:ci", digest, "test");
  ASSERT_TRUE(again) << again.error().render();
  ASSERT_TRUE(again->has_value()) << "what failed its verification cannot be verified again";
  world.drive();
  EXPECT_TRUE(verified_in(world, "test", digest));
}

TEST(ExecuteChange, AProviderThatRefusesFailsTheChangeAndNothingIsVerified) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto change = world.waiting_in("dev");
  world.provider->fake.refuse_type("server");
  world.provider->fake.refuse_type("secret");
  const auto failed = world.run(change.id);
  ASSERT_TRUE(failed) << failed.error().render();
  EXPECT_EQ(failed->state, ChangeState::Failed);
  EXPECT_TRUE(failed->receipt.empty());
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Failed);
  EXPECT_EQ(world.logged("change.fail", Outcome::Failed), 1U);
  world.provider->fake.refuse_type("server", false);
  world.provider->fake.refuse_type("secret", false);
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
  EXPECT_EQ(world.cloud.violations().total(), 0);
}

TEST(ExecuteChange, RemembersWhatItsOperationsTookEvenWhenItFails) {
  EngineWorld world;
  const auto known = [&] {
    auto read = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
      return load_estimates(transaction, "cloud");
    });
    EXPECT_TRUE(read);
    return read ? *std::move(read) : Estimates();
  };
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.provider->fake.refuse_type("secret");
  const auto failed = world.run(world.waiting_in("dev").id);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->state, ChangeState::Failed);
  EXPECT_TRUE(known().of("network", Verb::Create));
  EXPECT_FALSE(known().of("secret", Verb::Create));
  world.reopen();
  EXPECT_TRUE(known().of("network", Verb::Create));
}

/// A promotion to production for which everything but people and time is there.
struct ExecuteInProduction : testing::Test {
  void SetUp() override {
    digest = world.registry.push("one");
    world.reach_staging(digest);
    world.clock.advance(std::chrono::hours(1));
    ASSERT_TRUE(
        world.submit("service:ci", digest, {world.authorship(digest, {"alice@acme.example"})}));
    const auto first = world.waiting_in("production");
    ASSERT_TRUE(cancel_change(world.engine(), EngineWorld::as("alice"), first.id));
    auto promoted = world.promote("service:ci", digest, "production");
    ASSERT_TRUE(promoted && *promoted) << code_of(promoted);
    id = (*promoted)->id;
  }
  [[nodiscard]] Result<Change> execute(const std::string& who) {
    auto claim = claim_by_operator(world.engine(), EngineWorld::as(who), id, {});
    if (!claim) return fail(std::move(claim.error()));
    return run_change(world.engine(), *std::move(claim), {}, {});
  }
  void soak() { world.clock.advance(std::chrono::hours(24)); }

  EngineWorld world;
  std::string digest;
  ChangeId id;
};

TEST_F(ExecuteInProduction, NeedsTwoDifferentPeopleAndTheTime) {
  ASSERT_TRUE(world.decide(id, "dave"));
  EXPECT_EQ(code_of(execute("erin")), "gate.not-met");
  ASSERT_TRUE(world.decide(id, "carol"));
  EXPECT_EQ(code_of(execute("erin")), "gate.not-met");  // not long enough in staging
  world.clock.advance(std::chrono::hours(7));
  EXPECT_EQ(code_of(execute("erin")), "gate.not-met");
  soak();
  EXPECT_EQ(code_of(execute("erin")), "gate.not-met");  // the approvals have expired
  ASSERT_TRUE(world.decide(id, "dave"));
  ASSERT_TRUE(world.decide(id, "dave"));
  EXPECT_EQ(code_of(execute("erin")), "gate.not-met");  // twice the same
  ASSERT_TRUE(world.decide(id, "bob"));
  const auto done = execute("erin");
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->state, ChangeState::Done);
  EXPECT_EQ(done->executor, parse_subject("erin"));
}

TEST_F(ExecuteInProduction, IsNotForApproversAuthorsOrThoseWithoutThePower) {
  soak();
  ASSERT_TRUE(world.decide(id, "dave"));
  ASSERT_TRUE(world.decide(id, "bob"));
  EXPECT_EQ(code_of(execute("bob")), "gate.not-independent");    // approved it
  EXPECT_EQ(code_of(execute("alice")), "gate.not-independent");  // wrote it
  EXPECT_EQ(code_of(execute("dave")), "identity.power-missing");
  EXPECT_EQ(code_of(execute("mallory")), "identity.power-missing");
  EXPECT_EQ(world.logged("change.execute", Outcome::Refused), 4U);
  EXPECT_EQ(code_of(execute("erin")), "");
}

TEST_F(ExecuteInProduction, AnOperatorsOwnApprovalCannotComeLater) {
  soak();
  ASSERT_TRUE(world.decide(id, "dave"));
  ASSERT_TRUE(world.decide(id, "carol"));
  auto claim = claim_by_operator(world.engine(), EngineWorld::as("bob"), id, {});
  ASSERT_TRUE(claim) << claim.error().render();
  EXPECT_EQ(code_of(world.payload_for(id, "bob")), "[failed-precondition]");
}

TEST_F(ExecuteInProduction, AnApprovalThatComesBetweenAskingAndClaimingCounts) {
  soak();
  ASSERT_TRUE(world.decide(id, "dave"));
  ASSERT_TRUE(world.decide(id, "carol"));
  world.store->before_write(1, [&] { EXPECT_EQ(code_of(world.decide(id, "bob")), ""); });
  EXPECT_EQ(code_of(execute("bob")), "gate.not-independent");
  EXPECT_EQ(world.load(id).state, ChangeState::Waiting);
}

TEST_F(ExecuteInProduction, APersonLaunderedThroughTheServiceIsStillThatPerson) {
  soak();
  ASSERT_TRUE(world.decide(id, "dave"));
  ASSERT_TRUE(world.decide(id, "carol"));
  // zed stands behind ci; had zed approved, ci could not execute.
  EXPECT_EQ(code_of(world.payload_for(id, "zed")), "gate.not-independent");
}

TEST_F(ExecuteInProduction, BaileyDoesNotExecuteWhatAnOperatorHasTo) {
  soak();
  ASSERT_TRUE(world.decide(id, "dave"));
  ASSERT_TRUE(world.decide(id, "carol"));
  EXPECT_EQ(code_of(claim_change(world.engine(), id, std::nullopt, {})), "gate.by-operator");
  EXPECT_EQ(world.load(id).state, ChangeState::Waiting);
}

TEST_F(ExecuteInProduction, AProgramOfTheGateCanSayNo) {
  soak();
  ASSERT_TRUE(world.decide(id, "dave"));
  ASSERT_TRUE(world.decide(id, "carol"));
  world.break_program("ticket");
  EXPECT_EQ(code_of(execute("erin")), "gate.not-met");
  world.mend_program("ticket");
  EXPECT_EQ(code_of(execute("erin")), "gate.not-met");  // it is not asked again at once
  world.clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(code_of(execute("erin")), "");
}

TEST_F(ExecuteInProduction, TheReceiptVerifiesOfflineAndShowsEveryChangedLeaf) {
  soak();
  ASSERT_TRUE(world.decide(id, "dave"));
  ASSERT_TRUE(world.decide(id, "carol"));
  const auto done = execute("erin");
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(code_of(show_receipt(world.engine(), EngineWorld::as("mallory"), done->receipt)),
            "identity.power-missing");
  const auto receipt = show_receipt(world.engine(), EngineWorld::as("amy"), done->receipt);
  ASSERT_TRUE(receipt) << receipt.error().render();
  const auto pinned = world.log_key->verifier().str();
  const auto report = verify_receipt(*receipt, pinned);
  ASSERT_TRUE(report) << report.error().render();
  EXPECT_TRUE(report->ok) << to_json(*report).dump(1);
  const auto other = LogKey::generate("acme.example/log", world.random)->verifier().str();
  const auto elsewhere = verify_receipt(*receipt, other);
  EXPECT_FALSE(elsewhere && elsewhere->ok);

  const auto flat = receipt->flatten();
  int changed = 0;
  for (const auto& [pointer, value] : flat.items()) {
    auto copy = *receipt;
    auto& leaf = copy[Json::json_pointer(pointer)];
    if (leaf.is_string()) {
      auto text = leaf.get<std::string>();
      if (text.empty()) {
        text = "x";
      } else {
        text[text.size() / 2] = text[text.size() / 2] == 'a' ? 'b' : 'a';
      }
      leaf = text;
    } else if (leaf.is_boolean()) {
      leaf = !leaf.get<bool>();
    } else if (leaf.is_number()) {
      leaf = leaf.get<double>() + 1;
    } else {
      leaf = "x";
    }
    const auto altered = verify_receipt(copy, pinned);
    EXPECT_FALSE(altered && altered->ok) << pointer;
    ++changed;
  }
  EXPECT_GT(changed, 100);
}

TEST(ReclaimChange, TakesUpWhatACrashLeftBehindOnceTheLeaseHasRunOut) {
  for (const auto fault : {test::FakeFault::CrashBefore, test::FakeFault::CrashAfter}) {
    for (int nth = 1; nth <= 12; ++nth) {
      EngineWorld world;
      const auto digest = world.registry.push("one");
      world.init();
      ASSERT_TRUE(world.promote("service:ci", digest, "dev"));
      const auto change = world.waiting_in("dev");
      auto claim = claim_change(world.engine(), change.id, std::nullopt, {});
      ASSERT_TRUE(claim);
      world.provider->fake.fail_call(nth, fault);
      // The process is told to stop at the moment it dies, so that it records no failure.
      std::stop_source stop;
      stop.request_stop();
      const auto died = run_change(world.engine(), *std::move(claim), {},
                                   nth % 2 == 0 ? stop.get_token() : std::stop_token());
      if (died && died->state == ChangeState::Failed) continue;  // It lived to say so.
      if (died && died->state == ChangeState::Done) continue;
      world.reopen();
      world.clock.advance(kDefaultLeaseTtl + std::chrono::seconds(1));
      auto again = reclaim_change(world.engine(), change.id);
      ASSERT_TRUE(again) << again.error().render();
      const auto done = run_change(world.engine(), *std::move(again), {}, {});
      ASSERT_TRUE(done) << done.error().render();
      EXPECT_EQ(done->state, ChangeState::Done) << done->history.back().detail;
      EXPECT_EQ(world.cloud.duplicates(), 0);
      EXPECT_EQ(world.cloud.violations().total(), 0);
      EXPECT_EQ(world.logged("change.resume", Outcome::Ok), 1U);
    }
  }
}

TEST(ReclaimChange, TheOldHolderCanNoLongerEndIt) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto change = world.waiting_in("dev");
  auto old_claim = claim_change(world.engine(), change.id, std::nullopt, {});
  ASSERT_TRUE(old_claim);
  world.clock.advance(kDefaultLeaseTtl + std::chrono::seconds(1));
  auto new_claim = reclaim_change(world.engine(), change.id);
  ASSERT_TRUE(new_claim) << new_claim.error().render();
  const auto late = run_change(world.engine(), *std::move(old_claim), {}, {});
  EXPECT_EQ(code_of(late), "lease.lost");
  // Nor does it begin anything: not even the boundary was asked for.
  EXPECT_EQ(world.provider->wanted.environment, "");
  const auto done = run_change(world.engine(), *std::move(new_claim), {}, {});
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->state, ChangeState::Done);
  EXPECT_EQ(world.cloud.duplicates(), 0);
}

TEST(ReclaimChange, GoesOnAfterACrashWhileVerifying) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.init();
  ASSERT_TRUE(world.promote("service:ci", digest, "dev"));
  const auto change = world.waiting_in("dev");
  auto claim = claim_change(world.engine(), change.id, std::nullopt, {});
  ASSERT_TRUE(claim);
  const auto before = *claim;
  ASSERT_TRUE(run_change(world.engine(), *std::move(claim), {}, {}));
  // As if it had died just before it wrote down that it was done.
  ASSERT_TRUE(in_transaction(*world.store, Access::Write, [&](Transaction& transaction) -> Status {
    auto undone = world.load(change.id);
    undone.state = ChangeState::Verifying;
    undone.receipt.clear();
    undone.history.pop_back();
    return save(transaction, undone);
  }));
  world.reopen();
  auto again = reclaim_change(world.engine(), change.id);
  ASSERT_TRUE(again) << again.error().render();
  const auto done = run_change(world.engine(), *std::move(again), {}, {});
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->state, ChangeState::Done) << done->history.back().detail;
  EXPECT_EQ(world.cloud.duplicates(), 0);
}

TEST(DestroyChange, LeavesNothingBehind) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.reach_test(digest);
  ASSERT_FALSE(world.cloud.live_credentials().empty());
  for (const char* name : {"dev", "test"}) {
    const auto asked = request_destroy(world.engine(), EngineWorld::as("alice"), name, {});
    ASSERT_TRUE(asked && *asked) << code_of(asked);
  }
  world.drive();
  for (const char* name : {"dev", "test"}) {
    const auto state = world.state_of(name);
    EXPECT_EQ(state.status, EnvironmentStatus::Destroyed) << name;
    EXPECT_TRUE(state.boundary.empty());
    EXPECT_TRUE(state.artifacts.empty());
  }
  EXPECT_TRUE(world.cloud.boundaries().empty());
  EXPECT_TRUE(world.cloud.resources().empty());
  EXPECT_TRUE(world.cloud.live_credentials().empty());
  EXPECT_EQ(world.cloud.violations().total(), 0);
}

TEST(DestroyChange, StaysDestroyingWhileSomethingIsLeft) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  const auto planted =
      world.cloud.plant("network", world.state_of("dev").boundary, std::nullopt, {{"cidr", "x"}});
  const auto asked = request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {});
  ASSERT_TRUE(asked && *asked);
  const auto failed = world.run((*asked)->id);
  ASSERT_TRUE(failed) << failed.error().render();
  EXPECT_EQ(failed->state, ChangeState::Failed);
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Destroying);
  world.cloud.vanish(planted);
  const auto again = request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {});
  ASSERT_TRUE(again && *again);
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Destroyed);
}

TEST(DestroyChange, LeavesNoOtherChangeThatWouldBringItBack) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.reach_staging(digest);
  world.edit("image: cirros", "image: debian");
  ASSERT_TRUE(world.apply("alice", "staging"));
  const auto waiting = world.waiting_in("staging");
  const auto asked = request_destroy(world.engine(), EngineWorld::as("alice"), "staging", {});
  ASSERT_TRUE(asked && *asked);
  ASSERT_TRUE(world.decide((*asked)->id, "carol"));
  const auto gone = world.run((*asked)->id);
  ASSERT_TRUE(gone) << gone.error().render();
  ASSERT_EQ(gone->state, ChangeState::Done) << gone->history.back().detail;
  EXPECT_EQ(world.load(waiting.id).state, ChangeState::Superseded);
}

TEST(DestroyChange, WhatComesBackIsAnotherEnvironment) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.reach_test(digest);
  const auto uid = world.state_of("dev").uid;
  ASSERT_TRUE(request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {}));
  world.drive();
  ASSERT_TRUE(world.promote("service:ci", digest, "dev"));
  EXPECT_NE(world.state_of("dev").uid, uid);
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
}

TEST(ExecuteChange, AsksForTheBoundaryThatTheEnvironmentWants) {
  EngineWorld world;
  world.edit("{name: dev}\nspec:\n",
             "{name: dev}\nspec:\n  boundary: {description: Ours., tags: [cost-7]}\n");
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
  const auto& wanted = world.provider->wanted;
  EXPECT_EQ(wanted.environment, "dev");
  EXPECT_EQ(wanted.adopt, "");
  EXPECT_EQ(wanted.description, "Ours.");
  EXPECT_EQ(wanted.tags, std::vector<std::string>{"cost-7"});
}

// A run that gave the boundary back and was stopped before it could say so.
TEST(ExecuteChange, DestroyingFindsThatAnAdoptedBoundaryWasGivenBackBefore) {
  EngineWorld world;
  world.edit("{name: dev}\nspec:\n", "{name: dev}\nspec:\n  boundary: {adopt: old-project}\n");
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_EQ(world.provider->wanted.adopt, "old-project");
  const auto asked = request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {});
  ASSERT_TRUE(asked && *asked);
  world.provider->given_back = true;
  const auto gone = world.run((*asked)->id);
  ASSERT_TRUE(gone) << gone.error().render();
  EXPECT_EQ(gone->state, ChangeState::Done) << gone->history.back().detail;
}

TEST(ExecuteChange, OpensAnAccountWithAllVariablesOfAPrefix) {
  EngineWorld world;
  world.edit(
      "classes: [development, test, staging]\n  endpoint: http://127.0.0.1:5000\n"
      "  credential: {file: " +
          (world.folder() / "cloud-secret").string() + "}",
      "classes: [development, test, staging]\n  endpoint: http://127.0.0.1:5000\n"
      "  credential: {env: BAILEY_ENGINE_TEST_*}");
  world.init();
  ::setenv("BAILEY_ENGINE_TEST_PASSWORD", "it's $HOME", 1);
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  ::unsetenv("BAILEY_ENGINE_TEST_PASSWORD");
  EXPECT_EQ(world.credential.reveal(), "BAILEY_ENGINE_TEST_PASSWORD='it'\\''s $HOME'\n");
}

}  // namespace
}  // namespace bailey
