#pragma once

#include "orchestrator/record/store/sqlite_state_store.hpp"

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

namespace bailey {

/// Idle connections, and the turn to write. The turn is taken here before SQLite's own lock is
/// asked for, because SQLite waits by polling and starves whoever has bad luck. Thread-safe.
class SqliteStateStore::Pool {
 public:
  Pool(std::filesystem::path file, OpenMode mode, SqliteOptions options);
  [[nodiscard]] Result<std::unique_ptr<SqliteConnection>> take();
  /// Only a connection without a transaction, and never one that failed.
  void give_back(std::unique_ptr<SqliteConnection> connection);
  [[nodiscard]] Status acquire_writer();
  void release_writer();

 private:
  std::filesystem::path file_;
  OpenMode mode_;
  SqliteOptions options_;
  std::mutex mutex_;
  std::condition_variable writer_left_;
  bool writing_ = false;
  std::vector<std::unique_ptr<SqliteConnection>> idle_;
};

}  // namespace bailey
