#include "orchestrator/serve/engine/log_in_by_id_token.hpp"

#include "tests/support/engine_world.hpp"
#include "tests/support/token_issuer.hpp"

#include <fmt/format.h>

#include <thread>

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;
using test::TokenIssuer;

class LogInByIdToken : public testing::Test {
 protected:
  void SetUp() override {
    world.edit("    ci: {controlledBy: [zed], ", "    " + binding("ci", "4711") + ", ");
    world.init();
    claims = {{"iss", issuer.name()},
              {"aud", "bailey"},
              {"sub", "repo:acme@123/payments@4711:ref:refs/heads/main"},
              {"repository_id", "4711"},
              {"ref_protected", true},
              {"event_name", "push"},
              {"actor_id", "99"},
              {"run_id", "31337"},
              {"jti", "job-1"},
              {"iat", now()},
              {"exp", now() + 300}};
  }
  static std::string binding(const std::string& name, const std::string& repository) {
    return fmt::format(
        "{}: {{controlledBy: [zed], oidc: {{issuer: "
        "\"https://token.actions.githubusercontent.com\","
        " audience: bailey, claims: {{repository_id: \"{}\", ref_protected: \"true\"}}}}",
        name, repository);
  }
  [[nodiscard]] std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(
               world.clock.wall_now().time_since_epoch())
        .count();
  }
  [[nodiscard]] Result<IssuedToken> log_in(const std::string& token) {
    return log_in_by_id_token(world.engine(), issuers, {{}, "req-1"}, token, {});
  }
  /// A refusal tells the caller nothing; the log has the reason.
  [[nodiscard]] std::string reason(const Json& changed) {
    auto all = claims;
    all["jti"] = fmt::format("job-{}", ++jobs);
    all.update(changed);
    const auto refused = log_in(issuer.sign(all));
    if (refused) return "";
    EXPECT_EQ(code_of(refused), "identity.login-refused");
    EXPECT_EQ(refused.error().message(), "the id token was not accepted");
    return last_detail();
  }
  [[nodiscard]] std::string last_detail() {
    const auto entries = world.log();
    EXPECT_FALSE(entries.empty());
    return entries.empty() ? "" : entries.back().detail;
  }

  EngineWorld world;
  TokenIssuer issuer;
  Issuers issuers{issuer, world.clock};
  Json claims;
  int jobs = 100;
};

TEST_F(LogInByIdToken, GivesTheServiceATokenForAnHour) {
  const auto issued = log_in(issuer.sign(claims));
  ASSERT_TRUE(issued) << issued.error().render();
  EXPECT_EQ(issued->info.subject, "service:ci");
  EXPECT_EQ(issued->info.expires_at, format_time(world.clock.wall_now() + std::chrono::hours(1)));
  const auto caller = in_transaction(*world.store, Access::Read, [&](Transaction& transaction) {
    return authenticate(transaction, issued->token.reveal(), world.clock.wall_now());
  });
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->subject, (Subject{SubjectKind::Service, "ci"}));
  EXPECT_NE(last_detail().find("actor 99"), std::string::npos) << last_detail();
  EXPECT_NE(last_detail().find("run 31337"), std::string::npos) << last_detail();
}

TEST_F(LogInByIdToken, AsksForEveryClaim) {
  EXPECT_EQ(reason(Json::object()), "");
  EXPECT_NE(reason({{"repository_id", "4712"}}).find("no service has these claims"),
            std::string::npos);
  EXPECT_NE(reason({{"repository_id", nullptr}}), "");
  EXPECT_NE(reason({{"repository_id", Json::array({"4711"})}}), "");
  EXPECT_EQ(reason({{"repository_id", 4711}}), "") << "as its JSON text";
  EXPECT_NE(reason({{"ref_protected", false}}), "");
  EXPECT_NE(reason({{"aud", "another"}}).find("not for"), std::string::npos);
  EXPECT_NE(reason({{"exp", now() - 100}}).find("expired"), std::string::npos);
  EXPECT_NE(reason({{"event_name", "pull_request_target"}}).find("strangers"), std::string::npos);
}

TEST_F(LogInByIdToken, AsksNobodyWhomTheDirectoryDoesNotName) {
  const TokenIssuer stranger("https://issuer.evil.example");
  claims["iss"] = stranger.name();
  EXPECT_EQ(code_of(log_in(stranger.sign(claims))), "identity.login-refused");
  EXPECT_EQ(code_of(log_in("")), "identity.login-refused");
  EXPECT_EQ(code_of(log_in("a.b.c")), "identity.login-refused");
  EXPECT_EQ(issuer.requests, 0);
}

TEST_F(LogInByIdToken, SaysWhenTheIssuerDoesNotAnswer) {
  issuer.silent = true;
  EXPECT_EQ(code_of(log_in(issuer.sign(claims))), "issuer.unreachable");
}

TEST_F(LogInByIdToken, IsGoodOnceOnAllServersTogether) {
  const auto token = issuer.sign(claims);
  Issuers others(issuer, world.clock);
  std::atomic<int> accepted{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 25; ++round) {
        const auto issued = log_in_by_id_token(world.engine(), i % 2 == 0 ? issuers : others,
                                               {{}, "req"}, token, {});
        (issued ? accepted : refused) += 1;
      }
    });
  }
  for (auto& each : threads) each.join();
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(refused, 199);
  claims.erase("jti");
  const auto nameless = issuer.sign(claims);
  EXPECT_TRUE(log_in(nameless));
  EXPECT_FALSE(log_in(nameless)) << "without an id, the token itself is remembered";
}

TEST_F(LogInByIdToken, IsForExactlyOneService) {
  // Another one, for which what the first one asks for is enough too.
  EngineWorld both;
  both.edit("    ci: {controlledBy: [zed], ",
            "    " + binding("deployer", "4711") + "}\n    " + binding("ci", "4711") + ", ");
  both.init();
  const auto refused =
      log_in_by_id_token(both.engine(), issuers, {{}, "req"}, issuer.sign(claims), {});
  EXPECT_EQ(code_of(refused), "identity.login-refused");
  EXPECT_NE(both.log().back().detail.find("more than one service"), std::string::npos);
}

}  // namespace
}  // namespace bailey
