#include "orchestrator/promote/evidence/receipt.hpp"
#include "tests/unit/serve/engine/grant_world.hpp"

namespace bailey {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::code_of;
using test::EngineWorld;

using Grants = test::GrantWorld;

TEST_F(Grants, GiveARoleForAWhileOnceSomebodyElseAgrees) {
  EXPECT_EQ(code_of(lease("erin", "developer")), "identity.role-missing");
  const auto asked = ask("erin");
  ASSERT_TRUE(asked) << asked.error().render();
  EXPECT_EQ(asked->kind, ChangeKind::Grant);
  EXPECT_EQ(asked->environment, "staging");
  EXPECT_EQ(asked->environment_uid, world.state_of("staging").uid);
  EXPECT_EQ(code_of(world.run(asked->id)), "gate.not-met");
  EXPECT_EQ(code_of(lease("erin", "developer")), "identity.role-missing");
  const auto before = world.state_of("staging");
  const auto id = open(asked, "bob");
  EXPECT_EQ(world.state_of("staging"), before) << "nothing else changes";
  EXPECT_EQ(granted("erin"), (std::set<Power>{Power::Read, Power::Request, Power::Operate}));
  const auto live = world.cloud.live_credentials().size();
  const auto handed = lease("erin", "developer");
  ASSERT_TRUE(handed) << handed.error().render();
  EXPECT_EQ(handed->lease.grant, id);
  EXPECT_EQ(world.cloud.live_credentials().size(), live + 1);
  const auto grant = load(id);
  EXPECT_EQ(grant.agreed, std::vector<std::string>{"bob"});
  ASSERT_EQ(grant.uses.size(), 1U);
  EXPECT_EQ(grant.uses[0].credential, handed->lease.credential);
  EXPECT_EQ(world.log().at(grant.uses[0].entry).action, "grant.use");
  EXPECT_EQ(world.logged("grant.open", Outcome::Ok), 1U);
}

TEST_F(Grants, TheReceiptOfOneVerifies) {
  const auto asked = ask("erin");
  open(asked, "bob");
  const auto receipt =
      show_receipt(world.engine(), EngineWorld::as("bob"), world.load(asked->id).receipt);
  ASSERT_TRUE(receipt) << receipt.error().render();
  const auto report = verify_receipt(*receipt, world.log_key->verifier().str());
  ASSERT_TRUE(report);
  for (const auto& check : report->checks) EXPECT_TRUE(check.ok) << check.name << check.detail;
  // Nobody's approval, nobody's grant.
  auto forged = *receipt;
  forged["approvals"] = Json::array();
  forged["digest"] = receipt_digest_of(forged);
  EXPECT_FALSE(verify_receipt(forged, std::nullopt)->ok);
}

TEST_F(Grants, TheVerifierHoldsAReceiptAgainstTheSpecInIt) {
  const auto asked = ask("erin");
  open(asked, "bob");
  const auto receipt =
      show_receipt(world.engine(), EngineWorld::as("bob"), world.load(asked->id).receipt);
  ASSERT_TRUE(receipt) << receipt.error().render();
  const auto complaint = [&](const std::function<void(Json & environment)>& edit) {
    auto altered = *receipt;
    for (auto& document : altered["policy"]["documents"]) {
      if (document.at("kind") == "Environment") edit(document["spec"]);
    }
    const auto report = verify_receipt(altered, std::nullopt);
    EXPECT_TRUE(report);
    for (const auto& check : report->checks) {
      if (check.name == "grant") return check.ok ? std::string() : check.detail;
    }
    return std::string("there is no such check");
  };
  EXPECT_EQ(complaint([](Json&) {}), "");
  EXPECT_NE(complaint([](Json& spec) { spec.erase("grantable"); }), "");
  EXPECT_NE(complaint([](Json& spec) { spec["grantable"]["developer"]["to"] = {"bob"}; }), "");
  EXPECT_NE(complaint([](Json& spec) { spec["grantable"]["developer"]["ttl"] = "1h"; }), "");
  EXPECT_NE(complaint([](Json& spec) { spec["grantable"]["developer"]["approvals"] = 2; }), "");
  EXPECT_NE(complaint([](Json& spec) { spec["gate"] = Json::array(); }), "");
  EXPECT_NE(complaint([](Json& spec) { spec["bindings"].erase("approver"); }), "");
}

TEST_F(Grants, WhoAskedDecidesNothingNorWhoStandsBehindAService) {
  const auto asked = ask("erin");
  ASSERT_TRUE(asked);
  EXPECT_EQ(code_of(world.payload_for(asked->id, "erin")), "gate.not-independent");
  EXPECT_EQ(code_of(world.payload_for(asked->id, "mallory")), "identity.power-missing");
  EXPECT_EQ(code_of(world.payload_for(asked->id, "dave")), "identity.power-missing");
  EXPECT_EQ(code_of(world.payload_for(asked->id, "frank")), "gate.no-key");
  const auto by_service = ask("service:ci");
  ASSERT_TRUE(by_service) << by_service.error().render();
  EXPECT_EQ(code_of(world.payload_for(by_service->id, "zed")), "gate.not-independent");
  EXPECT_EQ(code_of(world.payload_for(by_service->id, "service:ci")), "gate.not-a-person");
  open(by_service, "gina");
  EXPECT_EQ(code_of(lease("service:ci", "developer")), "");
  EXPECT_EQ(code_of(lease("zed", "developer")), "identity.role-missing");
}

TEST_F(Grants, AnApprovalCountsOnceHoweverOften) {
  world.edit("approvals: 1, ttl: 2h", "approvals: 2, ttl: 2h");
  accept_specs();
  const auto asked = ask("erin");
  ASSERT_TRUE(asked);
  ASSERT_TRUE(world.decide(asked->id, "bob"));
  ASSERT_TRUE(world.decide(asked->id, "bob"));
  EXPECT_EQ(code_of(world.run(asked->id)), "gate.not-met");
  open(asked, "carol");
}

TEST_F(Grants, AreRefusedWhereTheSpecOffersNone) {
  EXPECT_EQ(code_of(ask("erin", {}, "approver")), "grant.not-grantable");
  EXPECT_EQ(code_of(ask("erin", {}, "nothing")), "grant.not-grantable");
  EXPECT_EQ(code_of(ask("erin", {}, "")), "grant.not-grantable");
  EXPECT_EQ(code_of(ask("alice")), "grant.not-offered");
  EXPECT_EQ(code_of(ask("zed")), "grant.not-offered");
  EXPECT_EQ(code_of(ask("nobody")), "grant.not-offered");
  EXPECT_EQ(code_of(ask("group:on-call")), "grant.not-offered");
  EXPECT_EQ(code_of(ask("erin", hours(3))), "grant.too-long");
  EXPECT_EQ(code_of(ask("erin", std::chrono::seconds(0))), "[invalid-argument]");
  EXPECT_EQ(code_of(ask("erin", hours(-1))), "[invalid-argument]");
  EXPECT_EQ(code_of(ask("erin", {}, "developer", " \n\t ")), "[invalid-argument]");
  EXPECT_EQ(code_of(ask("erin", {}, "developer", std::string(1001, 'x'))), "[invalid-argument]");
  EXPECT_EQ(code_of(ask("erin", {}, "developer", "why", "nowhere")), "[not-found]");
  EXPECT_EQ(code_of(ask("erin", {}, "developer", "why", "dev")), "grant.not-grantable");
  EXPECT_GE(world.logged("grant.request", Outcome::Refused), 7U);
  EXPECT_EQ(code_of(ask("erin", hours(2))), "");
}

TEST_F(Grants, AreNotAskedForInVain) {
  world.edit("approvals: 1, ttl: 2h", "approvals: 6, ttl: 2h");
  accept_specs();  // alice, bob, carol, gina and zed hold `approve` and have a key.
  EXPECT_EQ(code_of(ask("erin")), "grant.too-few-people");
}

TEST_F(Grants, TheSameAskIsOneChange) {
  const auto first = ask("erin");
  const auto second = ask("erin");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->id, second->id);
  const auto other = ask("erin", minutes(10));
  ASSERT_TRUE(other);
  EXPECT_NE(other->id, first->id);
  EXPECT_EQ(world.load(first->id).state, ChangeState::Waiting) << "it supersedes nothing";
}

TEST_F(Grants, NeverGiveASayOrAHandInChanges) {
  world.edit("grantable: {developer: {to: [erin, \"service:ci\"], approvals: 1, ttl: 2h}}",
             "grantable: {approver: {to: [erin], ttl: 2h}, deployer: {to: [erin], ttl: 2h}, "
             "developer: {to: [erin], ttl: 2h}}");
  accept_specs();
  open(ask("erin", {}, "approver"), "bob");
  open(ask("erin", {}, "deployer"), "bob");
  EXPECT_EQ(granted("erin"), (std::set<Power>{Power::Read, Power::Request}));
  const auto waiting = ask("erin");
  ASSERT_TRUE(waiting);
  const auto promoted = world.promote("service:ci", world.registry.push("two"), "staging");
  ASSERT_TRUE(promoted && *promoted);
  Request erin = EngineWorld::as("erin");
  erin.caller = *with_grants(world.engine(), erin.caller);
  EXPECT_EQ(
      code_of(prepare_decision(world.engine(), erin, {(*promoted)->id, Decision::Approve, "", ""})),
      "identity.power-missing");
}

TEST_F(Grants, EndAfterTheirTimeAtTheProviderToo) {
  const auto live = world.cloud.live_credentials();
  const auto id = open_access();
  world.clock.advance(hours(1) + minutes(30));
  const auto handed = lease("erin", "developer");
  ASSERT_TRUE(handed) << handed.error().render();
  EXPECT_LE(*parse_time(handed->lease.expires_at), world.clock.wall_now() + minutes(30));
  world.clock.advance(minutes(30) - std::chrono::seconds(1));
  settle();
  EXPECT_EQ(load(id).state, GrantState::Open);
  world.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(code_of(lease("erin", "developer")), "grant.over");
  EXPECT_TRUE(granted("erin").empty());
  EXPECT_NE(world.cloud.live_credentials(), live);
  settle();
  EXPECT_EQ(world.cloud.live_credentials(), live);
  EXPECT_EQ(load(id).state, GrantState::Closed);
  EXPECT_EQ(world.logged("grant.end", Outcome::Ok), 1U);
  EXPECT_EQ(world.logged("grant.close", Outcome::Ok), 1U);
  EXPECT_EQ(code_of(lease("erin", "developer")), "identity.role-missing");
  settle();
  EXPECT_EQ(world.logged("grant.close", Outcome::Ok), 1U);
}

TEST_F(Grants, EndAtOnceByWhoHasThemOrAgreedOrAdministers) {
  const auto live = world.cloud.live_credentials();
  for (const char* who : {"erin", "bob", "ann"}) {
    const auto id = open(ask("erin"), "bob");
    ASSERT_TRUE(lease("erin", "developer"));
    EXPECT_EQ(code_of(revoke("mallory", id)), "identity.power-missing");
    EXPECT_EQ(code_of(revoke("carol", id)), "identity.power-missing");
    EXPECT_EQ(code_of(revoke("service:ci", id)), "identity.power-missing");
    const auto ended = revoke(who, id);
    ASSERT_TRUE(ended) << ended.error().render();
    EXPECT_EQ(member(*ended, "state"), "closed") << who;
    EXPECT_EQ(world.cloud.live_credentials(), live) << who;
    EXPECT_EQ(code_of(lease("erin", "developer")), "identity.role-missing");
    EXPECT_EQ(code_of(revoke(who, id)), "[failed-precondition]");
    world.clock.advance(minutes(1));
  }
  EXPECT_EQ(code_of(revoke("erin", GrantId("grt-none"))), "[not-found]");
  EXPECT_EQ(code_of(revoke("erin", GrantId("nonsense"))), "[not-found]");
}

TEST_F(Grants, AProviderThatDoesNotAnswerKeepsNobodyIn) {
  const auto live = world.cloud.live_credentials();
  const auto id = open_access();
  ASSERT_TRUE(lease("erin", "developer"));
  world.provider->fake.fail_call(1, test::FakeFault::FailBefore);
  const auto ended = revoke("erin", id);
  ASSERT_TRUE(ended) << ended.error().render();
  EXPECT_EQ(member(*ended, "state"), "closing");
  EXPECT_EQ(code_of(lease("erin", "developer")), "grant.over");
  EXPECT_TRUE(granted("erin").empty());
  EXPECT_NE(world.cloud.live_credentials(), live);
  settle();
  EXPECT_EQ(world.cloud.live_credentials(), live);
  EXPECT_EQ(load(id).state, GrantState::Closed);
}

TEST_F(Grants, EndWithTheMembershipTheyWereGivenFor) {
  const auto live = world.cloud.live_credentials();
  const auto id = open_access();
  ASSERT_TRUE(lease("erin", "developer"));
  world.edit("to: [erin, \"service:ci\"]", "to: [\"service:ci\"]");
  accept_specs();
  EXPECT_EQ(code_of(lease("erin", "developer")), "grant.over");
  EXPECT_TRUE(granted("erin").empty());
  settle();
  EXPECT_EQ(load(id).state, GrantState::Closed);
  EXPECT_EQ(world.cloud.live_credentials(), live);
}

TEST_F(Grants, EndWhenTheRoleIsNoLongerGrantable) {
  const auto id = open_access();
  world.edit("  grantable: {developer: {to: [erin, \"service:ci\"], approvals: 1, ttl: 2h}}\n", "");
  accept_specs();
  EXPECT_EQ(code_of(lease("erin", "developer")), "grant.over");
  settle();
  EXPECT_EQ(load(id).state, GrantState::Closed);
}

TEST_F(Grants, AWaitingRequestGoesWithWhatItWasAskedUnder) {
  const auto asked = ask("erin");
  ASSERT_TRUE(asked);
  ASSERT_TRUE(world.decide(asked->id, "bob"));
  world.edit("to: [erin, \"service:ci\"]", "to: [\"service:ci\"]");
  accept_specs();
  EXPECT_NE(code_of(world.run(asked->id)), "");
  const auto now = replan_if_stale(world.engine(), world.load(asked->id), {});
  ASSERT_TRUE(now);
  EXPECT_EQ(now->state, ChangeState::Superseded);
}

TEST_F(Grants, AnApprovalDiesWithThePolicyItWasGivenUnder) {
  const auto asked = ask("erin");
  ASSERT_TRUE(asked);
  ASSERT_TRUE(world.decide(asked->id, "bob"));
  world.edit("approvals: 1, ttl: 2h", "approvals: 1, ttl: 3h");
  accept_specs();
  EXPECT_EQ(code_of(world.run(asked->id)), "plan.stale");
  const auto now = replan_if_stale(world.engine(), world.load(asked->id), {});
  ASSERT_TRUE(now);
  EXPECT_EQ(now->state, ChangeState::Superseded);
  const auto again = ask("erin");
  ASSERT_TRUE(again);
  EXPECT_NE(again->id, asked->id);
  EXPECT_EQ(code_of(world.run(again->id)), "gate.not-met");
  open(again, "bob");
}

TEST_F(Grants, ARequestThatNobodyLetsInExpires) {
  const auto asked = ask("erin");
  ASSERT_TRUE(asked);
  world.clock.advance(hours(24));
  const auto now = replan_if_stale(world.engine(), *asked, {});
  ASSERT_TRUE(now);
  EXPECT_EQ(now->state, ChangeState::Expired);
  EXPECT_EQ(code_of(world.payload_for(asked->id, "bob")), "[failed-precondition]");
}

TEST_F(Grants, AFreezeHoldsThemUp) {
  world.specs +=
      "---\napiVersion: bailey/v1\nkind: Freeze\nmetadata: {name: year-end}\nspec: {classes: "
      "[staging], from: 2026-03-01T00:00:00Z, to: 2026-04-01T00:00:00Z, reason: closed}\n";
  accept_specs();
  const auto asked = ask("erin");
  ASSERT_TRUE(asked);
  ASSERT_TRUE(world.decide(asked->id, "bob"));
  EXPECT_EQ(code_of(world.run(asked->id)), "gate.not-met");
}

TEST_F(Grants, OfAnEnvironmentThatCameBackUnderItsNameAreNone) {
  const auto id = open_access();
  const auto waiting = ask("erin", minutes(5));
  ASSERT_TRUE(waiting);
  const auto before = world.state_of("staging").uid;
  const auto destroy = request_destroy(world.engine(), EngineWorld::as("alice"), "staging", {});
  ASSERT_TRUE(destroy && *destroy) << code_of(destroy);
  ASSERT_TRUE(world.decide((*destroy)->id, "bob"));
  const auto gone = world.run((*destroy)->id);
  ASSERT_TRUE(gone) << gone.error().render();
  EXPECT_EQ(world.load(waiting->id).state, ChangeState::Superseded);
  EXPECT_EQ(code_of(lease("erin", "developer")), "grant.over");
  EXPECT_EQ(code_of(ask("erin")), "grant.nothing-stands");
  ASSERT_TRUE(world.apply("alice", "staging"));
  const auto again = replan_if_stale(world.engine(), world.waiting_in("staging"), {});
  ASSERT_TRUE(again);
  ASSERT_TRUE(world.decide(again->id, "bob"));
  const auto stands = world.run(again->id);
  ASSERT_TRUE(stands) << stands.error().render();
  EXPECT_NE(world.state_of("staging").uid, before);
  EXPECT_EQ(code_of(lease("erin", "developer")), "grant.over");
  EXPECT_TRUE(granted("erin").empty());
  settle();
  EXPECT_EQ(load(id).state, GrantState::Closed);
}

TEST_F(Grants, EndWhileACredentialIsTaken) {
  const auto live = world.cloud.live_credentials();
  const auto id = open_access();
  // Between the look at the grant and the intent to issue.
  world.store->before_write(1, [&] { ASSERT_TRUE(revoke("bob", id)); });
  EXPECT_EQ(code_of(lease("erin", "developer")), "grant.over");
  EXPECT_EQ(world.cloud.live_credentials(), live);
  EXPECT_TRUE(load(id).uses.empty());
}

TEST_F(Grants, ACredentialThatWasTakenHalfwayEndsWithThem) {
  const auto live = world.cloud.live_credentials();
  for (const auto fault : {test::FakeFault::LoseAnswer, test::FakeFault::CrashAfter}) {
    const auto id = open(ask("erin"), "bob");
    world.provider->fake.fail_call(1, fault);
    EXPECT_NE(code_of(lease("erin", "developer")), "");
    EXPECT_NE(world.cloud.live_credentials(), live) << "it was issued, and nobody knows";
    world.reopen();
    world.clock.advance(hours(2));
    settle();
    EXPECT_EQ(load(id).state, GrantState::Closed);
    EXPECT_EQ(world.cloud.live_credentials(), live);
    EXPECT_EQ(load(id).uses.size(), 1U) << "written down before it was tried";
  }
}

TEST_F(Grants, NothingHappensThatTheLogCannotTell) {
  const auto asked = ask("erin");
  ASSERT_TRUE(asked);
  ASSERT_TRUE(world.decide(asked->id, "bob"));
  const auto live = world.cloud.live_credentials();
  world.store->log_is_broken = true;
  EXPECT_NE(code_of(world.run(asked->id)), "");
  EXPECT_NE(code_of(ask("erin", minutes(3))), "");
  world.store->log_is_broken = false;
  EXPECT_EQ(code_of(lease("erin", "developer")), "identity.role-missing");
  const auto done = world.run(asked->id);
  ASSERT_TRUE(done) << done.error().render();
  world.store->log_is_broken = true;
  EXPECT_NE(code_of(lease("erin", "developer")), "");
  world.store->log_is_broken = false;
  EXPECT_EQ(world.cloud.live_credentials(), live);
}

TEST_F(Grants, ACrashBetweenTheGateAndTheOpeningIsTakenUp) {
  const auto asked = ask("erin");
  ASSERT_TRUE(asked);
  ASSERT_TRUE(world.decide(asked->id, "bob"));
  ASSERT_TRUE(claim_change(world.engine(), asked->id, std::nullopt, {}));
  world.reopen();
  EXPECT_EQ(code_of(reclaim_change(world.engine(), asked->id)), "lease.held");
  world.clock.advance(minutes(2));
  auto claim = reclaim_change(world.engine(), asked->id);
  ASSERT_TRUE(claim) << claim.error().render();
  const auto done = run_change(world.engine(), *std::move(claim), {}, {});
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->state, ChangeState::Done);
  EXPECT_EQ(code_of(lease("erin", "developer")), "");
}

TEST_F(Grants, NeitherWaitForAChangeNorHoldOneUp) {
  const auto promoted = world.promote("service:ci", world.registry.push("two"), "staging");
  ASSERT_TRUE(promoted && *promoted);
  const auto held = in_transaction(*world.store, Access::Write, [&](Transaction& transaction) {
    return acquire_lease(transaction, "staging", "change:x", hours(1), world.clock.wall_now());
  });
  ASSERT_TRUE(held);
  open_access();
  EXPECT_EQ(world.load((*promoted)->id).state, ChangeState::Waiting);
}

TEST_F(Grants, AreShownToWhoHasAPartInThem) {
  const auto id = open_access();
  const auto waiting = ask("service:ci");
  ASSERT_TRUE(waiting);
  const auto seen = [&](const std::string& who) {
    const auto list =
        list_grants(world.engine(), EngineWorld::as(who), "staging", Settled::Without);
    EXPECT_TRUE(list) << code_of(list);
    return list ? list->size() : 0;
  };
  for (const char* who : {"erin", "bob", "ann", "amy", "service:ci"})
    EXPECT_EQ(seen(who), 2U) << who;
  EXPECT_EQ(code_of(show_grant(world.engine(), EngineWorld::as("erin"), id)), "");
  EXPECT_EQ(code_of(show_grant(world.engine(), EngineWorld::as("dave"), id)),
            "identity.power-missing");
  EXPECT_EQ(seen("dave"), 0U);
  ASSERT_TRUE(revoke("erin", id));
  EXPECT_EQ(seen("erin"), 1U);
  const auto all = list_grants(world.engine(), EngineWorld::as("erin"), "", Settled::With);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 2U);
}

/// However clocks are set and whoever restarts: never longer than granted, in real time.
struct GrantClocks : test::GrantWorld {
  /// After `real` time has passed, whatever happened to the clocks.
  void expect_over(const GrantId& id) {
    EXPECT_EQ(code_of(lease("erin", "developer")), "grant.over");
    settle();
    EXPECT_EQ(load(id).state, GrantState::Closed);
  }
};

TEST_F(GrantClocks, SetBackWhileItIsOpen) {
  const auto live = world.cloud.live_credentials();
  const auto id = open_access();
  ASSERT_TRUE(lease("erin", "developer"));
  world.clock.advance(hours(1));
  world.clock.set_back(hours(1));
  EXPECT_EQ(code_of(lease("erin", "developer")), "");
  world.clock.advance(hours(1));
  expect_over(id);
  EXPECT_EQ(world.cloud.live_credentials(), live);
}

TEST_F(GrantClocks, SetAheadEndsItEarly) {
  const auto id = open_access();
  world.clock.set_back(-hours(2));
  expect_over(id);
}

TEST_F(GrantClocks, SetAheadAndBackDoesNotLengthenIt) {
  world.clock.set_back(-hours(1));  // Opened while the clock was an hour ahead.
  const auto id = open_access();
  world.clock.set_back(hours(1));
  world.clock.advance(hours(2));
  expect_over(id);
}

TEST_F(GrantClocks, SetBackWhileNobodyRuns) {
  const auto id = open_access();
  world.clock.advance(minutes(10));
  ASSERT_TRUE(lease("erin", "developer"));
  world.clock.set_back(hours(1));
  world.clock.advance(hours(1) + minutes(50));
  world.reopen();
  expect_over(id);
}

TEST_F(GrantClocks, ARestartAloneDoesNotEndIt) {
  const auto id = open_access();
  world.clock.advance(hours(1));
  world.reopen();
  EXPECT_EQ(code_of(lease("erin", "developer")), "");
  EXPECT_EQ(load(id).state, GrantState::Open);
  world.clock.advance(hours(1));
  expect_over(id);
}

TEST_F(GrantClocks, AnotherBootWithAClockThatStandsBeforeEndsIt) {
  const auto id = open_access();
  // As another boot has left it.
  ASSERT_TRUE(in_transaction(*world.store, Access::Write, [&](Transaction& transaction) -> Status {
    auto setting = find_setting(transaction, "steady-time");
    if (!setting) return fail(std::move(setting.error()));
    (*setting)["boot"] = "another";
    auto put = transaction.put(Collection::Setting, "steady-time", *setting);
    if (!put) return fail(std::move(put.error()));
    return {};
  }));
  world.clock.set_back(minutes(1));
  world.reopen();
  expect_over(id);
  EXPECT_NE(load(id).ended_because.find("clock"), std::string::npos);
}

/// A wall clock that stands still beside a monotonic one with microseconds.
class FineClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall_now() const override { return WallTime(hours(1'000'000)); }
  [[nodiscard]] MonotonicTime monotonic_now() const override { return MonotonicTime(passed); }
  bool sleep_for(std::chrono::milliseconds, std::stop_token) override { return true; }
  std::chrono::microseconds passed{0};
};

TEST_F(GrantClocks, ManyWhoAskDoNotSlowTheTimeDown) {
  FineClock clock;
  world.forget_setting("steady-time");
  SteadyTime time(*world.store, clock);
  const auto begin = time.now();
  ASSERT_TRUE(begin);
  for (int i = 0; i < 4000; ++i) {
    clock.passed += std::chrono::microseconds(700);
    ASSERT_TRUE(time.now());
  }
  EXPECT_EQ(*time.now() - *begin, std::chrono::milliseconds(2800));
}

}  // namespace
}  // namespace bailey
