#include "orchestrator/serve/engine/copy_artifacts.hpp"

#include "tests/support/engine_world.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::EngineWorld;
using test::FakeRegistry;

constexpr const char* kOwn = "127.0.0.1:5001/test/web";

/// The organization of the tests, where the stage `test` has a repository of its own.
class CopyArtifacts : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_private_file(world.folder() / "registry-secret",
                                   R"({"username":"stage","password":"hunter2"})"));
    world.specs += std::string(
                       "---\napiVersion: bailey/v1\nkind: Account\nmetadata: {name: "
                       "registry-test}\nspec:\n  provider: oci\n  classes: [test]\n"
                       "  endpoint: http://127.0.0.1:5001\n  credential: {file: ") +
                   (world.folder() / "registry-secret").string() + "}\n";
    world.edit("metadata: {name: test}\nspec:\n",
               std::string("metadata: {name: test}\nspec:\n  repositories: {web: {account: "
                           "registry-test, repository: \"") +
                   kOwn + "\"}}\n");
  }
  void reach_dev(const std::string& digest) {
    world.init();
    ASSERT_TRUE(world.apply("alice"));
    world.drive();
    ASSERT_TRUE(world.promote("service:ci", digest, "dev"));
    world.drive();
  }
  Change promote_to_test(const std::string& digest) {
    const auto opened = world.promote("service:ci", digest, "test");
    EXPECT_TRUE(opened) << opened.error().render();
    if (!opened || !*opened) return {};
    world.drive();
    return world.load((*opened)->id);
  }
  test::MemoryRegistry& registry() { return world.registry.memory; }

  EngineWorld world;
};

TEST_F(CopyArtifacts, BringsTheArtifactIntoTheStagesOwnRepository) {
  const auto digest = world.registry.push("one");
  reach_dev(digest);
  EXPECT_EQ(world.state_of("dev").artifacts["web"], world.reference(digest));
  EXPECT_FALSE(registry().repositories.contains(kOwn));
  const auto done = promote_to_test(digest);
  EXPECT_EQ(done.state, ChangeState::Done);
  // Plan and record name the stage's repository; what was verified is still known by its digest.
  const auto own = std::string(kOwn) + "@" + digest;
  EXPECT_EQ(done.plan.artifacts.at("web"), own);
  EXPECT_EQ(world.state_of("test").artifacts["web"], own);
  EXPECT_EQ(std::count(done.introduces.begin(), done.introduces.end(), digest), 1);
  EXPECT_EQ(registry().repositories.at(kOwn).blobs.size(), 2U);
  EXPECT_TRUE(registry().repositories.at(kOwn).manifests.contains(digest));
  EXPECT_EQ(world.logged("artifact.copy", Outcome::Ok), 1U);
  // The same again is nothing to do.
  const auto again = world.promote("service:ci", digest, "test");
  ASSERT_TRUE(again) << again.error().render();
  EXPECT_FALSE(*again);
}

TEST_F(CopyArtifacts, LetsNothingRunWhenTheBytesAreOthers) {
  const auto digest = world.registry.push("one");
  reach_dev(digest);
  const auto before = world.state_of("test");
  // Somebody who may write to the stage's repository has put something else there.
  registry().repositories[kOwn].blobs[digest_of(std::string_view("one"))] = "two";
  const auto failed = promote_to_test(digest);
  EXPECT_EQ(failed.state, ChangeState::Failed);
  EXPECT_EQ(world.state_of("test").artifacts, before.artifacts);
  EXPECT_EQ(world.logged("artifact.copy", Outcome::Ok), 0U);
  // Mended, the same promotion goes through.
  registry().repositories.erase(kOwn);
  EXPECT_EQ(promote_to_test(digest).state, ChangeState::Done);
}

TEST_F(CopyArtifacts, OpensTheRegistryWithTheStagesCredential) {
  const auto digest = world.registry.push("one");
  registry().passwords[FakeRegistry::kHost] = "stage:hunter2";
  world.init();
  ASSERT_TRUE(world.apply("alice"));
  world.drive();
  // Nobody may read the project's repository anonymously, and no account is named for it.
  EXPECT_EQ(world.promote("service:ci", digest, "dev").error().kind(), ErrorKind::Unauthenticated);
}

TEST_F(CopyArtifacts, ReadsTheProjectsRepositoryByTheProjectsAccount) {
  const auto digest = world.registry.push("one");
  registry().passwords[FakeRegistry::kHost] = "stage:hunter2";
  world.edit("payments/web\"}", "payments/web\", account: registry-test}");
  reach_dev(digest);
  EXPECT_EQ(promote_to_test(digest).state, ChangeState::Done);
  EXPECT_TRUE(registry().repositories.at(kOwn).manifests.contains(digest));
  // Neither log nor store holds the password.
  for (const auto& entry : world.log()) {
    EXPECT_EQ(entry.detail.find("hunter2"), std::string::npos);
  }
}

TEST_F(CopyArtifacts, FailsTheChangeWithoutACredential) {
  const auto digest = world.registry.push("one");
  reach_dev(digest);
  ASSERT_TRUE(write_private_file(world.folder() / "registry-secret", "{}"));
  const auto failed = promote_to_test(digest);
  EXPECT_EQ(failed.state, ChangeState::Failed);
  EXPECT_FALSE(registry().repositories.contains(kOwn));
}

TEST(InOwnRepositories, ChangesNoDigestAndNoOtherSlot) {
  Environment environment;
  environment.repositories["web"] = {"registry", "r.example/own/web"};
  const auto digest = digest_of(std::string_view("x"));
  const std::map<std::string, std::string> artifacts{{"web", "r.example/web@" + digest},
                                                     {"api", "r.example/api@" + digest}};
  const auto own = in_own_repositories(environment, artifacts);
  EXPECT_EQ(own.at("web"), "r.example/own/web@" + digest);
  EXPECT_EQ(own.at("api"), artifacts.at("api"));
  EXPECT_EQ(in_own_repositories(environment, own), own);
}

}  // namespace
}  // namespace bailey
