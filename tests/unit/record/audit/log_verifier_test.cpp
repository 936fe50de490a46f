#include "orchestrator/record/audit/log_verifier.hpp"

#include "orchestrator/record/audit/log_key.hpp"
#include "orchestrator/record/audit/merkle.hpp"
#include "tests/support/fake_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace bailey {
namespace {

using test::FakeRandom;

LogKey some_key(std::uint64_t seed = 1) {
  FakeRandom random(seed);
  return LogKey::generate("log", random).value();
}

std::vector<StoredLeaf> some_log(std::uint64_t size) {
  std::vector<StoredLeaf> log;
  for (std::uint64_t i = 0; i < size; ++i) {
    const auto body = "entry " + std::to_string(i);
    log.push_back({i, body, leaf_hash(body)});
  }
  return log;
}

LeafSource source_of(std::vector<StoredLeaf> log) {
  return
      [log = std::move(log), next = std::size_t{0}]() mutable -> Result<std::optional<StoredLeaf>> {
        if (next == log.size()) return std::nullopt;
        return log[next++];
      };
}

std::string checkpoint_at(const std::vector<StoredLeaf>& log, std::size_t size, const LogKey& key) {
  MerkleTree tree;
  for (std::size_t i = 0; i < size; ++i) tree.append(leaf_hash(log[i].body));
  return key.sign(size, tree.root()).value();
}

class InspectLog : public ::testing::Test {
 protected:
  LogReport inspect(const std::vector<StoredLeaf>& log) {
    return inspect_log(source_of(log), checkpoints_, key_.verifier()).value();
  }
  static bool has(const LogReport& report, const std::string& code,
                  std::optional<std::uint64_t> first) {
    return std::any_of(report.findings.begin(), report.findings.end(), [&](const auto& finding) {
      return finding.code == code && finding.first_untrusted == first;
    });
  }

  LogKey key_ = some_key();
  std::vector<StoredLeaf> log_ = some_log(20);
  std::vector<std::string> checkpoints_{checkpoint_at(log_, 18, key_), checkpoint_at(log_, 7, key_),
                                        checkpoint_at(log_, 0, key_)};
};

TEST_F(InspectLog, AcceptsAnUntouchedLogAndSaysHowMuchIsSigned) {
  const auto report = inspect(log_);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.entries, 20U);
  EXPECT_EQ(report.signed_entries, 18U);
  EXPECT_TRUE(to_status(report));
}

TEST_F(InspectLog, FindsAnAlteredBody) {
  for (std::uint64_t i = 0; i < log_.size(); ++i) {
    auto log = log_;
    log[i].body += "!";
    EXPECT_TRUE(has(inspect(log), kEntryAltered, i)) << i;
  }
}

TEST_F(InspectLog, FindsARewrittenBodyWhoseHashWasRewrittenToo) {
  for (std::uint64_t i = 0; i < 18; ++i) {
    auto log = log_;
    log[i].body += "!";
    log[i].hash = leaf_hash(log[i].body);
    EXPECT_TRUE(has(inspect(log), kRootDiffers, i < 7 ? 0 : 7)) << i;
  }
}

TEST_F(InspectLog, FindsADeletedEntry) {
  for (std::uint64_t i = 0; i < 18; ++i) {
    auto log = log_;
    log.erase(log.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(has(inspect(log), kEntryMissing, i)) << i;
  }
}

TEST_F(InspectLog, FindsADeletedEntryWhenTheRestWasRenumbered) {
  auto log = log_;
  log.erase(log.begin() + 3);
  for (std::uint64_t i = 0; i < log.size(); ++i) log[i].index = i;
  EXPECT_TRUE(has(inspect(log), kRootDiffers, 0));
}

TEST_F(InspectLog, FindsSwappedEntries) {
  auto log = log_;
  std::swap(log[2], log[9]);
  EXPECT_TRUE(has(inspect(log), kEntryMissing, 2));
  std::swap(log[2].index, log[9].index);
  EXPECT_TRUE(has(inspect(log), kRootDiffers, 0));
}

TEST_F(InspectLog, FindsATruncatedTail) {
  for (std::size_t size = 0; size < 18; ++size) {
    const std::vector<StoredLeaf> log(log_.begin(),
                                      log_.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_TRUE(has(inspect(log), kLogTruncated, size)) << size;
  }
}

TEST_F(InspectLog, FindsAnInsertedEntry) {
  auto log = log_;
  log.insert(log.begin() + 4, StoredLeaf{4, "made up", leaf_hash("made up")});
  for (std::uint64_t i = 0; i < log.size(); ++i) log[i].index = i;
  EXPECT_TRUE(has(inspect(log), kRootDiffers, 0));
}

TEST_F(InspectLog, FindsACheckpointOfAnotherKey) {
  checkpoints_.push_back(checkpoint_at(log_, 5, some_key(2)));
  EXPECT_TRUE(has(inspect(log_), kCheckpointBad, std::nullopt));
}

TEST_F(InspectLog, FindsAForkedCheckpoint) {
  auto fork = log_;
  fork[10].body = "another history";
  checkpoints_ = {checkpoint_at(log_, 18, key_), checkpoint_at(fork, 12, key_)};
  EXPECT_TRUE(has(inspect(log_), kRootDiffers, 0));
}

TEST_F(InspectLog, IsNotInOrderWithoutACheckpoint) {
  checkpoints_.clear();
  EXPECT_TRUE(has(inspect(log_), kCheckpointMissing, 0));
  EXPECT_TRUE(inspect({}).ok());
}

TEST_F(InspectLog, PassesOnWhatTheSourceFailedWith) {
  const LeafSource broken = []() -> Result<std::optional<StoredLeaf>> {
    return fail(ErrorKind::Io, "disk");
  };
  EXPECT_EQ(inspect_log(broken, checkpoints_, key_.verifier()).error().kind(), ErrorKind::Io);
}

TEST(VerifyLog, GivesTheFirstFindingAsAnError) {
  const auto key = some_key();
  auto log = some_log(5);
  const auto checkpoint = checkpoint_at(log, 5, key);
  EXPECT_TRUE(verify_log(source_of(log), checkpoint, key.verifier()));
  log[3].body[0] ^= 1;
  const auto verified = verify_log(source_of(log), checkpoint, key.verifier());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().kind(), ErrorKind::FailedPrecondition);
  EXPECT_EQ(verified.error().code(), kEntryAltered);
}

}  // namespace
}  // namespace bailey
