#include "orchestrator/provision/credential/sealing.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "tests/support/fake_random.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace bailey {
namespace {

using test::FakeRandom;

class SealingTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(ring_.create_missing(random_)); }
  static SealContext context(const std::string& id = "cred-1") {
    return {id, EnvironmentUid("env-1"), EnvironmentClass::Production};
  }
  Opener opener(const std::set<EnvironmentClass>& classes = {EnvironmentClass::Production}) {
    return ring_.opener(classes).value();
  }

  TemporaryFolder folder_ = TemporaryFolder::create().value();
  KeyRing ring_{folder_.path()};
  FakeRandom random_;
  Secret secret_{std::string("hunter2 \0 with any byte \xFF\n", 26)};
};

TEST_F(SealingTest, OpensWhatItSealed) {
  const auto sealer = ring_.sealer().value();
  for (const auto environment_class : all_environment_classes()) {
    const SealContext here{"cred-1", EnvironmentUid("env-1"), environment_class};
    const auto sealed = sealer.seal(secret_, here).value();
    EXPECT_EQ(opener({environment_class}).open(sealed, here)->reveal(), secret_.reveal());
  }
  const auto empty = sealer.seal(Secret(), context()).value();
  EXPECT_TRUE(opener().open(empty, context())->empty());
}

TEST_F(SealingTest, ShowsNothingOfTheSecret) {
  const auto sealed = from_base64(ring_.sealer()->seal(secret_, context()).value()).value();
  EXPECT_EQ(sealed.find("hunter2"), std::string::npos);
  EXPECT_EQ(sealed.find("cred-1"), std::string::npos);
  EXPECT_NE(ring_.sealer()->seal(secret_, context()).value(),
            ring_.sealer()->seal(secret_, context()).value());
}

TEST_F(SealingTest, RefusesEveryChangedByte) {
  const auto sealed = from_base64(ring_.sealer()->seal(secret_, context()).value()).value();
  const auto keys = opener();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    for (const int flip : {1, 0x80}) {
      auto changed = sealed;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      EXPECT_EQ(keys.open(base64(changed), context()).error().kind(), ErrorKind::PermissionDenied);
    }
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(keys.open(base64(sealed.substr(0, size)), context()));
  }
  EXPECT_FALSE(keys.open("not base64", context()));
}

TEST_F(SealingTest, RefusesASealedTextThatWasMoved) {
  const auto sealed = ring_.sealer()->seal(secret_, context()).value();
  const auto keys = opener({EnvironmentClass::Production, EnvironmentClass::Staging});
  auto other_row = context("cred-2");
  auto other_environment = context();
  other_environment.environment_uid = EnvironmentUid("env-2");
  auto other_class = context();
  other_class.environment_class = EnvironmentClass::Staging;
  for (const auto& wrong : {other_row, other_environment, other_class}) {
    const auto opened = keys.open(sealed, wrong);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), "credential.seal-broken");
  }
  EXPECT_TRUE(keys.open(sealed, context()));
}

TEST_F(SealingTest, NoTwoContextsAreTheSame) {
  const auto sealer = ring_.sealer().value();
  for (const std::string bad : {"", "a\nb"}) {
    EXPECT_EQ(sealer.seal(secret_, context(bad)).error().kind(), ErrorKind::InvalidArgument);
    auto uid = context();
    uid.environment_uid = EnvironmentUid(bad);
    EXPECT_EQ(sealer.seal(secret_, uid).error().kind(), ErrorKind::InvalidArgument);
  }
}

TEST_F(SealingTest, OneWhoSealsCannotOpen) {
  const auto sealed = ring_.sealer()->seal(secret_, context()).value();
  for (const auto environment_class : all_environment_classes()) {
    std::filesystem::remove(folder_.path() /
                            ("seal-" + std::string(to_string(environment_class)) + ".key"));
  }
  EXPECT_TRUE(ring_.sealer()->seal(secret_, context()));
  EXPECT_FALSE(ring_.opener({EnvironmentClass::Production}));
}

TEST_F(SealingTest, OpensOnlyTheClassesItWasGiven) {
  const auto sealed = ring_.sealer()->seal(secret_, context()).value();
  const auto keys = opener({EnvironmentClass::Staging});
  EXPECT_FALSE(keys.opens(EnvironmentClass::Production));
  EXPECT_TRUE(keys.opens(EnvironmentClass::Staging));
  EXPECT_EQ(keys.open(sealed, context()).error().code(), "credential.class-not-opened");
}

TEST_F(SealingTest, RefusesTheKeysOfAnotherRing) {
  const auto sealed = ring_.sealer()->seal(secret_, context()).value();
  const auto elsewhere = TemporaryFolder::create().value();
  const KeyRing other(elsewhere.path());
  ASSERT_TRUE(other.create_missing(random_));
  const auto opened = other.opener({EnvironmentClass::Production})->open(sealed, context());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), "credential.seal-broken");
}

TEST_F(SealingTest, RefusesARenamedKeyFile) {
  const auto production = folder_.path() / "seal-production.key";
  std::filesystem::rename(folder_.path() / "seal-staging.key", production);
  EXPECT_EQ(ring_.opener({EnvironmentClass::Production}).error().kind(),
            ErrorKind::FailedPrecondition);
  std::filesystem::rename(folder_.path() / "seal-staging.pub",
                          folder_.path() / "seal-production.pub");
  EXPECT_FALSE(ring_.sealer());
}

TEST_F(SealingTest, KeyFilesArePrivateAndStay) {
  const auto file = folder_.path() / "seal-production.key";
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto before = read_file(file).value();
  ASSERT_TRUE(ring_.create_missing(random_));
  EXPECT_EQ(read_file(file).value(), before);
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  EXPECT_EQ(ring_.opener({EnvironmentClass::Production}).error().kind(),
            ErrorKind::PermissionDenied);
}

TEST_F(SealingTest, MakesNoNewKeyInPlaceOfALostOne) {
  std::filesystem::remove(folder_.path() / "seal-production.key");
  EXPECT_EQ(ring_.create_missing(random_).error().kind(), ErrorKind::FailedPrecondition);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "seal-production.key"));
}

TEST_F(SealingTest, RefusesAnExchangedPublicHalf) {
  const auto elsewhere = TemporaryFolder::create().value();
  ASSERT_TRUE(KeyRing(elsewhere.path()).create_missing(random_));
  std::filesystem::copy_file(elsewhere.path() / "seal-production.pub",
                             folder_.path() / "seal-production.pub",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(ring_.create_missing(random_).error().kind(), ErrorKind::FailedPrecondition);
}

TEST_F(SealingTest, DerivesALostPublicHalf) {
  const auto sealed = ring_.sealer()->seal(secret_, context()).value();
  std::filesystem::remove(folder_.path() / "seal-production.pub");
  EXPECT_FALSE(ring_.sealer());
  ASSERT_TRUE(ring_.create_missing(random_));
  EXPECT_TRUE(ring_.sealer());
  EXPECT_TRUE(opener().open(sealed, context()));
}

}  // namespace
}  // namespace bailey
