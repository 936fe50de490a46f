#include "orchestrator/record/store/offline_audit.hpp"

#include "orchestrator/record/audit/log_key.hpp"
#include "orchestrator/record/store/checkpointing.hpp"
#include "tests/support/fake_random.hpp"
#include "tests/unit/record/store/database_fixture.hpp"

#include <algorithm>
#include <sys/stat.h>

namespace bailey {
namespace {

using test::entry_about;
using test::FakeRandom;

LogKey some_key(std::uint64_t seed = 1) {
  FakeRandom random(seed);
  return LogKey::generate("bailey.example/log", random).value();
}

class OfflineAuditTest : public test::DatabaseTest {
 protected:
  void append(StateStore& store, int count) {
    auto transaction = store.begin(Access::Write).value();
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(transaction->append(entry_about("entry " + std::to_string(next_++))));
    }
    ASSERT_TRUE(transaction->commit());
  }
  std::string checkpoint(StateStore& store) {
    return in_transaction(
               store, Access::Write,
               [&](Transaction& transaction) { return sign_checkpoint(transaction, key_); })
        .value();
  }
  // Seven entries, a checkpoint, five more, a checkpoint.
  void fill() {
    const auto store = open();
    append(*store, 7);
    first_checkpoint_ = checkpoint(*store);
    append(*store, 5);
    checkpoint(*store);
  }
  LogReport audit(const std::vector<std::string>& witnessed = {}) {
    return audit_database(file_, key_.verifier(), witnessed).value();
  }
  // The report after `sql` was run on a copy.
  LogReport audit_after(const std::string& sql) {
    const auto copy = folder_.path() / "copy.db";
    std::filesystem::remove(copy);
    std::filesystem::copy_file(file_, copy);
    tamper(copy, kDropGuards + sql);
    return audit_database(copy, key_.verifier()).value();
  }

  LogKey key_ = some_key();
  int next_ = 0;
  std::string first_checkpoint_;
};

TEST_F(OfflineAuditTest, AcceptsAnUntouchedDatabase) {
  fill();
  const auto report = audit({first_checkpoint_});
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.entries, 12U);
  EXPECT_EQ(report.signed_entries, 12U);
}

TEST_F(OfflineAuditTest, AcceptsADatabaseThatIsInUse) {
  fill();
  const auto store = open();
  append(*store, 3);
  const auto report = audit();
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.entries, 15U);
  EXPECT_EQ(report.signed_entries, 12U);
}

TEST_F(OfflineAuditTest, LeavesNoTraceBesideACopyThatNobodyUses) {
  fill();
  ASSERT_TRUE(audit().ok());
  const auto files = std::distance(std::filesystem::directory_iterator(folder_.path()),
                                   std::filesystem::directory_iterator());
  EXPECT_EQ(files, 1);
}

TEST_F(OfflineAuditTest, FindsEveryChangedByteOfEveryEntry) {
  fill();
  const auto records =
      open(OpenMode::ReadOnly)->begin(Access::Read).value()->log_records(0, 100).value();
  ASSERT_EQ(records.size(), 12U);
  const auto copy = folder_.path() / "copy.db";
  std::filesystem::copy_file(file_, copy);
  tamper(copy, kDropGuards);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(copy.c_str(), &database), SQLITE_OK);
  sqlite3_exec(database, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY", nullptr, nullptr,
               nullptr);
  const auto set_body = [&](std::uint64_t index, const std::string& body) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database, "UPDATE log_entry SET body = ? WHERE idx = ?", -1, &statement,
                       nullptr);
    sqlite3_bind_text(statement, 1, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, static_cast<sqlite3_int64>(index));
    EXPECT_EQ(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
  };
  for (const auto& record : records) {
    for (std::size_t i = 0; i < record.body.size(); ++i) {
      auto body = record.body;
      body[i] = static_cast<char>(body[i] ^ 1);
      set_body(record.index, body);
      const auto report = audit_database(copy, key_.verifier()).value();
      ASSERT_FALSE(report.ok()) << record.index << " " << i;
      ASSERT_EQ(report.findings.front().code, kEntryAltered);
      ASSERT_EQ(report.findings.front().first_untrusted, record.index);
    }
    set_body(record.index, record.body);
  }
  sqlite3_close(database);
  EXPECT_TRUE(audit_database(copy, key_.verifier())->ok());
}

TEST_F(OfflineAuditTest, FindsDeletedRows) {
  fill();
  for (int i = 0; i < 12; ++i) {
    const auto row = std::to_string(i);
    EXPECT_FALSE(audit_after("DELETE FROM log_entry WHERE idx = " + row).ok()) << i;
    EXPECT_FALSE(audit_after("DELETE FROM log_entry WHERE idx = " + row +
                             "; UPDATE log_entry SET idx = idx - 1 WHERE idx > " + row)
                     .ok())
        << i;
  }
}

TEST_F(OfflineAuditTest, FindsSwappedRows) {
  fill();
  for (int i = 0; i < 11; ++i) {
    const auto a = std::to_string(i);
    const auto b = std::to_string(i + 1);
    EXPECT_FALSE(audit_after("UPDATE log_entry SET idx = -1 WHERE idx = " + a +
                             "; UPDATE log_entry SET idx = " + a + " WHERE idx = " + b +
                             "; UPDATE log_entry SET idx = " + b + " WHERE idx = -1")
                     .ok())
        << i;
  }
}

TEST_F(OfflineAuditTest, FindsATailThatWasCutOff) {
  fill();
  for (int size = 0; size < 12; ++size) {
    const auto report = audit_after("DELETE FROM log_entry WHERE idx >= " + std::to_string(size));
    EXPECT_TRUE(std::any_of(report.findings.begin(), report.findings.end(), [](const auto& one) {
      return one.code == kLogTruncated;
    })) << size;
  }
}

TEST_F(OfflineAuditTest, FindsALogWithoutItsCheckpoints) {
  fill();
  EXPECT_FALSE(audit_after("DELETE FROM log_checkpoint").ok());
}

TEST_F(OfflineAuditTest, AWitnessedCheckpointShowsALogThatWasSignedAnew) {
  fill();
  const auto honest = first_checkpoint_;
  std::filesystem::remove(file_);
  next_ = 100;
  fill();
  EXPECT_TRUE(audit().ok());
  const auto report = audit({honest});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings.front().code, kRootDiffers);
}

TEST_F(OfflineAuditTest, TrustsNoOtherKey) {
  fill();
  const auto report = audit_database(file_, some_key(2).verifier()).value();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings.front().code, kCheckpointBad);
}

TEST_F(OfflineAuditTest, RefusesWhatIsNoDatabaseOfOurs) {
  EXPECT_EQ(audit_database(file_, key_.verifier()).error().kind(), ErrorKind::Io);
  ASSERT_TRUE(write_file(file_, std::string(5000, 'x')));
  EXPECT_EQ(audit_database(file_, key_.verifier()).error().kind(), ErrorKind::Io);
  std::filesystem::remove(file_);
  tamper("CREATE TABLE theirs (x)");
  EXPECT_EQ(audit_database(file_, key_.verifier()).error().kind(), ErrorKind::FailedPrecondition);
}

class CheckpointingTest : public OfflineAuditTest {
 protected:
  Status sign_with(StateStore& store, const LogKey& key) {
    return in_transaction(store, Access::Write, [&](Transaction& transaction) -> Status {
      auto note = sign_checkpoint(transaction, key);
      if (!note) return fail(std::move(note.error()));
      return {};
    });
  }
};

TEST_F(CheckpointingTest, SignsAnEmptyLogAndTheSameSizeTwice) {
  const auto store = open();
  EXPECT_TRUE(sign_with(*store, key_));
  EXPECT_TRUE(sign_with(*store, key_));
  append(*store, 3);
  EXPECT_TRUE(sign_with(*store, key_));
  EXPECT_EQ(open_checkpoint(store->begin(Access::Read).value()->newest_checkpoint()->value(),
                            key_.verifier())
                ->size,
            3U);
}

TEST_F(CheckpointingTest, DoesNotSignAfterAnotherKey) {
  fill();
  const auto refused = sign_with(*open(), some_key(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), kCheckpointBad);
}

TEST_F(CheckpointingTest, DoesNotSignOverAShortenedLog) {
  fill();
  tamper(std::string(kDropGuards) + "DELETE FROM log_entry WHERE idx = 11");
  const auto refused = sign_with(*open(), key_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::FailedPrecondition);
  EXPECT_EQ(refused.error().code(), kLogTruncated);
}

TEST_F(CheckpointingTest, DoesNotSignOverARewrittenTree) {
  fill();
  tamper("UPDATE log_node SET hash = zeroblob(32) WHERE level = 3");
  const auto refused = sign_with(*open(), key_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), kRootDiffers);
}

}  // namespace
}  // namespace bailey
