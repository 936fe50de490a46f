#include "orchestrator/provision/apply/group_commit.hpp"

#include "tests/support/counting_store.hpp"
#include "tests/unit/provision/apply/apply_world.hpp"

#include <future>
#include <latch>
#include <string>
#include <thread>

namespace bailey {
namespace {

using test::CountingStore;

/// Commits keys from threads of their own. The first transaction waits until all the others are
/// queued, so that what shares one is not left to chance.
class GroupCommitTest : public ::testing::Test {
 protected:
  using Keys = std::vector<const std::string*>;

  std::map<std::string, Status> commit_all(const std::vector<std::string>& keys,
                                           std::size_t most = 64) {
    std::promise<void> first_began;
    std::promise<void> go_on;
    bool first = true;
    GroupCommit<std::string> group(
        store_,
        [&](Transaction& transaction, const Keys& together) {
          if (std::exchange(first, false)) {
            first_began.set_value();
            go_on.get_future().wait();
          }
          return write(transaction, together);
        },
        system_threads(), most);
    std::map<std::string, Status> results;
    for (const auto& key : keys) results[key];
    std::vector<std::jthread> threads;
    const auto start = [&](const std::string& key) {
      threads.emplace_back([&, &result = results[key]] { result = group.commit(key); });
    };
    start(keys.front());
    first_began.get_future().wait();
    for (std::size_t i = 1; i < keys.size(); ++i) {
      start(keys[i]);
      while (group.waiting() < i) std::this_thread::yield();
    }
    go_on.set_value();
    threads.clear();
    return results;
  }

  Status write(Transaction& transaction, const Keys& together) {
    batches_.push_back(together.size());
    if (fault_ && together.size() == fault_at_) return fail(*fault_);
    for (const auto* key : together) {
      if (*key == "bad") return fail(ErrorKind::InvalidArgument, "this one cannot be written");
      auto put = transaction.put(Collection::Setting, *key, {{"written", true}});
      if (!put) return fail(std::move(put.error()));
    }
    return {};
  }

  std::vector<std::string> written() {
    std::vector<std::string> keys;
    const auto transaction = world_.store->begin(Access::Read).value();
    const auto records = transaction->list(Collection::Setting, {}).value();
    for (const auto& record : records) {
      if (record.body.contains("written")) keys.push_back(record.key);
    }
    return keys;
  }

  test::ApplyWorld world_;
  CountingStore store_{*world_.store};
  std::vector<std::size_t> batches_;
  std::optional<Error> fault_;
  std::size_t fault_at_ = 0;
};

TEST_F(GroupCommitTest, OneAloneIsCommittedAtOnce) {
  GroupCommit<std::string> group(store_, [&](Transaction& transaction, const Keys& together) {
    return write(transaction, together);
  });
  EXPECT_TRUE(group.commit("a"));
  EXPECT_TRUE(group.commit("b"));
  EXPECT_EQ(written(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(store_.counts().commits, 2U);
}

TEST_F(GroupCommitTest, WhatQueuesUpMeanwhileSharesOneCommitInTheOrderOfArrival) {
  for (const auto& [key, status] : commit_all({"a", "b", "c", "d"})) EXPECT_TRUE(status) << key;
  EXPECT_EQ(batches_, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(store_.counts().commits, 2U);
  EXPECT_EQ(written(), (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(GroupCommitTest, ATransactionTakesNoMoreThanItMay) {
  for (const auto& [key, status] : commit_all({"a", "b", "c", "d", "e", "f"}, 2)) {
    EXPECT_TRUE(status) << key;
  }
  EXPECT_EQ(batches_, (std::vector<std::size_t>{1, 2, 2, 1}));
  EXPECT_EQ(written().size(), 6U);
}

TEST_F(GroupCommitTest, OneThatCannotBeWrittenFailsAlone) {
  const auto results = commit_all({"a", "b", "bad", "c"});
  EXPECT_EQ(batches_, (std::vector<std::size_t>{1, 3, 1, 1, 1}));
  for (const auto& [key, status] : results) EXPECT_EQ(status.has_value(), key != "bad") << key;
  EXPECT_EQ(results.at("bad").error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(written(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(GroupCommitTest, ALostLeaseFailsAllOfThemOnce) {
  fault_ = Error(ErrorKind::Conflict, "the lease is no longer held here").with_code("lease.lost");
  fault_at_ = 3;
  for (const auto& [key, status] : commit_all({"a", "b", "c", "d"})) {
    ASSERT_EQ(status.has_value(), key == "a") << key;
    if (!status) {
      EXPECT_EQ(status.error().code(), "lease.lost");
    }
  }
  EXPECT_EQ(batches_, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(written(), (std::vector<std::string>{"a"}));
}

TEST_F(GroupCommitTest, ADiskThatFailsTheCommitFailsAllOfThem) {
  world_.store->fail_write(2, test::FaultyStore::Fault::Once);
  for (const auto& [key, status] : commit_all({"a", "b", "c", "d"})) {
    ASSERT_EQ(status.has_value(), key == "a") << key;
    if (!status) {
      EXPECT_EQ(status.error().kind(), ErrorKind::Io);
    }
  }
  EXPECT_EQ(written(), (std::vector<std::string>{"a"}));
}

TEST_F(GroupCommitTest, HoldsUnderManyThreads) {
  GroupCommit<std::string> group(
      store_,
      [&](Transaction& transaction, const Keys& together) { return write(transaction, together); },
      system_threads(), 7);
  std::latch start(32);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 32; ++thread) {
      threads.emplace_back([&, thread] {
        start.arrive_and_wait();
        for (int i = 0; i < 20; ++i) {
          EXPECT_TRUE(group.commit(std::to_string(thread) + "-" + std::to_string(i)));
        }
      });
    }
  }
  EXPECT_EQ(written().size(), 640U);
  EXPECT_LE(store_.counts().commits, 640U);
}

}  // namespace
}  // namespace bailey
