#include "orchestrator/serve/engine/request_change.hpp"

#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

TEST(InitBundle, IsForTheBootstrapTokenAloneAndOnce) {
  EngineWorld world;
  for (const auto& who : {EngineWorld::as("alice"), EngineWorld::as("ann"),
                          EngineWorld::as("service:ci"), Request{}}) {
    const auto refused = accept_first_bundle(world.engine(), who, world.sources(), {});
    EXPECT_EQ(code_of(refused), "bundle.bootstrap-only");
  }
  EXPECT_EQ(world.logged("bundle.init", Outcome::Refused), 4U);
  const auto holder = world.bootstrap();
  ASSERT_TRUE(accept_first_bundle(world.engine(), holder, world.sources(), {}));
  EXPECT_EQ(code_of(accept_first_bundle(world.engine(), holder, world.sources(), {})),
            "[conflict]");
  EXPECT_EQ(world.logged("bundle.accept", Outcome::Ok), 1U);
}

TEST(InitBundle, UsesUpTheTokenAndGivesNoOtherOne) {
  EngineWorld world;
  auto first = bootstrap_token(world.engine());
  ASSERT_TRUE(first && *first);
  world.init();
  auto later = bootstrap_token(world.engine());
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->has_value());
  const auto tokens = in_transaction(*world.store, Access::Read, [](Transaction& transaction) {
    return list_tokens(transaction);
  });
  ASSERT_TRUE(tokens);
  EXPECT_TRUE(tokens->empty());
}

TEST(InitBundle, AcceptsNothingThatHasFindingsOrNoOrganization) {
  EngineWorld world;
  const auto holder = world.bootstrap();
  auto sources = world.sources();
  sources.specs[0].text += "\n---\napiVersion: bailey/v1\nkind: Environment\n";
  const auto answer = accept_first_bundle(world.engine(), holder, sources, {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(member(*answer, "ok"), false);
  EXPECT_TRUE(member(*answer, "digest").is_null());
  EXPECT_EQ(code_of(world.engine().bundle()), "bundle.none");

  world.edit(
      "kind: Organization\nmetadata: {name: acme}\n"
      "spec: {administrators: {members: [ann, abe, amy], approvals: 2}}\n",
      "kind: Freeze\nmetadata: {name: f}\nspec: {classes: [test], from: "
      "2020-01-01T00:00:00Z, to: 2020-01-02T00:00:00Z, reason: none}\n");
  EXPECT_EQ(code_of(accept_first_bundle(world.engine(), holder, world.sources(), {})),
            "bundle.no-organization");
}

TEST(ApplyBundle, NeedsABundleBeforeAndThePowerToRequest) {
  EngineWorld world;
  EXPECT_EQ(code_of(world.apply("alice")), "bundle.none");
  world.init();
  for (const char* who :
       {"mallory", "dave", "ann", "nobody", "service:nobody", "group:developers"}) {
    EXPECT_EQ(code_of(world.apply(who)), "identity.power-missing") << who;
  }
  EXPECT_EQ(world.logged("bundle.apply", Outcome::Refused), 6U);
  EXPECT_EQ(world.changes().size(), 1U) << "that which confirms the first bundle";
}

TEST(ApplyBundle, OpensOneChangeForEachEnvironmentAndNothingTwice) {
  EngineWorld world;
  world.init();
  const auto first = world.apply("alice");
  ASSERT_TRUE(first) << first.error().render();
  EXPECT_EQ(member(*first, "accepted"), true);
  EXPECT_EQ(member(*first, "changes").size(), 4U) << first->dump(1);
  const auto second = world.apply("alice");
  ASSERT_TRUE(second);
  EXPECT_EQ(member(*second, "changes"), member(*first, "changes"));
  EXPECT_EQ(world.changes().size(), 5U) << "with that which confirms the first bundle";
  EXPECT_EQ(world.logged("change.open", Outcome::Ok), 5U);
}

TEST(ApplyBundle, SaysWhichEnvironmentsTheCallerMayNotAskFor) {
  EngineWorld world;
  world.init();
  const auto answer = world.apply("bob");
  ASSERT_TRUE(answer) << answer.error().render();
  EXPECT_EQ(member(*answer, "changes").size(), 1U);
  EXPECT_EQ(member(*answer, "refused").size(), 3U);
  EXPECT_EQ(code_of(world.apply("bob", "dev")), "identity.power-missing");
  EXPECT_EQ(code_of(world.apply("alice", "nowhere")), "[not-found]");
}

TEST(ApplyBundle, RefusesNobodyForWhatStandsAsDeclared) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  ASSERT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
  const auto answer = world.apply("bob");
  ASSERT_TRUE(answer) << answer.error().render();
  EXPECT_EQ(member(*answer, "refused").size(), 2U) << answer->dump(1);
  EXPECT_EQ(code_of(world.apply("bob", "dev")), "identity.power-missing");
}

TEST(ApplyBundle, OpensNothingForWhatStands) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  world.drive();
  EXPECT_EQ(world.state_of("dev").status, EnvironmentStatus::Ready);
  const auto again = world.apply("alice", "dev");
  ASSERT_TRUE(again);
  EXPECT_TRUE(member(*again, "changes").empty());
  EXPECT_EQ(member(*again, "unchanged"), Json::array({"dev"}));
}

TEST(ApplyBundle, SupersedesWhatStillWaits) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice"));
  world.drive();
  const auto before = world.waiting_in("staging");
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  ASSERT_TRUE(world.apply("alice"));
  const auto after = world.waiting_in("staging");
  EXPECT_NE(after.id, before.id);
  EXPECT_EQ(world.load(before.id).state, ChangeState::Superseded);
}

// Between the comparison with the accepted bundle and its replacement another one may be accepted.
TEST(ApplyBundle, NeverTakesBackAPolicyThatWasAcceptedMeanwhile) {
  EngineWorld world;
  world.init();
  const auto old_sources = world.sources();
  world.edit("approvals: {rules: [{from: group:managers, count: 1}], expire: 8h}",
             "approvals: {rules: [{from: group:managers, count: 2}], expire: 8h}");
  const auto proposed = world.apply("alice");
  ASSERT_TRUE(proposed);
  const ChangeId id(member(*proposed, "changes").at(0).get<std::string>());
  ASSERT_TRUE(world.decide(id, "ann"));
  ASSERT_TRUE(world.decide(id, "abe"));
  auto claim = claim_change(world.engine(), id, std::nullopt, {});
  ASSERT_TRUE(claim) << claim.error().render();
  world.store->before_write(1, [&] {
    const auto done = run_change(world.engine(), *claim, {}, {});
    ASSERT_TRUE(done) << done.error().render();
  });
  const auto late =
      apply_bundle(world.engine(), EngineWorld::as("gina"), {old_sources, "", {}}, {});
  EXPECT_FALSE(late) << late->dump(1);
  const auto now = world.engine().bundle();
  ASSERT_TRUE(now);
  EXPECT_EQ((*now)->digest, world.load(id).bundle_digest);
}

// Whoever makes a bundle the accepted one is an author of what it says about every environment,
// whatever authors the client names.
TEST(ApplyBundle, CountsItsProposerAsAnAuthorEverywhere) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.reach_test(digest);
  const auto promotion = world.promote("service:ci", digest, "staging");
  ASSERT_TRUE(promotion && *promotion);
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  ASSERT_TRUE(world.apply("gina", "dev"));
  const auto moved = replan_if_stale(world.engine(), world.load((*promotion)->id), {});
  ASSERT_TRUE(moved) << moved.error().render();
  EXPECT_NE(moved->plan.digest, (*promotion)->plan.digest);
  EXPECT_EQ(code_of(world.decide(moved->id, "gina")), "gate.not-independent");
}

// What was written in one bundle and not applied yet is still in the next one, and so is its
// author.
TEST(ApplyBundle, KeepsTheAuthorsOfBundlesThatWereNotAppliedYet) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice"));
  world.drive();
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  ASSERT_TRUE(world.apply("alice", "dev", {"bob@acme.example"}));
  world.edit("image: cirros", "image: debian");
  ASSERT_TRUE(world.apply("alice", "", {"carol@acme.example"}));
  const auto change = world.waiting_in("staging");
  std::vector<std::string> people;
  for (const auto& author : change.authors) people.push_back(author.person);
  EXPECT_NE(std::find(people.begin(), people.end(), "bob"), people.end());
  EXPECT_NE(std::find(people.begin(), people.end(), "carol"), people.end());
}

TEST(ApplyBundle, TakesNoAuthorAwayWhenTheSameIsProposedByAnother) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice"));
  world.drive();
  world.edit("cidr: 10.20.0.0/24", "cidr: 10.21.0.0/24");
  ASSERT_TRUE(world.apply("alice", "dev"));
  ASSERT_TRUE(world.apply("gina", "", {"carol@acme.example"}));
  const auto change = world.waiting_in("staging");
  EXPECT_TRUE(std::any_of(change.authors.begin(), change.authors.end(),
                          [](const Author& author) { return author.person == "carol"; }));
}

TEST(ApplyBundle, AddsTheAuthorsOfASecondProposalToTheChangeThatWaits) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice"));
  const auto before = world.waiting_in("staging");
  ASSERT_TRUE(world.apply("gina", "", {"carol@acme.example"}));
  const auto after = world.waiting_in("staging");
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(code_of(world.decide(after.id, "carol")), "gate.not-independent");
  EXPECT_EQ(code_of(world.decide(after.id, "gina")), "gate.not-independent");
}

TEST(PlanSources, ShowsToThoseWhoMayReadAndOpensNothing) {
  EngineWorld world;
  world.init();
  const auto plans =
      plan_sources(world.engine(), EngineWorld::as("alice"), world.sources(), {}, {});
  ASSERT_TRUE(plans) << plans.error().render();
  EXPECT_EQ(member(*plans, "plans").size(), 4U);
  EXPECT_EQ(world.changes().size(), 1U) << "that which confirms the first bundle";
  const auto none =
      plan_sources(world.engine(), EngineWorld::as("mallory"), world.sources(), {}, {});
  ASSERT_TRUE(none);
  EXPECT_TRUE(member(*none, "plans").empty());
  EXPECT_EQ(code_of(plan_sources(world.engine(), EngineWorld::as("mallory"), world.sources(),
                                 {"production", {}}, {})),
            "identity.power-missing");
}

// An account says where a credential is read from, by which program even, and to whom it is sent.
TEST(PlanSources, OpensNoAccountThatWasNotAccepted) {
  EngineWorld world;
  world.init();
  const auto trap = world.folder() / "trap";
  world.edit(
      "classes: [development, test, staging]\n  endpoint: http://127.0.0.1:5000\n"
      "  credential: {file: " +
          (world.folder() / "cloud-secret").string() + "}",
      "classes: [development, test, staging]\n  endpoint: http://127.0.0.1:5000\n"
      "  credential: {command: [touch, \"" +
          trap.string() + "\"]}");
  for (const char* only : {"dev", ""}) {
    const auto plans =
        plan_sources(world.engine(), EngineWorld::as("alice"), world.sources(), {only, {}}, {});
    EXPECT_EQ(code_of(plans), "plan.account-not-accepted") << only;
  }
  EXPECT_FALSE(std::filesystem::exists(trap));
  EXPECT_EQ(world.opened, 0);
}

TEST(PlanSources, UsesNoOtherAccountForAnEnvironmentThatStands) {
  EngineWorld world;
  world.init();
  world.edit("class: development\n  account: cloud\n",
             "class: production\n  account: cloud-production\n");
  const auto plans =
      plan_sources(world.engine(), EngineWorld::as("alice"), world.sources(), {"dev", {}}, {});
  EXPECT_FALSE(plans && member(*plans, "ok") == true && !member(*plans, "plans").empty());
}

TEST(RequestPromotion, TakesDigestsOfTheProjectsOwnRepositoryAlone) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.init();
  const auto ask = [&](const std::string& reference, const std::string& name = "web") {
    return code_of(request_promotion(world.engine(), EngineWorld::as("service:ci"),
                                     {"payments", {{name, reference}}, "dev"}, {}));
  };
  EXPECT_EQ(ask("127.0.0.1:5001/payments/web:latest"), "artifact.tag-refused");
  EXPECT_EQ(ask("127.0.0.1:5001/payments/web:1@" + digest), "artifact.tag-refused");
  EXPECT_EQ(ask("127.0.0.1:5001/payments/web"), "artifact.tag-refused");
  EXPECT_EQ(ask("127.0.0.1:5001/payments/web@sha256:1"), "artifact.malformed");
  EXPECT_EQ(ask("127.0.0.1:5001/evil/web@" + digest), "artifact.foreign-repository");
  EXPECT_EQ(ask("127.0.0.1:5002/payments/web@" + digest), "artifact.foreign-repository");
  EXPECT_EQ(ask(world.reference(digest), "database"), "artifact.unknown");
  EXPECT_EQ(ask(world.reference(digest_of(std::string_view("absent")))), "[not-found]");
  world.registry.tamper(digest);
  EXPECT_EQ(ask(world.reference(digest)), "artifact.digest-mismatch");
  EXPECT_EQ(world.changes().size(), 1U) << "that which confirms the first bundle";
  EXPECT_GE(world.logged("change.promote", Outcome::Refused), 6U);
}

TEST(RequestPromotion, NeedsThePowerAndTheProjectOfTheEnvironment) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.init();
  EXPECT_EQ(code_of(world.promote("mallory", digest, "dev")), "identity.power-missing");
  EXPECT_EQ(code_of(world.promote("carol", digest, "staging")), "identity.power-missing");
  EXPECT_EQ(code_of(world.promote("service:ci", digest, "nowhere")), "[not-found]");
  EXPECT_EQ(code_of(request_promotion(world.engine(), EngineWorld::as("service:ci"),
                                      {"billing", {{"web", world.reference(digest)}}, "dev"}, {})),
            "promotion.foreign-project");
  EXPECT_EQ(code_of(request_promotion(world.engine(), EngineWorld::as("service:ci"),
                                      {"payments", {}, "dev"}, {})),
            "[invalid-argument]");
}

TEST(RequestPromotion, OpensNothingForWhatRunsThere) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.reach_test(digest);
  const auto again = world.promote("service:ci", digest, "test");
  ASSERT_TRUE(again) << again.error().render();
  EXPECT_FALSE(again->has_value());
}

TEST(SubmitArtifact, TakesEvidenceByKeysOfTheDirectoryAboutThisArtifactAlone) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  const auto other = world.registry.push("two");
  world.init();
  const auto good = world.authorship(digest, {"alice@acme.example"});
  EXPECT_EQ(code_of(world.submit("mallory", digest, {good})), "identity.power-missing");
  EXPECT_NE(code_of(world.submit("service:ci", digest,
                                 {good, world.authorship(digest, {"x@y.example"}, "stranger")})),
            "");
  EXPECT_EQ(code_of(world.submit("service:ci", digest, {world.authorship(other, {"x@y.example"})})),
            "evidence.other-subject");
  auto forged = good;
  forged["payload"] = member(world.authorship(digest, {"bob@acme.example"}), "payload");
  EXPECT_NE(code_of(world.submit("service:ci", digest, {forged})), "");
  EXPECT_NE(code_of(world.submit("service:ci", digest, {Json("text")})), "");
  EXPECT_EQ(code_of(show_artifact(world.engine(), EngineWorld::as("alice"), digest)),
            "[not-found]");
  ASSERT_TRUE(world.submit("service:ci", digest, {good}));
  const auto shown = show_artifact(world.engine(), EngineWorld::as("alice"), digest);
  ASSERT_TRUE(shown);
  EXPECT_EQ(member(*shown, "evidence").size(), 1U);
}

TEST(RequestDestroy, NeedsThePowerAndSomethingThatStands) {
  EngineWorld world;
  world.init();
  EXPECT_EQ(code_of(request_destroy(world.engine(), EngineWorld::as("mallory"), "dev", {})),
            "identity.power-missing");
  const auto nothing = request_destroy(world.engine(), EngineWorld::as("alice"), "dev", {});
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());
}

}  // namespace
}  // namespace bailey
