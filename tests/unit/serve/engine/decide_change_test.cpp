#include "orchestrator/serve/engine/decide_change.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

/// A promotion to staging that waits: asked for by ci (behind which stands zed), with alice's code.
struct DecideChange : testing::Test {
  void SetUp() override {
    digest = world.registry.push("one");
    world.reach_test(digest);
    // The first provisioning, asked for by alice, goes in before.
    const auto first = world.waiting_in("staging");
    ASSERT_TRUE(world.decide(first.id, "bob"));
    world.drive();
    ASSERT_TRUE(
        world.submit("service:ci", digest, {world.authorship(digest, {"Alice@Acme.example"})}));
    auto promoted = world.promote("service:ci", digest, "staging");
    ASSERT_TRUE(promoted && *promoted) << code_of(promoted);
    id = (*promoted)->id;
  }

  [[nodiscard]] std::string submit(const std::string& who, const Json& envelope) {
    return code_of(submit_decision(world.engine(), EngineWorld::as(who), id, envelope));
  }
  [[nodiscard]] std::string blocked() { return code_of(world.run(id)); }

  EngineWorld world;
  std::string digest;
  ChangeId id;
};

TEST_F(DecideChange, IsRefusedToEverybodyWhoseWordCannotCount) {
  const std::map<std::string, std::string> refusals = {
      {"alice", "gate.not-independent"},  // an author, by the evidence, whatever case
      {"zed", "gate.not-independent"},    // stands behind the requester
      {"frank", "gate.no-key"},           // could approve, and has nothing to sign with
      {"mallory", "identity.power-missing"},
      {"dave", "identity.power-missing"},  // approves in production, not here
      {"nobody", "identity.power-missing"},
      {"service:ci", "gate.not-a-person"},
      {"group:managers", "gate.not-a-person"},
  };
  for (const auto& [who, code] : refusals) {
    EXPECT_EQ(code_of(world.payload_for(id, who)), code) << who;
  }
  EXPECT_EQ(world.logged("change.approve", Outcome::Refused), refusals.size());
  EXPECT_EQ(blocked(), "gate.not-met");
}

TEST_F(DecideChange, IsRefusedToTheRequester) {
  auto other = world.registry.push("two");
  ASSERT_TRUE(world.promote("gina", other, "dev"));
  world.drive();
  ASSERT_TRUE(world.promote("gina", other, "test"));
  world.drive();
  const auto asked = world.promote("gina", other, "staging");
  ASSERT_TRUE(asked && *asked);
  EXPECT_EQ(code_of(world.decide((*asked)->id, "gina")), "gate.not-independent");
  EXPECT_EQ(code_of(world.decide((*asked)->id, "carol")), "");
}

TEST_F(DecideChange, OneApprovalBySomebodyElseLetsItIn) {
  EXPECT_EQ(blocked(), "gate.not-met");
  EXPECT_EQ(code_of(world.decide(id, "carol")), "");
  const auto done = world.run(id);
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->state, ChangeState::Done);
  EXPECT_EQ(world.state_of("staging").artifacts["web"], world.reference(digest));
  EXPECT_EQ(code_of(world.payload_for(id, "bob")), "[failed-precondition]");
}

TEST_F(DecideChange, AnEnvelopeIsGoodOnce) {
  const auto payload = world.payload_for(id, "carol");
  ASSERT_TRUE(payload);
  const auto envelope = to_json(world.key("carol").envelope(*payload));
  EXPECT_EQ(submit("carol", envelope), "");
  EXPECT_EQ(submit("carol", envelope), "approval.unknown-nonce");
  EXPECT_EQ(world.logged("change.decide", Outcome::Refused), 1U);
}

TEST_F(DecideChange, AnEnvelopeIsTheOneOfWhomItWasMadeFor) {
  const auto payload = world.payload_for(id, "carol");
  ASSERT_TRUE(payload);
  const auto by = [&](const char* signer) { return to_json(world.key(signer).envelope(*payload)); };
  EXPECT_NE(submit("carol", by("bob")), "");  // another's key
  EXPECT_NE(submit("carol", by("stranger")), "");
  EXPECT_EQ(submit("bob", by("bob")), "approval.unknown-nonce");  // another's statement
  EXPECT_NE(submit("bob", by("carol")), "");                      // another's envelope
  EXPECT_NE(submit("carol", Json::object()), "");
  EXPECT_NE(submit("carol", Json("text")), "");
  EXPECT_EQ(blocked(), "gate.not-met");
  EXPECT_EQ(submit("carol", by("carol")), "");  // a refusal uses nothing up
}

TEST_F(DecideChange, AnyByteOfTheStatementCounts) {
  const auto payload = world.payload_for(id, "carol");
  ASSERT_TRUE(payload);
  const auto good = to_json(world.key("carol").envelope(*payload));
  for (std::size_t at = 0; at < payload->size(); at += 97) {
    auto altered = *payload;
    altered[at] = altered[at] == 'x' ? 'y' : 'x';
    auto envelope = good;
    envelope["payload"] = base64(altered);
    EXPECT_NE(submit("carol", envelope), "") << at;  // not what was signed
    EXPECT_NE(submit("carol", to_json(world.key("carol").envelope(altered))), "") << at;
  }
  // Signed well, and not what was handed out: other white space.
  EXPECT_NE(submit("carol", to_json(world.key("carol").envelope(*payload + " "))), "");
  // Signed for another purpose.
  EXPECT_NE(submit("carol", to_json(world.key("carol").envelope(*payload, "text/plain"))), "");
  EXPECT_EQ(blocked(), "gate.not-met");
}

TEST_F(DecideChange, AStatementIsGoodForAQuarterOfAnHour) {
  const auto payload = world.payload_for(id, "carol");
  ASSERT_TRUE(payload);
  world.clock.advance(std::chrono::minutes(16));
  EXPECT_EQ(submit("carol", to_json(world.key("carol").envelope(*payload))),
            "approval.unknown-nonce");
}

TEST_F(DecideChange, AnApprovalExpires) {
  ASSERT_TRUE(world.decide(id, "carol"));
  world.clock.advance(std::chrono::hours(8) + std::chrono::seconds(1));
  EXPECT_EQ(blocked(), "gate.not-met");
}

TEST_F(DecideChange, AnApprovalOfAnOlderPlanIsWorthNothing) {
  ASSERT_TRUE(world.decide(id, "carol"));
  const auto stale = world.payload_for(id, "bob");
  ASSERT_TRUE(stale);
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto moved = replan_if_stale(world.engine(), world.load(id), {});
  ASSERT_TRUE(moved);
  ASSERT_FALSE(moved->finished());
  EXPECT_EQ(blocked(), "gate.not-met");
  EXPECT_EQ(submit("bob", to_json(world.key("bob").envelope(*stale))), "approval.mismatch");
  EXPECT_EQ(world.logged("change.decide", Outcome::Refused), 1U);
}

TEST_F(DecideChange, AnApprovalGoesWithTheStateItWasGivenFor) {
  ASSERT_TRUE(world.decide(id, "carol"));
  // Another change of the same environment is executed first.
  world.edit("image: cirros", "image: debian");
  ASSERT_TRUE(world.apply("gina"));
  world.drive();
  for (const auto& change : world.changes()) {
    if (change.finished() || change.environment != "staging" || change.id == id) continue;
    ASSERT_TRUE(world.decide(change.id, "bob"));
    const auto done = world.run(change.id);
    ASSERT_TRUE(done) << done.error().render();
    ASSERT_EQ(done->state, ChangeState::Done);
  }
  // Not planned anew, it is stale; planned anew, it is another plan.
  EXPECT_NE(blocked(), "");
  ASSERT_TRUE(replan_if_stale(world.engine(), world.load(id), {}));
  EXPECT_EQ(blocked(), "gate.not-met");
}

TEST_F(DecideChange, EvidenceThatComesLaterTakesApprovalsAway) {
  ASSERT_TRUE(world.decide(id, "carol"));
  ASSERT_TRUE(
      world.submit("service:ci", digest, {world.authorship(digest, {"carol@acme.example"})}));
  EXPECT_EQ(blocked(), "gate.not-met");
  EXPECT_EQ(code_of(world.payload_for(id, "carol")), "gate.not-independent");
}

TEST_F(DecideChange, ARejectionEndsTheChange) {
  ASSERT_TRUE(world.decide(id, "carol"));
  ASSERT_TRUE(world.decide(id, "bob", Decision::Reject));
  EXPECT_EQ(world.load(id).state, ChangeState::Rejected);
  EXPECT_EQ(blocked(), "[failed-precondition]");
  EXPECT_EQ(code_of(world.payload_for(id, "gina")), "[failed-precondition]");
  EXPECT_EQ(world.logged("change.reject", Outcome::Ok), 1U);
}

TEST_F(DecideChange, NeedsAChangeAndAShortReason) {
  EXPECT_EQ(code_of(world.payload_for(ChangeId("chg-none"), "carol")), "[not-found]");
  EXPECT_EQ(code_of(prepare_decision(world.engine(), EngineWorld::as("carol"),
                                     {id, Decision::Approve, std::string(1001, 'x'), ""})),
            "[invalid-argument]");
}

TEST_F(DecideChange, IsTakenBackWholeWhenTheLogCannotBeWritten) {
  const auto payload = world.payload_for(id, "carol");
  ASSERT_TRUE(payload);
  const auto envelope = to_json(world.key("carol").envelope(*payload));
  world.store->log_is_broken = true;
  EXPECT_EQ(submit("carol", envelope), "[io]");
  world.store->log_is_broken = false;
  EXPECT_EQ(blocked(), "gate.not-met");
  EXPECT_EQ(submit("carol", envelope), "");
}

TEST_F(DecideChange, WhoLeavesTakesTheApprovalAlong) {
  ASSERT_TRUE(world.decide(id, "carol"));
  world.edit("managers: [alice, bob, carol, frank, gina, zed]",
             "managers: [alice, bob, frank, gina, zed]");
  const auto policy = world.apply("alice");
  ASSERT_TRUE(policy);
  const ChangeId change(member(*policy, "changes").at(0).get<std::string>());
  ASSERT_TRUE(world.decide(change, "ann"));
  ASSERT_TRUE(world.decide(change, "amy"));
  ASSERT_TRUE(world.run(change));
  EXPECT_EQ(blocked(), "gate.not-met");
  EXPECT_EQ(code_of(world.payload_for(id, "carol")), "identity.power-missing");
}

TEST_F(DecideChange, ShowsWhatBlocksAndForWhom) {
  const auto shown = show_change(world.engine(), EngineWorld::as("carol"), id);
  ASSERT_TRUE(shown);
  EXPECT_EQ(member(*shown, "waits_for_people"), true);
  EXPECT_EQ(member(*shown, "requester"), "service:ci");
  EXPECT_EQ(code_of(show_change(world.engine(), EngineWorld::as("mallory"), id)),
            "identity.power-missing");
  EXPECT_EQ(code_of(export_approvals(world.engine(), EngineWorld::as("mallory"), id)),
            "identity.power-missing");
  EXPECT_EQ(code_of(plan_of_change(world.engine(), EngineWorld::as("mallory"), id)),
            "identity.power-missing");
  EXPECT_EQ(world.logged("change.read", Outcome::Refused), 3U);
  const auto list = list_changes(world.engine(), EngineWorld::as("mallory"), {});
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->empty());
}

TEST_F(DecideChange, IsTakenBackByItsRequesterOrADeployer) {
  EXPECT_EQ(code_of(cancel_change(world.engine(), EngineWorld::as("carol"), id)),
            "identity.power-missing");
  const auto cancelled = cancel_change(world.engine(), EngineWorld::as("service:ci"), id);
  ASSERT_TRUE(cancelled) << cancelled.error().render();
  EXPECT_EQ(cancelled->state, ChangeState::Cancelled);
  EXPECT_EQ(blocked(), "[failed-precondition]");
}

}  // namespace
}  // namespace bailey
