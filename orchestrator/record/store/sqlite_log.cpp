#include "orchestrator/record/store/sqlite_log.hpp"

#include "orchestrator/base/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr const char* kCheckpointSize = "SELECT coalesce(max(size), 0) FROM log_checkpoint";

}  // namespace

Result<std::uint64_t> SqliteLog::size() {
  return connection_.number("SELECT coalesce(max(idx) + 1, 0) FROM log_entry");
}

Result<Sha256> SqliteLog::node(const NodeId& id) {
  auto statement =
      id.level == 0 ? connection_.prepare("SELECT leaf_hash FROM log_entry WHERE idx = ?")
                    : connection_.prepare("SELECT hash FROM log_node WHERE level = ? AND idx = ?");
  if (!statement) return fail(std::move(statement.error()));
  if (id.level != 0) statement->number(id.level);
  auto row = statement->number(id.index).step();
  if (!row) return fail(std::move(row.error()));
  const auto bytes = *row ? statement->bytes_at(0) : std::string();
  Sha256 hash{};
  if (bytes.size() != hash.size()) {
    return fail(Error(ErrorKind::Io,
                      fmt::format("the log has lost its node {} of level {}", id.index, id.level))
                    .with_code("audit.log-damaged"));
  }
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

NodeLookup SqliteLog::lookup() {
  return [this](const NodeId& id) { return node(id); };
}

Result<std::uint64_t> SqliteLog::append(std::string_view body) {
  auto index = size();
  if (!index) return index;
  auto covered = connection_.number(kCheckpointSize);
  if (!covered) return covered;
  if (*covered > *index) {
    return fail(Error(ErrorKind::FailedPrecondition,
                      fmt::format("{} entries are left of {} that were signed", *index, *covered))
                    .with_code("audit.log-truncated"));
  }
  const auto leaf = leaf_hash(body);
  auto closed = nodes_closed_by(*index, leaf, lookup());
  if (!closed) return fail(std::move(closed.error()));

  auto entry = connection_.prepare("INSERT INTO log_entry (idx, leaf_hash, body) VALUES (?, ?, ?)");
  if (!entry) return fail(std::move(entry.error()));
  if (auto added = entry->number(*index).blob(bytes_of(leaf)).text(body).run(); !added) {
    return fail(std::move(added.error()));
  }
  for (const auto& [id, hash] : *closed) {
    auto row = connection_.prepare("INSERT INTO log_node (level, idx, hash) VALUES (?, ?, ?)");
    if (!row) return fail(std::move(row.error()));
    if (auto added = row->number(id.level).number(id.index).blob(bytes_of(hash)).run(); !added) {
      return fail(std::move(added.error()));
    }
  }
  return index;
}

Result<std::vector<LogRecord>> SqliteLog::records(std::uint64_t from, std::size_t limit) {
  auto statement =
      connection_.prepare("SELECT idx, body FROM log_entry WHERE idx >= ? ORDER BY idx LIMIT ?");
  if (!statement) return fail(std::move(statement.error()));
  statement->number(from).number(limit);
  std::vector<LogRecord> records;
  for (;;) {
    auto row = statement->step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return records;
    records.push_back({statement->number_at(0), statement->bytes_at(1)});
  }
}

Status SqliteLog::within(std::uint64_t size) {
  auto have = this->size();
  if (!have) return fail(std::move(have.error()));
  if (size > *have) {
    return fail(ErrorKind::InvalidArgument,
                fmt::format("the log has {} entries and not {}", *have, size));
  }
  return {};
}

Result<Sha256> SqliteLog::root(std::uint64_t size) {
  if (auto inside = within(size); !inside) return fail(std::move(inside.error()));
  return merkle_root(size, lookup());
}

Result<std::vector<Sha256>> SqliteLog::inclusion_proof(std::uint64_t index, std::uint64_t size) {
  if (auto inside = within(size); !inside) return fail(std::move(inside.error()));
  return merkle_inclusion_proof(index, size, lookup());
}

Result<std::vector<Sha256>> SqliteLog::consistency_proof(std::uint64_t from, std::uint64_t to) {
  if (auto inside = within(to); !inside) return fail(std::move(inside.error()));
  return merkle_consistency_proof(from, to, lookup());
}

Status SqliteLog::put_checkpoint(std::uint64_t size, std::string_view note) {
  if (auto inside = within(size); !inside) return inside;
  auto covered = connection_.number(kCheckpointSize);
  if (!covered) return fail(std::move(covered.error()));
  if (size < *covered) {
    return fail(ErrorKind::Conflict,
                fmt::format("a checkpoint over {} entries is published already", *covered));
  }
  auto row =
      connection_.prepare("INSERT OR REPLACE INTO log_checkpoint (size, note) VALUES (?, ?)");
  if (!row) return fail(std::move(row.error()));
  return row->number(size).text(note).run();
}

Result<std::optional<std::string>> SqliteLog::newest_checkpoint() {
  auto statement =
      connection_.prepare("SELECT note FROM log_checkpoint ORDER BY size DESC LIMIT 1");
  if (!statement) return fail(std::move(statement.error()));
  auto row = statement->step();
  if (!row) return fail(std::move(row.error()));
  if (!*row) return std::nullopt;
  return statement->bytes_at(0);
}

}  // namespace bailey
