#include "orchestrator/serve/api/api.hpp"

#include "orchestrator/serve/api/problem.hpp"
#include "tests/unit/serve/api/api_world.hpp"

#include <set>

namespace bailey {
namespace {

using test::ApiWorld;
using test::body_of;
using test::header;

TEST(Router, FindsRoutesAndDecodesWhatIsInTheirPlaces) {
  Router router;
  const auto nothing = [](const ApiCall&) -> Result<ApiAnswer> { return ApiAnswer{}; };
  router.add("GET", "/v1/things/{name}/parts/{id}", nothing);
  router.add("POST", "/v1/things/{name}/parts/{id}", nothing);
  router.add("GET", "/v1/things", Door::Open, nothing);
  const auto found = router.match("GET", "/v1/things/a%2Fb/parts/%C3%B6");
  ASSERT_NE(found.route, nullptr);
  EXPECT_EQ(found.path.at("name"), "a/b");
  EXPECT_EQ(found.path.at("id"), "\xC3\xB6");
  EXPECT_EQ(found.route->door, Door::KnownCaller);
  EXPECT_EQ(router.match("GET", "/v1/things").route->door, Door::Open);
  const auto other = router.match("DELETE", "/v1/things/a/parts/b");
  EXPECT_EQ(other.route, nullptr);
  EXPECT_EQ(other.allowed, (std::vector<std::string>{"GET", "POST"}));
  for (const char* path :
       {"", "/", "/v1/things/", "/v1/things//parts/b", "/v1/things/a/parts/",
        "/v1/things/a/parts/b/", "/v1/things/%/parts/b", "/V1/things", "/v1/things/%FF/parts/b",
        "/v1/things/a/parts/b/c", "v1/things", "//v1/things", "/v1/thing%73"}) {
    const auto none = router.match("GET", path);
    EXPECT_EQ(none.route, nullptr) << path;
    EXPECT_TRUE(none.allowed.empty()) << path;
  }
}

TEST(Problem, HasAStatusForEveryKind) {
  const std::map<ErrorKind, int> table = {
      {ErrorKind::InvalidArgument, 400},  {ErrorKind::Unauthenticated, 401},
      {ErrorKind::PermissionDenied, 403}, {ErrorKind::Refused, 422},
      {ErrorKind::NotFound, 404},         {ErrorKind::Conflict, 409},
      {ErrorKind::QuotaExceeded, 429},    {ErrorKind::FailedPrecondition, 409},
      {ErrorKind::RateLimited, 429},      {ErrorKind::Unavailable, 503},
      {ErrorKind::Timeout, 504},          {ErrorKind::Cancelled, 503},
      {ErrorKind::Unsupported, 501},      {ErrorKind::Io, 500},
      {ErrorKind::Protocol, 502},         {ErrorKind::Internal, 500},
  };
  EXPECT_EQ(table.size(), static_cast<std::size_t>(ErrorKind::Internal) + 1);
  for (const auto& [kind, status] : table) {
    EXPECT_EQ(status_of(kind), status);
    const auto response =
        problem(Error(kind, "message").in("a frame").with_hint("hint").with_code("some.code"));
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(header(response, "Content-Type"), "application/problem+json");
    const auto body = body_of(response);
    EXPECT_EQ(body["title"], to_string(kind));
    EXPECT_EQ(body["code"], "some.code");
    EXPECT_EQ(body["frames"], Json::array({"a frame"}));
    EXPECT_EQ(body["status"], status);
  }
}

std::string filled(const std::string& pattern) {
  std::string path;
  bool inside = false;
  for (const char c : pattern) {
    if (c == '{') path += "dev";
    inside = c == '{' || (inside && c != '}');
    if (!inside && c != '}') path += c;
  }
  return path;
}

TEST(Api, NoRouteAnswersAnythingWithoutAToken) {
  ApiWorld api;
  api.world.init();
  ASSERT_TRUE(api.world.apply("alice"));
  const std::set<std::string> open = {"/healthz", "/openapi.yaml", "/v1/login/challenge",
                                      "/v1/login", "/v1/login/id-token"};
  std::size_t refused = 0;
  for (const auto& route : api.api.router().routes()) {
    EXPECT_EQ(route.door == Door::Open, open.contains(route.pattern)) << route.pattern;
    if (route.door == Door::Open) continue;
    for (const char* secret : {"", "bly_", "bly_aaaaaaaa_AAAA", "nonsense"}) {
      ServerRequest request;
      request.method = route.method;
      request.path = filled(route.pattern);
      request.body = "{broken";
      const auto response = api.send(request, secret);
      EXPECT_EQ(response.status, 401) << route.pattern;
      EXPECT_EQ(header(response, "WWW-Authenticate"), "Bearer");
      const auto body = body_of(response);
      EXPECT_EQ(body["title"], "unauthenticated");
      EXPECT_EQ(response.body.find("dev"), std::string::npos) << response.body;
      ++refused;
    }
  }
  EXPECT_EQ(api.world.logged("http.refuse", Outcome::Refused), refused);
}

TEST(Api, TakesBearerTokensAloneAndForTheirTime) {
  ApiWorld api;
  api.world.init();
  const auto secret = api.token("alice");
  ServerRequest request;
  request.method = "GET";
  request.path = "/v1/whoami";
  EXPECT_EQ(api.send(request, secret).status, 200);
  EXPECT_EQ(api.send(request, secret + "x").status, 401);
  EXPECT_EQ(api.send(request, secret.substr(0, secret.size() - 1)).status, 401);
  EXPECT_EQ(api.send(request, " " + secret).status, 401);
  for (const std::string scheme : {"Basic ", "Token ", "Bearer", ""}) {
    auto other = request;
    other.headers = {{"authorization", scheme + secret}};
    EXPECT_EQ(api.api.handle(other).status, 401) << scheme;
  }
  api.world.clock.advance(std::chrono::hours(48));
  EXPECT_EQ(api.send(request, secret).status, 401);
}

TEST(Api, SaysWhatIsNotThereAndWhatIsNotTaken) {
  ApiWorld api;
  api.world.init();
  EXPECT_EQ(api.call("alice", "GET", "/v1/nothing").status, 404);
  EXPECT_EQ(api.call("alice", "GET", "/").status, 404);
  EXPECT_EQ(api.call("alice", "GET", "/v1/changes/chg-none").status, 404);
  EXPECT_EQ(api.call("alice", "GET", "/v1/environments/nowhere").status, 404);
  const auto method = api.call("alice", "PUT", "/v1/changes/chg-none");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(header(method, "Allow"), "GET");
  EXPECT_EQ(body_of(method)["title"], "invalid-argument");
}

TEST(Api, RefusesBodiesThatAreNoJsonObjects) {
  ApiWorld api;
  api.world.init();
  const auto post = [&](const std::string& body, const char* type = "application/json") {
    ServerRequest request;
    request.method = "POST";
    request.path = "/v1/probe";
    request.headers = {{"content-type", type}};
    request.body = body;
    return api.send(request, api.token("amy")).status;
  };
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += "{\"a\":";
  deep += "1" + std::string(70, '}');
  for (const auto& body :
       {std::string("{"), std::string("[]"), std::string("1"), std::string("null"),
        std::string("{\"a\":1,\"a\":2}"), std::string("{} x"), std::string("\xFF"), deep,
        std::string("{\"a\":\"\xED\xA0\x80\"}")}) {
    EXPECT_EQ(post(body), 400) << body.substr(0, 40);
  }
  EXPECT_EQ(post("{}", "text/plain"), 400);
  EXPECT_EQ(post("{}", ""), 400);
  EXPECT_EQ(post("{}", "application/jsonp"), 400);
  EXPECT_EQ(post("{}", "application/json; charset=utf-8"), 200);
}

TEST(Api, RefusesWhatAHandlerNeedsAndDoesNotGet) {
  ApiWorld api;
  api.world.init();
  const Json odd[] = {Json::object(),
                      {{"subject", 1}, {"project", 1}, {"sources", 1}},
                      {{"subject", ""}, {"role", ""}, {"decision", "maybe"}},
                      {{"project", "payments"}, {"to", "dev"}, {"artifacts", {{"web", 1}}}},
                      {{"sources", {{"specs", "x"}}}},
                      {{"sources", {{"specs", {1}}}}},
                      {{"sources", {{"specs", Json::array()}, {"programs", {{"../x", "aaaa"}}}}}},
                      {{"sources", {{"specs", Json::array()}, {"programs", {{"/x", "aaaa"}}}}}},
                      {{"sources", {{"specs", Json::array()}, {"programs", {{"x", "!"}}}}}},
                      {{"role", "developer"}, {"ttl_seconds", 0}},
                      {{"role", "developer"}, {"ttl_seconds", -1}},
                      {{"role", "developer"}, {"ttl_seconds", 1e300}},
                      {{"role", "developer"}, {"ttl_seconds", "1h"}}};
  for (const char* path : {"/v1/login/challenge", "/v1/login", "/v1/tokens", "/v1/plans",
                           "/v1/apply", "/v1/promotions", "/v1/artifacts",
                           "/v1/environments/dev/leases", "/v1/changes/chg-x/statement"}) {
    for (const auto& body : odd) {
      EXPECT_EQ(api.call("alice", "POST", path, body).status, 400) << path << body.dump();
    }
  }
  EXPECT_EQ(api.call("amy", "GET", "/v1/audit/entries", {}, {{"from", "x"}}).status, 400);
  EXPECT_EQ(api.call("amy", "GET", "/v1/audit/entries", {}, {{"from", "-1"}}).status, 400);
  EXPECT_EQ(
      api.call("amy", "GET", "/v1/audit/entries", {}, {{"limit", "99999999999999999999"}}).status,
      400);
}

TEST(Api, GivesEachRequestAnIdThatIsInTheLog) {
  ApiWorld api;
  api.world.init();
  const auto first = api.call("mallory", "GET", "/v1/environments/production");
  const auto second = api.call("mallory", "GET", "/v1/environments/production");
  EXPECT_EQ(first.status, 403);
  const auto id = header(first, "X-Request-Id");
  EXPECT_NE(id, "");
  EXPECT_NE(id, header(second, "X-Request-Id"));
  EXPECT_EQ(header(first, "Cache-Control"), "no-store");
  EXPECT_EQ(header(first, "X-Content-Type-Options"), "nosniff");
  const auto log = api.world.log();
  EXPECT_EQ(std::count_if(log.begin(), log.end(),
                          [&](const AuditEntry& entry) {
                            return entry.request == id && entry.actor == "mallory" &&
                                   entry.outcome == Outcome::Refused;
                          }),
            1);
}

TEST(Api, LogsEveryRefusal) {
  ApiWorld api;
  api.world.init();
  const auto digest = api.world.registry.push("one");
  const std::string other = digest_of(std::string_view("x"));
  const std::vector<std::tuple<std::string, std::string, Json>> forbidden = {
      {"GET", "/v1/environments/dev", {}},
      {"GET", "/v1/environments/dev/credentials", {}},
      {"GET", "/v1/artifacts/" + other, {}},
      {"GET", "/v1/audit/entries", {}},
      {"POST", "/v1/environments/dev/leases", {{"role", "developer"}}},
      {"POST", "/v1/environments/dev/destroy", {}},
      {"POST", "/v1/environments/dev/credentials/revoke", {}},
      {"POST", "/v1/environments/dev/credentials/rotate", {}},
      {"DELETE", "/v1/environments/dev/leases/lse-x", {}},
      {"POST", "/v1/tokens", {{"subject", "bob"}, {"ttl_seconds", 60}}},
      {"POST", "/v1/bundle/init", api.sources()},
      {"POST", "/v1/apply", api.sources()},
      {"POST",
       "/v1/promotions",
       {{"project", "payments"},
        {"to", "dev"},
        {"artifacts", {{"web", api.world.reference(digest)}}}}},
      {"POST",
       "/v1/artifacts",
       {{"project", "payments"}, {"name", "web"}, {"reference", api.world.reference(digest)}}},
  };
  for (const auto& [method, path, body] : forbidden) {
    const auto response = api.call("mallory", method, path, body);
    EXPECT_EQ(response.status, 403) << method << ' ' << path << ' ' << response.body;
    const auto log = api.world.log();
    EXPECT_TRUE(std::any_of(log.begin(), log.end(),
                            [&](const AuditEntry& entry) {
                              return entry.request == header(response, "X-Request-Id") &&
                                     entry.outcome == Outcome::Refused;
                            }))
        << method << ' ' << path;
  }
}

}  // namespace
}  // namespace bailey
