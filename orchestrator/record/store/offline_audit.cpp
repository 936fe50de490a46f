#include "orchestrator/record/store/offline_audit.hpp"

#include "orchestrator/record/store/sqlite_connection.hpp"
#include "orchestrator/record/store/sqlite_schema.hpp"

#include <algorithm>
#include <chrono>

namespace bailey {

namespace {

Result<std::vector<std::string>> stored_checkpoints(SqliteConnection& connection) {
  auto statement = connection.prepare("SELECT note FROM log_checkpoint ORDER BY size");
  if (!statement) return fail(std::move(statement.error()));
  std::vector<std::string> notes;
  for (;;) {
    auto row = statement->step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return notes;
    notes.push_back(statement->bytes_at(0));
  }
}

StoredLeaf leaf_of(const SqliteStatement& row) {
  StoredLeaf leaf;
  leaf.index = row.number_at(0);
  leaf.body = row.bytes_at(1);
  const auto hash = row.bytes_at(2);
  // A hash of another length becomes one that no body has.
  leaf.hash.emplace();
  if (hash.size() == leaf.hash->size()) std::copy(hash.begin(), hash.end(), leaf.hash->begin());
  return leaf;
}

}  // namespace

Result<LogReport> audit_database(const std::filesystem::path& database, const NoteVerifier& key,
                                 const std::vector<std::string>& witnessed) {
  auto connection =
      SqliteConnection::open(database, OpenMode::ReadOnlyCopy, std::chrono::seconds(10));
  if (!connection) return fail(std::move(connection.error()));
  if (auto ours = require_schema(**connection); !ours) return fail(std::move(ours.error()));
  if (auto begun = (*connection)->run("BEGIN"); !begun) return fail(std::move(begun.error()));

  auto checkpoints = stored_checkpoints(**connection);
  if (!checkpoints) return fail(std::move(checkpoints.error()));
  checkpoints->insert(checkpoints->end(), witnessed.begin(), witnessed.end());

  auto rows = (*connection)->prepare("SELECT idx, body, leaf_hash FROM log_entry ORDER BY idx");
  if (!rows) return fail(std::move(rows.error()));
  const LeafSource next = [&]() -> Result<std::optional<StoredLeaf>> {
    auto row = rows->step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return std::nullopt;
    return leaf_of(*rows);
  };
  return inspect_log(next, *checkpoints, key);
}

}  // namespace bailey
