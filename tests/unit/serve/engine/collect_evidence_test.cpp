#include "orchestrator/serve/engine/collect_evidence.hpp"

#include "orchestrator/promote/artifact/referrers.hpp"
#include "orchestrator/promote/artifact/registry_evidence.hpp"
#include "orchestrator/promote/evidence/predicates.hpp"
#include "orchestrator/promote/evidence/sigstore_bundle.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/unit/promote/raw_keys.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;
using test::FakeRegistry;
using test::RawKey;

/// Somebody who may write to the registry, and to nothing else.
void attach_to(EngineWorld& world, const std::string& digest, const std::string& type,
               const Json& evidence) {
  RegistrySession session(world.registry, FakeRegistry::kHost);
  const OciRepository repository(session, "payments/web");
  const auto subject = repository.manifest(digest);
  ASSERT_TRUE(subject && *subject);
  const auto attached = attach(repository, **subject, {type, type, evidence.dump(), {}});
  ASSERT_TRUE(attached) << attached.error().render();
}

Json shown(EngineWorld& world, const std::string& digest) {
  const auto answer = show_artifact(world.engine(), EngineWorld::as("alice"), digest);
  EXPECT_TRUE(answer) << answer.error().render();
  return answer ? *answer : Json();
}

Statement about(const std::string& digest, std::string_view type, const Json& predicate) {
  return {{{"web", digest}}, std::string(type), predicate};
}

TEST(CollectEvidence, FindsInTheRegistryWhatNobodySubmitted) {
  EngineWorld world;
  world.init();
  const auto digest = world.registry.push("one");
  attach_to(world, digest, std::string(kDsseMediaType),
            world.authorship(digest, {"alice@acme.example"}));
  ASSERT_TRUE(world.submit("service:ci", digest, {}));
  const auto known = shown(world, digest);
  ASSERT_EQ(known["evidence"].size(), 1U) << known.dump(1);
  const auto& item = known["evidence"][0];
  EXPECT_EQ(item["type"], kAuthorshipPredicate);
  EXPECT_EQ(item["signer"], "service:ci");
  EXPECT_EQ(item["verified"], true);
  EXPECT_TRUE(item["from"].get<std::string>().starts_with("127.0.0.1:5001/payments/web@sha256:"));
  EXPECT_EQ(known["unread"], Json::array());
  EXPECT_EQ(world.logged("evidence.find", Outcome::Ok), 1U);
  // The same words in other envelopes are nothing new: they would end approvals.
  auto again = world.authorship(digest, {"alice@acme.example"});
  again["signatures"][0]["keyid"] = "another";
  attach_to(world, digest, std::string(kDsseMediaType), again);
  again["signatures"].push_back(
      world.authorship(digest, {"alice@acme.example"}, "stranger")["signatures"][0]);
  attach_to(world, digest, std::string(kDsseMediaType), again);
  world.clock.advance(std::chrono::minutes(2));
  ASSERT_TRUE(world.submit("service:ci", digest, {}));
  EXPECT_EQ(shown(world, digest)["evidence"], known["evidence"]);
  // Submitted too, it is one piece and keeps the place where it was first seen.
  ASSERT_TRUE(
      world.submit("service:ci", digest, {world.authorship(digest, {"alice@acme.example"})}));
  EXPECT_EQ(shown(world, digest)["evidence"], known["evidence"]);
}

TEST(CollectEvidence, TakesNothingThatDoesNotCountAndSaysWhy) {
  EngineWorld world;
  world.init();
  const auto digest = world.registry.push("one");
  const auto other = world.registry.push("two");
  const std::string type(kDsseMediaType);
  attach_to(world, digest, type, world.authorship(digest, {"alice@acme.example"}, "stranger"));
  attach_to(world, digest, type, world.authorship(other, {"alice@acme.example"}));
  attach_to(world, digest, type,
            world.key("ci").envelope(about(digest, kTestResultPredicate, {{"result", "FAILED"}})));
  attach_to(world, digest, type, Json{{"payload", 7}});
  ASSERT_TRUE(world.submit("service:ci", digest, {}));
  const auto known = shown(world, digest);
  EXPECT_EQ(known["evidence"], Json::array());
  EXPECT_EQ(known["unread"].size(), 4U) << known.dump(1);
  // Handed in, the same is refused.
  EXPECT_EQ(
      code_of(world.submit(
          "service:ci", digest,
          {world.key("ci").envelope(about(digest, kTestResultPredicate, {{"result", "FAILED"}}))})),
      "evidence.negative");
}

TEST(CollectEvidence, TakesBundlesByAServicesPemKey) {
  EngineWorld world;
  const auto scanner = RawKey::p256();
  std::string pem;
  for (const char c : scanner.pem()) c == '\n' ? pem += "\\n" : pem += c;
  world.edit("  services:\n",
             "  services:\n    scanner: {controlledBy: [zed], keys: [\"" + pem + "\"]}\n");
  world.init();
  const auto digest = world.registry.push("one");
  const Json bundle{
      {"mediaType", kSigstoreBundle},
      {"verificationMaterial", {{"publicKey", {{"hint", "x"}}}}},
      {"dsseEnvelope", scanner.envelope(about(digest, kCosignScanPredicate,
                                              {{"scanner", {{"uri", "urn:scan"}}}}))}};
  attach_to(world, digest, std::string(kSigstoreBundle), bundle);
  ASSERT_TRUE(world.submit("service:ci", digest, {}));
  const auto known = shown(world, digest);
  ASSERT_EQ(known["evidence"].size(), 1U) << known.dump(1);
  EXPECT_EQ(known["evidence"][0]["signer"], "service:scanner");
  EXPECT_EQ(known["evidence"][0]["type"], kCosignScanPredicate);
  // The same bundle handed in is the same evidence.
  ASSERT_TRUE(world.submit("service:ci", digest, {bundle}));
  EXPECT_EQ(shown(world, digest)["evidence"].size(), 1U);
}

TEST(CollectEvidence, SaysInWhyThatTheRegistryCouldNotBeAsked) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.reach_staging(digest);
  world.clock.advance(std::chrono::hours(48));
  world.registry.memory.breaks = [](const HttpRequest& request) {
    return request.url.find("/referrers/") != std::string::npos;
  };
  const auto opened = world.promote("service:ci", digest, "production");
  ASSERT_TRUE(opened && *opened);
  const auto change = show_change(world.engine(), EngineWorld::as("bob"), (*opened)->id);
  ASSERT_TRUE(change) << change.error().render();
  EXPECT_NE(change->dump().find("Not counted for web: the registry answered 503"),
            std::string::npos)
      << change->dump(1);
  // And it counts as soon as it is there.
  world.registry.memory.breaks = nullptr;
  attach_to(world, digest, std::string(kDsseMediaType),
            world.authorship(digest, {"alice@acme.example"}));
  world.clock.advance(std::chrono::minutes(2));
  collect_evidence_of(world.engine(), (*opened)->id, {});
  const auto later = show_change(world.engine(), EngineWorld::as("bob"), (*opened)->id);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->dump().find("Not counted"), std::string::npos);
  EXPECT_NE(later->dump().find("urn:bailey:authorship:v1 is there for every artifact"),
            std::string::npos)
      << later->dump(1);
}

TEST(ReleasedArtifact, IsWhatRunsInTheLastStageAndNothingEarlier) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.reach_staging(digest);
  ASSERT_TRUE(
      world.submit("service:ci", digest, {world.authorship(digest, {"alice@acme.example"})}));
  const auto request = EngineWorld::as("service:ci");
  // It has come as far as staging: for the next release nothing is known yet.
  const auto before = released_artifact(world.engine(), request, "payments", "web");
  ASSERT_TRUE(before) << before.error().render();
  EXPECT_EQ(*before, (Json{{"environment", "production"}, {"reference", ""}, {"commit", ""}}));
  ASSERT_TRUE(in_transaction(*world.store, Access::Write, [&](Transaction& transaction) {
    auto state = *find_environment_state(transaction, "staging");
    state->name = "production";
    return save(transaction, *state);
  }));
  const auto after = released_artifact(world.engine(), request, "payments", "web");
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)["commit"], std::string(40, 'a'));
  EXPECT_EQ((*after)["reference"], world.reference(digest));
  EXPECT_EQ(code_of(released_artifact(world.engine(), request, "none", "web")), "[not-found]");
  EXPECT_EQ(
      code_of(released_artifact(world.engine(), EngineWorld::as("mallory"), "payments", "web")),
      "identity.power-missing");
}

}  // namespace
}  // namespace bailey
