#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/promote/evidence/review_statement.hpp"
#include "orchestrator/provision/credential/credentials.hpp"
#include "tests/unit/serve/engine/grant_world.hpp"

namespace bailey {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::code_of;
using test::EngineWorld;

struct BreakTheGlass : test::GrantWorld {
  /// A change into staging that bob has let in, were it not for anything else.
  ChangeId approved_promotion() {
    const auto two = world.registry.push("two");
    for (const char* stage : {"dev", "test"}) {
      EXPECT_TRUE(world.promote("service:ci", two, stage));
      world.drive();
    }
    const auto promoted = world.promote("service:ci", two, "staging");
    EXPECT_TRUE(promoted && *promoted) << code_of(promoted);
    EXPECT_TRUE(world.decide((*promoted)->id, "bob"));
    return (*promoted)->id;
  }
  [[nodiscard]] Json condition(const ChangeId& id, const std::string& name) {
    const auto shown = show_change(world.engine(), EngineWorld::as("amy"), id);
    EXPECT_TRUE(shown) << code_of(shown);
    for (const auto& each : member(*shown, "gate")) {
      if (string_member(each, "condition") == name) return each;
    }
    return {};
  }
  GrantId ended_glass() {
    const auto id = open_glass();
    EXPECT_TRUE(revoke("erin", id));
    return id;
  }
};

TEST_F(BreakTheGlass, NeedsAReasonAnIncidentAndOneOfThosePeople) {
  EXPECT_EQ(code_of(smash("alice")), "break-glass.not-among");
  EXPECT_EQ(code_of(smash("service:ci")), "break-glass.not-among");
  EXPECT_EQ(code_of(smash("group:on-call")), "break-glass.not-among");
  EXPECT_EQ(code_of(smash("nobody")), "break-glass.not-among");
  EXPECT_EQ(code_of(smash("erin", {}, "")), "[invalid-argument]");
  EXPECT_EQ(code_of(smash("erin", {}, "why", " ")), "[invalid-argument]");
  EXPECT_EQ(code_of(smash("erin", hours(2))), "grant.too-long");
  EXPECT_EQ(code_of(smash("erin", {}, "why", "INC", "dev")), "break-glass.none");
  EXPECT_EQ(world.logged("break-glass.request", Outcome::Refused), 5U);
  EXPECT_EQ(code_of(smash("erin")), "");
  EXPECT_EQ(world.logged("break-glass.request", Outcome::Ok), 1U);
}

TEST_F(BreakTheGlass, IsAgreedToByAnotherOfThemAndNobodyElse) {
  const auto asked = smash("erin");
  ASSERT_TRUE(asked);
  EXPECT_EQ(code_of(world.run(asked->id)), "gate.not-met");
  EXPECT_EQ(code_of(world.payload_for(asked->id, "erin")), "gate.not-independent");
  for (const char* who : {"bob", "gina", "dave", "ann"}) {
    EXPECT_EQ(code_of(world.payload_for(asked->id, who)), "identity.power-missing") << who;
  }
  open(asked, "mallory");
  EXPECT_EQ(world.logged("break-glass.open", Outcome::Ok), 1U);
}

TEST_F(BreakTheGlass, WithoutEnoughPeopleIsRefused) {
  world.edit("    on-call: [erin, carol, mallory]\n", "    on-call: [erin, frank]\n");
  accept_specs();  // frank has no key.
  EXPECT_EQ(code_of(smash("erin")), "grant.too-few-people");
  world.edit("    on-call: [erin, frank]\n", "    on-call: [erin, carol]\n");
  world.edit("    reviewers: [dave, carol, zed, gina]\n", "    reviewers: [dave, erin]\n");
  accept_specs();
  EXPECT_EQ(code_of(smash("erin")), "grant.too-few-people") << "nobody could review it";
}

TEST_F(BreakTheGlass, GivesPowersOfItsOwnAndNoOther) {
  const auto id = open_glass();
  EXPECT_EQ(granted("erin"), (std::set<Power>{Power::Read, Power::Operate}));
  EXPECT_TRUE(granted("carol").empty()) << "who agrees gets nothing";
  EXPECT_EQ(load(id).terms.role, "break-glass");
  EXPECT_EQ(code_of(lease("erin", "developer")), "identity.role-missing");
  EXPECT_EQ(code_of(lease("carol", "break-glass")), "identity.role-missing");
  EXPECT_EQ(code_of(lease("alice", "break-glass")), "identity.role-missing");
}

TEST_F(BreakTheGlass, ItsCredentialIsOfAnIdentityOfItsOwn) {
  const auto live = world.cloud.live_credentials();
  const auto id = open_glass();
  const auto handed = lease("erin", "break-glass", hours(8));
  ASSERT_TRUE(handed) << handed.error().render();
  EXPECT_LE(*parse_time(handed->lease.expires_at), world.clock.wall_now() + hours(1));
  EXPECT_EQ(handed->lease.grant, id);
  const auto listing = in_transaction(*world.store, Access::Read, [](Transaction& transaction) {
    return list_credentials(transaction, "staging");
  });
  ASSERT_TRUE(listing);
  std::map<std::string, std::string> identities;
  for (const auto& one : listing->credentials) identities[one.role] = one.identity;
  for (const auto& [role, identity] : identities) {
    if (role == "break-glass") continue;
    EXPECT_NE(identity, identities["break-glass"]) << role;
  }
  EXPECT_EQ(world.logged("break-glass.use", Outcome::Ok), 1U);
  world.clock.advance(hours(1));
  EXPECT_EQ(code_of(lease("erin", "break-glass")), "grant.over");
  settle();
  EXPECT_EQ(world.cloud.live_credentials(), live);
  EXPECT_EQ(world.logged("break-glass.end", Outcome::Ok), 1U);
  EXPECT_EQ(world.logged("break-glass.close", Outcome::Ok), 1U);
}

TEST_F(BreakTheGlass, WorksWhereItWasDeclaredAfterTheEnvironmentWasMade) {
  ASSERT_TRUE(in_transaction(*world.store, Access::Write, [](Transaction& transaction) {
    return transaction.erase(Collection::Identity, "staging/break-glass");
  }));
  open_glass();
  EXPECT_EQ(code_of(lease("erin", "break-glass")), "");
}

TEST_F(BreakTheGlass, FreezesOrdinaryChangesFromItsOpeningUntilItIsReviewed) {
  const auto promotion = approved_promotion();
  const auto waiting = smash("erin");
  ASSERT_TRUE(waiting);
  EXPECT_TRUE(condition(promotion, "review").is_null()) << "asking freezes nothing";
  const auto id = open(waiting, "carol");
  const auto frozen = condition(promotion, "review");
  EXPECT_EQ(member(frozen, "met"), false);
  EXPECT_EQ(strings_member(frozen, "who_can_unblock"),
            (std::vector<std::string>{"dave", "gina", "zed"}));
  EXPECT_EQ(code_of(world.run(promotion)), "gate.not-met");
  const auto shown = show_environment(world.engine(), EngineWorld::as("bob"), "staging");
  ASSERT_TRUE(shown);
  ASSERT_EQ(member(*shown, "frozen").size(), 1U);
  EXPECT_EQ(member(*shown, "frozen")[0].at("grant"), id.str());
  // Access on request, and taking all of it down, are ordinary too.
  const auto access = ask("erin");
  ASSERT_TRUE(access);
  ASSERT_TRUE(world.decide(access->id, "bob"));
  EXPECT_EQ(code_of(world.run(access->id)), "gate.not-met");
  const auto destroy = request_destroy(world.engine(), EngineWorld::as("alice"), "staging", {});
  ASSERT_TRUE(destroy && *destroy);
  ASSERT_TRUE(world.decide((*destroy)->id, "bob"));
  EXPECT_EQ(code_of(world.run((*destroy)->id)), "gate.not-met");
  ASSERT_TRUE(cancel_change(world.engine(), EngineWorld::as("alice"), (*destroy)->id));
  // Another emergency is not.
  const auto second = open(smash("mallory"), "erin");
  ASSERT_TRUE(revoke("mallory", second));
  ASSERT_TRUE(revoke("erin", id));
  EXPECT_EQ(code_of(world.run(promotion)), "gate.not-met") << "its end frees nothing";
  for (const auto& each : {id, second}) {
    for (const char* who : {"dave", "zed"}) {
      EXPECT_EQ(code_of(world.run(promotion)), "gate.not-met");
      const auto reviewed = review(who, each);
      ASSERT_TRUE(reviewed) << reviewed.error().render();
    }
  }
  EXPECT_TRUE(condition(promotion, "review").is_null());
  const auto done = world.run(promotion);
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->state, ChangeState::Done);
  const auto free = show_environment(world.engine(), EngineWorld::as("bob"), "staging");
  EXPECT_TRUE(member(*free, "frozen").is_null());
}

TEST_F(BreakTheGlass, TheFreezeIsOfOneEnvironmentAndNotOfThePolicy) {
  open_glass();
  const auto promoted = world.promote("service:ci", world.registry.push("two"), "test");
  ASSERT_TRUE(promoted && *promoted);
  EXPECT_EQ(code_of(world.run((*promoted)->id)), "gate.not-met") << "not verified in dev yet";
  EXPECT_TRUE(condition((*promoted)->id, "review").is_null());
  world.edit("reviewers: [dave, carol, zed, gina]", "reviewers: [dave, carol, zed, gina, bob]");
  accept_specs();
}

TEST_F(BreakTheGlass, NoFreezeAndNoOperatorStandsInItsWay) {
  world.specs +=
      "---\napiVersion: bailey/v1\nkind: Freeze\nmetadata: {name: year-end}\nspec: {classes: "
      "[staging], from: 2026-03-01T00:00:00Z, to: 2026-04-01T00:00:00Z, reason: closed}\n";
  world.edit("  bindings: {approver: [group:managers], deployer",
             "  execute: by-operator\n  bindings: {approver: [group:managers], deployer");
  accept_specs();
  open_glass();
}

TEST_F(BreakTheGlass, TheReceiptOfItVerifies) {
  const auto asked = smash("erin");
  open(asked, "carol");
  const auto receipt =
      show_receipt(world.engine(), EngineWorld::as("bob"), world.load(asked->id).receipt);
  ASSERT_TRUE(receipt) << receipt.error().render();
  const auto report = verify_receipt(*receipt, world.log_key->verifier().str());
  ASSERT_TRUE(report);
  for (const auto& check : report->checks) EXPECT_TRUE(check.ok) << check.name << check.detail;
}

TEST_F(BreakTheGlass, IsReviewedByOthersWhoMay) {
  const auto id = open_glass();
  EXPECT_EQ(code_of(review("dave", id)), "review.too-early");
  ASSERT_TRUE(revoke("carol", id));
  EXPECT_EQ(code_of(review("erin", id)), "review.not-independent");
  EXPECT_EQ(code_of(review("carol", id)), "review.not-independent") << "she agreed to it";
  EXPECT_EQ(code_of(review("bob", id)), "review.not-among");
  EXPECT_EQ(code_of(review("mallory", id)), "review.not-among");
  EXPECT_EQ(code_of(review("service:ci", id)), "gate.not-a-person");
  ASSERT_TRUE(review("dave", id));
  EXPECT_EQ(code_of(review("dave", id)), "review.twice");
  EXPECT_FALSE(load(id).settled());
  const auto last = review("gina", id);
  ASSERT_TRUE(last) << last.error().render();
  EXPECT_FALSE(member(member(*last, "review"), "reviewed_at").is_null());
  EXPECT_EQ(code_of(review("zed", id)), "[failed-precondition]");
  EXPECT_EQ(world.logged("break-glass.review", Outcome::Ok), 2U);
}

TEST_F(BreakTheGlass, AReviewIsGoodOnceAndForOneGrant) {
  const auto first = ended_glass();
  world.clock.advance(minutes(1));
  const auto second = ended_glass();
  const auto envelope = review_envelope("dave", first);
  ASSERT_TRUE(envelope);
  const auto hand_in = [&](const std::string& who, const GrantId& id, const Json& value) {
    return code_of(submit_review(world.engine(), EngineWorld::as(who), id, value));
  };
  EXPECT_EQ(hand_in("dave", second, *envelope), "review.mismatch");
  EXPECT_NE(hand_in("zed", first, *envelope), "") << "signed by somebody else";
  EXPECT_EQ(hand_in("dave", first, *envelope), "") << "a refusal uses nothing up";
  EXPECT_EQ(hand_in("dave", first, *envelope), "review.twice");
  EXPECT_EQ(hand_in("dave", second, *envelope), "review.unknown-nonce");
  EXPECT_EQ(load(second).reviews.size(), 0U);
  // Signed well, by who may, and not what was handed out.
  auto prepared = prepare_review(world.engine(), EngineWorld::as("zed"), first, "fine");
  ASSERT_TRUE(prepared);
  auto statement = review_from_statement(*parse_statement(string_member(*prepared, "payload")));
  ASSERT_TRUE(statement);
  statement->conclusion = "better";
  const auto other = world.key("zed").envelope(to_statement(*statement));
  EXPECT_EQ(hand_in("zed", first, other), "review.unknown-nonce");
  EXPECT_EQ(hand_in("zed", first, Json("text")), "envelope.malformed");
  EXPECT_EQ(hand_in("zed", first, Json()), "envelope.malformed");
  world.clock.advance(minutes(16));
  EXPECT_EQ(hand_in("zed", first,
                    to_json(world.key("zed").envelope(string_member(*prepared, "payload")))),
            "review.unknown-nonce")
      << "too old";
}

TEST_F(BreakTheGlass, AReviewCountsWhileItsSignerMay) {
  const auto id = ended_glass();
  ASSERT_TRUE(review("dave", id));
  world.edit("    reviewers: [dave, carol, zed, gina]\n", "    reviewers: [carol, zed, gina]\n");
  accept_specs();
  ASSERT_TRUE(review("zed", id));
  EXPECT_FALSE(load(id).settled()) << "dave is no reviewer any more";
  ASSERT_TRUE(review("gina", id));
  EXPECT_TRUE(load(id).settled());
}

TEST_F(BreakTheGlass, AReviewBindsWhatWasDone) {
  const auto id = open_glass();
  ASSERT_TRUE(lease("erin", "break-glass"));
  ASSERT_TRUE(revoke("erin", id));
  const auto envelope = review_envelope("dave", id);
  ASSERT_TRUE(envelope);
  auto grant = load(id);
  ASSERT_EQ(grant.uses.size(), 1U);
  const auto digest_before = grant_digest_of(grant);
  grant.uses.clear();
  EXPECT_NE(grant_digest_of(grant), digest_before);
  ASSERT_TRUE(in_transaction(*world.store, Access::Write,
                             [&](Transaction& transaction) { return save(transaction, grant); }));
  EXPECT_EQ(code_of(submit_review(world.engine(), EngineWorld::as("dave"), id, *envelope)),
            "review.mismatch");
}

TEST_F(BreakTheGlass, ALateReviewIsSaidOnce) {
  const auto id = open_glass();
  world.clock.advance(hours(1));
  settle();
  world.clock.advance(hours(24) - minutes(1));
  settle();
  EXPECT_FALSE(load(id).overdue);
  world.clock.advance(minutes(1));
  settle();
  settle();
  EXPECT_TRUE(load(id).overdue);
  EXPECT_EQ(world.logged("break-glass.overdue", Outcome::Failed), 1U);
  const auto shown = show_environment(world.engine(), EngineWorld::as("bob"), "staging");
  ASSERT_TRUE(shown);
  EXPECT_EQ(member(*shown, "frozen")[0].at("overdue"), true);
  ASSERT_TRUE(review("dave", id));
  ASSERT_TRUE(review("zed", id)) << "late, and still welcome";
}

TEST_F(BreakTheGlass, IsRefusedWhereAllIsBeingTakenDown) {
  const auto destroy = request_destroy(world.engine(), EngineWorld::as("alice"), "staging", {});
  ASSERT_TRUE(destroy && *destroy);
  ASSERT_TRUE(world.decide((*destroy)->id, "bob"));
  const auto asked = smash("erin");
  ASSERT_TRUE(asked);
  ASSERT_TRUE(world.decide(asked->id, "carol"));
  auto claim = claim_change(world.engine(), (*destroy)->id, std::nullopt, {});
  ASSERT_TRUE(claim) << claim.error().render();
  EXPECT_EQ(code_of(world.run(asked->id)), "grant.over");
  EXPECT_EQ(code_of(smash("erin")), "grant.nothing-stands");
  const auto gone = run_change(world.engine(), *std::move(claim), {}, {});
  ASSERT_TRUE(gone) << gone.error().render();
  EXPECT_EQ(gone->state, ChangeState::Done);
}

}  // namespace
}  // namespace bailey
