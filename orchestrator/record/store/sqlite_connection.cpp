#include "orchestrator/record/store/sqlite_connection.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <fcntl.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace bailey {

namespace {

ErrorKind kind_of_code(int code) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::Unavailable;
    case SQLITE_CONSTRAINT:
      return ErrorKind::Conflict;
    case SQLITE_TOOBIG:
      return ErrorKind::InvalidArgument;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return ErrorKind::Internal;
    default:
      return ErrorKind::Io;
  }
}

// SQLite's own words for a code: they hold no value of a statement.
Error error_of(int code) {
  Error error(kind_of_code(code), fmt::format("database: {}", sqlite3_errstr(code)));
  const bool failed = error.kind() == ErrorKind::Io || error.kind() == ErrorKind::Unavailable;
  return failed ? std::move(error).with_code(std::string(kStoreFailed)) : error;
}

// With the mode from the first byte on. SQLite gives its other files the mode of this one. An
// existing file is not opened here: closing a descriptor drops the locks that SQLite holds on it.
Status make_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) {
    ::close(descriptor);
    return {};
  }
  if (errno != EEXIST) {
    return fail(ErrorKind::Io, fmt::format("cannot make the database {}: {}", file.string(),
                                           std::generic_category().message(errno)));
  }
  struct stat info {};
  const bool wide = ::stat(file.c_str(), &info) == 0 && (info.st_mode & 077) != 0;
  if (wide && ::chmod(file.c_str(), 0600) != 0) {
    return fail(ErrorKind::Io, fmt::format("cannot make {} private", file.string()));
  }
  return {};
}

bool has_log_file(const std::filesystem::path& file) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(file.string() + "-wal", failed);
  return !failed && size > 0;
}

std::string uri_of(const std::filesystem::path& file, OpenMode mode) {
  const bool frozen = mode == OpenMode::ReadOnlyCopy && !has_log_file(file);
  return fmt::format("file:{}{}", percent_encode(file.string()), frozen ? "?immutable=1" : "");
}

}  // namespace

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      bound_(other.bound_),
      failure_(other.failure_) {}

SqliteStatement::~SqliteStatement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void SqliteStatement::note(int code) noexcept {
  if (failure_ == SQLITE_OK) failure_ = code;
}

SqliteStatement& SqliteStatement::text(std::string_view value) {
  note(sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), SQLITE_TRANSIENT,
                           SQLITE_UTF8));
  return *this;
}

SqliteStatement& SqliteStatement::blob(std::string_view value) {
  note(sqlite3_bind_blob64(statement_, ++bound_, value.data(), value.size(), SQLITE_TRANSIENT));
  return *this;
}

SqliteStatement& SqliteStatement::number(std::uint64_t value) {
  constexpr std::uint64_t kLargest = std::numeric_limits<sqlite3_int64>::max();
  note(sqlite3_bind_int64(statement_, ++bound_,
                          static_cast<sqlite3_int64>(std::min(value, kLargest))));
  return *this;
}

Result<bool> SqliteStatement::step() {
  if (failure_ != SQLITE_OK) return fail(error_of(failure_));
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(error_of(sqlite3_extended_errcode(database_)));
}

Status SqliteStatement::run() {
  auto stepped = step();
  if (!stepped) return fail(std::move(stepped.error()));
  return {};
}

bool SqliteStatement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::uint64_t SqliteStatement::number_at(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
}

std::string SqliteStatement::bytes_at(int column) const {
  // The pointer first: SQLite's documentation asks for this order.
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes == nullptr ? std::string() : std::string(bytes, size);
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(
    const std::filesystem::path& file, OpenMode mode, std::chrono::milliseconds busy_timeout) {
  if (mode == OpenMode::ReadWrite) {
    if (auto made = make_private(file); !made) return fail(std::move(made.error()));
  }
  const int access = mode == OpenMode::ReadWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(
      uri_of(file, mode).c_str(), &database,
      access | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(database));
  if (code != SQLITE_OK) {
    return fail(error_of(code).in(fmt::format("opening the database {}", file.string())));
  }
  if (auto ready = connection->set_up(mode, busy_timeout); !ready) {
    return fail(std::move(ready.error()).in(fmt::format("opening the database {}", file.string())));
  }
  return connection;
}

Status SqliteConnection::set_up(OpenMode mode, std::chrono::milliseconds busy_timeout) {
  sqlite3_busy_timeout(database_, static_cast<int>(busy_timeout.count()));
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (auto set = run("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
                     "PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL;");
      !set) {
    return set;
  }
  if (mode != OpenMode::ReadWrite) return run("PRAGMA query_only = ON;");
  // While another process makes the same switch, SQLite answers busy without waiting.
  constexpr int kTries = 50;
  for (int i = 0;; ++i) {
    auto switched = run("PRAGMA journal_mode = WAL;");
    if (switched || switched.error().kind() != ErrorKind::Unavailable || i == kTries) {
      return switched;
    }
    sqlite3_sleep(20);
  }
}

SqliteConnection::~SqliteConnection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

Status SqliteConnection::run(const char* sql) {
  const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error_of(code));
  return {};
}

Result<SqliteStatement> SqliteConnection::prepare(const std::string& sql) {
  auto& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(database_, sql.c_str(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return fail(error_of(code));
  }
  return SqliteStatement(database_, statement);
}

Result<std::uint64_t> SqliteConnection::number(const std::string& sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(std::move(statement.error()));
  auto row = statement->step();
  if (!row) return fail(std::move(row.error()));
  if (!*row) return fail(ErrorKind::Io, "database: a row is missing");
  return statement->number_at(0);
}

bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(database_) == 0;
}

}  // namespace bailey
