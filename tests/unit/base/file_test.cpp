#include "orchestrator/base/file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace bailey {
namespace {

namespace fs = std::filesystem;

struct FileTest : testing::Test {
  void SetUp() override {
    auto made = TemporaryFolder::create("file-test");
    ASSERT_TRUE(made.has_value());
    folder = std::make_unique<TemporaryFolder>(*std::move(made));
  }
  [[nodiscard]] fs::path path(const char* name) const { return folder->path() / name; }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder->path()), fs::directory_iterator()));
  }
  static unsigned mode_of(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  }

  std::unique_ptr<TemporaryFolder> folder;
};

TEST_F(FileTest, ReplacesInOneStepAndLeavesNothingBeside) {
  ASSERT_TRUE(write_file(path("a"), "one").has_value());
  ASSERT_TRUE(write_file(path("a"), std::string("t\0wo", 4)).has_value());
  EXPECT_EQ(*read_file(path("a")), std::string("t\0wo", 4));
  EXPECT_EQ(mode_of(path("a")), 0644U);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, AFailedReplacementLeavesTheOldOneAndNothingBeside) {
  fs::create_directory(path("a"));
  const auto done = write_file(path("a"), "bytes");
  ASSERT_FALSE(done.has_value());
  EXPECT_TRUE(fs::is_directory(path("a")));
  EXPECT_EQ(entries(), 1U);
  const auto nowhere = write_file(path("none") / "a", "bytes");
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(nowhere.error().kind(), ErrorKind::NotFound);
}

TEST_F(FileTest, PrivateFilesAreTheOwnersAlone) {
  ASSERT_TRUE(write_private_file(path("key"), "secret").has_value());
  EXPECT_EQ(mode_of(path("key")), 0600U);
  EXPECT_EQ(read_private_file(path("key"))->reveal(), "secret");
  for (const unsigned mode : {0640U, 0604U, 0610U, 0601U, 0660U}) {
    ASSERT_EQ(::chmod(path("key").c_str(), mode), 0);
    const auto read = read_private_file(path("key"));
    ASSERT_FALSE(read.has_value()) << std::oct << mode;
    EXPECT_EQ(read.error().kind(), ErrorKind::PermissionDenied);
  }
}

TEST_F(FileTest, RefusesWhatIsNotThereTooLargeOrAFolder) {
  EXPECT_EQ(read_file(path("none")).error().kind(), ErrorKind::NotFound);
  EXPECT_EQ(read_private_file(path("none")).error().kind(), ErrorKind::NotFound);
  EXPECT_FALSE(read_file(folder->path()).has_value());
  ASSERT_TRUE(write_file(path("a"), "12345").has_value());
  EXPECT_TRUE(read_file(path("a"), 5).has_value());
  EXPECT_EQ(read_file(path("a"), 4).error().kind(), ErrorKind::InvalidArgument);
}

TEST(TemporaryFolder, GoesWithEverythingInItAndOnceOnly) {
  fs::path where;
  {
    auto made = TemporaryFolder::create();
    ASSERT_TRUE(made.has_value());
    const TemporaryFolder moved(*std::move(made));
    where = moved.path();
    EXPECT_EQ(fs::status(where).permissions(), fs::perms::owner_all);
    fs::create_directory(where / "sub");
    std::ofstream(where / "sub/file") << "x";
  }
  EXPECT_FALSE(fs::exists(where));
}

}  // namespace
}  // namespace bailey
