// An approval that is taken back, and what it does to a change.

#include "orchestrator/serve/engine/read_audit.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

struct Revoke : testing::Test {
  void SetUp() override {
    digest = world.registry.push("one");
    world.reach_test(digest);
    const auto promoted = world.promote("service:ci", digest, "staging");
    ASSERT_TRUE(promoted && *promoted);
    for (const auto& change : world.changes()) {
      if (!change.finished() && change.kind == ChangeKind::Promotion) id = change.id;
    }
    ASSERT_TRUE(replan_if_stale(world.engine(), world.load(id), {}));
  }
  EngineWorld world;
  std::string digest;
  ChangeId id;
};

TEST_F(Revoke, TakesTheApprovalBackAndEndsNothing) {
  ASSERT_TRUE(world.decide(id, "bob"));
  ASSERT_TRUE(world.decide(id, "bob", Decision::Revoke));
  EXPECT_EQ(code_of(world.run(id)), "gate.not-met");
  EXPECT_EQ(world.load(id).state, ChangeState::Waiting);
  EXPECT_EQ(world.logged("change.revoke", Outcome::Ok), 1U);
  world.clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(world.decide(id, "bob")) << "and can be given again";
  EXPECT_EQ(code_of(world.run(id)), "");
}

TEST_F(Revoke, AtTheSameMomentTheRevocationWins) {
  ASSERT_TRUE(world.decide(id, "bob", Decision::Approve));
  ASSERT_TRUE(world.decide(id, "bob", Decision::Revoke));
  ASSERT_TRUE(world.decide(id, "bob", Decision::Approve));
  EXPECT_EQ(code_of(world.run(id)), "gate.not-met");
}

TEST_F(Revoke, IsForOnesOwnApprovalAlone) {
  EXPECT_EQ(code_of(world.payload_for(id, "bob", Decision::Revoke)), "approval.nothing-to-revoke");
  ASSERT_TRUE(world.decide(id, "bob"));
  EXPECT_EQ(code_of(world.payload_for(id, "carol", Decision::Revoke)),
            "approval.nothing-to-revoke");
  EXPECT_EQ(code_of(world.payload_for(id, "alice", Decision::Revoke)),
            "approval.nothing-to-revoke");
  EXPECT_EQ(code_of(world.payload_for(id, "service:ci", Decision::Revoke)),
            "approval.nothing-to-revoke");
  EXPECT_EQ(code_of(world.run(id)), "");
}

TEST_F(Revoke, IsSignedByWhoTakesItBack) {
  ASSERT_TRUE(world.decide(id, "bob"));
  const auto payload = world.payload_for(id, "bob", Decision::Revoke);
  ASSERT_TRUE(payload);
  EXPECT_FALSE(submit_decision(world.engine(), EngineWorld::as("bob"), id,
                               to_json(world.key("carol").envelope(*payload))));
  EXPECT_EQ(code_of(submit_decision(world.engine(), EngineWorld::as("carol"), id,
                                    to_json(world.key("carol").envelope(*payload)))),
            "approval.nothing-to-revoke");
  const auto approval = world.payload_for(id, "bob", Decision::Approve);
  EXPECT_EQ(code_of(world.run(id)), "") << "nothing was taken back";
}

// Planned anew and back to what it was, an approval counts again; not one that was taken back while
// the plan was another.
TEST_F(Revoke, HoldsForEveryPlanOfTheChange) {
  ASSERT_TRUE(world.decide(id, "bob"));
  const auto planned = world.load(id);
  auto other = planned;
  other.plan.spec_digest = "sha256:" + std::string(64, 'f');
  seal(other.plan);
  const auto put = [&](const Change& change) {
    ASSERT_TRUE(in_transaction(*world.store, Access::Write, [&](Transaction& transaction) {
      return save(transaction, change);
    }));
  };
  put(other);
  ASSERT_TRUE(world.decide(id, "bob", Decision::Revoke));
  put(planned);
  EXPECT_EQ(code_of(world.run(id)), "gate.not-met");
}

TEST_F(Revoke, ComesTooLateForWhatIsDone) {
  ASSERT_TRUE(world.decide(id, "bob"));
  const auto payload = world.payload_for(id, "bob", Decision::Revoke);
  ASSERT_TRUE(payload);
  ASSERT_TRUE(world.run(id));
  EXPECT_EQ(code_of(submit_decision(world.engine(), EngineWorld::as("bob"), id,
                                    to_json(world.key("bob").envelope(*payload)))),
            "[failed-precondition]");
}

TEST_F(Revoke, ARejectionCannotBeTakenBack) {
  ASSERT_TRUE(world.decide(id, "bob"));
  ASSERT_TRUE(world.decide(id, "carol", Decision::Reject));
  EXPECT_EQ(code_of(world.payload_for(id, "carol", Decision::Revoke)), "[failed-precondition]");
  EXPECT_EQ(world.load(id).state, ChangeState::Rejected);
}

TEST_F(Revoke, WhoLostThePowerMayStillTakeBack) {
  ASSERT_TRUE(world.decide(id, "bob"));
  ASSERT_TRUE(in_transaction(*world.store, Access::Write, [&](Transaction& transaction) -> Status {
    auto approvals = approvals_of(transaction, id);
    if (!approvals) return fail(std::move(approvals.error()));
    auto moved = approvals->front();
    moved.id = ApprovalId("apr-mallory");
    moved.approver = "mallory";  // As if mallory had held the power when it was given.
    return save(transaction, moved);
  }));
  EXPECT_TRUE(world.payload_for(id, "mallory", Decision::Revoke));
  EXPECT_EQ(code_of(world.payload_for(id, "mallory")), "identity.power-missing");
}

// A head that this log never had is a sign of a server that was rolled back, or of another one.
TEST_F(Revoke, TheHeadThatIsSignedIsOneOfThisLog) {
  const auto head = read_checkpoint(world.engine(), EngineWorld::as("bob"));
  ASSERT_TRUE(head);
  const auto note = string_member(*head, "checkpoint");
  const auto prepared =
      prepare_decision(world.engine(), EngineWorld::as("bob"), {id, Decision::Approve, "", note});
  ASSERT_TRUE(prepared) << prepared.error().render();
  EXPECT_EQ(prepared->at("statement").at("predicate").at("log"), note);
  const auto other = LogKey::generate("acme.example/log", world.random);
  const auto size = in_transaction(*world.store, Access::Read,
                                   [](Transaction& transaction) { return transaction.log_size(); });
  for (const auto& foreign :
       {*other->sign(1, Sha256{}), *world.log_key->sign(1, Sha256{}),
        *world.log_key->sign(*size + 1000, Sha256{}), std::string("no note"), note + "x"}) {
    EXPECT_EQ(code_of(prepare_decision(world.engine(), EngineWorld::as("bob"),
                                       {id, Decision::Approve, "", foreign})),
              "approval.foreign-checkpoint")
        << foreign;
  }
}

}  // namespace
}  // namespace bailey
