#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/record/store/sqlite_connection.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <chrono>
#include <filesystem>
#include <memory>

namespace bailey {

struct SqliteOptions {
  /// How long a write waits for another writer, of this process or another one, before it is
  /// Unavailable.
  std::chrono::milliseconds busy_timeout{std::chrono::seconds(30)};
};

/// The store in one SQLite file of mode 0600 (and its -wal and -shm beside it). Several processes
/// may use it at once on one machine. A transaction has a connection of its own for as long as it
/// lives; idle ones are kept. Transactions may outlive the store.
///
/// Opened for reading only, every write transaction is FailedPrecondition.
class SqliteStateStore final : public StateStore {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SqliteStateStore>> open(
      const std::filesystem::path& file, OpenMode mode = OpenMode::ReadWrite,
      SqliteOptions options = {});
  ~SqliteStateStore() override;

  Result<std::unique_ptr<Transaction>> begin(Access access) override;

  class Pool;

 private:
  explicit SqliteStateStore(std::shared_ptr<Pool> pool);
  std::shared_ptr<Pool> pool_;
};

}  // namespace bailey
