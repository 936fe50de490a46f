#pragma once

#include "orchestrator/record/store/sqlite_log.hpp"
#include "orchestrator/record/store/sqlite_pool.hpp"

#include <memory>

namespace bailey {

/// One transaction on a connection of its own. Once a call failed for a reason of the disk, every
/// later one fails too and nothing of it is kept: SQLite may have rolled back by itself, and what
/// came after would not belong to the transaction any more.
class SqliteTransaction final : public Transaction {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Transaction>> begin(
      std::shared_ptr<SqliteStateStore::Pool> pool, Access access);
  ~SqliteTransaction() override;

  Result<std::optional<Record>> get(Collection collection, std::string_view key) override;
  Result<std::vector<Record>> list(Collection collection, const ListOptions& options) override;
  Result<std::uint64_t> put(Collection collection, std::string_view key, const nlohmann::json& body,
                            std::uint64_t expected) override;
  Result<bool> erase(Collection collection, std::string_view key) override;

  Result<std::uint64_t> append(const AuditEntry& entry) override;
  Result<std::uint64_t> log_size() override;
  Result<std::vector<LogRecord>> log_records(std::uint64_t from, std::size_t limit) override;
  Result<std::string> log_root(std::uint64_t size) override;
  Result<std::vector<std::string>> inclusion_proof(std::uint64_t index,
                                                   std::uint64_t size) override;
  Result<std::vector<std::string>> consistency_proof(std::uint64_t from, std::uint64_t to) override;
  Status put_checkpoint(std::uint64_t size, std::string_view note) override;
  Result<std::optional<std::string>> newest_checkpoint() override;

  Status commit() override;

 private:
  enum class Phase : std::uint8_t { Open, Broken, Ended };
  enum class Need : std::uint8_t { Read, Write };

  SqliteTransaction(std::shared_ptr<SqliteStateStore::Pool> pool,
                    std::unique_ptr<SqliteConnection> connection, Access access);
  template <class Act>
  auto guarded(Need need, Act&& act) -> decltype(act());
  [[nodiscard]] Status usable(Need need) const;
  [[nodiscard]] Result<std::uint64_t> version_of(Collection collection, std::string_view key);
  void end();

  std::shared_ptr<SqliteStateStore::Pool> pool_;
  std::unique_ptr<SqliteConnection> connection_;
  Access access_;
  Phase phase_ = Phase::Open;
};

}  // namespace bailey
