#pragma once

#include "tests/support/forwarding_transaction.hpp"

#include <map>
#include <mutex>

namespace bailey::test {

/// Counts what a store is asked for: a test of growth counts rows, since time tells too little.
class CountingStore final : public StateStore {
 public:
  struct Counts {
    std::size_t commits = 0;
    std::size_t entries = 0;                 ///< Of the log.
    std::map<Collection, std::size_t> read;  ///< Records that get() and list() gave.
    std::map<Collection, std::size_t> written;
  };

  explicit CountingStore(StateStore& store) : store_(store) {}

  [[nodiscard]] Counts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  void reset() {
    const std::lock_guard lock(mutex_);
    counts_ = {};
  }

  Result<std::unique_ptr<Transaction>> begin(Access access) override {
    auto inner = store_.begin(access);
    if (!inner) return inner;
    return std::unique_ptr<Transaction>(new Counting(*this, *std::move(inner)));
  }

 private:
  class Counting final : public ForwardingTransaction {
   public:
    Counting(CountingStore& owner, std::unique_ptr<Transaction> inner)
        : ForwardingTransaction(std::move(inner)), owner_(owner) {}

    Result<std::optional<Record>> get(Collection collection, std::string_view key) override {
      auto record = ForwardingTransaction::get(collection, key);
      if (record && *record) owner_.count([&](Counts& counts) { ++counts.read[collection]; });
      return record;
    }
    Result<std::vector<Record>> list(Collection collection, const ListOptions& options) override {
      auto records = ForwardingTransaction::list(collection, options);
      if (records) {
        owner_.count([&](Counts& counts) { counts.read[collection] += records->size(); });
      }
      return records;
    }
    Result<std::uint64_t> put(Collection collection, std::string_view key,
                              const nlohmann::json& body, std::uint64_t expected) override {
      owner_.count([&](Counts& counts) { ++counts.written[collection]; });
      return ForwardingTransaction::put(collection, key, body, expected);
    }
    Result<std::uint64_t> append(const AuditEntry& entry) override {
      owner_.count([](Counts& counts) { ++counts.entries; });
      return ForwardingTransaction::append(entry);
    }
    Status commit() override {
      owner_.count([](Counts& counts) { ++counts.commits; });
      return ForwardingTransaction::commit();
    }

   private:
    CountingStore& owner_;
  };

  template <class Change>
  void count(const Change& change) {
    const std::lock_guard lock(mutex_);
    change(counts_);
  }

  StateStore& store_;
  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace bailey::test
