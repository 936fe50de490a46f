#include "orchestrator/serve/engine/roll_back.hpp"

#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

/// Two releases in `dev`, `test` and `staging`, one after the other.
struct RollBack : testing::Test {
  void bring(const std::string& digest, const char* stage) {
    const auto promoted = world.promote("service:ci", digest, stage);
    ASSERT_TRUE(promoted) << promoted.error().render();
    ASSERT_TRUE(*promoted);
    if (std::string(stage) == "staging") {
      const auto approved = world.decide((*promoted)->id, "bob");
      ASSERT_TRUE(approved) << approved.error().render();
    }
    world.drive();
  }
  void SetUp() override {
    old = world.registry.push("old");
    fresh = world.registry.push("fresh");
    world.reach_staging(old);
    released = world.state_of("staging").receipt;
    for (const char* stage : {"dev", "test", "staging"}) bring(fresh, stage);
    ASSERT_EQ(world.state_of("staging").artifacts["web"], world.reference(fresh));
  }
  [[nodiscard]] Result<std::optional<Change>> back(const std::string& who,
                                                   const std::string& environment,
                                                   const std::string& receipt) {
    return request_rollback(world.engine(), EngineWorld::as(who), environment, receipt, {});
  }
  [[nodiscard]] std::string receipt_of(const char* environment, std::size_t nth) {
    std::vector<std::string> receipts;
    for (const auto& change : world.changes()) {
      if (change.environment == environment && !change.receipt.empty()) {
        receipts.push_back(change.receipt);
      }
    }
    return receipts.at(nth);
  }
  /// Accepts a policy in which `from` reads `to`.
  void accept(const std::string& from, const std::string& to) {
    world.edit(from, to);
    const auto proposed = world.apply("alice");
    ASSERT_TRUE(proposed) << proposed.error().render();
    const ChangeId id(proposed->at("changes").at(0).get<std::string>());
    for (const char* who : {"ann", "abe"}) ASSERT_TRUE(world.decide(id, who));
    const auto done = world.run(id);
    ASSERT_TRUE(done) << done.error().render();
  }
  EngineWorld world;
  std::string old;
  std::string fresh;
  std::string released;
};

constexpr const char* kStagingVerify =
    "bindings: {approver: [group:managers], deployer: [group:developers, \"service:ci\"], "
    "auditor: [amy]}\n  verify";

TEST_F(RollBack, GoesThroughTheSameGateAndLeavesTheOldReleaseVerified) {
  const auto change = back("alice", "staging", released);
  ASSERT_TRUE(change) << change.error().render();
  ASSERT_TRUE(*change);
  EXPECT_EQ((*change)->kind, ChangeKind::Rollback);
  EXPECT_EQ((*change)->rolls_back_to, released);
  EXPECT_EQ(code_of(world.run((*change)->id)), "gate.not-met") << "an approval is missing";
  EXPECT_EQ(code_of(world.payload_for((*change)->id, "alice")), "gate.not-independent");
  ASSERT_TRUE(world.decide((*change)->id, "bob"));
  const auto done = world.run((*change)->id);
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->state, ChangeState::Done);
  EXPECT_EQ(world.state_of("staging").artifacts["web"], world.reference(old));
  const auto receipt = show_receipt(world.engine(), EngineWorld::as("amy"), done->receipt);
  ASSERT_TRUE(receipt) << receipt.error().render();
  const auto report = verify_receipt(*receipt, world.log_key->verifier().str());
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->ok) << to_json(*report).dump(1);
}

TEST_F(RollBack, BringsBackTheTemplateAndParametersOfTheRelease) {
  const auto before = world.state_of("dev").receipt;
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  ASSERT_NE(world.state_of("dev").receipt, before);
  const auto change = back("alice", "dev", before);
  ASSERT_TRUE(change && *change);
  world.drive();
  ASSERT_EQ(world.load((*change)->id).state, ChangeState::Done);
  const auto resources = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
    return resources_of(transaction, "dev");
  });
  ASSERT_TRUE(resources);
  for (const auto& each : *resources) {
    if (each.address.resource != "net") continue;
    EXPECT_EQ(each.inputs["cidr"], "10.20.0.0/24");
  }
  // A rollback is itself a release, made from what it led to.
  const auto bundle = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
    return bundle_of_release(transaction, world.state_of("dev").receipt);
  });
  ASSERT_TRUE(bundle);
  EXPECT_NE(*bundle, (*world.engine().bundle())->digest);
  const auto again = back("alice", "dev", world.state_of("dev").receipt);
  ASSERT_TRUE(again) << again.error().render();
  EXPECT_FALSE(*again) << "it stands already";
}

TEST_F(RollBack, IsRefusedForWhatIsNoReleaseOfThisEnvironment) {
  EXPECT_EQ(code_of(back("alice", "staging", "sha256:" + std::string(64, '0'))),
            "rollback.no-receipt");
  EXPECT_EQ(code_of(back("alice", "staging", "")), "rollback.no-receipt");
  EXPECT_EQ(code_of(back("alice", "staging", world.state_of("test").receipt)),
            "rollback.other-environment");
  EXPECT_EQ(code_of(back("mallory", "staging", released)), "identity.power-missing");
  EXPECT_EQ(code_of(back("bob", "staging", released)), "identity.power-missing");
  EXPECT_EQ(code_of(back("alice", "nowhere", released)), "[not-found]");
  world.registry.tamper(old);
  EXPECT_EQ(code_of(back("alice", "staging", released)), "artifact.digest-mismatch");
}

TEST_F(RollBack, IsRefusedForAReceiptThatTheLogDoesNotName) {
  const auto forged = in_transaction(*world.store, Access::Write, [&](Transaction& transaction) {
    auto record = transaction.get(Collection::Receipt, released);
    auto body = (*record)->body;
    body["receipt"]["artifacts"]["web"] = world.reference(fresh);
    body["receipt"]["plan"]["artifacts"]["web"] = world.reference(fresh);
    const auto digest = receipt_digest_of(body["receipt"]);
    body["receipt"]["digest"] = digest;
    auto written = transaction.put(Collection::Receipt, digest, body);
    return written ? Result<std::string>(digest) : Result<std::string>(fail(written.error()));
  });
  ASSERT_TRUE(forged);
  EXPECT_FALSE(back("alice", "staging", *forged));
}

TEST_F(RollBack, IsRefusedForAnEarlierEnvironmentOfTheSameName) {
  const auto before = world.state_of("dev").receipt;
  ASSERT_TRUE(request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {}));
  world.drive();
  EXPECT_EQ(code_of(back("alice", "dev", before)), "rollback.recreated");
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_EQ(code_of(back("alice", "dev", before)), "rollback.recreated");
}

TEST_F(RollBack, ADeclaredGateIsTakenForRollbacksAlone) {
  accept(kStagingVerify,
         "bindings: {approver: [group:managers], deployer: [group:developers, \"service:ci\"], "
         "auditor: [amy]}\n"
         "  rollback: {gate: [{approvals: {rules: [{from: carol}]}}]}\n  verify");
  const auto change = back("alice", "staging", released);
  ASSERT_TRUE(change) << change.error().render();
  ASSERT_TRUE(world.decide((*change)->id, "bob"));
  EXPECT_EQ(code_of(world.run((*change)->id)), "gate.not-met") << "bob is not asked there";
  ASSERT_TRUE(world.decide((*change)->id, "carol"));
  const auto done = world.run((*change)->id);
  ASSERT_TRUE(done) << done.error().render();
  const auto receipt = show_receipt(world.engine(), EngineWorld::as("amy"), done->receipt);
  ASSERT_TRUE(receipt);
  const auto report = verify_receipt(*receipt, world.log_key->verifier().str());
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->ok) << to_json(*report).dump(1);

  const auto forward = world.promote("service:ci", fresh, "staging");
  ASSERT_TRUE(forward && *forward);
  ASSERT_TRUE(world.decide((*forward)->id, "carol"));
  EXPECT_EQ(code_of(world.run((*forward)->id)), "") << "carol is a manager too";
}

TEST_F(RollBack, FollowsAVerificationThatFailsWhereDeclared) {
  accept(kStagingVerify,
         "bindings: {approver: [group:managers], deployer: [group:developers, \"service:ci\"], "
         "auditor: [amy]}\n  rollback: {onFailedVerification: true}\n  verify");
  // What stands was let in under the policy before; it is a release all the same.
  const auto newest = world.registry.push("newest");
  for (const char* stage : {"dev", "test"}) bring(newest, stage);
  const auto change = world.promote("service:ci", newest, "staging");
  ASSERT_TRUE(change && *change);
  ASSERT_TRUE(world.decide((*change)->id, "bob"));
  world.break_program("verify");
  const auto failed = world.run((*change)->id);
  ASSERT_TRUE(failed) << failed.error().render();
  ASSERT_EQ(failed->state, ChangeState::Failed);
  EXPECT_EQ(world.state_of("staging").artifacts["web"], world.reference(newest));

  world.reopen();  // The process dies in between.
  world.mend_program("verify");
  ASSERT_TRUE(open_due_rollbacks(world.engine(), {}));
  ASSERT_TRUE(open_due_rollbacks(world.engine(), {})) << "and opens nothing twice";
  const auto rollback = world.waiting_in("staging");
  EXPECT_EQ(rollback.kind, ChangeKind::Rollback);
  EXPECT_EQ(rollback.requester, rollback_subject());
  world.drive();
  EXPECT_EQ(world.load(rollback.id).state, ChangeState::Done);
  EXPECT_EQ(world.load((*change)->id).state, ChangeState::RolledBack);
  EXPECT_EQ(world.state_of("staging").artifacts["web"], world.reference(fresh));
  const auto receipt =
      show_receipt(world.engine(), EngineWorld::as("amy"), world.load(rollback.id).receipt);
  ASSERT_TRUE(receipt);
  const auto report = verify_receipt(*receipt, world.log_key->verifier().str());
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->ok) << to_json(*report).dump(1);
}

TEST_F(RollBack, DoesNotFollowWhereItIsNotDeclared) {
  const auto newest = world.registry.push("newest");
  for (const char* stage : {"dev", "test"}) bring(newest, stage);
  const auto change = world.promote("service:ci", newest, "staging");
  ASSERT_TRUE(world.decide((*change)->id, "bob"));
  world.break_program("verify");
  ASSERT_TRUE(world.run((*change)->id));
  ASSERT_TRUE(open_due_rollbacks(world.engine(), {}));
  for (const auto& each : world.changes()) EXPECT_NE(each.kind, ChangeKind::Rollback);
}

TEST_F(RollBack, OneThatFailsToVerifyIsNotRolledBackAgain) {
  accept(kStagingVerify,
         "bindings: {approver: [group:managers], deployer: [group:developers, \"service:ci\"], "
         "auditor: [amy]}\n  rollback: {onFailedVerification: true}\n  verify");
  const auto newest = world.registry.push("newest");
  for (const char* stage : {"dev", "test"}) bring(newest, stage);
  const auto change = world.promote("service:ci", newest, "staging");
  ASSERT_TRUE(world.decide((*change)->id, "bob"));
  world.break_program("verify");
  ASSERT_TRUE(world.run((*change)->id));
  ASSERT_TRUE(open_due_rollbacks(world.engine(), {}));
  const auto rollback = world.waiting_in("staging");
  ASSERT_TRUE(world.run(rollback.id));
  EXPECT_EQ(world.load(rollback.id).state, ChangeState::Failed);
  ASSERT_TRUE(open_due_rollbacks(world.engine(), {}));
  std::size_t rollbacks = 0;
  for (const auto& each : world.changes()) rollbacks += each.kind == ChangeKind::Rollback ? 1 : 0;
  EXPECT_EQ(rollbacks, 1U);
  EXPECT_EQ(world.load((*change)->id).state, ChangeState::Failed);
  EXPECT_EQ(world.state_of("staging").status, EnvironmentStatus::Failed);
}

TEST_F(RollBack, ByBaileyItselfIsNothingThatSomebodyCanAskFor) {
  Environment declared;
  const auto bundle = *world.engine().bundle();
  EXPECT_EQ(with_rollback_gate(bundle, "staging", rollback_subject()), bundle)
      << "not declared: the gate stays";
  EXPECT_FALSE(parse_subject("service:@rollback") &&
               bundle->directory.has(*parse_subject("service:@rollback")));
}

TEST_F(RollBack, AWaitingOneExpires) {
  const auto change = back("alice", "staging", released);
  ASSERT_TRUE(change && *change);
  world.clock.advance(std::chrono::days(30) - std::chrono::minutes(1));
  EXPECT_EQ(expire_if_old(world.engine(), world.load((*change)->id))->state, ChangeState::Waiting);
  world.clock.advance(std::chrono::minutes(2));
  const auto expired = expire_if_old(world.engine(), world.load((*change)->id));
  ASSERT_TRUE(expired);
  EXPECT_EQ(expired->state, ChangeState::Expired);
  EXPECT_EQ(world.logged("change.expire", Outcome::Ok), 1U);
  EXPECT_EQ(code_of(world.run((*change)->id)), "[failed-precondition]");
  EXPECT_EQ(code_of(world.payload_for((*change)->id, "bob")), "[failed-precondition]");
}

}  // namespace
}  // namespace bailey
