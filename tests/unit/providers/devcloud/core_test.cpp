#include "orchestrator/net/curl_http_client.hpp"
#include "providers/devcloud/faults.hpp"
#include "tests/unit/providers/devcloud/test_cloud.hpp"

#include <gtest/gtest.h>

#include <stop_token>
#include <sys/stat.h>

namespace bailey {
namespace {

using devcloud::Disturbance;
using devcloud::Faults;
using test::Reply;
using test::TestCloud;

DevcloudOptions listening_on(const char* address) {
  DevcloudOptions options;
  options.listen = address;
  return options;
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0U;
}

TEST(Devcloud, ListensOnLoopbackAlone) {
  for (const char* listen : {"0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.org:0", ":0",
                             "127.0.0.1.example.org:0", "10.0.0.127:0"}) {
    const auto started = Devcloud::start(listening_on(listen));
    ASSERT_FALSE(started) << listen;
    EXPECT_EQ(started.error().kind(), ErrorKind::Refused) << listen;
  }
  for (const char* listen : {"127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "127.0.0.1:"}) {
    const auto started = Devcloud::start(listening_on(listen));
    ASSERT_FALSE(started) << listen;
    EXPECT_EQ(started.error().kind(), ErrorKind::InvalidArgument) << listen;
  }
}

TEST(Devcloud, AnswersOverItsSocketAndSaysWhatItIs) {
  const auto cloud = Devcloud::start({});
  ASSERT_TRUE(cloud) << cloud.error().render();
  CurlHttpClient client;
  HttpRequest request;
  request.url = (*cloud)->auth_url();
  const auto answer = client.send(request, std::stop_token());
  ASSERT_TRUE(answer) << answer.error().render();
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->header("x-bailey-devcloud"));
  const auto body = parse_json(answer->body);
  ASSERT_TRUE(body);
  EXPECT_EQ((*body)["version"]["links"][0]["href"], (*cloud)->auth_url() + "/");
}

TEST(Devcloud, RemembersEverythingButTokensInPlain) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  DevcloudOptions options;
  options.state = folder->path() / "cloud.db";
  options.openrc = folder->path() / "openrc";
  std::string token;
  std::string password;
  std::string project;
  {
    TestCloud cloud(options);
    token = cloud.admin;
    password = cloud.devcloud().admin_password().reveal();
    project = cloud.project("shop");
    cloud.user("ann");
  }
  EXPECT_EQ(mode_of(options.state), 0600U);
  EXPECT_EQ(mode_of(options.state.string() + ".key"), 0600U);
  EXPECT_EQ(mode_of(options.openrc), 0600U);
  const auto bytes = read_file(options.state);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->find(token), std::string::npos);
  EXPECT_EQ(bytes->find(password), std::string::npos);
  EXPECT_EQ(bytes->find("pw-ann"), std::string::npos);

  TestCloud again(options);
  EXPECT_EQ(again.devcloud().admin_password().reveal(), password);
  EXPECT_EQ(again.call("GET", "/v3/projects/" + project, token).status, 200);
  EXPECT_EQ(again.get("/v3/roles?name=admin").body["roles"].size(), 1U);
}

TEST(Devcloud, MakesANewPasswordWhenTheOldOneIsLost) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  DevcloudOptions options;
  options.state = folder->path() / "cloud.db";
  options.openrc = folder->path() / "openrc";
  std::string token;
  std::string password;
  {
    TestCloud cloud(options);
    token = cloud.admin;
    password = cloud.devcloud().admin_password().reveal();
  }
  std::filesystem::remove(options.openrc);
  TestCloud again(options);
  EXPECT_NE(again.devcloud().admin_password().reveal(), password);
  EXPECT_EQ(again.login("admin", password, "admin").status, 401);
  EXPECT_EQ(again.call("GET", "/v3/projects", token).status, 401);
}

TEST(Devcloud, RefusesAStateWithoutItsKey) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  DevcloudOptions options;
  options.state = folder->path() / "cloud.db";
  { TestCloud cloud(options); }
  std::filesystem::remove(options.state.string() + ".key");
  const auto again = Devcloud::without_socket(options);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), ErrorKind::FailedPrecondition);
}

TEST(Devcloud, RefusesToShareItsState) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  DevcloudOptions options;
  options.state = folder->path() / "cloud.db";
  TestCloud first(options);
  EXPECT_FALSE(Devcloud::without_socket(options));
}

TEST(Router, KnowsItsPathsAndTheirMethods) {
  TestCloud cloud;
  EXPECT_EQ(cloud.get("/v3/nosuch").status, 404);
  EXPECT_EQ(cloud.get("/nosuch").status, 404);
  EXPECT_EQ(cloud.get("/v3/projects/%zz").status, 404);
  const Reply wrong = cloud.call("PUT", "/v3/projects", cloud.admin, Json::object());
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "GET, POST");
  EXPECT_EQ(cloud.get("/v3/").status, 200);
  EXPECT_EQ(cloud.get("/identity/v3/projects").status, 200);
  EXPECT_EQ(cloud.get("/").status, 300);
  EXPECT_TRUE(cloud.call("HEAD", "/v3/projects", cloud.admin).raw.body.empty());
}

TEST(Router, RefusesABodyThatIsNoJson) {
  TestCloud cloud;
  ServerRequest request;
  request.method = "POST";
  request.target = request.path = "/v3/projects";
  request.headers = {{"x-auth-token", cloud.admin}, {"content-type", "application/json"}};
  for (const char* body : {"{not json", "[1,2", R"({"a":1,"a":2})"}) {
    request.body = body;
    EXPECT_EQ(cloud.send(request).status, 400) << body;
  }
  for (const char* body : {"[]", "5", R"({"project":[]})", R"({"project":{"name":["x"]}})"}) {
    request.body = body;
    EXPECT_EQ(cloud.send(request).status, 400) << body;
  }
}

TEST(Faults, ComeTheSameFromTheSameSeed) {
  const Json description = {{{"probability", 0.5}, {"fault", "503"}}};
  const auto run = [&](std::uint64_t seed) {
    Faults faults(seed);
    EXPECT_TRUE(faults.configure(description));
    std::string struck;
    for (int i = 0; i < 200; ++i) {
      const auto next = faults.next("network", "GET", "/v2.0/networks");
      struck += next.kind == Disturbance::Kind::None ? '.' : 'x';
    }
    return struck;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(Faults, StrikeWhereTheyFit) {
  Faults faults;
  ASSERT_TRUE(faults.configure(*parse_json(R"({"rules": [
    {"match": {"service": "network", "method": "POST", "path": "^/network/v2.0/ports"},
     "times": 1, "fault": "429", "retry_after": 3},
    {"match": {"method": "DELETE"}, "every": 3, "fault": "cut-after"},
    {"match": {"path": "slow"}, "fault": "slow", "delay_ms": 40}]})")));
  const auto kind = [&](const char* method, const char* path) {
    return faults.next("network", method, path).kind;
  };
  EXPECT_EQ(kind("GET", "/network/v2.0/ports"), Disturbance::Kind::None);
  EXPECT_EQ(kind("POST", "/network/v2.0/networks"), Disturbance::Kind::None);
  const auto first = faults.next("network", "POST", "/network/v2.0/ports");
  EXPECT_EQ(first.kind, Disturbance::Kind::TooManyRequests);
  EXPECT_EQ(first.retry_after, 3);
  EXPECT_EQ(kind("POST", "/network/v2.0/ports"), Disturbance::Kind::None);
  EXPECT_EQ(kind("DELETE", "/a"), Disturbance::Kind::None);
  EXPECT_EQ(kind("DELETE", "/a"), Disturbance::Kind::None);
  EXPECT_EQ(kind("DELETE", "/a"), Disturbance::Kind::CutAfter);
  EXPECT_EQ(faults.next("network", "GET", "/slow").delay, std::chrono::milliseconds(40));
}

TEST(Faults, RefuseAFileThatDoesNotSayWhatItMeans) {
  for (const char* text :
       {"5", R"({"rule":[]})", R"([{"fault":"402"}])", R"([{"fault":"500","probability":2}])",
        R"([{"fault":"500","sometimes":true}])", R"([{"fault":"500","every":-1}])",
        R"([{"fault":"500","match":{"path":"("}}])", R"([{"fault":"500","match":{"host":"x"}}])",
        R"({"latency_ms":{"min":5,"max":1}})"}) {
    Faults faults;
    EXPECT_FALSE(faults.configure(*parse_json(text))) << text;
  }
}

class DisturbedCloud : public ::testing::Test {
 protected:
  void start(const Json& faults) {
    auto made = TemporaryFolder::create();
    ASSERT_TRUE(made);
    folder.emplace(std::move(*made));
    DevcloudOptions options;
    options.faults = folder->path() / "faults.json";
    ASSERT_TRUE(write_file(options.faults, faults.dump()));
    cloud.emplace(options);
  }
  std::optional<TemporaryFolder> folder;
  std::optional<TestCloud> cloud;
};

TEST_F(DisturbedCloud, AnswersWithTheFaultAndDoesNothing) {
  start({{{"match", {{"path", "^/v3/projects"}, {"method", "POST"}}},
          {"fault", "429"},
          {"times", 1},
          {"retry_after", 7}}});
  const Json shop = {{"project", {{"name", "shop"}}}};
  const Reply refused = cloud->post("/v3/projects", shop);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "7");
  EXPECT_EQ(cloud->post("/v3/projects", shop).status, 201);
}

TEST_F(DisturbedCloud, CutsBeforeOrAfterItActs) {
  start({{{"match", {{"path", "^/v3/projects"}, {"method", "POST"}}},
          {"fault", "cut-before"},
          {"times", 1}},
         {{"match", {{"path", "^/v3/projects"}, {"method", "POST"}}},
          {"fault", "cut-after"},
          {"times", 1}}});
  const Json shop = {{"project", {{"name", "shop"}}}};
  EXPECT_TRUE(cloud->post("/v3/projects", shop).raw.cut);
  EXPECT_EQ(cloud->get("/v3/projects?name=shop").body["projects"].size(), 0U);
  EXPECT_TRUE(cloud->post("/v3/projects", shop).raw.cut);
  EXPECT_EQ(cloud->get("/v3/projects?name=shop").body["projects"].size(), 1U);
}

TEST_F(DisturbedCloud, TakesItsTime) {
  start({{"latency_ms", {{"min", 20}, {"max", 30}}}});
  const auto before = cloud->clock.sleeps().size();
  cloud->get("/v3/projects");
  ASSERT_EQ(cloud->clock.sleeps().size(), before + 1);
  EXPECT_GE(cloud->clock.sleeps().back(), std::chrono::milliseconds(20));
  EXPECT_LE(cloud->clock.sleeps().back(), std::chrono::milliseconds(30));
}

}  // namespace
}  // namespace bailey
