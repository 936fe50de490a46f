#include "orchestrator/base/file.hpp"
#include "orchestrator/base/process.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/net/curl_http_client.hpp"
#include "orchestrator/promote/artifact/copy_artifact.hpp"
#include "orchestrator/promote/artifact/oci_registry.hpp"
#include "orchestrator/promote/artifact/referrers.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <thread>

namespace bailey {
namespace {

std::optional<std::string> script(std::vector<std::string> arguments) {
  Command command;
  arguments[0] = std::string(BAILEY_SOURCE_DIR) + "/scripts/" + arguments[0];
  command.arguments = std::move(arguments);
  command.inherit_environment = true;
  const auto done = run_process(command);
  if (!done || done->exit_code != 0) return std::nullopt;
  return std::string(trim(done->output));
}

/// Debian's docker-registry with one artifact in it.
class RealRegistry : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/bin/docker-registry")) {
      GTEST_SKIP() << "docker-registry is not installed";
    }
    auto folder = TemporaryFolder::create();
    ASSERT_TRUE(folder);
    folder_.emplace(*std::move(folder));
    const auto address = script({"registry-up", folder_->path().string()});
    ASSERT_TRUE(address);
    address_ = *address;
    const auto file = folder_->path() / "web";
    ASSERT_TRUE(write_file(file, "#!/bin/sh\necho web\n"));
    const auto pushed = script({"push-artifact", address_ + "/payments/web", file.string(), "1.0"});
    ASSERT_TRUE(pushed);
    pushed_ = *pushed;
  }
  void TearDown() override {
    if (!folder_) return;
    EXPECT_TRUE(script({"registry-down", folder_->path().string()}));
  }

  std::optional<TemporaryFolder> folder_;
  std::string address_;
  std::string pushed_;
};

TEST_F(RealRegistry, GivesTheArtifactByDigestAndTheDigestByTag) {
  CurlHttpClient http;
  const OciRegistry registry(http);
  const auto reference = parse_artifact_reference(pushed_);
  ASSERT_TRUE(reference);
  const auto manifest = registry.fetch(*reference);
  ASSERT_TRUE(manifest) << manifest.error().render();
  EXPECT_EQ(manifest->media_type, "application/vnd.oci.image.manifest.v1+json");
  EXPECT_EQ(registry.resolve_tag(*parse_tag_reference(address_ + "/payments/web:1.0")).value(),
            reference->digest);
}

TEST_F(RealRegistry, HasNothingUnderAnotherDigestOrTag) {
  CurlHttpClient http;
  const OciRegistry registry(http);
  auto reference = parse_artifact_reference(pushed_);
  ASSERT_TRUE(reference);
  reference->digest = "sha256:" + std::string(64, '0');
  EXPECT_EQ(registry.fetch(*reference).error().kind(), ErrorKind::NotFound);
  const auto tag = registry.resolve_tag({address_, "payments/web", "2.0"});
  EXPECT_EQ(tag.error().kind(), ErrorKind::NotFound);
}

RegistryAccess login(const std::string& password) {
  RegistryAccess access;
  access.credential = RegistryCredential{"stage", Secret(password)};
  return access;
}

// What the referrers tag loses when everybody reads it, adds a line and writes it back.
TEST_F(RealRegistry, KeepsWhatSixteenWritersAttachAtTheSameTime) {
  constexpr int kWriters = 16;
  const auto reference = *parse_artifact_reference(pushed_);
  std::vector<Result<std::string>> attached(
      kWriters, Result<std::string>(fail(ErrorKind::Internal, "did not run")));
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([&, i] {
        CurlHttpClient http;
        RegistrySession session(http, address_);
        const OciRepository repository(session, "payments/web");
        const auto subject = repository.manifest(reference.digest);
        if (!subject || !*subject) return;
        const auto text = "evidence " + std::to_string(i);
        attached[static_cast<std::size_t>(i)] =
            attach(repository, **subject, {"urn:test", "text/plain", text, {}});
      });
    }
  }
  CurlHttpClient http;
  RegistrySession session(http, address_);
  const OciRepository repository(session, "payments/web");
  const auto list = list_referrers(repository, reference.digest);
  ASSERT_TRUE(list) << list.error().render();
  std::set<std::string> found;
  for (const auto& each : list->list) found.insert(each.digest);
  for (const auto& digest : attached) {
    ASSERT_TRUE(digest) << digest.error().render();
    EXPECT_TRUE(found.contains(*digest)) << *digest << " is lost";
  }
  EXPECT_EQ(found.size(), static_cast<std::size_t>(kWriters));
}

/// A second registry, which lets in `stage` alone.
class GuardedRegistry : public RealRegistry {
 protected:
  void SetUp() override {
    RealRegistry::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::setenv("REGISTRY_LOGIN", "stage:hunter2", 1), 0);
    const auto address = script({"registry-up", (folder_->path() / "guarded").string()});
    ::unsetenv("REGISTRY_LOGIN");
    ASSERT_TRUE(address);
    guarded_ = *address;
  }
  void TearDown() override {
    if (!guarded_.empty()) {
      EXPECT_TRUE(script({"registry-down", (folder_->path() / "guarded").string()}));
    }
    RealRegistry::TearDown();
  }

  std::string guarded_;
};

TEST_F(GuardedRegistry, TakesACopyByItsOwnCredentialAndLendsItsBlobsOn) {
  const auto reference = *parse_artifact_reference(pushed_);
  CurlHttpClient http;
  RegistrySession open(http, address_);
  RegistrySession session(http, guarded_, login("hunter2"));
  const OciRepository from(open, "payments/web");
  const OciRepository staging(session, "staging/web");
  const OciRepository production(session, "production/web");
  const auto subject = from.manifest(reference.digest);
  ASSERT_TRUE(subject && *subject);
  ASSERT_TRUE(attach(from, **subject, {"urn:test", "text/plain", "evidence", {}}));

  auto first = copy_artifact(from, staging, reference.digest);
  ASSERT_TRUE(first) << first.error().render();
  EXPECT_EQ(first->copied, 2);
  copy_referrers(from, staging, reference.digest, *first);
  EXPECT_EQ(first->referrers, 1);
  EXPECT_EQ(first->left_out, std::vector<std::string>());
  EXPECT_EQ(list_referrers(staging, reference.digest)->list.size(), 1U);

  const auto second = copy_artifact(staging, production, reference.digest);
  ASSERT_TRUE(second) << second.error().render();
  EXPECT_EQ(second->mounted, 2);
  EXPECT_EQ(second->copied, 0);
  const auto again = copy_artifact(staging, production, reference.digest);
  ASSERT_TRUE(again) << again.error().render();
  EXPECT_EQ(again->present, 2);
  EXPECT_EQ(again->verified_bytes, second->verified_bytes);
}

TEST_F(GuardedRegistry, LetsNobodyElseWriteOrRead) {
  const auto reference = *parse_artifact_reference(pushed_);
  CurlHttpClient http;
  RegistrySession open(http, address_);
  const OciRepository from(open, "payments/web");
  for (const auto& access : {RegistryAccess(), login("wrong")}) {
    RegistrySession session(http, guarded_, access);
    const OciRepository to(session, "production/web");
    const auto copied = copy_artifact(from, to, reference.digest);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().kind(), ErrorKind::Unauthenticated) << copied.error().render();
    EXPECT_EQ(copied.error().render().find("wrong"), std::string::npos);
  }
}

TEST_F(GuardedRegistry, TakesALargeBlobInPieces) {
  const auto file = folder_->path() / "large";
  std::string bytes;
  for (std::size_t i = 0; bytes.size() < 2 * kBlobChunk + 4321; ++i) bytes += std::to_string(i);
  ASSERT_TRUE(write_file(file, bytes));
  const auto pushed = script({"push-artifact", address_ + "/payments/web", file.string()});
  ASSERT_TRUE(pushed);
  CurlHttpClient http;
  RegistrySession open(http, address_);
  RegistrySession session(http, guarded_, login("hunter2"));
  const OciRepository to(session, "production/web");
  const auto report = copy_artifact(OciRepository(open, "payments/web"), to,
                                    parse_artifact_reference(*pushed)->digest);
  ASSERT_TRUE(report) << report.error().render();
  EXPECT_GT(report->verified_bytes, 2 * kBlobChunk);
}

}  // namespace
}  // namespace bailey
