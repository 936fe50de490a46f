#include "providers/openstack/api.hpp"
#include "providers/openstack/credential.hpp"
#include "tests/unit/providers/openstack/fake_openstack.hpp"

#include <thread>

namespace bailey::openstack {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kLogin = "POST /v3/auth/tokens";
constexpr auto kNetworks = "GET /network/v2.0/networks";

std::string header_of(const HttpRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

std::string token_of(const HttpRequest& request) {
  return request.secret_headers.empty()
             ? std::string()
             : std::string(request.secret_headers.front().second.reveal());
}

class SessionTest : public OpenstackTest {
 protected:
  Result<Json> get(const std::string& path = "/networks") {
    return Api(session, {}).get(Service::Network, path);
  }
  Session session{options(), doors()};
};

TEST_F(SessionTest, AsksForOneTokenAndKeepsIt) {
  cloud.on(kNetworks, answer(200, {{"networks", Json::array()}}));
  EXPECT_TRUE(get());
  EXPECT_TRUE(get());
  EXPECT_EQ(cloud.count(kLogin), 1U);
  EXPECT_EQ(token_of(cloud.requests(kNetworks).back()), "token-1");
}

TEST_F(SessionTest, RenewsTheTokenAMinuteBeforeItExpires) {
  cloud.on(kNetworks, answer(200));
  EXPECT_TRUE(get());
  clock.advance(hours(24) - seconds(61));
  EXPECT_TRUE(get());
  EXPECT_EQ(cloud.count(kLogin), 1U);
  clock.advance(seconds(2));
  EXPECT_TRUE(get());
  EXPECT_EQ(cloud.count(kLogin), 2U);
}

TEST_F(SessionTest, LogsInAgainOnceWhenItsTokenIsRefused) {
  cloud.on(kNetworks, answer(401));
  cloud.on(kNetworks, answer(200));
  EXPECT_TRUE(get());
  EXPECT_EQ(cloud.count(kLogin), 2U);
  EXPECT_EQ(token_of(cloud.requests(kNetworks).back()), "token-2");
}

TEST_F(SessionTest, GivesUpWhenTheNextTokenIsRefusedToo) {
  cloud.on(kNetworks, answer(401));
  const auto refused = get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::Unauthenticated);
  EXPECT_EQ(cloud.count(kNetworks), 2U);
}

TEST_F(SessionTest, SendsACreateAgainThatWasRefusedForItsToken) {
  cloud.on("POST /network/v2.0/networks", answer(401));
  cloud.on("POST /network/v2.0/networks", answer(201));
  EXPECT_TRUE(Api(session, {}).post(Service::Network, "/networks", Json::object()));
}

TEST_F(SessionTest, OutlastsTheSecondInWhichAFreshTokenWasRevoked) {
  cloud.on(kNetworks, answer(401));
  cloud.on(kNetworks, answer(200));
  EXPECT_TRUE(get());
  EXPECT_EQ(clock.sleeps(), std::vector{milliseconds(1100)});
}

TEST_F(SessionTest, DoesNotWaitForATokenThatIsOld) {
  cloud.on(kNetworks, answer(200));
  cloud.on(kNetworks, answer(401));
  cloud.on(kNetworks, answer(200));
  EXPECT_TRUE(get());
  clock.advance(hours(1));
  EXPECT_TRUE(get());
  EXPECT_TRUE(clock.sleeps().empty());
}

TEST_F(SessionTest, ManyThreadsAskOnce) {
  cloud.on(kNetworks, answer(200));
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([this] { EXPECT_TRUE(get()); });
  threads.clear();
  EXPECT_EQ(cloud.count(kLogin), 1U);
}

TEST_F(SessionTest, WrongPasswordIsUnauthenticatedAndNeverShown) {
  cloud.on(kLogin, answer(401, {{"error", {{"message", "bad: pass word"}}}}));
  const auto refused = get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::Unauthenticated);
  EXPECT_EQ(refused.error().render().find("pass word"), std::string::npos);
}

TEST_F(SessionTest, DeletedApplicationCredentialIsNobody) {
  cloud.on(kLogin, answer(404));
  auto by_credential = options();
  by_credential.login = ApplicationCredentialLogin{"ac", Secret("s")};
  Session gone(by_credential, doors());
  const auto token = gone.token({});
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind(), ErrorKind::Unauthenticated);
}

TEST_F(SessionTest, TokenWithoutAZoneIsInUtc) {
  cloud.expires_at = "2026-03-04T12:00:00.123000";
  const auto token = session.token({});
  ASSERT_TRUE(token) << token.error().render();
  EXPECT_EQ(format_time((*token)->expires_at), "2026-03-04T12:00:00.123Z");
}

TEST_F(SessionTest, AnswerWithoutATokenIsNotUnderstood) {
  cloud.on(kLogin, answer(201, {{"token", {{"expires_at", "2026-03-05T10:00:00Z"}}}}));
  EXPECT_EQ(session.token({}).error().kind(), ErrorKind::Protocol);
  cloud.replace(kLogin, FakeOpenstack::token_answer("t", "whenever"));
  EXPECT_EQ(session.token({}).error().kind(), ErrorKind::Protocol);
}

TEST_F(SessionTest, TakesEndpointsByInterfaceAndRegion) {
  const auto token = session.token({});
  ASSERT_TRUE(token);
  EXPECT_EQ((*token)->endpoints.at(Service::Network), "https://cloud/network/v2.0");
  EXPECT_EQ((*token)->endpoints.at(Service::Compute), "https://cloud/compute/v2.1");
  EXPECT_EQ((*token)->endpoints.at(Service::Identity), "https://cloud/v3");
}

TEST_F(SessionTest, ServiceThatIsInNoCatalogueIsNamed) {
  const auto refused = Api(session, {}).get(Service::Dns, "/zones");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::Unsupported);
  EXPECT_EQ(refused.error().code(), kNoService);
}

TEST_F(SessionTest, OnlyNovaIsToldAMicroversion) {
  cloud.on(kNetworks, answer(200));
  cloud.on("GET /compute/v2.1/flavors", answer(200));
  EXPECT_TRUE(get());
  EXPECT_TRUE(Api(session, {}).get(Service::Compute, "/flavors"));
  EXPECT_EQ(header_of(cloud.requests(kNetworks).back(), "OpenStack-API-Version"), "");
  EXPECT_EQ(header_of(cloud.requests("GET /compute/v2.1/flavors").back(), "OpenStack-API-Version"),
            "compute 2.60");
}

TEST_F(SessionTest, SessionsOfOneAccountAskForVersionsOnce) {
  cloud.on("GET /compute/v2.1/flavors", answer(200));
  EXPECT_TRUE(Api(session, {}).get(Service::Compute, "/flavors"));
  Session inside(session.options(), doors());
  EXPECT_TRUE(Api(inside, {}).get(Service::Compute, "/flavors"));
  EXPECT_EQ(cloud.count("GET /compute/"), 1U);
}

TEST_F(SessionTest, ServiceThatIsTooOldIsNotAsked) {
  cloud.on("GET /compute/", FakeOpenstack::versions("2.30"));
  const auto refused = Api(session, {}).get(Service::Compute, "/flavors");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::Unsupported);
  EXPECT_EQ(refused.error().code(), "openstack.microversion");
}

TEST_F(SessionTest, TrustsTheAuthoritiesOfItsAccountAtEveryAddress) {
  cloud.on("GET /compute/v2.1/flavors", answer(200));
  auto own = options();
  own.ca_file = "/etc/ca.pem";
  Session trusting(own, doors());
  EXPECT_TRUE(Api(trusting, {}).get(Service::Compute, "/flavors"));
  for (const auto* what : {kLogin, "GET /compute/", "GET /compute/v2.1/flavors"}) {
    ASSERT_EQ(cloud.count(what), 1U);
    EXPECT_EQ(cloud.requests(what).back().ca_file, "/etc/ca.pem");
  }
}

TEST_F(SessionTest, UnverifiedCertificateNamesTheOption) {
  cloud.on(kLogin, [](const HttpRequest&) -> Result<HttpResponse> {
    return fail(Error(ErrorKind::Protocol, "scripted").with_code(std::string(kBadCertificate)));
  });
  const auto refused = session.token({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), kBadCertificate);
  EXPECT_NE(refused.error().hint().find("caFile"), std::string::npos);
}

TEST_F(SessionTest, SendsNoTokenInTheClear) {
  auto inside = options();
  inside.interface = "internal";  // http, and not on this machine
  Session lost(inside, doors());
  const auto refused = Api(lost, {}).get(Service::Network, "/networks");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::Refused);
  EXPECT_EQ(refused.error().code(), "openstack.plain-http");
  EXPECT_EQ(cloud.count("GET /inside/v2.0/networks"), 0U);
  inside.auth_url = "http://cloud/v3";
  Session lost_before(inside, doors());
  EXPECT_EQ(lost_before.token({}).error().code(), "openstack.plain-http");
}

TEST_F(SessionTest, RegionThatIsNotInTheCatalogueGivesNoToken) {
  auto elsewhere = options();
  elsewhere.region = "nowhere";
  EXPECT_EQ(Session(elsewhere, doors()).token({}).error().code(), "openstack.region");
  elsewhere.region = "";
  EXPECT_EQ(Session(elsewhere, doors()).token({}).error().code(), "openstack.region");
}

TEST_F(SessionTest, ProjectThatIsShownNoServiceIsNotTakenForAnEmptyOne) {
  auto blind = FakeOpenstack::token_answer("t", cloud.expires_at);
  auto body = Json::parse(blind.body);
  body["token"]["catalog"] = Json::array();
  blind.body = body.dump();
  cloud.on(kLogin, blind);
  EXPECT_EQ(session.token({}).error().kind(), ErrorKind::Protocol);
}

TEST_F(SessionTest, LostAnswerToACreateIsNotSentAgain) {
  cloud.on_failure("POST /network/v2.0/networks", ErrorKind::Timeout);
  const auto lost = Api(session, {}).post(Service::Network, "/networks", Json::object());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind(), ErrorKind::Timeout);
  EXPECT_EQ(cloud.count("POST /network/v2.0/networks"), 1U);
}

TEST_F(SessionTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  const auto stopped = Api(session, source.get_token()).get(Service::Network, "/networks");
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind(), ErrorKind::Cancelled);
}

TEST(AuthBody, ApplicationCredentialTakesNoScope) {
  const auto body = auth_body(ApplicationCredentialLogin{"ac", Secret("s")}, {.project_id = "p1"});
  EXPECT_FALSE(body["auth"].contains("scope"));
}

TEST(AuthBody, PasswordIsScopedToTheProject) {
  PasswordLogin login;
  login.user_id = "u1";
  login.password = Secret("s");
  EXPECT_EQ(auth_body(login, {.project_id = "p1"})["auth"]["scope"]["project"]["id"], "p1");
  EXPECT_EQ(auth_body(login, {})["auth"]["scope"], "unscoped");
  const auto named = auth_body(login, {.project_name = "n", .domain_name = "D"});
  EXPECT_EQ(named["auth"]["scope"]["project"]["domain"]["name"], "D");
}

TEST_F(SessionTest, PagesAreFollowedWithoutLeavingTheService) {
  cloud.on(kNetworks,
           answer(200, {{"networks", {{{"id", "a"}}}},
                        {"networks_links",
                         {{{"rel", "next"}, {"href", "http://evil/v2.0/networks?marker=a"}}}}}));
  cloud.on(kNetworks, answer(200, {{"networks", {{{"id", "b"}}}}}));
  const auto all = Api(session, {}).list(Service::Network, "/networks", "networks");
  ASSERT_TRUE(all) << all.error().render();
  EXPECT_EQ(all->size(), 2U);
  EXPECT_EQ(cloud.requests(kNetworks).back().url, "https://cloud/network/v2.0/networks?marker=a");
}

TEST_F(SessionTest, PagesInACircleEnd) {
  cloud.on(kNetworks, answer(200, {{"networks", {{{"id", "a"}}}}, {"next", "/x?marker=a"}}));
  const auto all = Api(session, {}).list(Service::Network, "/networks", "networks");
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().kind(), ErrorKind::Protocol);
}

TEST_F(SessionTest, ListWithoutItsCollectionIsNotAnEmptyOne) {
  cloud.on(kNetworks, answer(200, {{"message", "hello"}}));
  const auto all = Api(session, {}).list(Service::Network, "/networks", "networks");
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().kind(), ErrorKind::Protocol);
}

TEST(SessionOptions, RefusesACredentialWithoutItsParts) {
  Account account;
  account.name = "a";
  for (const auto* text :
       {"", "{}", "[]", "not json with hunter2", R"({"username":"u","password":"hunter2"})",
        R"({"application_credential_id":"x"})",
        R"({"username":"u","password":"hunter2","user_domain_name":"D"})"}) {
    const auto options = session_options(account, Secret(text));
    ASSERT_FALSE(options) << text;
    EXPECT_EQ(options.error().kind(), ErrorKind::InvalidArgument);
    EXPECT_EQ(options.error().render().find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace bailey::openstack
