#pragma once

#include "orchestrator/serve/engine/end_grants.hpp"
#include "orchestrator/serve/engine/grant_records.hpp"
#include "orchestrator/serve/engine/hold_grant.hpp"
#include "orchestrator/serve/engine/lease_credential.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "orchestrator/serve/engine/request_grant.hpp"
#include "orchestrator/serve/engine/review_grant.hpp"
#include "orchestrator/serve/engine/show_grants.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey::test {

/// `staging` stands. erin and ci may ask there for the role developer, for two hours at most, and
/// one of the managers has to agree. Its glass is broken by erin, carol and mallory, for an hour at
/// most, one other of them agreeing; two of dave, carol, zed and gina review it within a day.
struct GrantWorld : testing::Test {
  void SetUp() override {
    world.edit("    security: [dave]\n",
               "    security: [dave]\n    on-call: [erin, carol, mallory]\n"
               "    reviewers: [dave, carol, zed, gina]\n");
    world.edit("- approvals: {rules: [{from: group:managers, count: 1}], expire: 8h}\n",
               "- approvals: {rules: [{from: group:managers, count: 1}], expire: 8h}\n"
               "  grantable: {developer: {to: [erin, \"service:ci\"], approvals: 1, ttl: 2h}}\n"
               "  breakGlass:\n    who: [group:on-call]\n    approvals: 1\n    ttl: 1h\n"
               "    review: {from: group:reviewers, count: 2, within: 24h}\n");
    digest = world.registry.push("one");
    world.reach_staging(digest);
  }

  [[nodiscard]] Result<Change> ask(const std::string& who,
                                   std::optional<std::chrono::seconds> ttl = {},
                                   const std::string& role = "developer",
                                   const std::string& reason = "to look",
                                   const std::string& environment = "staging") {
    return request_grant(world.engine(), EngineWorld::as(who),
                         {GrantKind::Access, environment, role, ttl, reason, ""});
  }
  [[nodiscard]] Result<Change> smash(const std::string& who,
                                     std::optional<std::chrono::seconds> ttl = {},
                                     const std::string& reason = "it burns",
                                     const std::string& incident = "INC-1",
                                     const std::string& environment = "staging") {
    return request_grant(world.engine(), EngineWorld::as(who),
                         {GrantKind::BreakGlass, environment, "", ttl, reason, incident});
  }
  /// What `asked` becomes once `agrees` has signed.
  GrantId open(const Result<Change>& asked, const std::string& agrees) {
    EXPECT_TRUE(asked) << code_of(asked);
    if (!asked) return {};
    const auto decided = world.decide(asked->id, agrees);
    EXPECT_TRUE(decided) << decided.error().render();
    const auto done = world.run(asked->id);
    EXPECT_TRUE(done) << done.error().render();
    if (!done) return {};
    EXPECT_EQ(done->state, ChangeState::Done) << done->history.back().detail;
    return grant_of_change(asked->id);
  }
  GrantId open_access() { return open(ask("erin"), "bob"); }
  GrantId open_glass() { return open(smash("erin"), "carol"); }

  [[nodiscard]] Grant load(const GrantId& id) {
    auto grant = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
      return load_grant(transaction, id);
    });
    EXPECT_TRUE(grant) << code_of(grant);
    return grant ? *std::move(grant) : Grant{};
  }
  [[nodiscard]] Result<HandedOut> lease(const std::string& who, const std::string& role,
                                        std::chrono::seconds ttl = std::chrono::hours(1)) {
    return lease_credential(world.engine(), EngineWorld::as(who), "staging", role, ttl, {});
  }
  [[nodiscard]] std::set<Power> granted(const std::string& who) {
    auto caller = with_grants(world.engine(), EngineWorld::as(who).caller);
    EXPECT_TRUE(caller) << code_of(caller);
    return caller ? caller->granted["staging"] : std::set<Power>();
  }
  /// What the housekeeper does.
  void settle() {
    const auto due = environments_with_due_grants(world.engine());
    ASSERT_TRUE(due) << due.error().render();
    for (const auto& environment : *due) {
      const auto settled = settle_grants(world.engine(), environment, {});
      ASSERT_TRUE(settled) << settled.error().render();
    }
  }
  [[nodiscard]] Result<Json> revoke(const std::string& who, const GrantId& id) {
    return revoke_grant(world.engine(), EngineWorld::as(who), id, {});
  }
  [[nodiscard]] Result<Json> review_envelope(const std::string& who, const GrantId& id) {
    auto prepared = prepare_review(world.engine(), EngineWorld::as(who), id, "nothing odd");
    if (!prepared) return fail(std::move(prepared.error()));
    return to_json(world.key(who).envelope(string_member(*prepared, "payload")));
  }
  [[nodiscard]] Result<Json> review(const std::string& who, const GrantId& id) {
    auto envelope = review_envelope(who, id);
    if (!envelope) return fail(std::move(envelope.error()));
    return submit_review(world.engine(), EngineWorld::as(who), id, *envelope);
  }
  /// The specs as they are now are proposed by alice and let in by two administrators.
  void accept_specs() {
    const auto answer = world.apply("alice");
    ASSERT_TRUE(answer) << answer.error().render();
    ASSERT_EQ(member(*answer, "accepted"), false);
    const ChangeId id(member(*answer, "changes").at(0).get<std::string>());
    for (const char* who : {"abe", "amy"}) {
      const auto decided = world.decide(id, who);
      ASSERT_TRUE(decided) << decided.error().render();
    }
    const auto done = world.run(id);
    ASSERT_TRUE(done) << done.error().render();
  }

  EngineWorld world;
  std::string digest;
};

}  // namespace bailey::test
