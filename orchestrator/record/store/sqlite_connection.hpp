#pragma once

#include "orchestrator/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace bailey {

enum class OpenMode : std::uint8_t {
  ReadWrite,     ///< Makes the file when it is absent.
  ReadOnly,      ///< Beside others that may write.
  ReadOnlyCopy,  ///< A file that nobody writes any more: opens on read-only media too.
};

/// A prepared statement with its values, borrowed from its connection; gives it back, reset, when
/// it goes out of scope. One at a time for each text.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement();

  /// Values in the order of the question marks. A failure shows in step().
  SqliteStatement& text(std::string_view value);
  SqliteStatement& blob(std::string_view value);
  /// Beyond what SQLite can hold it is the largest that it can.
  SqliteStatement& number(std::uint64_t value);

  /// True: there is a row.
  Result<bool> step();
  /// For statements without rows.
  Status run();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::uint64_t number_at(int column) const;
  [[nodiscard]] std::string bytes_at(int column) const;

 private:
  void note(int code) noexcept;
  sqlite3* database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
  int failure_ = 0;
};

/// One connection, set up as every one of ours is: WAL, full sync, no code from the file trusted.
/// One thread at a time. Failures are Io; Unavailable when another process holds the lock too long.
class SqliteConnection {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SqliteConnection>> open(
      const std::filesystem::path& file, OpenMode mode, std::chrono::milliseconds busy_timeout);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection();

  /// Runs statements that have neither values nor rows.
  Status run(const char* sql);
  Result<SqliteStatement> prepare(const std::string& sql);
  /// The one number that a statement without values gives.
  Result<std::uint64_t> number(const std::string& sql);
  /// False once SQLite has rolled the transaction back by itself.
  [[nodiscard]] bool in_transaction() const;

 private:
  explicit SqliteConnection(sqlite3* database) : database_(database) {}
  Status set_up(OpenMode mode, std::chrono::milliseconds busy_timeout);
  sqlite3* database_;
  std::map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace bailey
