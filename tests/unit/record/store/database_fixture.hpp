#pragma once

#include "orchestrator/base/file.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

namespace bailey::test {

inline AuditEntry entry_about(const std::string& target) {
  return {.time = "2026-03-04T10:00:00.000Z",
          .actor = "alice",
          .proof = "none",
          .action = "test.act",
          .target = target,
          .outcome = Outcome::Ok,
          .detail = "",
          .request = "",
          .digests = {}};
}

/// A database in a folder of its own, and raw SQL on it as somebody with the file would use.
class DatabaseTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteStateStore> open(OpenMode mode = OpenMode::ReadWrite) {
    return SqliteStateStore::open(file_, mode).value();
  }
  void tamper(const std::string& sql) { tamper(file_, sql); }
  static void tamper(const std::filesystem::path& file, const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    char* problem = nullptr;
    ASSERT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK)
        << problem;
    sqlite3_close(database);
  }
  static constexpr const char* kDropGuards =
      "DROP TRIGGER log_entry_is_not_changed; DROP TRIGGER log_entry_is_not_deleted;";

  TemporaryFolder folder_ = TemporaryFolder::create().value();
  std::filesystem::path file_ = folder_.path() / "state.db";
};

}  // namespace bailey::test
