#include "orchestrator/provision/credential/credentials.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_random.hpp"
#include "tests/unit/provision/credential/small_provider.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace bailey {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::FakeClock;
using test::FakeRandom;
using test::SmallProvider;

class CredentialsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(KeyRing(folder_.path()).create_missing(random_));
    sealer_ = KeyRing(folder_.path()).sealer().value();
    opener_ = KeyRing(folder_.path()).opener({EnvironmentClass::Staging}).value();
    scope_.environment = "payments-staging";
    scope_.environment_uid = EnvironmentUid("env-1");
    scope_.environment_class = EnvironmentClass::Staging;
    scope_.boundary = "project-1";
    scope_.roles = {{"developer", {{Power::Read}, {"member"}}},
                    {"runtime", {{}, {"reader"}}},
                    {"approver", {{Power::Approve}, {}}}};
    scope_.credentials = {{"app", {"runtime", hours(12), std::nullopt}}};
    // Whatever the provider does, no transaction of ours may be open meanwhile.
    provider_.seen = [this](const std::string& call) {
      EXPECT_TRUE(store_->begin(Access::Write)) << call;
    };
  }

  CredentialTools tools() { return {*store_, provider_, sealer_, opener_, clock_, random_}; }
  Status stamp() { return stamp_credentials(tools(), scope_, actor_, {}); }
  Status strip() { return strip_credentials(tools(), scope_, actor_, {}); }
  Status sweep() { return sweep_credentials(tools(), scope_, actor_, {}); }
  Result<LeasedCredential> lease(const std::string& role = "developer",
                                 std::chrono::seconds ttl = kDefaultCredentialTtl) {
    return lease_role(tools(), scope_, {role, "alice", ttl}, actor_, {});
  }
  CredentialListing listing() {
    return list_credentials(*store_->begin(Access::Read).value(), scope_.environment).value();
  }
  std::vector<Credential> with_status(CredentialStatus status) {
    auto all = listing().credentials;
    std::erase_if(all, [&](const auto& one) { return one.status != status; });
    return all;
  }
  std::vector<Record> records(Collection collection) {
    return store_->begin(Access::Read).value()->list(collection, {}).value();
  }
  std::vector<AuditEntry> log() {
    std::vector<AuditEntry> entries;
    const auto all = store_->begin(Access::Read).value()->log_records(0, 10'000).value();
    for (const auto& record : all) {
      entries.push_back(audit_entry_from_json(parse_json(record.body).value()).value());
    }
    return entries;
  }
  std::size_t logged(const std::string& action, Outcome outcome = Outcome::Ok) {
    const auto entries = log();
    return static_cast<std::size_t>(
        std::count_if(entries.begin(), entries.end(), [&](const AuditEntry& entry) {
          return entry.action == action && entry.outcome == outcome;
        }));
  }
  static SmallProvider::Fault once(const std::string& call, ErrorKind kind) {
    return [call, kind, left = 1](const std::string& name) mutable -> std::optional<Error> {
      if (name != call || left-- <= 0) return std::nullopt;
      return Error(kind, "injected");
    };
  }
  static SmallProvider::Fault always(const std::string& call, ErrorKind kind) {
    return [call, kind](const std::string& name) -> std::optional<Error> {
      if (name != call) return std::nullopt;
      return Error(kind, "injected");
    };
  }
  void heal() {
    provider_.before = [](const std::string&) { return std::nullopt; };
    provider_.after = provider_.before;
  }

  TemporaryFolder folder_ = TemporaryFolder::create().value();
  FakeRandom random_;
  FakeClock clock_;
  SmallProvider provider_;
  Sealer sealer_;
  Opener opener_;
  std::unique_ptr<StateStore> store_ =
      SqliteStateStore::open(folder_.path() / "state.db", OpenMode::ReadWrite,
                             {std::chrono::milliseconds(50)})
          .value();
  CredentialScope scope_;
  Actor actor_{"alice", "token:1", "req-1"};
};

TEST_F(CredentialsTest, StampingGivesEachRoleAnIdentityAndEachEntryACredential) {
  ASSERT_TRUE(stamp());
  EXPECT_EQ(provider_.users.size(), 2U);
  EXPECT_EQ(records(Collection::Identity).size(), 2U);
  const auto active = with_status(CredentialStatus::Active);
  ASSERT_EQ(active.size(), 1U);
  EXPECT_EQ(active[0].entry, "app");
  EXPECT_EQ(active[0].role, "runtime");
  EXPECT_EQ(provider_.users.at(active[0].identity).grants, std::vector<std::string>{"reader"});
  EXPECT_EQ(active[0].expires_at, format_time(clock_.wall_now() + hours(12)));
  EXPECT_EQ(records(Collection::Sealed).size(), 3U);
}

TEST_F(CredentialsTest, StampingTwiceChangesNothing) {
  ASSERT_TRUE(stamp());
  const auto entries = log().size();
  const auto users = provider_.users.size();
  ASSERT_TRUE(stamp());
  EXPECT_EQ(log().size(), entries);
  EXPECT_EQ(provider_.users.size(), users);
  EXPECT_EQ(provider_.credential_count(), 1U);
}

TEST_F(CredentialsTest, NoSecretIsInTheDatabaseOrTheLog) {
  ASSERT_TRUE(stamp());
  ASSERT_TRUE(lease());
  store_.reset();
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    const auto bytes = read_file(file.path()).value();
    EXPECT_EQ(bytes.find("identity-secret"), std::string::npos) << file.path();
    EXPECT_EQ(bytes.find("material-of"), std::string::npos) << file.path();
  }
}

TEST_F(CredentialsTest, StampingIssuesAnewWhatHasExpired) {
  ASSERT_TRUE(stamp());
  clock_.advance(hours(12));
  ASSERT_TRUE(stamp());
  EXPECT_EQ(with_status(CredentialStatus::Active).size(), 1U);
  EXPECT_EQ(with_status(CredentialStatus::Revoked).size(), 1U);
  EXPECT_EQ(provider_.credential_count(), 1U);
}

TEST_F(CredentialsTest, StampingRotatesWhatIsDueAndLetsTheOldRunOut) {
  scope_.credentials["app"].rotate = hours(6);
  ASSERT_TRUE(stamp());
  clock_.advance(hours(6) - minutes(1));
  ASSERT_TRUE(stamp());
  EXPECT_EQ(provider_.credential_count(), 1U);
  clock_.advance(minutes(1));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(stamp());
    EXPECT_EQ(with_status(CredentialStatus::Active).size(), 2U);
  }
  clock_.advance(hours(6));
  ASSERT_TRUE(stamp());
  EXPECT_EQ(with_status(CredentialStatus::Active).size(), 2U);
  EXPECT_EQ(provider_.credential_count(), 2U);
}

TEST_F(CredentialsTest, StampingRemovesWhatIsNoLongerDeclared) {
  ASSERT_TRUE(stamp());
  ASSERT_TRUE(lease());
  scope_.roles.erase("developer");
  scope_.credentials.clear();
  ASSERT_TRUE(stamp());
  EXPECT_EQ(provider_.users.size(), 1U);
  EXPECT_EQ(provider_.credential_count(), 0U);
  EXPECT_TRUE(with_status(CredentialStatus::Active).empty());
  EXPECT_EQ(records(Collection::Identity).size(), 1U);
  EXPECT_EQ(records(Collection::Sealed).size(), 1U);
}

TEST_F(CredentialsTest, StampingFollowsChangedGrants) {
  ASSERT_TRUE(stamp());
  scope_.roles["developer"].grants = {"reader"};
  ASSERT_TRUE(stamp());
  const auto found =
      std::find_if(provider_.users.begin(), provider_.users.end(),
                   [](const auto& user) { return user.second.name == "env-1/developer"; });
  ASSERT_NE(found, provider_.users.end());
  EXPECT_EQ(found->second.grants, std::vector<std::string>{"reader"});
  EXPECT_TRUE(lease());
}

TEST_F(CredentialsTest, AnEarlierEnvironmentOfTheNameLeavesNothingBehind) {
  ASSERT_TRUE(stamp());
  ASSERT_TRUE(lease());
  scope_.environment_uid = EnvironmentUid("env-2");
  ASSERT_TRUE(stamp());
  EXPECT_EQ(provider_.users.size(), 2U);
  for (const auto& [id, user] : provider_.users) EXPECT_EQ(user.name.rfind("env-2/", 0), 0U);
  for (const auto& one : with_status(CredentialStatus::Active)) {
    EXPECT_EQ(one.environment_uid.str(), "env-2");
  }
}

TEST_F(CredentialsTest, ALeaseIsAFreshCredentialThatIsKeptNowhere) {
  ASSERT_TRUE(stamp());
  const auto sealed = records(Collection::Sealed).size();
  const auto first = lease("developer", minutes(30));
  ASSERT_TRUE(first.has_value());
  const auto second = lease();
  ASSERT_TRUE(second.has_value());
  EXPECT_NE(first->material.reveal(), second->material.reveal());
  EXPECT_EQ(first->lease.holder, "alice");
  EXPECT_EQ(first->lease.expires_at, format_time(clock_.wall_now() + minutes(30)));
  EXPECT_EQ(provider_.last_expiry, clock_.wall_now() + hours(1));
  EXPECT_EQ(listing().leases.size(), 2U);
  EXPECT_EQ(records(Collection::Sealed).size(), sealed);
  EXPECT_EQ(logged("credential.issue"), 3U);
  EXPECT_EQ(log().back().actor, "alice");
  EXPECT_EQ(log().back().proof, "token:1");
}

TEST_F(CredentialsTest, RefusesALeaseThatCannotBe) {
  EXPECT_EQ(lease().error().kind(), ErrorKind::FailedPrecondition);
  EXPECT_EQ(lease().error().code(), "credential.not-stamped");
  ASSERT_TRUE(stamp());
  EXPECT_EQ(lease("nobody").error().kind(), ErrorKind::NotFound);
  EXPECT_EQ(lease("approver").error().kind(), ErrorKind::FailedPrecondition);
  for (const auto ttl : {std::chrono::seconds(0), std::chrono::seconds(-1),
                         kMaximumCredentialTtl + std::chrono::seconds(1)}) {
    EXPECT_EQ(lease("developer", ttl).error().kind(), ErrorKind::InvalidArgument);
  }
  EXPECT_TRUE(lease("developer", kMaximumCredentialTtl));
  opener_ = Opener();
  EXPECT_EQ(lease().error().kind(), ErrorKind::PermissionDenied);
  EXPECT_EQ(provider_.credential_count(), 2U);
}

TEST_F(CredentialsTest, AnExchangedSealedRowDoesNotOpen) {
  ASSERT_TRUE(stamp());
  ASSERT_TRUE(in_transaction(*store_, Access::Write, [&](Transaction& transaction) -> Status {
    const auto runtime =
        transaction.get(Collection::Sealed, "identity/env-1/runtime").value().value();
    EXPECT_TRUE(transaction.put(Collection::Sealed, "identity/env-1/developer", runtime.body));
    return {};
  }));
  EXPECT_EQ(lease().error().code(), "credential.seal-broken");
}

TEST_F(CredentialsTest, RevokingALeaseEndsItAtTheProviderToo) {
  ASSERT_TRUE(stamp());
  const auto kept = lease();
  const auto leased = lease();
  ASSERT_TRUE(leased.has_value());
  EXPECT_EQ(provider_.credential_count(), 3U);
  ASSERT_TRUE(revoke_lease(tools(), scope_, leased->lease.id, actor_, {}));
  EXPECT_EQ(provider_.credential_count(), 2U);
  for (const auto& one : listing().leases) {
    EXPECT_EQ(one.revoked, one.id == leased->lease.id);
  }
  const auto entries = log().size();
  EXPECT_TRUE(revoke_lease(tools(), scope_, leased->lease.id, actor_, {}));
  EXPECT_EQ(log().size(), entries);
  EXPECT_EQ(revoke_lease(tools(), scope_, LeaseId("lease-none"), actor_, {}).error().kind(),
            ErrorKind::NotFound);
}

TEST_F(CredentialsTest, ARevocationThatFailsStaysUntilItSucceeds) {
  ASSERT_TRUE(stamp());
  const auto leased = lease();
  for (const auto kind : {ErrorKind::Timeout, ErrorKind::PermissionDenied}) {
    provider_.before = always("revoke", kind);
    EXPECT_EQ(revoke_lease(tools(), scope_, leased->lease.id, actor_, {}).error().kind(), kind);
    ASSERT_EQ(with_status(CredentialStatus::Revoking).size(), 1U);
    EXPECT_FALSE(listing().leases[0].revoked);
  }
  EXPECT_EQ(logged("credential.revoke", Outcome::Failed), 2U);
  heal();
  ASSERT_TRUE(sweep());
  EXPECT_TRUE(listing().leases[0].revoked);
  EXPECT_EQ(provider_.credential_count(), 1U);
}

TEST_F(CredentialsTest, RevokingARoleLeavesTheOthers) {
  ASSERT_TRUE(stamp());
  ASSERT_TRUE(lease("developer"));
  ASSERT_TRUE(lease("runtime"));
  ASSERT_TRUE(revoke_role(tools(), scope_, "runtime", actor_, {}));
  const auto active = with_status(CredentialStatus::Active);
  ASSERT_EQ(active.size(), 1U);
  EXPECT_EQ(active[0].role, "developer");
  ASSERT_TRUE(revoke_all(tools(), scope_, actor_, {}));
  EXPECT_EQ(provider_.credential_count(), 0U);
  EXPECT_EQ(provider_.users.size(), 2U);
}

TEST_F(CredentialsTest, ABrokenSealKeepsNoCredentialAlive) {
  ASSERT_TRUE(stamp());
  const auto leased = lease();
  opener_ = Opener();
  EXPECT_TRUE(revoke_lease(tools(), scope_, leased->lease.id, actor_, {}));
  EXPECT_EQ(provider_.credential_count(), 1U);
}

TEST_F(CredentialsTest, StrippingLeavesNothingAtTheProviderAndRowsAsRevoked) {
  ASSERT_TRUE(stamp());
  ASSERT_TRUE(lease());
  ASSERT_TRUE(strip());
  EXPECT_TRUE(provider_.users.empty());
  EXPECT_EQ(with_status(CredentialStatus::Revoked).size(), 2U);
  EXPECT_TRUE(listing().leases[0].revoked);
  EXPECT_TRUE(records(Collection::Identity).empty());
  EXPECT_TRUE(records(Collection::Sealed).empty());
  const auto entries = log().size();
  EXPECT_TRUE(strip());
  EXPECT_EQ(log().size(), entries);
}

TEST_F(CredentialsTest, RenewingOverlapsOldAndNew) {
  ASSERT_TRUE(stamp());
  const auto old = with_status(CredentialStatus::Active).front();
  std::size_t most = 0;
  provider_.seen = [&](const std::string&) { most = std::max(most, provider_.credential_count()); };
  ASSERT_TRUE(renew_credentials(tools(), scope_, actor_, {}));
  EXPECT_EQ(most, 2U);
  const auto now = with_status(CredentialStatus::Active);
  ASSERT_EQ(now.size(), 1U);
  EXPECT_NE(now[0].id, old.id);
  EXPECT_EQ(provider_.credential_count(), 1U);
}

TEST_F(CredentialsTest, RenewingThatFailsKeepsTheOld) {
  ASSERT_TRUE(stamp());
  provider_.before = always("issue", ErrorKind::Unavailable);
  EXPECT_FALSE(renew_credentials(tools(), scope_, actor_, {}));
  EXPECT_EQ(with_status(CredentialStatus::Active).size(), 1U);
  EXPECT_EQ(provider_.credential_count(), 1U);
}

TEST_F(CredentialsTest, AStandingCredentialIsReadWithAnEntryInTheLog) {
  ASSERT_TRUE(stamp());
  const auto read = read_standing_credential(tools(), scope_, "app", actor_);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->reveal(),
            "material-of-" + with_status(CredentialStatus::Active).front().provider_id);
  EXPECT_EQ(logged("credential.read"), 1U);
  EXPECT_EQ(read_standing_credential(tools(), scope_, "none", actor_).error().kind(),
            ErrorKind::NotFound);
  clock_.advance(hours(13));
  EXPECT_EQ(read_standing_credential(tools(), scope_, "app", actor_).error().kind(),
            ErrorKind::NotFound);
}

TEST_F(CredentialsTest, TheIntentStandsBeforeTheProviderIsAsked) {
  ASSERT_TRUE(stamp());
  std::vector<Credential> during;
  provider_.seen = [&](const std::string& call) {
    if (call == "issue") during = with_status(CredentialStatus::Issuing);
  };
  ASSERT_TRUE(lease());
  ASSERT_EQ(during.size(), 1U);
  EXPECT_FALSE(during[0].name.empty());
  EXPECT_TRUE(during[0].provider_id.empty());
}

TEST_F(CredentialsTest, ALostAnswerOfALeaseIsGotHoldOfAndRevoked) {
  ASSERT_TRUE(stamp());
  provider_.after = once("issue", ErrorKind::Timeout);
  EXPECT_EQ(lease().error().kind(), ErrorKind::Timeout);
  EXPECT_EQ(provider_.credential_count(), 2U);
  ASSERT_EQ(with_status(CredentialStatus::Revoking).size(), 1U);
  EXPECT_TRUE(listing().leases.empty());
  ASSERT_TRUE(sweep());
  EXPECT_EQ(provider_.credential_count(), 1U);
  EXPECT_TRUE(with_status(CredentialStatus::Revoking).empty());
}

TEST_F(CredentialsTest, ALostAnswerOfAStandingCredentialIsCompletedByTheNextStamp) {
  provider_.after = once("issue", ErrorKind::Timeout);
  EXPECT_FALSE(stamp());
  EXPECT_EQ(with_status(CredentialStatus::Issuing).size(), 1U);
  ASSERT_TRUE(stamp());
  EXPECT_EQ(provider_.credential_count(), 1U);
  EXPECT_EQ(listing().credentials.size(), 1U);
  EXPECT_TRUE(read_standing_credential(tools(), scope_, "app", actor_));
}

TEST_F(CredentialsTest, ARefusalAfterALostAnswerForgetsNothing) {
  provider_.after = once("issue", ErrorKind::Timeout);
  EXPECT_FALSE(stamp());
  provider_.before = always("issue", ErrorKind::QuotaExceeded);
  EXPECT_FALSE(stamp());
  EXPECT_EQ(with_status(CredentialStatus::Issuing).size(), 1U);
  heal();
  ASSERT_TRUE(strip());
  EXPECT_EQ(provider_.credential_count(), 0U);
}

TEST_F(CredentialsTest, ARefusedLeaseLeavesNothingToRevoke) {
  ASSERT_TRUE(stamp());
  provider_.before = once("issue", ErrorKind::QuotaExceeded);
  EXPECT_EQ(lease().error().kind(), ErrorKind::QuotaExceeded);
  EXPECT_EQ(with_status(CredentialStatus::Revoked).size(), 1U);
  EXPECT_EQ(logged("credential.issue", Outcome::Failed), 1U);
}

TEST_F(CredentialsTest, SweepingLeavesWhatAnotherThreadIsStillIssuing) {
  ASSERT_TRUE(stamp());
  ASSERT_TRUE(in_transaction(*store_, Access::Write, [&](Transaction& transaction) -> Status {
    auto row = with_status(CredentialStatus::Active).front();
    row.id = CredentialId("cred-other");
    row.entry.clear();
    row.name = "other";
    row.provider_id.clear();
    row.status = CredentialStatus::Issuing;
    EXPECT_TRUE(
        transaction.put(Collection::Credential, "payments-staging/cred-other", to_json(row)));
    return {};
  }));
  ASSERT_TRUE(sweep());
  EXPECT_EQ(with_status(CredentialStatus::Issuing).size(), 1U);
  clock_.advance(minutes(11));
  ASSERT_TRUE(sweep());
  EXPECT_TRUE(with_status(CredentialStatus::Issuing).empty());
}

TEST_F(CredentialsTest, SweepingEndsExpiredLeases) {
  ASSERT_TRUE(stamp());
  ASSERT_TRUE(lease("developer", minutes(5)));
  ASSERT_TRUE(sweep());
  EXPECT_FALSE(listing().leases[0].revoked);
  clock_.advance(minutes(5));
  ASSERT_TRUE(sweep());
  EXPECT_TRUE(listing().leases[0].revoked);
  EXPECT_EQ(provider_.credential_count(), 1U);
}

TEST_F(CredentialsTest, AnIdentityWhoseMakingWasInterruptedIsRemovedByStripping) {
  provider_.after = always("ensure_identity", ErrorKind::Timeout);
  EXPECT_FALSE(stamp());
  EXPECT_EQ(provider_.users.size(), 2U);
  heal();
  ASSERT_TRUE(strip());
  EXPECT_TRUE(provider_.users.empty());
}

// Every call to the provider fails once, before the act and after it; then the work is done again.
TEST_F(CredentialsTest, EveryLostCallIsMendedByDoingItAgain) {
  const auto life = [&] {
    return std::vector<std::function<Status()>>{
        [&] { return stamp(); },
        [&]() -> Status {
          auto leased = lease();
          if (!leased) return fail(std::move(leased.error()));
          return {};
        },
        [&] { return renew_credentials(tools(), scope_, actor_, {}); },
        [&] { return strip(); },
    };
  };
  for (const bool lost_answer : {false, true}) {
    for (int nth = 1;; ++nth) {
      int left = nth;
      const SmallProvider::Fault fault = [&](const std::string&) -> std::optional<Error> {
        if (left == 0 || --left != 0) return std::nullopt;
        return Error(ErrorKind::Timeout, "injected");
      };
      heal();
      (lost_answer ? provider_.after : provider_.before) = fault;
      for (const auto& step : life()) {
        if (!step()) {
          ASSERT_TRUE(step()) << nth;
        }
      }
      EXPECT_TRUE(provider_.users.empty()) << nth;
      EXPECT_TRUE(records(Collection::Identity).empty()) << nth;
      EXPECT_TRUE(records(Collection::Sealed).empty()) << nth;
      EXPECT_EQ(with_status(CredentialStatus::Revoked).size(), listing().credentials.size()) << nth;
      if (left != 0) {
        EXPECT_GT(nth, 9);
        break;
      }
    }
  }
}

TEST_F(CredentialsTest, WhenTheLogCannotBeWrittenNobodyGetsAnything) {
  ASSERT_TRUE(stamp());
  actor_.name = std::string(70'000, 'x');
  const auto calls = provider_.calls.size();
  EXPECT_FALSE(lease());
  EXPECT_EQ(provider_.calls.size(), calls);
  EXPECT_FALSE(read_standing_credential(tools(), scope_, "app", actor_));
  EXPECT_EQ(provider_.credential_count(), 1U);
}

}  // namespace
}  // namespace bailey
