#include "orchestrator/base/file.hpp"
#include "orchestrator/base/process.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/net/curl_http_client.hpp"
#include "orchestrator/promote/artifact/oci_registry.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace bailey
