#include "orchestrator/promote/artifact/copy_artifact.hpp"

#include "orchestrator/promote/artifact/referrers.hpp"
#include "tests/support/memory_registry.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::MemoryRegistry;

constexpr const char* kHost = "127.0.0.1:5001";
constexpr const char* kOther = "registry.example";

std::string named(const char* host, const char* path) {
  return std::string(host) + "/" + path;
}

/// A project's repository, and a stage's that may be in another registry.
struct World {
  MemoryRegistry http;
  RegistrySession here{http, kHost};
  RegistrySession there{http, kOther, {RegistryCredential{"stage", Secret("hunter2")}, {}}};
  OciRepository from{here, "payments/web"};
  OciRepository beside{here, "production/web"};
  OciRepository away{there, "production/web"};
  std::string source = named(kHost, "payments/web");

  [[nodiscard]] std::size_t sent(std::string_view method, std::string_view part) const {
    return static_cast<std::size_t>(
        std::count_if(http.requests.begin(), http.requests.end(), [&](const HttpRequest& each) {
          return each.method == method && each.url.find(part) != std::string::npos;
        }));
  }
};

template <class T>
std::string code_of(const Result<T>& result) {
  if (result) return "fine";
  return result.error().code().empty() ? std::string(to_string(result.error().kind()))
                                       : result.error().code();
}

TEST(CopyArtifact, MountsBlobsWithinARegistryAndReadsThemBack) {
  World world;
  const auto digest = world.http.add_image(world.source, {"layer one", "layer two"});
  const auto report = copy_artifact(world.from, world.beside, digest);
  ASSERT_TRUE(report) << report.error().render();
  EXPECT_EQ(report->mounted, 3);
  EXPECT_EQ(report->copied, 0);
  EXPECT_EQ(report->manifests, 1);
  const auto& made = world.http.repositories.at(named(kHost, "production/web"));
  EXPECT_EQ(made.manifests, world.http.repositories.at(world.source).manifests);
  EXPECT_EQ(made.blobs, world.http.repositories.at(world.source).blobs);
  EXPECT_EQ(world.sent("GET", "production/web/blobs/"), 3U);
}

TEST(CopyArtifact, SendsTheBytesWhereNothingIsLent) {
  for (const bool elsewhere : {false, true}) {
    World world;
    world.http.lends_blobs = false;
    world.http.passwords[kOther] = "stage:hunter2";
    const std::string large(2 * kBlobChunk + 17, 'x');
    const auto digest = world.http.add_image(world.source, {large, "", "small"});
    const auto& target = elsewhere ? world.away : world.beside;
    const auto report = copy_artifact(world.from, target, digest);
    ASSERT_TRUE(report) << report.error().render();
    EXPECT_EQ(report->copied, 4);
    EXPECT_EQ(world.http.repositories.at(target.name()).blobs,
              world.http.repositories.at(world.source).blobs);
    for (const auto& request : world.http.requests) EXPECT_LE(request.body.size(), kBlobChunk);
    EXPECT_EQ(world.sent("PATCH", ""), 5U);
  }
}

// The stage's credential goes to the stage's registry, and nowhere else.
TEST(CopyArtifact, ShowsEachRegistryItsOwnCredentialAlone) {
  World world;
  world.http.passwords[kOther] = "stage:hunter2";
  const auto digest = world.http.add_image(world.source, {"layer"});
  ASSERT_TRUE(copy_artifact(world.from, world.away, digest));
  for (const auto& request : world.http.requests) {
    const bool stage = request.url.starts_with("https://registry.example/");
    EXPECT_TRUE(stage || request.secret_headers.empty()) << request.url;
  }
  world.http.passwords[kOther] = "stage:changed";
  EXPECT_EQ(code_of(copy_artifact(world.from, world.away, digest)), "unauthenticated");
}

TEST(CopyArtifact, TakesAllPlatformsOfAnIndexAndEachBlobOnce) {
  World world;
  Json index{
      {"schemaVersion", 2}, {"mediaType", MemoryRegistry::kIndex}, {"manifests", Json::array()}};
  for (const char* platform : {"amd64", "arm64"}) {
    const auto image = world.http.add_image(world.source, {platform, "shared"});
    index["manifests"].push_back(
        world.http.descriptor(MemoryRegistry::kManifest, image, world.source));
  }
  const auto digest = world.http.add_manifest(world.source, index);
  const auto report = copy_artifact(world.from, world.away, digest);
  ASSERT_TRUE(report) << report.error().render();
  EXPECT_EQ(report->manifests, 3);
  EXPECT_EQ(report->copied, 5);
  EXPECT_EQ(world.http.repositories.at(world.away.name()).manifests.size(), 3U);
}

TEST(CopyArtifact, FindsEverythingThereTheSecondTimeAndVerifiesIt) {
  World world;
  const auto digest = world.http.add_image(world.source, {"layer"});
  ASSERT_TRUE(copy_artifact(world.from, world.away, digest));
  // The project's registry has collected it meanwhile: a release that stands is not lost by that.
  world.http.repositories.erase(world.source);
  world.http.requests.clear();
  const auto again = copy_artifact(world.from, world.away, digest);
  ASSERT_TRUE(again) << again.error().render();
  EXPECT_EQ(again->present, 2);
  EXPECT_EQ(again->copied + again->mounted + again->manifests, 0);
  EXPECT_GT(again->verified_bytes, 0U);
  EXPECT_EQ(world.sent("PUT", "") + world.sent("POST", "") + world.sent("PATCH", ""), 0U);
}

// A crash is a copy that ended somewhere; the next one ends it.
TEST(CopyArtifact, CarriesOnAfterEndingAtAnyRequest) {
  for (std::size_t end = 1;; ++end) {
    World world;
    world.http.lends_blobs = false;
    const auto digest = world.http.add_image(world.source, {"layer one", "layer two"});
    bool cut = false;
    world.http.breaks = [&](const HttpRequest&) {
      cut = cut || world.http.requests.size() >= end;
      return cut;
    };
    const auto first = copy_artifact(world.from, world.away, digest);
    world.http.breaks = nullptr;
    if (!cut) {
      ASSERT_TRUE(first);
      EXPECT_GT(end, 10U);
      break;
    }
    EXPECT_EQ(code_of(first), "unavailable");
    // Nothing in the target names what is not there.
    const auto& half = world.http.repositories[world.away.name()];
    if (!half.manifests.empty()) {
      EXPECT_EQ(half.blobs.size(), 3U);
    }
    ASSERT_TRUE(copy_artifact(world.from, world.away, digest)) << "after request " << end;
  }
}

TEST(CopyArtifact, RefusesBytesThatAreNotThoseOfTheDigest) {
  // In the source.
  World world;
  const auto digest = world.http.add_image(world.source, {"layer"});
  const auto layer = digest_of(std::string_view("layer"));
  world.http.repositories[world.source].blobs[layer] = "LAYER";
  EXPECT_EQ(code_of(copy_artifact(world.from, world.away, digest)), "artifact.digest-mismatch");
  EXPECT_TRUE(world.http.repositories[world.away.name()].manifests.empty());
  // In the target, where it lies already, or is lent out wrong.
  world.http.repositories[world.source].blobs[layer] = "layer";
  world.http.repositories[world.away.name()].blobs[layer] = "LAYER";
  EXPECT_EQ(code_of(copy_artifact(world.from, world.away, digest)), "artifact.digest-mismatch");
  world.http.repositories[world.away.name()].blobs[layer] = "longer than the layer";
  EXPECT_EQ(code_of(copy_artifact(world.from, world.away, digest)), "artifact.digest-mismatch");
  world.http.repositories[world.away.name()].blobs[layer] = "layer";
  EXPECT_EQ(code_of(copy_artifact(world.from, world.away, digest)), "fine");
  // The manifest itself.
  world.http.repositories[world.away.name()].manifests[digest].second += " ";
  EXPECT_EQ(code_of(copy_artifact(world.from, world.away, digest)), "artifact.digest-mismatch");
}

TEST(CopyArtifact, RefusesWhatIsMissingOrCannotBeCopied) {
  World world;
  EXPECT_EQ(code_of(copy_artifact(world.from, world.away, digest_of(std::string_view("none")))),
            "artifact.missing");
  const auto digest = world.http.add_image(world.source, {"layer"});
  world.http.repositories[world.source].blobs.erase(digest_of(std::string_view("layer")));
  EXPECT_EQ(code_of(copy_artifact(world.from, world.away, digest)), "not-found");
  const auto odd = world.http.add_manifest(
      world.source,
      {{"schemaVersion", 2},
       {"mediaType", MemoryRegistry::kIndex},
       {"manifests",
        Json::array({Json{{"mediaType", "text/plain"}, {"digest", digest}, {"size", 1}}})}});
  EXPECT_EQ(code_of(copy_artifact(world.from, world.away, odd)), "artifact.unknown-part");
}

TEST(CopyReferrers, TakesAlongWhatCanBeTakenAndSaysWhatCannot) {
  World world;
  const auto digest = world.http.add_image(world.source, {"layer"});
  const auto subject = world.from.manifest(digest);
  ASSERT_TRUE(subject && *subject);
  ASSERT_TRUE(attach(world.from, **subject, {"urn:a", "text/a", "good", {}}));
  const auto bad = attach(world.from, **subject, {"urn:b", "text/b", "bad", {}});
  ASSERT_TRUE(bad);
  world.http.repositories[world.source].blobs.erase(digest_of(std::string_view("bad")));
  auto report = copy_artifact(world.from, world.away, digest);
  ASSERT_TRUE(report);
  copy_referrers(world.from, world.away, digest, *report);
  EXPECT_EQ(report->referrers, 1);
  ASSERT_EQ(report->left_out.size(), 1U);
  EXPECT_TRUE(report->left_out[0].starts_with(*bad)) << report->left_out[0];
  const auto list = list_referrers(world.away, digest);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->list.size(), 1U);
  EXPECT_EQ(list->list[0].artifact_type, "urn:a");
}

}  // namespace
}  // namespace bailey
