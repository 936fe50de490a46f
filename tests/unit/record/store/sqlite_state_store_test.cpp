#include "orchestrator/record/store/sqlite_state_store.hpp"

#include "tests/unit/record/store/database_fixture.hpp"
#include "tests/unit/record/store/faulty_disk.hpp"

#include <sys/stat.h>

namespace bailey {
namespace {

using test::entry_about;
using test::FaultyDisk;

class SqliteStateStoreTest : public test::DatabaseTest {
 protected:
  static Status put(StateStore& store, const std::string& key, int body) {
    return in_transaction(store, Access::Write, [&](Transaction& transaction) -> Status {
      if (auto done = transaction.put(Collection::Setting, key, body); !done) {
        return fail(std::move(done.error()));
      }
      if (auto done = transaction.append(entry_about(key)); !done) {
        return fail(std::move(done.error()));
      }
      return {};
    });
  }
  static std::optional<Record> get(StateStore& store, const std::string& key) {
    return store.begin(Access::Read).value()->get(Collection::Setting, key).value();
  }
  static unsigned mode_of(const std::filesystem::path& file) {
    struct stat info {};
    return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
  }
};

TEST_F(SqliteStateStoreTest, KeepsItsFilesPrivate) {
  const auto store = open();
  ASSERT_TRUE(put(*store, "key", 1));
  EXPECT_EQ(mode_of(file_), 0600U);
  EXPECT_EQ(mode_of(file_.string() + "-wal"), 0600U);
  EXPECT_EQ(mode_of(file_.string() + "-shm"), 0600U);
}

TEST_F(SqliteStateStoreTest, MakesAWideOpenFilePrivate) {
  open();
  ASSERT_EQ(::chmod(file_.c_str(), 0644), 0);
  open();
  EXPECT_EQ(mode_of(file_), 0600U);
}

TEST_F(SqliteStateStoreTest, OpensPathsThatLookLikeUris) {
  file_ = folder_.path() / "a b?mode=memory&x=%41#.db";
  { ASSERT_TRUE(put(*open(), "key", 1)); }
  EXPECT_TRUE(std::filesystem::exists(file_));
  EXPECT_TRUE(get(*open(), "key").has_value());
}

TEST_F(SqliteStateStoreTest, FindsTheOpenChangesOfADatabaseOfVersionOne) {
  open();
  tamper(R"(
    DROP TABLE open_change;
    DROP TABLE drift;
    DROP TABLE access_grant;
    INSERT INTO change VALUES
      ('a', 1, '{"environment": "dev", "state": "done", "created_at": "2026-01-01T00:00:00Z"}'),
      ('b', 1, '{"environment": "dev", "state": "waiting", "created_at": "2026-01-02T00:00:00Z"}'),
      ('c', 7, '{"environment": "test", "state": "executing", "created_at": "2026-01-03T00:00:00Z"}');
    PRAGMA user_version = 1;
  )");
  const auto store = open();
  const auto records = store->begin(Access::Read).value()->list(Collection::OpenChange, {}).value();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].key, "b");
  EXPECT_EQ(records[0].body,
            nlohmann::json({{"environment", "dev"}, {"created_at", "2026-01-02T00:00:00Z"}}));
  EXPECT_EQ(records[1].key, "c");
}

TEST_F(SqliteStateStoreTest, RefusesADatabaseOfANewerProgram) {
  open();
  tamper("PRAGMA user_version = 99");
  for (const auto mode : {OpenMode::ReadWrite, OpenMode::ReadOnly, OpenMode::ReadOnlyCopy}) {
    const auto opened = SqliteStateStore::open(file_, mode);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind(), ErrorKind::FailedPrecondition);
    EXPECT_EQ(opened.error().code(), "store.newer-schema");
  }
}

TEST_F(SqliteStateStoreTest, RefusesADatabaseOfAnotherProgramAndLeavesIt) {
  tamper("CREATE TABLE theirs (x); PRAGMA user_version = 0;");
  const auto opened = SqliteStateStore::open(file_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), "store.foreign-database");
  tamper("INSERT INTO theirs VALUES (1)");
}

TEST_F(SqliteStateStoreTest, RefusesAFileThatIsNoDatabase) {
  ASSERT_TRUE(write_file(file_, std::string(5000, 'x')));
  EXPECT_EQ(SqliteStateStore::open(file_).error().kind(), ErrorKind::Io);
  EXPECT_EQ(read_file(file_).value(), std::string(5000, 'x'));
}

TEST_F(SqliteStateStoreTest, RefusesAFolderThatIsNotThere) {
  EXPECT_EQ(SqliteStateStore::open(folder_.path() / "none" / "state.db").error().kind(),
            ErrorKind::Io);
  EXPECT_EQ(SqliteStateStore::open(file_, OpenMode::ReadOnly).error().kind(), ErrorKind::Io);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(SqliteStateStoreTest, ReadsOnlyWhenOpenedForReading) {
  const auto writer = open();
  ASSERT_TRUE(put(*writer, "key", 1));
  const auto reader = open(OpenMode::ReadOnly);
  EXPECT_EQ(get(*reader, "key")->body, 1);
  EXPECT_EQ(reader->begin(Access::Write).error().kind(), ErrorKind::FailedPrecondition);
  ASSERT_TRUE(put(*writer, "key", 2));
  EXPECT_EQ(get(*reader, "key")->body, 2);
}

TEST_F(SqliteStateStoreTest, AWriteThatCannotHaveItsTurnIsUnavailable) {
  const auto store =
      SqliteStateStore::open(file_, OpenMode::ReadWrite, {std::chrono::milliseconds(1)}).value();
  const auto other =
      SqliteStateStore::open(file_, OpenMode::ReadWrite, {std::chrono::milliseconds(1)}).value();
  const auto first = store->begin(Access::Write);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(store->begin(Access::Write).error().kind(), ErrorKind::Unavailable);
  EXPECT_EQ(other->begin(Access::Write).error().kind(), ErrorKind::Unavailable);
}

TEST_F(SqliteStateStoreTest, TheLogCannotBeChangedByAccident) {
  const auto store = open();
  ASSERT_TRUE(put(*store, "key", 1));
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &database), SQLITE_OK);
  EXPECT_NE(sqlite3_exec(database, "UPDATE log_entry SET body = ''", nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_NE(sqlite3_exec(database, "DELETE FROM log_entry", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
}

TEST_F(SqliteStateStoreTest, AppendsNothingToAShortenedLog) {
  const auto store = open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(put(*store, "key", i));
  ASSERT_TRUE(in_transaction(*store, Access::Write, [](Transaction& transaction) {
    return transaction.put_checkpoint(4, "note");
  }));
  tamper(std::string(kDropGuards) + "DELETE FROM log_entry WHERE idx = 3");
  const auto refused = put(*store, "key", 9);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::FailedPrecondition);
  EXPECT_EQ(get(*store, "key")->body, 3);
}

TEST_F(SqliteStateStoreTest, ADamagedRecordIsAnIoError) {
  const auto store = open();
  ASSERT_TRUE(put(*store, "key", 1));
  tamper("UPDATE setting SET body = '{'");
  EXPECT_EQ(store->begin(Access::Read).value()->get(Collection::Setting, "key").error().kind(),
            ErrorKind::Io);
}

TEST_F(SqliteStateStoreTest, AFailingDiskChangesNothing) {
  for (int nth = 1;; ++nth) {
    std::filesystem::remove_all(folder_.path());
    std::filesystem::create_directory(folder_.path());
    FaultyDisk disk;
    bool failed = false;
    {
      const auto store = open();
      ASSERT_TRUE(put(*store, "key", 1));
      disk.fail_call(nth);
      const auto changed = put(*store, "key", 2);
      disk.heal();
      failed = !changed;
      if (failed) {
        EXPECT_EQ(changed.error().kind(), ErrorKind::Io) << nth;
      }
      EXPECT_EQ(get(*store, "key")->body, failed ? 1 : 2) << nth;
    }
    const auto store = open();
    auto reader = store->begin(Access::Read).value();
    EXPECT_EQ(reader->get(Collection::Setting, "key").value()->body, failed ? 1 : 2) << nth;
    EXPECT_EQ(reader->log_size().value(), failed ? 1U : 2U) << nth;
    reader.reset();
    ASSERT_TRUE(put(*store, "key", 3)) << nth;
    if (!disk.fired()) {
      EXPECT_GT(nth, 3);
      break;
    }
  }
}

TEST_F(SqliteStateStoreTest, AFailingDiskLeavesNoHalfMadeDatabase) {
  for (int nth = 1;; ++nth) {
    std::filesystem::remove_all(folder_.path());
    std::filesystem::create_directory(folder_.path());
    FaultyDisk disk;
    disk.fail_call(nth);
    const auto first = SqliteStateStore::open(file_);
    disk.heal();
    if (!first) {
      EXPECT_EQ(first.error().kind(), ErrorKind::Io) << nth;
    }
    const auto second = SqliteStateStore::open(file_);
    ASSERT_TRUE(second.has_value()) << nth;
    ASSERT_TRUE(put(**second, "key", 1)) << nth;
    if (!disk.fired()) break;
  }
}

TEST_F(SqliteStateStoreTest, NothingFollowsAFailedCall) {
  const auto store = open();
  ASSERT_TRUE(put(*store, "key", 1));
  tamper("DROP TABLE lease");
  auto transaction = store->begin(Access::Write).value();
  ASSERT_TRUE(transaction->put(Collection::Setting, "key", 2));
  EXPECT_EQ(transaction->put(Collection::Lease, "x", 1).error().kind(), ErrorKind::Io);
  EXPECT_EQ(transaction->put(Collection::Setting, "key", 3).error().kind(), ErrorKind::Io);
  EXPECT_EQ(transaction->commit().error().kind(), ErrorKind::Io);
  transaction.reset();
  EXPECT_EQ(get(*store, "key")->body, 1);
  EXPECT_TRUE(put(*store, "key", 4));
}

}  // namespace
}  // namespace bailey
