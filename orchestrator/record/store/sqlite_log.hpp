#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/record/audit/merkle.hpp"
#include "orchestrator/record/store/sqlite_connection.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// The log's tables within the transaction that its connection is in. Appending and proving cost
/// O(log size) rows.
class SqliteLog {
 public:
  explicit SqliteLog(SqliteConnection& connection) : connection_(connection) {}

  [[nodiscard]] Result<std::uint64_t> size();
  /// Refuses (FailedPrecondition) to go on after entries that a checkpoint has signed are gone.
  [[nodiscard]] Result<std::uint64_t> append(std::string_view body);
  [[nodiscard]] Result<std::vector<LogRecord>> records(std::uint64_t from, std::size_t limit);
  [[nodiscard]] Result<Sha256> root(std::uint64_t size);
  [[nodiscard]] Result<std::vector<Sha256>> inclusion_proof(std::uint64_t index,
                                                            std::uint64_t size);
  [[nodiscard]] Result<std::vector<Sha256>> consistency_proof(std::uint64_t from, std::uint64_t to);
  [[nodiscard]] Status put_checkpoint(std::uint64_t size, std::string_view note);
  [[nodiscard]] Result<std::optional<std::string>> newest_checkpoint();

 private:
  [[nodiscard]] Result<Sha256> node(const NodeId& id);
  [[nodiscard]] NodeLookup lookup();
  [[nodiscard]] Status within(std::uint64_t size);
  SqliteConnection& connection_;
};

}  // namespace bailey
