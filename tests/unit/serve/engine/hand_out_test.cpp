#include "orchestrator/promote/evidence/sshsig.hpp"
#include "orchestrator/record/audit/checkpoint.hpp"
#include "orchestrator/record/audit/merkle.hpp"
#include "orchestrator/serve/engine/lease_credential.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "orchestrator/serve/engine/probe_isolation.hpp"
#include "orchestrator/serve/engine/read_audit.hpp"
#include "orchestrator/serve/engine/worker.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;
using test::run;

struct StandingWorld : testing::Test {
  void SetUp() override {
    world.init();
    ASSERT_TRUE(world.apply("alice"));
    world.drive();
    ASSERT_EQ(world.state_of("test").status, EnvironmentStatus::Ready);
  }
  [[nodiscard]] Result<HandedOut> lease(const std::string& who, const std::string& role,
                                        const std::string& environment = "dev") {
    return lease_credential(world.engine(), EngineWorld::as(who), environment, role,
                            std::chrono::hours(1), {});
  }
  EngineWorld world;
};

using LeaseCredential = StandingWorld;

TEST_F(LeaseCredential, IsForRolesThatOneHolds) {
  EXPECT_EQ(code_of(lease("mallory", "developer")), "identity.role-missing");
  EXPECT_EQ(code_of(lease("alice", "auditor")), "identity.role-missing");
  EXPECT_EQ(code_of(lease("amy", "developer")), "identity.role-missing");
  EXPECT_EQ(code_of(lease("ann", "developer")), "identity.role-missing");
  EXPECT_EQ(code_of(lease("alice", "developer", "production")), "identity.role-missing");
  EXPECT_EQ(code_of(lease("alice", "nothing")), "[not-found]");
  EXPECT_EQ(code_of(lease("alice", "developer", "nowhere")), "[not-found]");
  EXPECT_EQ(world.logged("credential.lease", Outcome::Refused), 5U);
  const auto live = world.cloud.live_credentials().size();
  const auto handed = lease("alice", "developer");
  ASSERT_TRUE(handed) << handed.error().render();
  EXPECT_EQ(handed->lease.holder, "alice");
  EXPECT_EQ(handed->variables.at("FAKE_BOUNDARY").reveal(), world.state_of("dev").boundary);
  EXPECT_EQ(world.cloud.live_credentials().size(), live + 1);
  const auto log = world.log();
  EXPECT_TRUE(std::any_of(log.begin(), log.end(), [](const AuditEntry& entry) {
    return entry.action == "credential.issue" && entry.actor == "alice" &&
           entry.outcome == Outcome::Ok && entry.request == "req-test";
  }));
}

TEST_F(LeaseCredential, IsRevokedByItsHolderOrAnAdministrator) {
  const auto live = world.cloud.live_credentials();
  const auto handed = lease("alice", "developer");
  ASSERT_TRUE(handed);
  const auto revoke = [&](const char* who, const LeaseId& id) {
    return code_of(revoke_one_lease(world.engine(), EngineWorld::as(who), "dev", id, {}));
  };
  EXPECT_EQ(revoke("gina", handed->lease.id), "identity.power-missing");
  EXPECT_EQ(revoke("mallory", LeaseId("lse-none")), "identity.power-missing");
  EXPECT_EQ(revoke("alice", handed->lease.id), "");
  EXPECT_EQ(world.cloud.live_credentials(), live);
  const auto second = lease("gina", "developer");
  ASSERT_TRUE(second);
  EXPECT_EQ(revoke("ann", second->lease.id), "");
  EXPECT_EQ(world.cloud.live_credentials(), live);
}

TEST_F(LeaseCredential, NoSecretIsInListingsOrInTheLog) {
  const auto handed = lease("alice", "developer");
  ASSERT_TRUE(handed);
  const std::string token(handed->variables.at("FAKE_TOKEN").reveal());
  const auto listing =
      list_environment_credentials(world.engine(), EngineWorld::as("alice"), "dev");
  ASSERT_TRUE(listing);
  EXPECT_GE(member(*listing, "leases").size(), 1U);
  EXPECT_EQ(listing->dump().find("secret of"), std::string::npos);
  for (const auto& entry : world.log()) {
    EXPECT_EQ(to_json(entry).dump().find("secret of"), std::string::npos);
    EXPECT_EQ(to_json(entry).dump().find("\"token\\\""), std::string::npos);
  }
  EXPECT_EQ(
      code_of(list_environment_credentials(world.engine(), EngineWorld::as("mallory"), "dev")),
      "identity.power-missing");
  EXPECT_EQ(world.logged("credential.list", Outcome::Refused), 1U);
  const auto bytes = read_file(world.folder() / "state.db");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->find("secret of identity"), std::string::npos);
}

TEST_F(LeaseCredential, RotationAndRevocationAreForAdministrators) {
  for (const char* who : {"alice", "amy", "mallory", "service:ci"}) {
    EXPECT_EQ(code_of(rotate_credentials(world.engine(), EngineWorld::as(who), "dev", {})) == "",
              std::string_view(who) == "amy")
        << who;
  }
  EXPECT_EQ(code_of(revoke_credentials(world.engine(), EngineWorld::as("alice"), "dev", "", {})),
            "identity.power-missing");
  EXPECT_EQ(code_of(revoke_credentials(world.engine(), EngineWorld::as("ann"), "dev", "", {})), "");
  const auto boundary = world.state_of("dev").uid.str();
  for (const auto& credential : world.cloud.live_credentials()) {
    EXPECT_EQ(credential.find(boundary), std::string::npos) << credential;
  }
}

using ProbeIsolation = StandingWorld;

TEST_F(ProbeIsolation, IsOkWhenEveryCrossingIsRefused) {
  const auto live = world.cloud.live_credentials();
  const auto result = probe_isolation(world.engine(), EngineWorld::as("amy"), "", {});
  ASSERT_TRUE(result) << result.error().render();
  EXPECT_EQ(member(*result, "ok"), true);
  EXPECT_GT(member(*result, "attempts").size(), 4U);
  EXPECT_EQ(world.cloud.live_credentials(), live) << "what it leased is given back";
  EXPECT_EQ(world.logged("isolation.probe", Outcome::Ok), 1U);
}

TEST_F(ProbeIsolation, IsNotOkWhenAnythingIsLetThrough) {
  world.provider->leaks = true;
  const auto result = probe_isolation(world.engine(), EngineWorld::as("amy"), "dev", {});
  ASSERT_TRUE(result) << result.error().render();
  EXPECT_EQ(member(*result, "ok"), false);
  EXPECT_EQ(world.logged("isolation.probe", Outcome::Failed), 1U);
}

TEST_F(ProbeIsolation, IsForAuditorsAndAdministrators) {
  for (const char* who : {"alice", "bob", "mallory", "service:ci"}) {
    EXPECT_EQ(code_of(probe_isolation(world.engine(), EngineWorld::as(who), "", {})),
              "identity.power-missing")
        << who;
  }
  EXPECT_EQ(code_of(probe_isolation(world.engine(), EngineWorld::as("amy"), "nowhere", {})),
            "[not-found]");
  EXPECT_EQ(code_of(probe_isolation(world.engine(), EngineWorld::as("ann"), "dev", {})), "");
}

TEST(ProbeIsolationOfNothing, IsNotOk) {
  EngineWorld world;
  world.init();
  const auto result = probe_isolation(world.engine(), EngineWorld::as("amy"), "", {});
  ASSERT_TRUE(result);
  EXPECT_EQ(member(*result, "ok"), false);
}

using ReadAudit = StandingWorld;

TEST_F(ReadAudit, IsForAuditorsAndItsRefusalIsAnEntry) {
  for (const char* who : {"alice", "bob", "mallory", "nobody"}) {
    EXPECT_EQ(code_of(read_entries(world.engine(), EngineWorld::as(who), 0, 10)),
              "identity.power-missing");
  }
  EXPECT_EQ(world.logged("audit.read", Outcome::Refused), 4U);
  const auto some = read_entries(world.engine(), EngineWorld::as("amy"), 2, 3);
  ASSERT_TRUE(some);
  ASSERT_EQ(member(*some, "entries").size(), 3U);
  EXPECT_EQ(member(*some, "entries")[0]["index"], 2);
  const auto beyond = read_entries(world.engine(), EngineWorld::as("amy"), UINT64_MAX / 2, 3);
  ASSERT_TRUE(beyond) << beyond.error().render();
  EXPECT_TRUE(member(*beyond, "entries").empty());
  const auto least = read_entries(world.engine(), EngineWorld::as("amy"), 0, 0);
  ASSERT_TRUE(least);
  EXPECT_EQ(member(*least, "entries").size(), 1U);
}

TEST_F(ReadAudit, CheckpointsContinueEachOther) {
  const auto size_of = [&](const std::string& note) {
    const auto opened = open_checkpoint(note, world.log_key->verifier());
    EXPECT_TRUE(opened);
    return *opened;
  };
  const auto first = publish_checkpoint(world.engine());
  ASSERT_TRUE(first);
  EXPECT_EQ(*publish_checkpoint(world.engine()), *first) << "nothing was appended since";
  static_cast<void>(lease("mallory", "developer"));
  const auto second = publish_checkpoint(world.engine());
  ASSERT_TRUE(second);
  const auto before = size_of(*first);
  const auto after = size_of(*second);
  EXPECT_EQ(after.size, before.size + 1);
  const auto proof = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
    return transaction.consistency_proof(before.size, after.size);
  });
  ASSERT_TRUE(proof);
  EXPECT_FALSE(proof->empty());
  world.reopen();
  EXPECT_EQ(*publish_checkpoint(world.engine()), *second);
}

TEST(LogIn, TakesASignatureMadeBySshKeygenOnce) {
  EngineWorld world;
  const auto key = (world.folder() / "carol").string();
  ASSERT_EQ(
      run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "carol", "-f", key}).exit_code, 0);
  auto line = *read_file(key + ".pub");
  line.pop_back();
  world.edit(world.key("carol").line(), line);
  world.init();
  const auto sign = [&](const std::string& text, const char* name_space) {
    return run({"ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", name_space}, text).output;
  };
  const auto challenge = login_challenge(world.engine(), {}, "carol");
  ASSERT_TRUE(challenge);
  const auto done = log_in(world.engine(), {}, *challenge, sign(*challenge, kLoginNamespace));
  ASSERT_TRUE(done) << done.error().render();
  EXPECT_EQ(done->info.subject, "carol");
  // Good once.
  EXPECT_EQ(code_of(log_in(world.engine(), {}, *challenge, sign(*challenge, kLoginNamespace))),
            "identity.login-refused");
  // A signature of the namespace of approvals logs nobody in.
  const auto second = *login_challenge(world.engine(), {}, "carol");
  EXPECT_EQ(code_of(log_in(world.engine(), {}, second, sign(second, "bailey"))),
            "identity.login-refused");
  // Nor does another's key, for anybody, known or not.
  for (const char* who : {"bob", "frank", "nobody", "service:ci", "service:bootstrap"}) {
    const auto other = *login_challenge(world.engine(), {}, who);
    EXPECT_EQ(code_of(log_in(world.engine(), {}, other, sign(other, kLoginNamespace))),
              "identity.login-refused")
        << who;
  }
  // Nor one too late, nor one that the server did not make.
  const auto late = *login_challenge(world.engine(), {}, "carol");
  world.clock.advance(std::chrono::minutes(6));
  EXPECT_EQ(code_of(log_in(world.engine(), {}, late, sign(late, kLoginNamespace))),
            "identity.login-refused");
  EXPECT_EQ(code_of(log_in(world.engine(), {}, "mine", sign("mine", kLoginNamespace))),
            "identity.login-refused");
  EXPECT_EQ(code_of(login_challenge(world.engine(), {}, "group:managers")), "[invalid-argument]");
  EXPECT_EQ(world.logged("identity.login", Outcome::Ok), 1U);
  EXPECT_EQ(world.logged("identity.login", Outcome::Refused), 9U);
}

TEST(Tokens, AreMadeByAdministratorsAndEndWithTime) {
  EngineWorld world;
  world.init();
  const std::chrono::hours hour(1);
  EXPECT_EQ(code_of(create_token(world.engine(), EngineWorld::as("alice"), "bob", hour)),
            "identity.not-administrator");
  EXPECT_EQ(code_of(create_token(world.engine(), EngineWorld::as("ann"), "nobody", hour)),
            "[not-found]");
  EXPECT_EQ(code_of(create_token(world.engine(), EngineWorld::as("ann"), "group:managers", hour)),
            "[not-found]");
  EXPECT_EQ(code_of(create_token(world.engine(), EngineWorld::as("ann"), "bob", hour * 24 * 91)),
            "[invalid-argument]");
  // Bob and the service have keys: nobody acts in their name.
  EXPECT_EQ(code_of(create_token(world.engine(), EngineWorld::as("ann"), "bob", hour)),
            "identity.has-a-key");
  EXPECT_EQ(code_of(create_token(world.engine(), EngineWorld::as("ann"), "service:ci", hour)),
            "identity.has-a-key");
  const auto issued = create_token(world.engine(), EngineWorld::as("ann"), "frank", hour);
  ASSERT_TRUE(issued);
  const auto who = [&] {
    return in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
      return authenticate(transaction, issued->token.reveal(), world.clock.wall_now());
    });
  };
  ASSERT_TRUE(who());
  EXPECT_EQ(to_string(who()->subject), "frank");
  EXPECT_TRUE(list_all_tokens(world.engine(), EngineWorld::as("bob"))->empty());
  EXPECT_EQ(list_all_tokens(world.engine(), EngineWorld::as("frank"))->size(), 1U);
  EXPECT_EQ(code_of(remove_token(world.engine(), EngineWorld::as("bob"), issued->info.id)),
            "identity.not-administrator");
  ASSERT_TRUE(who()) << "a refused revocation revokes nothing";
  world.clock.advance(hour);
  EXPECT_EQ(code_of(who()), "[unauthenticated]");
}

// The worker itself, once, with its threads: what the others do by hand.
TEST(Worker, TakesUpWhatWaitsAndWhatWasLeftBehind) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  const auto change = world.waiting_in("dev");
  ASSERT_TRUE(claim_change(world.engine(), change.id, std::nullopt, {}));
  world.reopen();
  world.clock.advance(std::chrono::minutes(5));
  {
    Worker worker(world.engine());
    for (int i = 0; i < 2000 && !world.load(change.id).finished(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  EXPECT_EQ(world.load(change.id).state, ChangeState::Done);
  EXPECT_EQ(world.cloud.duplicates(), 0);
}

}  // namespace
}  // namespace bailey
