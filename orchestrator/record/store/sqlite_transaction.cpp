#include "orchestrator/record/store/sqlite_transaction.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/record/store/sqlite_schema.hpp"

#include <fmt/format.h>

#include <utility>

namespace bailey {

namespace {

// What a C2SP entry bundle can hold.
constexpr std::size_t kMaxEntryBytes = 65'535;
// Our own writing, so larger and deeper than what is taken from outside.
constexpr JsonLimits kBodyLimits{.max_bytes = std::size_t{1} << 30, .max_depth = 512};

Result<std::string> body_text(const Json& body) {
  try {
    return body.dump();
  } catch (const Json::exception&) {
    return fail(ErrorKind::InvalidArgument, "the record holds text that is not UTF-8");
  }
}

Status check_key(std::string_view key) {
  if (key.empty() || key.find('\0') != key.npos || find_invalid_utf8(key)) {
    return fail(ErrorKind::InvalidArgument, "a key is UTF-8 without NUL, and not empty");
  }
  return {};
}

Result<Record> record_of(std::string key, std::uint64_t version, std::string_view text) {
  auto body = parse_json(text, kBodyLimits);
  if (!body) {
    return fail(ErrorKind::Io, fmt::format("the record \"{}\" of the database is damaged", key));
  }
  return Record{std::move(key), version, *std::move(body)};
}

// The first text beyond all that start with `prefix`; empty when there is none.
std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

std::vector<std::string> raw_hashes(const std::vector<Sha256>& hashes) {
  std::vector<std::string> raw;
  for (const auto& hash : hashes) raw.emplace_back(bytes_of(hash));
  return raw;
}

// Failures after which SQLite's transaction is not to be trusted.
bool breaks(ErrorKind kind) {
  return kind == ErrorKind::Io || kind == ErrorKind::Unavailable || kind == ErrorKind::Internal;
}

}  // namespace

SqliteTransaction::SqliteTransaction(std::shared_ptr<SqliteStateStore::Pool> pool,
                                     std::unique_ptr<SqliteConnection> connection, Access access)
    : pool_(std::move(pool)), connection_(std::move(connection)), access_(access) {}

Result<std::unique_ptr<Transaction>> SqliteTransaction::begin(
    std::shared_ptr<SqliteStateStore::Pool> pool, Access access) {
  if (access == Access::Write) {
    if (auto turn = pool->acquire_writer(); !turn) return fail(std::move(turn.error()));
  }
  const auto release = [&] {
    if (access == Access::Write) pool->release_writer();
  };
  auto connection = pool->take();
  if (!connection) {
    release();
    return fail(std::move(connection.error()));
  }
  auto begun = (*connection)->run(access == Access::Write ? "BEGIN IMMEDIATE" : "BEGIN");
  if (begun && access == Access::Read) {
    // SQLite takes the snapshot with the first read, not with BEGIN.
    auto first = (*connection)->number("SELECT count(*) FROM sqlite_schema");
    if (!first) begun = fail(std::move(first.error()));
  }
  if (!begun) {
    release();
    return fail(std::move(begun.error()).in("beginning a transaction"));
  }
  return std::unique_ptr<Transaction>(
      new SqliteTransaction(std::move(pool), *std::move(connection), access));
}

SqliteTransaction::~SqliteTransaction() {
  if (phase_ != Phase::Ended) end();
}

// Without commit() before it, this undoes everything. A connection whose rollback failed, or that
// has seen a failure, is closed: closing rolls back as well.
void SqliteTransaction::end() {
  const bool sound = phase_ == Phase::Open &&
                     (!connection_->in_transaction() || connection_->run("ROLLBACK").has_value());
  phase_ = Phase::Ended;
  if (sound) {
    pool_->give_back(std::move(connection_));
  } else {
    connection_.reset();
  }
  if (access_ == Access::Write) pool_->release_writer();
}

Status SqliteTransaction::usable(Need need) const {
  if (phase_ == Phase::Ended) return fail(ErrorKind::Internal, "the transaction has ended");
  if (phase_ == Phase::Broken) {
    return fail(ErrorKind::Io, "an earlier call of the transaction failed");
  }
  if (need == Need::Write && access_ == Access::Read) {
    return fail(ErrorKind::Internal, "a write in a transaction that only reads");
  }
  return {};
}

template <class Act>
auto SqliteTransaction::guarded(Need need, Act&& act) -> decltype(act()) {
  if (auto ready = usable(need); !ready) return fail(std::move(ready.error()));
  auto result = act();
  if (!result && breaks(result.error().kind())) phase_ = Phase::Broken;
  return result;
}

Result<std::optional<Record>> SqliteTransaction::get(Collection collection, std::string_view key) {
  return guarded(Need::Read, [&]() -> Result<std::optional<Record>> {
    auto statement = connection_->prepare(
        fmt::format("SELECT version, body FROM {} WHERE key = ?", table_of(collection)));
    if (!statement) return fail(std::move(statement.error()));
    auto row = statement->text(key).step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return std::nullopt;
    auto record = record_of(std::string(key), statement->number_at(0), statement->bytes_at(1));
    if (!record) return fail(std::move(record.error()));
    return *std::move(record);
  });
}

Result<std::vector<Record>> SqliteTransaction::list(Collection collection,
                                                    const ListOptions& options) {
  return guarded(Need::Read, [&]() -> Result<std::vector<Record>> {
    const auto end = end_of_prefix(options.prefix);
    auto statement = connection_->prepare(
        fmt::format("SELECT key, version, body FROM {} WHERE key > ? AND key >= ?{} ORDER BY key "
                    "LIMIT ?",
                    table_of(collection), end.empty() ? "" : " AND key < ?"));
    if (!statement) return fail(std::move(statement.error()));
    statement->text(options.after).text(options.prefix);
    if (!end.empty()) statement->text(end);
    statement->number(options.limit == 0 ? UINT64_MAX : options.limit);
    std::vector<Record> records;
    for (;;) {
      auto row = statement->step();
      if (!row) return fail(std::move(row.error()));
      if (!*row) return records;
      auto record =
          record_of(statement->bytes_at(0), statement->number_at(1), statement->bytes_at(2));
      if (!record) return fail(std::move(record.error()));
      records.push_back(*std::move(record));
    }
  });
}

// 0 when there is no such record.
Result<std::uint64_t> SqliteTransaction::version_of(Collection collection, std::string_view key) {
  auto statement = connection_->prepare(
      fmt::format("SELECT version FROM {} WHERE key = ?", table_of(collection)));
  if (!statement) return fail(std::move(statement.error()));
  auto row = statement->text(key).step();
  if (!row) return fail(std::move(row.error()));
  return *row ? statement->number_at(0) : kAbsent;
}

Result<std::uint64_t> SqliteTransaction::put(Collection collection, std::string_view key,
                                             const nlohmann::json& body, std::uint64_t expected) {
  return guarded(Need::Write, [&]() -> Result<std::uint64_t> {
    if (auto good = check_key(key); !good) return fail(std::move(good.error()));
    auto text = body_text(body);
    if (!text) return fail(std::move(text.error()));
    if (expected != kAnyVersion) {
      auto version = version_of(collection, key);
      if (!version) return version;
      if (expected != *version) {
        return fail(ErrorKind::Conflict, fmt::format("the {} \"{}\" has changed in the meantime",
                                                     table_of(collection), key));
      }
    }
    auto statement = connection_->prepare(
        fmt::format("INSERT INTO {} (key, version, body) VALUES (?, 1, ?) ON CONFLICT (key) DO "
                    "UPDATE SET version = version + 1, body = excluded.body RETURNING version",
                    table_of(collection)));
    if (!statement) return fail(std::move(statement.error()));
    auto row = statement->text(key).text(*text).step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return fail(ErrorKind::Io, "database: a row is missing");
    return statement->number_at(0);
  });
}

Result<bool> SqliteTransaction::erase(Collection collection, std::string_view key) {
  return guarded(Need::Write, [&]() -> Result<bool> {
    auto statement = connection_->prepare(
        fmt::format("DELETE FROM {} WHERE key = ? RETURNING version", table_of(collection)));
    if (!statement) return fail(std::move(statement.error()));
    return statement->text(key).step();
  });
}

Result<std::uint64_t> SqliteTransaction::append(const AuditEntry& entry) {
  return guarded(Need::Write, [&]() -> Result<std::uint64_t> {
    const auto body = canonical(to_json(entry));
    if (body.size() > kMaxEntryBytes) {
      return fail(
          ErrorKind::InvalidArgument,
          fmt::format("an audit entry of {} bytes is larger than {}", body.size(), kMaxEntryBytes));
    }
    if (find_invalid_utf8(body)) {
      return fail(ErrorKind::InvalidArgument, "the audit entry holds text that is not UTF-8");
    }
    return SqliteLog(*connection_).append(body);
  });
}

Result<std::uint64_t> SqliteTransaction::log_size() {
  return guarded(Need::Read, [&] { return SqliteLog(*connection_).size(); });
}

Result<std::vector<LogRecord>> SqliteTransaction::log_records(std::uint64_t from,
                                                              std::size_t limit) {
  return guarded(Need::Read, [&] { return SqliteLog(*connection_).records(from, limit); });
}

Result<std::string> SqliteTransaction::log_root(std::uint64_t size) {
  return guarded(Need::Read, [&]() -> Result<std::string> {
    return SqliteLog(*connection_).root(size).map([](const Sha256& root) {
      return std::string(bytes_of(root));
    });
  });
}

Result<std::vector<std::string>> SqliteTransaction::inclusion_proof(std::uint64_t index,
                                                                    std::uint64_t size) {
  return guarded(Need::Read, [&]() -> Result<std::vector<std::string>> {
    return SqliteLog(*connection_).inclusion_proof(index, size).map(raw_hashes);
  });
}

Result<std::vector<std::string>> SqliteTransaction::consistency_proof(std::uint64_t from,
                                                                      std::uint64_t to) {
  return guarded(Need::Read, [&]() -> Result<std::vector<std::string>> {
    return SqliteLog(*connection_).consistency_proof(from, to).map(raw_hashes);
  });
}

Status SqliteTransaction::put_checkpoint(std::uint64_t size, std::string_view note) {
  return guarded(Need::Write, [&] { return SqliteLog(*connection_).put_checkpoint(size, note); });
}

Result<std::optional<std::string>> SqliteTransaction::newest_checkpoint() {
  return guarded(Need::Read, [&] { return SqliteLog(*connection_).newest_checkpoint(); });
}

Status SqliteTransaction::commit() {
  if (auto ready = usable(Need::Read); !ready) return ready;
  auto committed = connection_->run("COMMIT");
  if (!committed) {
    phase_ = Phase::Broken;
    end();
    return fail(std::move(committed.error()).in("committing"));
  }
  end();
  return {};
}

}  // namespace bailey
