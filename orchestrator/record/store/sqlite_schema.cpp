#include "orchestrator/record/store/sqlite_schema.hpp"

#include <fmt/format.h>

#include <iterator>

namespace bailey {

namespace {

// "BALY", in the header of the file: tells our databases from others.
constexpr std::uint64_t kApplicationId = 0x42414C59;

// Each brings a database from its place in this list to the next. Once released, one is never
// changed: a change is a further one at the end.
constexpr const char* kMigrations[] = {
    R"sql(
CREATE TABLE setting     (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE bundle      (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE environment (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE resource    (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE intent      (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE change      (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE approval    (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE nonce       (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE verified    (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE artifact    (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE evidence    (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE receipt     (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE credential  (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE sealed      (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE lease       (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE token       (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE identity    (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;

CREATE TABLE log_entry (
  idx       INTEGER PRIMARY KEY,
  leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
  body      TEXT NOT NULL
) STRICT;
-- Roots of complete subtrees from level 1 on; level 0 is log_entry.leaf_hash.
CREATE TABLE log_node (
  level INTEGER NOT NULL,
  idx   INTEGER NOT NULL,
  hash  BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE log_checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;

-- Against accidents only; against intent there are the checkpoints.
CREATE TRIGGER log_entry_is_not_changed BEFORE UPDATE ON log_entry
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_entry_is_not_deleted BEFORE DELETE ON log_entry
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
)sql",
    R"sql(
CREATE TABLE open_change (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
INSERT INTO open_change (key, version, body)
  SELECT key, 1, json_object('environment', json_extract(body, '$.environment'),
                             'created_at', json_extract(body, '$.created_at')) FROM change
  WHERE json_extract(body, '$.state') IN ('planned', 'waiting', 'approved', 'executing', 'verifying');
)sql",
    R"sql(
CREATE TABLE drift (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
)sql",
    R"sql(
CREATE TABLE access_grant (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
)sql",
};

tl::unexpected<Error> refused(std::string message, const char* code) {
  return fail(Error(ErrorKind::FailedPrecondition, std::move(message)).with_code(code));
}

tl::unexpected<Error> foreign() {
  return refused("the file is not a database of bailey", "store.foreign-database");
}

// The version of one of our databases, 0 for an empty file.
Result<std::uint64_t> version_of(SqliteConnection& connection) {
  auto application = connection.number("PRAGMA application_id");
  if (!application) return application;
  auto version = connection.number("PRAGMA user_version");
  if (!version) return version;
  if (*application != kApplicationId) {
    auto objects = connection.number("SELECT count(*) FROM sqlite_schema");
    if (!objects) return objects;
    if (*objects != 0 || *application != 0 || *version != 0) return foreign();
  }
  if (*version > std::size(kMigrations)) {
    return refused(fmt::format("the database is of version {} and this program knows {} at most",
                               *version, std::size(kMigrations)),
                   "store.newer-schema");
  }
  return version;
}

Status migrate_from(SqliteConnection& connection, std::uint64_t version) {
  for (; version < std::size(kMigrations); ++version) {
    if (auto done = connection.run(kMigrations[version]); !done) {
      return fail(std::move(done.error())
                      .in(fmt::format("bringing the database to version {}", version + 1)));
    }
  }
  return connection.run(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};",
                                    kApplicationId, std::size(kMigrations))
                            .c_str());
}

}  // namespace

std::uint64_t schema_version() noexcept {
  return std::size(kMigrations);
}

const char* table_of(Collection collection) noexcept {
  switch (collection) {
    case Collection::Setting:
      return "setting";
    case Collection::Bundle:
      return "bundle";
    case Collection::Environment:
      return "environment";
    case Collection::Resource:
      return "resource";
    case Collection::Intent:
      return "intent";
    case Collection::Change:
      return "change";
    case Collection::OpenChange:
      return "open_change";
    case Collection::Approval:
      return "approval";
    case Collection::Nonce:
      return "nonce";
    case Collection::Verified:
      return "verified";
    case Collection::Artifact:
      return "artifact";
    case Collection::Evidence:
      return "evidence";
    case Collection::Receipt:
      return "receipt";
    case Collection::Credential:
      return "credential";
    case Collection::Sealed:
      return "sealed";
    case Collection::Lease:
      return "lease";
    case Collection::Token:
      return "token";
    case Collection::Identity:
      return "identity";
    case Collection::Drift:
      return "drift";
    case Collection::Grant:
      return "access_grant";
  }
  return "";
}

Status migrate(SqliteConnection& connection) {
  // Most opens find nothing to do, and need not wait for whoever writes.
  auto before = version_of(connection);
  if (!before) return fail(std::move(before.error()));
  if (*before == schema_version()) return {};

  if (auto begun = connection.run("BEGIN IMMEDIATE"); !begun) return begun;
  const auto migrated = [&]() -> Status {
    auto version = version_of(connection);  // Another process may have been quicker.
    if (!version) return fail(std::move(version.error()));
    if (*version < schema_version()) {
      if (auto done = migrate_from(connection, *version); !done) return done;
    }
    return connection.run("COMMIT");
  }();
  if (!migrated && connection.in_transaction()) {
    // The reason is in `migrated`; a failing rollback adds nothing to it.
    static_cast<void>(connection.run("ROLLBACK").has_value());
  }
  return migrated;
}

Status require_schema(SqliteConnection& connection) {
  auto version = version_of(connection);
  if (!version) return fail(std::move(version.error()));
  if (*version == 0) return foreign();
  if (*version < schema_version()) {
    return refused(fmt::format("the database is of version {} and has to be brought to {} first",
                               *version, schema_version()),
                   "store.older-schema");
  }
  return {};
}

}  // namespace bailey
