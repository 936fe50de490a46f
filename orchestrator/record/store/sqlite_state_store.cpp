#include "orchestrator/record/store/sqlite_state_store.hpp"

#include "orchestrator/record/store/sqlite_pool.hpp"
#include "orchestrator/record/store/sqlite_schema.hpp"
#include "orchestrator/record/store/sqlite_transaction.hpp"

#include <utility>

namespace bailey {

namespace {

constexpr std::size_t kMostIdle = 8;

}  // namespace

SqliteStateStore::Pool::Pool(std::filesystem::path file, OpenMode mode, SqliteOptions options)
    : file_(std::move(file)), mode_(mode), options_(options) {}

Result<std::unique_ptr<SqliteConnection>> SqliteStateStore::Pool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return SqliteConnection::open(file_, mode_, options_.busy_timeout);
}

void SqliteStateStore::Pool::give_back(std::unique_ptr<SqliteConnection> connection) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(connection));
}

Status SqliteStateStore::Pool::acquire_writer() {
  if (mode_ != OpenMode::ReadWrite) {
    return fail(ErrorKind::FailedPrecondition, "the database is open for reading only");
  }
  std::unique_lock lock(mutex_);
  if (!writer_left_.wait_for(lock, options_.busy_timeout, [this] { return !writing_; })) {
    return fail(Error(ErrorKind::Unavailable, "another write to the database takes too long")
                    .with_code(std::string(kStoreFailed)));
  }
  writing_ = true;
  return {};
}

void SqliteStateStore::Pool::release_writer() {
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
  }
  writer_left_.notify_one();
}

SqliteStateStore::SqliteStateStore(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

SqliteStateStore::~SqliteStateStore() = default;

Result<std::unique_ptr<SqliteStateStore>> SqliteStateStore::open(const std::filesystem::path& file,
                                                                 OpenMode mode,
                                                                 SqliteOptions options) {
  auto pool = std::make_shared<Pool>(file, mode, options);
  auto connection = pool->take();
  if (!connection) return fail(std::move(connection.error()));
  auto ready = mode == OpenMode::ReadWrite ? migrate(**connection) : require_schema(**connection);
  if (!ready) return fail(std::move(ready.error()).in("opening the database " + file.string()));
  pool->give_back(*std::move(connection));
  return std::unique_ptr<SqliteStateStore>(new SqliteStateStore(std::move(pool)));
}

Result<std::unique_ptr<Transaction>> SqliteStateStore::begin(Access access) {
  return SqliteTransaction::begin(pool_, access);
}

}  // namespace bailey
