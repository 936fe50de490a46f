// A signed approval is good once, for one change, from one person, through whichever server.

#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

class Replay : public testing::Test {
 protected:
  void SetUp() override {
    digest = world.registry.push("one");
    world.reach_test(digest);
    first = world.waiting_in("staging").id;  // The provisioning, asked for by alice.
    const auto promoted = world.promote("service:ci", digest, "staging");
    ASSERT_TRUE(promoted && *promoted) << code_of(promoted);
    second = (*promoted)->id;
  }
  [[nodiscard]] Json envelope_for(const ChangeId& id, const std::string& who) {
    const auto payload = world.payload_for(id, who);
    EXPECT_TRUE(payload);
    return to_json(world.key(who).envelope(*payload));
  }
  [[nodiscard]] std::string submit(Engine& engine, const ChangeId& id, const std::string& who,
                                   const Json& envelope) {
    return code_of(submit_decision(engine, EngineWorld::as(who), id, envelope));
  }
  /// As somebody could who writes into the database: what is stored for one change is stored for
  /// another too.
  void copy_approvals(const ChangeId& from, const ChangeId& to) {
    ASSERT_TRUE(in_transaction(*world.store, Access::Write, [&](Transaction& change) -> Status {
      const auto given = approvals_of(change, from);
      for (auto approval : *given) {
        approval.change = to;
        if (auto saved = save(change, approval); !saved) return saved;
      }
      return {};
    }));
  }

  EngineWorld world;
  std::string digest;
  ChangeId first;
  ChangeId second;
};

TEST_F(Replay, AnApprovalOfOneChangeIsNoneOfAnother) {
  const auto envelope = envelope_for(first, "carol");
  EXPECT_EQ(submit(world.engine(), second, "carol", envelope), "approval.mismatch");
  EXPECT_EQ(submit(world.engine(), first, "carol", envelope), "");
  EXPECT_EQ(submit(world.engine(), second, "carol", envelope), "approval.unknown-nonce");
  copy_approvals(first, second);
  EXPECT_EQ(code_of(world.run(second)), "gate.not-met");
}

TEST_F(Replay, OneNonceIsGoodOnceWhicheverServerIsAsked) {
  const auto other = world.another_engine();
  const auto envelope = envelope_for(second, "carol");
  EXPECT_EQ(submit(*other, second, "carol", envelope), "");
  EXPECT_EQ(submit(world.engine(), second, "carol", envelope), "approval.unknown-nonce");
  EXPECT_EQ(submit(*other, second, "carol", envelope), "approval.unknown-nonce");
  world.reopen();
  EXPECT_EQ(submit(world.engine(), second, "carol", envelope), "approval.unknown-nonce");
}

TEST_F(Replay, TheNonceOfOnePersonIsNoneOfAnother) {
  const auto payload = world.payload_for(second, "carol");
  ASSERT_TRUE(payload);
  auto statement = *parse_statement(*payload);
  statement.predicate["approver"] = "bob";
  EXPECT_EQ(submit(world.engine(), second, "bob", world.key("bob").envelope(statement)),
            "approval.unknown-nonce");
  EXPECT_EQ(code_of(world.run(second)), "gate.not-met");
}

TEST_F(Replay, AnEnvironmentThatIsMadeAgainUnderItsNameIsAnotherOne) {
  ASSERT_EQ(submit(world.engine(), first, "carol", envelope_for(first, "carol")), "");
  const auto before = world.load(first).environment_uid;
  ASSERT_TRUE(world.run(first));
  const auto gone = request_destroy(world.engine(), EngineWorld::as("gina"), "staging", {});
  ASSERT_TRUE(gone && *gone) << code_of(gone);
  ASSERT_EQ(submit(world.engine(), (*gone)->id, "carol", envelope_for((*gone)->id, "carol")), "");
  const auto down = world.run((*gone)->id);
  ASSERT_TRUE(down && down->state == ChangeState::Done) << code_of(down);
  const auto again = world.apply("alice", "staging");
  ASSERT_TRUE(again) << again.error().render();
  ChangeId fresh;
  for (const auto& change : world.changes()) {
    if (!change.finished() && change.environment == "staging" && change.kind == ChangeKind::Apply) {
      fresh = change.id;
    }
  }
  ASSERT_FALSE(fresh.empty());
  EXPECT_NE(world.load(fresh).environment_uid, before);
  copy_approvals(first, fresh);
  EXPECT_EQ(code_of(world.run(fresh)), "gate.not-met");
}

}  // namespace
}  // namespace bailey
