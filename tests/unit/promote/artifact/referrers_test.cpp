#include "orchestrator/promote/artifact/referrers.hpp"

#include "orchestrator/promote/artifact/registry_evidence.hpp"
#include "tests/support/memory_registry.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::MemoryRegistry;

constexpr const char* kName = "127.0.0.1:5001/payments/web";

struct World {
  MemoryRegistry http;
  RegistrySession session{http, "127.0.0.1:5001"};
  OciRepository repository{session, "payments/web"};
  std::string digest = http.add_image(kName, {"layer"});
  ArtifactManifest subject = **repository.manifest(digest);
};

Attachment envelope(const std::string& bytes) {
  return {
      std::string(kInTotoArtifact), std::string(kDsseMediaType), bytes, {{"in-toto.io/a", "b"}}};
}

// The three rows of the table in the distribution specification.
TEST(ReferrersTag, IsAsTheSpecificationHasIt) {
  EXPECT_EQ(referrers_tag("sha256:" + std::string(64, 'a')), "sha256-" + std::string(64, 'a'));
  EXPECT_EQ(referrers_tag("sha512:" + std::string(128, 'a')), "sha512-" + std::string(64, 'a'));
  EXPECT_EQ(referrers_tag("test+algorithm+using+algorithm+separators+and+lots+of+characters+to+"
                          "excercise+overall+truncation:alsoSome=InTheEncodedSectionToShowHyphen"
                          "ReplacementAndLotsAndLotsOfCharactersToExcerciseEncodedTruncation"),
            "test-algorithm-using-algorithm-s-alsoSome-InTheEncodedSectionToShowHyphenReplacement"
            "AndLotsAndLot");
}

TEST(Referrers, AreFoundByTheApiAndByTheTag) {
  for (const bool api : {true, false}) {
    World world;
    world.http.knows_referrers = api;
    const auto first = attach(world.repository, world.subject, envelope("one"));
    ASSERT_TRUE(first) << first.error().render();
    ASSERT_TRUE(attach(world.repository, world.subject, {"urn:sbom", "text/x", "two", {}}));
    EXPECT_EQ(*attach(world.repository, world.subject, envelope("one")), *first);
    const auto all = list_referrers(world.repository, world.digest);
    ASSERT_TRUE(all) << all.error().render();
    EXPECT_EQ(all->list.size(), 2U);
    const auto some = list_referrers(world.repository, world.digest, std::string(kInTotoArtifact));
    ASSERT_TRUE(some);
    ASSERT_EQ(some->list.size(), 1U);
    EXPECT_EQ(some->list[0].digest, *first);
    EXPECT_EQ(world.http.repositories[kName].tags.contains(referrers_tag(world.digest)), !api);
  }
}

// Somebody reads the index, and writes it only after we have.
TEST(Referrers, SurviveAWriterWhoDidNotSeeThem) {
  World world;
  ASSERT_TRUE(attach(world.repository, world.subject, envelope("one")));
  const auto stale = world.http.repositories[kName].tags.at(referrers_tag(world.digest));
  ASSERT_TRUE(attach(world.repository, world.subject, envelope("two")));
  world.http.repositories[kName].tags[referrers_tag(world.digest)] = stale;
  ASSERT_EQ(list_referrers(world.repository, world.digest)->list.size(), 1U);
  ASSERT_TRUE(attach(world.repository, world.subject, envelope("three")));
  EXPECT_EQ(list_referrers(world.repository, world.digest)->list.size(), 3U);
}

TEST(Referrers, AreNotWrittenOverATagOfSomebodyElse) {
  World world;
  world.http.repositories[kName].tags[referrers_tag(world.digest)] = world.digest;
  const auto attached = attach(world.repository, world.subject, envelope("one"));
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().code(), "registry.foreign-tag");
}

TEST(FindEvidence, ReadsWhatMayBeEvidenceAndNothingElse) {
  World world;
  ASSERT_TRUE(attach(world.repository, world.subject, envelope("{\"a\":1}")));
  ASSERT_TRUE(attach(world.repository, world.subject, {"urn:sbom", "text/x", "much", {}}));
  // cosign's older way.
  auto& repository = world.http.repositories[kName];
  auto layer = world.http.descriptor("application/vnd.dev.cosign.simplesigning.v1+json",
                                     world.http.add_blob(kName, "payload"), kName);
  layer["annotations"] = {{"dev.cosignproject.cosign/signature", "c2ln"}};
  const auto signature = world.http.add_manifest(
      kName, {{"schemaVersion", 2},
              {"mediaType", MemoryRegistry::kManifest},
              {"config", world.http.descriptor("x", world.http.add_blob(kName, "{}"), kName)},
              {"layers", Json::array({layer})}});
  repository.tags[referrers_tag(world.digest) + ".sig"] = signature;
  const auto search = find_evidence(world.repository, world.digest);
  ASSERT_TRUE(search) << search.error().render();
  EXPECT_TRUE(search->problems.empty());
  ASSERT_EQ(search->found.size(), 2U);
  EXPECT_EQ(search->found[0].bytes, "{\"a\":1}");
  EXPECT_EQ(search->found[1].bytes, "payload");
  EXPECT_EQ(search->found[1].annotations.at("dev.cosignproject.cosign/signature"), "c2ln");
}

TEST(FindEvidence, TellsWhatItCannotReadAndGoesOn) {
  World world;
  ASSERT_TRUE(attach(world.repository, world.subject, envelope("good")));
  ASSERT_TRUE(attach(world.repository, world.subject, envelope("lost")));
  auto& repository = world.http.repositories[kName];
  repository.blobs.erase(digest_of(std::string_view("lost")));
  // One that claims in the index to be about this artifact, and is about another one.
  auto other = world.subject;
  other.reference.digest = digest_of(std::string_view("other"));
  const auto foreign = attach(world.repository, other, envelope("foreign"));
  ASSERT_TRUE(foreign);
  auto index =
      *parse_json(repository.manifests.at(repository.tags.at(referrers_tag(world.digest))).second);
  index["manifests"].push_back(world.http.descriptor(MemoryRegistry::kManifest, *foreign, kName));
  repository.tags[referrers_tag(world.digest)] = world.http.add_manifest(kName, index);
  // And a blob that is larger than evidence is.
  ASSERT_TRUE(attach(world.repository, world.subject, envelope(std::string(4'200'000, 'x'))));
  const auto search = find_evidence(world.repository, world.digest);
  ASSERT_TRUE(search) << search.error().render();
  ASSERT_EQ(search->found.size(), 1U);
  EXPECT_EQ(search->found[0].bytes, "good");
  EXPECT_EQ(search->problems.size(), 3U);
  world.http.breaks = [](const HttpRequest&) { return true; };
  EXPECT_EQ(find_evidence(world.repository, world.digest).error().kind(), ErrorKind::Unavailable);
}

TEST(FindEvidence, ReadsAtMostAHundred) {
  World world;
  world.http.knows_referrers = true;
  for (int i = 0; i < 120; ++i) {
    ASSERT_TRUE(attach(world.repository, world.subject, envelope("e" + std::to_string(i))));
  }
  const auto search = find_evidence(world.repository, world.digest);
  ASSERT_TRUE(search);
  EXPECT_EQ(search->found.size(), kMaximumReferrers);
  EXPECT_EQ(search->problems.size(), 1U);
}

}  // namespace
}  // namespace bailey
