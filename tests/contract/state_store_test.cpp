#include "orchestrator/record/store/state_store.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/record/audit/merkle.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <thread>

namespace bailey {
namespace {

/// Where an implementation keeps things for the time of one test, and how it is opened again.
struct World {
  virtual ~World() = default;
  virtual std::unique_ptr<StateStore> open() = 0;
};

struct SqliteWorld final : World {
  TemporaryFolder folder = TemporaryFolder::create().value();
  std::unique_ptr<StateStore> open() override {
    return SqliteStateStore::open(folder.path() / "state.db").value();
  }
};

struct Implementation {
  const char* name;
  std::function<std::unique_ptr<World>()> make;
};

AuditEntry entry_about(const std::string& target) {
  return {.time = "2026-03-04T10:00:00.000Z",
          .actor = "alice",
          .proof = "none",
          .action = "test.act",
          .target = target,
          .outcome = Outcome::Ok,
          .detail = "",
          .request = "",
          .digests = {}};
}

Sha256 hash_of(const std::string& raw) {
  Sha256 hash{};
  EXPECT_EQ(raw.size(), hash.size());
  std::copy(raw.begin(), raw.end(), hash.begin());
  return hash;
}

std::vector<Sha256> hashes_of(const std::vector<std::string>& raw) {
  std::vector<Sha256> hashes;
  for (const auto& one : raw) hashes.push_back(hash_of(one));
  return hashes;
}

class StateStoreContract : public ::testing::TestWithParam<Implementation> {
 protected:
  std::unique_ptr<Transaction> read() { return store_->begin(Access::Read).value(); }
  std::unique_ptr<Transaction> write() { return store_->begin(Access::Write).value(); }
  void put(const std::string& key, const Json& body = Json::object()) {
    auto transaction = write();
    ASSERT_TRUE(transaction->put(Collection::Setting, key, body));
    ASSERT_TRUE(transaction->commit());
  }
  Result<std::uint64_t> put_expecting(const std::string& key, std::uint64_t expected) {
    return in_transaction(*store_, Access::Write, [&](Transaction& transaction) {
      return transaction.put(Collection::Setting, key, 1, expected);
    });
  }
  std::optional<Record> get(const std::string& key) {
    return read()->get(Collection::Setting, key).value();
  }
  std::vector<std::string> keys(const ListOptions& options) {
    std::vector<std::string> found;
    const auto records = read()->list(Collection::Setting, options).value();
    for (const auto& record : records) found.push_back(record.key);
    return found;
  }
  void append(const std::string& target) {
    auto transaction = write();
    ASSERT_TRUE(transaction->append(entry_about(target)));
    ASSERT_TRUE(transaction->commit());
  }

  std::unique_ptr<World> world_ = GetParam().make();
  std::unique_ptr<StateStore> store_ = world_->open();
};

TEST_P(StateStoreContract, GivesBackWhatWasPut) {
  const Json body = {
      {"text", "ä \"quoted\" \u2028"}, {"number", 12345678901234}, {"null", nullptr},
      {"list", {1, 2.5, true}},        {"big", UINT64_MAX},        {"least", INT64_MIN}};
  put("key", body);
  const auto record = get("key");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->key, "key");
  EXPECT_EQ(record->version, 1U);
  EXPECT_EQ(record->body, body);
  EXPECT_FALSE(get("another").has_value());
}

TEST_P(StateStoreContract, KeepsEveryCollectionApart) {
  const std::vector<Collection> all{
      Collection::Setting,    Collection::Bundle,     Collection::Environment, Collection::Resource,
      Collection::Intent,     Collection::Change,     Collection::Approval,    Collection::Nonce,
      Collection::Verified,   Collection::Artifact,   Collection::Evidence,    Collection::Receipt,
      Collection::Credential, Collection::Sealed,     Collection::Lease,       Collection::Token,
      Collection::Identity,   Collection::OpenChange, Collection::Drift,       Collection::Grant};
  auto transaction = write();
  for (const auto collection : all) {
    ASSERT_TRUE(transaction->put(collection, "same", static_cast<int>(collection), kAbsent));
  }
  ASSERT_TRUE(transaction->commit());
  for (const auto collection : all) {
    EXPECT_EQ(read()->get(collection, "same").value()->body, static_cast<int>(collection));
  }
}

TEST_P(StateStoreContract, VersionsGrowByOne) {
  EXPECT_EQ(put_expecting("key", kAbsent).value(), 1U);
  EXPECT_EQ(put_expecting("key", 1).value(), 2U);
  EXPECT_EQ(put_expecting("key", kAnyVersion).value(), 3U);
  EXPECT_EQ(get("key")->version, 3U);
}

TEST_P(StateStoreContract, RefusesAWriteOverAnotherVersion) {
  EXPECT_EQ(put_expecting("key", 1).error().kind(), ErrorKind::Conflict);
  put("key");
  EXPECT_EQ(put_expecting("key", kAbsent).error().kind(), ErrorKind::Conflict);
  EXPECT_EQ(put_expecting("key", 2).error().kind(), ErrorKind::Conflict);
  EXPECT_EQ(get("key")->version, 1U);
}

TEST_P(StateStoreContract, GoesOnAfterAConflict) {
  put("key");
  auto transaction = write();
  EXPECT_FALSE(transaction->put(Collection::Setting, "key", 2, kAbsent));
  ASSERT_TRUE(transaction->put(Collection::Setting, "other", 3));
  ASSERT_TRUE(transaction->commit());
  EXPECT_TRUE(get("other").has_value());
}

TEST_P(StateStoreContract, ErasesOnce) {
  put("key");
  auto transaction = write();
  EXPECT_TRUE(transaction->erase(Collection::Setting, "key").value());
  EXPECT_FALSE(transaction->erase(Collection::Setting, "key").value());
  ASSERT_TRUE(transaction->commit());
  EXPECT_FALSE(get("key").has_value());
  EXPECT_TRUE(put_expecting("key", kAbsent));
}

TEST_P(StateStoreContract, RefusesKeysAndBodiesThatCannotBeKept) {
  auto transaction = write();
  for (const std::string& bad : {std::string(), std::string("a\0b", 3), std::string("a\xFF")}) {
    EXPECT_EQ(transaction->put(Collection::Setting, bad, 1).error().kind(),
              ErrorKind::InvalidArgument);
  }
  EXPECT_EQ(transaction->put(Collection::Setting, "key", "\xFF").error().kind(),
            ErrorKind::InvalidArgument);
  ASSERT_TRUE(transaction->commit());
  EXPECT_TRUE(keys({}).empty());
}

TEST_P(StateStoreContract, HidesWhatIsNotCommitted) {
  auto transaction = write();
  ASSERT_TRUE(transaction->put(Collection::Setting, "key", 1));
  ASSERT_TRUE(transaction->append(entry_about("x")));
  EXPECT_TRUE(transaction->get(Collection::Setting, "key").value().has_value());
  EXPECT_EQ(transaction->log_size().value(), 1U);
  EXPECT_FALSE(get("key").has_value());
  EXPECT_EQ(read()->log_size().value(), 0U);
  ASSERT_TRUE(transaction->commit());
  EXPECT_TRUE(get("key").has_value());
  EXPECT_EQ(read()->log_size().value(), 1U);
}

TEST_P(StateStoreContract, ForgetsATransactionThatIsDropped) {
  put("kept", "before");
  {
    auto transaction = write();
    ASSERT_TRUE(transaction->put(Collection::Setting, "kept", "after"));
    ASSERT_TRUE(transaction->put(Collection::Setting, "new", 1));
    ASSERT_TRUE(transaction->append(entry_about("x")));
    ASSERT_TRUE(transaction->put_checkpoint(1, "note"));
  }
  EXPECT_EQ(get("kept")->body, "before");
  EXPECT_FALSE(get("new").has_value());
  EXPECT_EQ(read()->log_size().value(), 0U);
  EXPECT_FALSE(read()->newest_checkpoint().value().has_value());
}

TEST_P(StateStoreContract, AReaderSeesOneMoment) {
  put("key", 1);
  auto reader = read();
  put("key", 2);
  append("x");
  EXPECT_EQ(reader->get(Collection::Setting, "key").value()->body, 1);
  EXPECT_EQ(reader->log_size().value(), 0U);
  EXPECT_EQ(get("key")->body, 2);
}

TEST_P(StateStoreContract, ATransactionIsOverAfterCommit) {
  auto transaction = write();
  ASSERT_TRUE(transaction->commit());
  EXPECT_FALSE(transaction->put(Collection::Setting, "key", 1));
  EXPECT_FALSE(transaction->get(Collection::Setting, "key"));
  EXPECT_FALSE(transaction->commit());
  EXPECT_FALSE(get("key").has_value());
}

TEST_P(StateStoreContract, AReaderCannotWrite) {
  auto reader = read();
  EXPECT_FALSE(reader->put(Collection::Setting, "key", 1));
  EXPECT_FALSE(reader->erase(Collection::Setting, "key"));
  EXPECT_FALSE(reader->append(entry_about("x")));
  EXPECT_FALSE(reader->put_checkpoint(0, "note"));
}

TEST_P(StateStoreContract, ATransactionMayOutliveTheStore) {
  auto transaction = write();
  store_.reset();
  ASSERT_TRUE(transaction->put(Collection::Setting, "key", 1));
  ASSERT_TRUE(transaction->commit());
  transaction.reset();
  store_ = world_->open();
  EXPECT_TRUE(get("key").has_value());
}

TEST_P(StateStoreContract, ListsInByteOrder) {
  std::vector<std::string> all{
      "A",      "Z",      "a",          "a%",         "a_b",         "a/",   "a/b", "a/b/c",
      "a0",     "aa",     "'; DROP",    "\"",         "\x7F",        "\x01", "ä",   "\u07FF",
      "\u0800", "\uFFFF", "\U00010000", "\U0010FFFF", "a\U0010FFFF", "a b",  "b"};
  for (const auto& key : all) put(key);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(keys({}), all);
}

TEST_P(StateStoreContract, ListsByPrefixWithoutAnyPattern) {
  for (const auto* key :
       {"a", "a/", "a/1", "a/2", "a0", "a_1", "ab", "a%", "A/1", "a/\U0010FFFF"}) {
    put(key);
  }
  EXPECT_EQ(keys({.prefix = "a/", .after = "", .limit = 0}),
            (std::vector<std::string>{"a/", "a/1", "a/2", "a/\U0010FFFF"}));
  EXPECT_EQ(keys({.prefix = "a_", .after = "", .limit = 0}), std::vector<std::string>{"a_1"});
  EXPECT_EQ(keys({.prefix = "a%", .after = "", .limit = 0}), std::vector<std::string>{"a%"});
  EXPECT_EQ(keys({.prefix = "a/\U0010FFFF", .after = "", .limit = 0}).size(), 1U);
  EXPECT_TRUE(keys({.prefix = "z", .after = "", .limit = 0}).empty());
}

TEST_P(StateStoreContract, PagesThroughAList) {
  for (int i = 10; i < 35; ++i) put("p/" + std::to_string(i));
  put("q");
  std::vector<std::string> seen;
  for (std::string after;;) {
    const auto page = keys({.prefix = "p/", .after = after, .limit = 4});
    if (page.empty()) break;
    ASSERT_LE(page.size(), 4U);
    seen.insert(seen.end(), page.begin(), page.end());
    after = page.back();
  }
  EXPECT_EQ(seen.size(), 25U);
  EXPECT_EQ(seen, keys({.prefix = "p/", .after = "", .limit = 0}));
}

TEST_P(StateStoreContract, NumbersTheLogWithoutGaps) {
  for (std::uint64_t i = 0; i < 5; ++i) {
    auto dropped = write();
    EXPECT_EQ(dropped->append(entry_about("dropped")).value(), i);
    dropped.reset();
    auto kept = write();
    EXPECT_EQ(kept->append(entry_about("kept " + std::to_string(i))).value(), i);
    ASSERT_TRUE(kept->commit());
  }
  const auto records = read()->log_records(0, 100).value();
  ASSERT_EQ(records.size(), 5U);
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(records[i].index, i);
    const auto entry = audit_entry_from_json(parse_json(records[i].body).value());
    EXPECT_EQ(entry->target, "kept " + std::to_string(i));
  }
}

TEST_P(StateStoreContract, ReadsTheLogInParts) {
  auto transaction = write();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(transaction->append(entry_about(std::to_string(i))));
  ASSERT_TRUE(transaction->commit());
  const auto part = read()->log_records(7, 2).value();
  ASSERT_EQ(part.size(), 2U);
  EXPECT_EQ(part[0].index, 7U);
  EXPECT_EQ(part[1].index, 8U);
  EXPECT_EQ(read()->log_records(9, 5)->size(), 1U);
  EXPECT_TRUE(read()->log_records(10, 5)->empty());
  EXPECT_TRUE(read()->log_records(UINT64_MAX, 5)->empty());
  EXPECT_TRUE(read()->log_records(0, 0)->empty());
}

TEST_P(StateStoreContract, TheLogHoldsTheCanonicalFormOfAnEntry) {
  append("x");
  EXPECT_EQ(read()->log_records(0, 1)->front().body, canonical(to_json(entry_about("x"))));
}

TEST_P(StateStoreContract, TakesEntriesUpToTheLimitOfTheLog) {
  const auto overhead = canonical(to_json(entry_about(""))).size();
  auto transaction = write();
  EXPECT_TRUE(transaction->append(entry_about(std::string(65'535 - overhead, 'x'))));
  EXPECT_EQ(transaction->append(entry_about(std::string(65'536 - overhead, 'x'))).error().kind(),
            ErrorKind::InvalidArgument);
  EXPECT_EQ(transaction->append(entry_about("\xFF")).error().kind(), ErrorKind::InvalidArgument);
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(read()->log_size().value(), 1U);
}

TEST_P(StateStoreContract, EveryProofHolds) {
  constexpr std::uint64_t kSize = 37;
  MerkleTree tree;
  std::vector<Sha256> leaves;
  std::vector<Sha256> roots{tree.root()};
  for (std::uint64_t i = 0; i < kSize; ++i) {
    append(std::to_string(i));
    leaves.push_back(leaf_hash(read()->log_records(i, 1)->front().body));
    tree.append(leaves.back());
    roots.push_back(tree.root());
  }
  auto reader = read();
  for (std::uint64_t size = 0; size <= kSize; ++size) {
    ASSERT_EQ(hash_of(reader->log_root(size).value()), roots[size]) << size;
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = hashes_of(reader->inclusion_proof(index, size).value());
      ASSERT_TRUE(verify_inclusion(index, size, leaves[index], proof, roots[size]));
    }
    for (std::uint64_t from = 1; from <= size; ++from) {
      const auto proof = hashes_of(reader->consistency_proof(from, size).value());
      ASSERT_TRUE(verify_consistency(from, size, roots[from], roots[size], proof));
    }
  }
}

TEST_P(StateStoreContract, ProvesWithinAnUncommittedTransaction) {
  auto transaction = write();
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(transaction->append(entry_about(std::to_string(i))));
  const auto leaf = leaf_hash(transaction->log_records(4, 1)->front().body);
  EXPECT_TRUE(verify_inclusion(4, 6, leaf, hashes_of(transaction->inclusion_proof(4, 6).value()),
                               hash_of(transaction->log_root(6).value())));
}

TEST_P(StateStoreContract, RefusesProofsBeyondTheLog) {
  append("x");
  auto reader = read();
  EXPECT_EQ(reader->log_root(2).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(reader->inclusion_proof(0, 2).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(reader->inclusion_proof(1, 1).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(reader->consistency_proof(1, 2).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(reader->log_root(UINT64_MAX).error().kind(), ErrorKind::InvalidArgument);
}

TEST_P(StateStoreContract, GivesTheNewestCheckpoint) {
  EXPECT_FALSE(read()->newest_checkpoint().value().has_value());
  for (int i = 0; i < 12; ++i) append(std::to_string(i));
  for (const auto* size : {"2", "11"}) {
    auto transaction = write();
    ASSERT_TRUE(transaction->put_checkpoint(std::stoull(size), size));
    ASSERT_TRUE(transaction->commit());
  }
  EXPECT_EQ(read()->newest_checkpoint().value(), "11");
  auto transaction = write();
  EXPECT_EQ(transaction->put_checkpoint(3, "3").error().kind(), ErrorKind::Conflict);
  EXPECT_EQ(transaction->put_checkpoint(13, "13").error().kind(), ErrorKind::InvalidArgument);
}

TEST_P(StateStoreContract, LosesNoIncrementOfManyThreads) {
  constexpr int kEach = 200;
  put("counter", 0);
  const auto count = [&] {
    for (int i = 0; i < kEach; ++i) {
      const auto done = in_transaction(*store_, Access::Write, [&](Transaction& transaction) {
        const auto now = transaction.get(Collection::Setting, "counter").value().value();
        EXPECT_TRUE(transaction.append(entry_about("counter")));
        return transaction.put(Collection::Setting, "counter", now.body.get<int>() + 1,
                               now.version);
      });
      ASSERT_TRUE(done);
    }
  };
  std::thread other(count);
  count();
  other.join();
  EXPECT_EQ(get("counter")->body, 2 * kEach);
  EXPECT_EQ(read()->log_size().value(), 2U * kEach);
}

TEST_P(StateStoreContract, LosesNoIncrementOfTwoStores) {
  constexpr int kEach = 50;
  put("counter", 0);
  const auto second = world_->open();
  const auto count = [](StateStore& store) {
    for (int i = 0; i < kEach; ++i) {
      const auto done = in_transaction(store, Access::Write, [&](Transaction& transaction) {
        const auto now = transaction.get(Collection::Setting, "counter").value().value();
        return transaction.put(Collection::Setting, "counter", now.body.get<int>() + 1);
      });
      ASSERT_TRUE(done);
    }
  };
  std::thread other(count, std::ref(*second));
  count(*store_);
  other.join();
  EXPECT_EQ(get("counter")->body, 2 * kEach);
}

TEST_P(StateStoreContract, KeepsEverythingWhenOpenedAgain) {
  put("key", "body");
  append("first");
  const auto root = read()->log_root(1).value();
  store_.reset();
  store_ = world_->open();
  EXPECT_EQ(get("key")->body, "body");
  EXPECT_EQ(read()->log_root(1).value(), root);
  auto transaction = write();
  EXPECT_EQ(transaction->append(entry_about("second")).value(), 1U);
  ASSERT_TRUE(transaction->commit());
}

TEST_P(StateStoreContract, InTransactionCommitsOnSuccessAlone) {
  const auto failed =
      in_transaction(*store_, Access::Write, [](Transaction& transaction) -> Status {
        EXPECT_TRUE(transaction.put(Collection::Setting, "key", 1));
        return fail(ErrorKind::Refused, "no");
      });
  EXPECT_EQ(failed.error().kind(), ErrorKind::Refused);
  EXPECT_FALSE(get("key").has_value());
}

std::string name_of(const ::testing::TestParamInfo<Implementation>& implementation) {
  return implementation.param.name;
}

INSTANTIATE_TEST_SUITE_P(Implementations, StateStoreContract,
                         ::testing::Values(Implementation{
                             "Sqlite", [] { return std::make_unique<SqliteWorld>(); }}),
                         name_of);

}  // namespace
}  // namespace bailey
