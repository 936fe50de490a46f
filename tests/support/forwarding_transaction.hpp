#pragma once

#include "orchestrator/record/store/state_store.hpp"

#include <memory>
#include <utility>

namespace bailey::test {

/// Hands every call on: what a store of a test is derived from that wants to see or spoil a few.
class ForwardingTransaction : public Transaction {
 public:
  explicit ForwardingTransaction(std::unique_ptr<Transaction> inner) : inner_(std::move(inner)) {}

  Result<std::optional<Record>> get(Collection collection, std::string_view key) override {
    return inner_->get(collection, key);
  }
  Result<std::vector<Record>> list(Collection collection, const ListOptions& options) override {
    return inner_->list(collection, options);
  }
  Result<std::uint64_t> put(Collection collection, std::string_view key, const nlohmann::json& body,
                            std::uint64_t expected) override {
    return inner_->put(collection, key, body, expected);
  }
  Result<bool> erase(Collection collection, std::string_view key) override {
    return inner_->erase(collection, key);
  }
  Result<std::uint64_t> append(const AuditEntry& entry) override { return inner_->append(entry); }
  Result<std::uint64_t> log_size() override { return inner_->log_size(); }
  Result<std::vector<LogRecord>> log_records(std::uint64_t from, std::size_t limit) override {
    return inner_->log_records(from, limit);
  }
  Result<std::string> log_root(std::uint64_t size) override { return inner_->log_root(size); }
  Result<std::vector<std::string>> inclusion_proof(std::uint64_t index,
                                                   std::uint64_t size) override {
    return inner_->inclusion_proof(index, size);
  }
  Result<std::vector<std::string>> consistency_proof(std::uint64_t from,
                                                     std::uint64_t to) override {
    return inner_->consistency_proof(from, to);
  }
  Status put_checkpoint(std::uint64_t size, std::string_view note) override {
    return inner_->put_checkpoint(size, note);
  }
  Result<std::optional<std::string>> newest_checkpoint() override {
    return inner_->newest_checkpoint();
  }
  Status commit() override { return inner_->commit(); }

 private:
  std::unique_ptr<Transaction> inner_;
};

}  // namespace bailey::test
