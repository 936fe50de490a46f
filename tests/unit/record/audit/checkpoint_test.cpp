#include "orchestrator/record/audit/checkpoint.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/record/audit/log_key.hpp"
#include "orchestrator/record/audit/merkle.hpp"
#include "tests/support/fake_random.hpp"
#include "tests/support/vectors.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace bailey {
namespace {

using test::FakeRandom;

constexpr const char* kWords[] = {"one",    "two",   "three",    "four",    "five",
                                  "six",    "seven", "eit",      "nain",    "ten",
                                  "ileven", "twelf", "threeten", "fourten", "fivten"};
// Published with the test data of transparency-dev/tessera; it protects nothing.
constexpr const char* kPublishedTestKey =
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg";

LogKey some_key(const std::string& origin = "bailey.example/log") {
  FakeRandom random;
  return LogKey::generate(origin, random).value();
}

TEST(Checkpoint, RebuildsThePublishedLogByteForByte) {
  BAILEY_VECTORS_OR_SKIP(folder);
  const auto signer = NoteSigner::parse(Secret(kPublishedTestKey));
  ASSERT_TRUE(signer.has_value());
  MerkleTree tree;
  for (std::uint64_t size = 0;; ++size) {
    const auto name = "checkpoint." + std::to_string(size);
    const auto published = read_file(folder / "tlog-golden" / name);
    ASSERT_TRUE(published.has_value()) << name;
    const auto text = to_text({.origin = "example.com/log/testdata",
                               .size = size,
                               .root = tree.root(),
                               .extensions = {}});
    EXPECT_EQ(signer->sign(text).value(), *published) << name;
    const auto opened = open_checkpoint(*published, signer->verifier());
    ASSERT_TRUE(opened.has_value()) << name;
    EXPECT_EQ(opened->root, tree.root()) << name;
    if (size == std::size(kWords)) break;
    tree.append(leaf_hash(kWords[size]));
  }
  EXPECT_EQ(*read_file(folder / "tlog-golden/checkpoint"),
            *read_file(folder / "tlog-golden/checkpoint.15"));
}

TEST(Checkpoint, ReadsItsOwnText) {
  const Checkpoint checkpoint{
      .origin = "log", .size = 12, .root = leaf_hash("x"), .extensions = {"more", "lines"}};
  EXPECT_EQ(parse_checkpoint(to_text(checkpoint)).value(), checkpoint);
}

TEST(Checkpoint, RefusesWhatItCouldNotHaveWritten) {
  const auto root = base64(bytes_of(empty_root()));
  for (const std::string& bad : std::vector<std::string>{
           "", "log\n1\n" + root, "log\n1\n", "\n1\n" + root + "\n", "log\n01\n" + root + "\n",
           "log\n-1\n" + root + "\n", "log\n1 \n" + root + "\n", "log\n+1\n" + root + "\n",
           "log\n\n" + root + "\n", "log\n1\n" + root.substr(4) + "\n",
           "log\n18446744073709551616\n" + root + "\n", "log\n1\n" + root + "\n\n"}) {
    EXPECT_EQ(parse_checkpoint(bad).error().kind(), ErrorKind::Protocol) << bad;
  }
}

TEST(Checkpoint, OfAnotherLogDoesNotOpenEvenUnderTheSameKey) {
  FakeRandom random;
  const auto signer = NoteSigner::generate("log-a", random).value();
  const auto note =
      signer.sign(to_text({.origin = "log-b", .size = 0, .root = empty_root(), .extensions = {}}));
  EXPECT_EQ(open_checkpoint(*note, signer.verifier()).error().kind(), ErrorKind::PermissionDenied);
}

TEST(LogKey, SurvivesItsFileAndKeepsItPrivate) {
  const auto folder = TemporaryFolder::create().value();
  const auto file = folder.path() / "log.key";
  FakeRandom random;
  const auto made = LogKey::load_or_create(file, "bailey.example/log", random);
  ASSERT_TRUE(made.has_value());
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto again = LogKey::load_or_create(file, "another/origin", random);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->verifier().str(), made->verifier().str());
  EXPECT_EQ(again->origin(), "bailey.example/log");
}

TEST(LogKey, RefusesAFileThatOthersMayRead) {
  const auto folder = TemporaryFolder::create().value();
  const auto file = folder.path() / "log.key";
  ASSERT_TRUE(some_key().save(file));
  for (const auto mode : {0640U, 0604U, 0620U, 0666U}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    FakeRandom random;
    EXPECT_EQ(LogKey::load_or_create(file, "o", random).error().kind(),
              ErrorKind::PermissionDenied);
  }
}

TEST(LogKey, RefusesABrokenFileInsteadOfMakingANewKey) {
  const auto folder = TemporaryFolder::create().value();
  const auto file = folder.path() / "log.key";
  ASSERT_TRUE(write_private_file(file, "PRIVATE+KEY+x\n"));
  FakeRandom random;
  EXPECT_EQ(LogKey::load_or_create(file, "o", random).error().kind(), ErrorKind::InvalidArgument);
}

TEST(LogKey, SignsCheckpointsOfItsOrigin) {
  const auto key = some_key();
  const auto note = key.sign(1, leaf_hash("x"));
  ASSERT_TRUE(note.has_value());
  const auto opened = open_checkpoint(*note, key.verifier());
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->origin, key.origin());
  EXPECT_EQ(opened->size, 1U);
}

}  // namespace
}  // namespace bailey
