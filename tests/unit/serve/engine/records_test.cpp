#include "orchestrator/serve/engine/records.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"
#include "tests/support/counting_store.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

Change change(const std::string& id, const std::string& environment, ChangeState state) {
  Change made;
  made.id = ChangeId(id);
  made.environment = environment;
  made.state = state;
  made.requester = {SubjectKind::Person, "alice"};
  made.created_at = "2026-03-04T10:00:00.000Z";
  seal(made.plan);
  return made;
}

class OpenChanges : public ::testing::Test {
 protected:
  void put(const Change& each) {
    ASSERT_TRUE(in_transaction(*store_, Access::Write,
                               [&](Transaction& transaction) { return save(transaction, each); }));
  }
  template <class Read>
  auto read(const Read& body) {
    return in_transaction(counting_, Access::Read, body).value();
  }
  std::vector<std::string> open_ids() {
    std::vector<std::string> ids;
    for (const auto& each : read([](Transaction& t) { return list_open_changes(t); })) {
      ids.push_back(each.id.str());
    }
    return ids;
  }

  TemporaryFolder folder_ = TemporaryFolder::create().value();
  std::unique_ptr<SqliteStateStore> store_ =
      SqliteStateStore::open(folder_.path() / "state.db").value();
  test::CountingStore counting_{*store_};
};

TEST_F(OpenChanges, AreFoundWithoutReadingWhatHasFinished) {
  for (int i = 0; i < 40; ++i) put(change("done-" + std::to_string(i), "dev", ChangeState::Done));
  put(change("b", "dev", ChangeState::Waiting));
  put(change("c", "test", ChangeState::Executing));
  EXPECT_EQ(open_ids(), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(counting_.counts().read[Collection::OpenChange], 2U);
  EXPECT_EQ(counting_.counts().read[Collection::Change], 0U);
  const auto of_dev = read([](Transaction& t) { return open_changes(t, "dev"); });
  ASSERT_EQ(of_dev.size(), 1U);
  EXPECT_EQ(of_dev[0].id, ChangeId("b"));
  EXPECT_EQ(counting_.counts().read[Collection::Change], 1U);
}

TEST_F(OpenChanges, AreThoseThatHaveNotFinished) {
  auto each = change("a", "dev", ChangeState::Planned);
  for (const auto state : {ChangeState::Planned, ChangeState::Waiting, ChangeState::Approved,
                           ChangeState::Executing, ChangeState::Verifying}) {
    each.state = state;
    put(each);
    EXPECT_EQ(open_ids(), std::vector<std::string>{"a"}) << to_string(state);
  }
  each.state = ChangeState::Failed;
  put(each);
  EXPECT_TRUE(open_ids().empty());
}

TEST_F(OpenChanges, ComeOldestFirst) {
  auto younger = change("a", "dev", ChangeState::Waiting);
  younger.created_at = "2026-03-05T10:00:00.000Z";
  put(younger);
  put(change("b", "dev", ChangeState::Waiting));
  EXPECT_EQ(open_ids(), (std::vector<std::string>{"b", "a"}));
}

}  // namespace
}  // namespace bailey
