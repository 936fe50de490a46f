#include "providers/devcloud/state_file.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/random.hpp"

#include <sodium.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace bailey::devcloud {

class StateFile::Database {
 public:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] Status run(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return failure();
  }
  [[nodiscard]] tl::unexpected<Error> failure() const {
    return fail(ErrorKind::Io,
                std::string("the embedded cloud's state file: ") + sqlite3_errmsg(handle_));
  }
  [[nodiscard]] sqlite3* handle() const noexcept { return handle_; }

 private:
  sqlite3* handle_;
};

namespace {

/// A prepared statement that goes with its scope.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) {
    sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int place, const std::string& text) {
    sqlite3_bind_text(statement_, place, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
  }
  void bind(int place, std::uint64_t number) {
    sqlite3_bind_int64(statement_, place, static_cast<sqlite3_int64>(number));
  }
  [[nodiscard]] int step() {
    return statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_);
  }
  void reset() { sqlite3_reset(statement_); }
  [[nodiscard]] std::string text(int column) {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  [[nodiscard]] std::uint64_t number(int column) {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

/// The key beside the state; a new one only where there is no state that needs the old one.
Result<std::string> key_for(const std::filesystem::path& state) {
  const std::filesystem::path path = state.string() + ".key";
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    auto key = read_file(path, 1024);
    if (!key) return fail(std::move(key.error()));
    if (key->size() != crypto_secretbox_KEYBYTES) {
      return fail(ErrorKind::Io, path.string() + " is no key of the embedded cloud");
    }
    return std::move(*key);
  }
  if (std::filesystem::exists(state, ignored) && std::filesystem::file_size(state, ignored) > 0) {
    return fail(Error(ErrorKind::FailedPrecondition, path.string() + " is missing")
                    .with_hint("Without its key the state cannot be read: restore the key, or "
                               "remove the state file to start afresh."));
  }
  SystemRandom random;
  std::string key = random.bytes(crypto_secretbox_KEYBYTES);
  if (auto written = write_private_file(path, key); !written) {
    return fail(std::move(written.error()));
  }
  return key;
}

/// SQLite would create the file with the umask's mode; its journals take the mode of the file.
Status make_private(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return fail(ErrorKind::Io, "cannot open " + path.string());
  const int changed = ::fchmod(file, 0600);
  ::close(file);
  if (changed != 0) return fail(ErrorKind::Io, "cannot make " + path.string() + " private");
  return {};
}

}  // namespace

StateFile::StateFile(std::unique_ptr<Database> database, std::string key)
    : database_(std::move(database)), key_(std::move(key)) {}

StateFile::~StateFile() = default;

Result<std::unique_ptr<StateFile>> StateFile::open(const std::filesystem::path& path) {
  auto key = key_for(path);
  if (!key) return fail(std::move(key.error()).in("opening the embedded cloud's state"));
  if (auto ready = make_private(path); !ready) return fail(std::move(ready.error()));
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &handle,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  auto database = std::make_unique<Database>(handle);
  if (opened != SQLITE_OK) return fail(ErrorKind::Io, "cannot open " + path.string());
  // Exclusive: two clouds on one file would each overwrite what the other remembers.
  for (const char* sql :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL",
        "CREATE TABLE IF NOT EXISTS objects (kind TEXT NOT NULL, id TEXT NOT NULL, sequence "
        "INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID",
        "BEGIN IMMEDIATE", "COMMIT"}) {
    if (auto done = database->run(sql); !done) return fail(std::move(done.error()));
  }
  return std::unique_ptr<StateFile>(new StateFile(std::move(database), std::move(*key)));
}

Result<std::vector<StoredObject>> StateFile::read_all() {
  Statement rows(database_->handle(),
                 "SELECT kind, id, sequence, body FROM objects ORDER BY sequence");
  std::vector<StoredObject> found;
  int step = rows.step();
  for (; step == SQLITE_ROW; step = rows.step()) {
    found.push_back({.kind = rows.text(0),
                     .id = rows.text(1),
                     .sequence = rows.number(2),
                     .body = rows.text(3)});
  }
  if (step != SQLITE_DONE) return database_->failure();
  return found;
}

Status StateFile::write(const std::vector<StoredChange>& changes) {
  if (auto begun = database_->run("BEGIN IMMEDIATE"); !begun) return begun;
  Statement put(database_->handle(),
                "INSERT INTO objects (kind, id, sequence, body) VALUES (?1, ?2, ?3, ?4) "
                "ON CONFLICT (kind, id) DO UPDATE SET sequence = ?3, body = ?4");
  Statement remove(database_->handle(), "DELETE FROM objects WHERE kind = ?1 AND id = ?2");
  for (const StoredChange& change : changes) {
    Statement& statement = change.object ? put : remove;
    statement.bind(1, change.kind);
    statement.bind(2, change.id);
    if (change.object) {
      statement.bind(3, change.object->sequence);
      statement.bind(4, change.object->body);
    }
    if (statement.step() != SQLITE_DONE) {
      auto failed = database_->failure();
      static_cast<void>(database_->run("ROLLBACK"));
      return failed;
    }
    statement.reset();
  }
  return database_->run("COMMIT");
}

}  // namespace bailey::devcloud
