#include "tests/unit/providers/devcloud/test_cloud.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace bailey::test {
namespace {

class SecretStore : public ::testing::Test {
 protected:
  Reply send(const std::string& token, const std::string& method, const std::string& path,
             const Json& body = nullptr, const std::string& accept = "application/json") {
    return cloud.call(method, "/key-manager/v1/secrets" + path, token, body, {{"accept", accept}});
  }
  /// `/ID`
  std::string store(const Json& body) {
    const Reply reply = send(ada, "POST", "", body);
    EXPECT_EQ(reply.status, 201) << reply.raw.body;
    const std::string ref = string_member(reply.body, "secret_ref");
    return ref.substr(ref.rfind('/'));
  }
  static Json text(const std::string& payload, const std::string& name = "s") {
    return {{"name", name}, {"payload", payload}, {"payload_content_type", "text/plain"}};
  }
  std::string join(const std::string& user, const std::string& project, const std::string& role) {
    cloud.assign(string_member(cloud.get("/v3/projects?name=" + project).body["projects"][0], "id"),
                 cloud.user(user), role);
    return cloud.sign_in(user, "pw-" + user, project);
  }

  TestCloud cloud;
  std::string ada = cloud.tenant("ada", "creator");
  std::string eve = cloud.tenant("eve", "creator");
};

TEST_F(SecretStore, GivesBackWhatWasStored) {
  const std::string one = store(text("geheim"));
  EXPECT_EQ(send(ada, "GET", one).body["content_types"]["default"], "text/plain");
  EXPECT_EQ(send(ada, "GET", one + "/payload", nullptr, "text/plain").raw.body, "geheim");
  const std::string binary = store({{"payload", "AAECYmluYXJ5"},
                                    {"payload_content_type", "application/octet-stream"},
                                    {"payload_content_encoding", "base64"}});
  EXPECT_EQ(send(ada, "GET", binary + "/payload", nullptr, "application/octet-stream").raw.body,
            std::string("\0\1\2binary", 9));
  EXPECT_EQ(send(ada, "GET", one + "/payload").status, 406);
}

TEST_F(SecretStore, AdministratorsOfTheCloudAndOtherProjectsAreRefused) {
  const std::string one = store(text("geheim"));
  for (const std::string& stranger : {eve, cloud.admin}) {
    EXPECT_EQ(send(stranger, "GET", one).status, 403);
    EXPECT_EQ(send(stranger, "GET", one + "/payload", nullptr, "text/plain").status, 403);
    EXPECT_EQ(send(stranger, "GET", one, nullptr, "text/plain").status, 403);
    EXPECT_EQ(send(stranger, "DELETE", one).status, 403);
    EXPECT_EQ(send(stranger, "GET", one + "/metadata").status, 403);
    EXPECT_EQ(send(stranger, "GET", one + "/acl").status, 403);
  }
  EXPECT_EQ(send(eve, "GET", "").body["total"], 0);
  EXPECT_EQ(send(ada, "GET", one + "/payload", nullptr, "text/plain").raw.body, "geheim");
}

TEST_F(SecretStore, MembershipAloneIsNotEnough) {
  const std::string one = store(text("geheim"));
  const std::string member = join("mo", "ada", "member");
  const std::string reader = join("rita", "ada", "reader");
  for (const std::string& weak : {member, reader}) {
    EXPECT_EQ(send(weak, "POST", "", text("x")).status, 403);
    EXPECT_EQ(send(weak, "GET", one).status, 403);
    EXPECT_EQ(send(weak, "GET", one + "/payload", nullptr, "text/plain").status, 403);
    EXPECT_EQ(send(weak, "DELETE", one).status, 403);
    EXPECT_EQ(send(weak, "GET", "").status, 403);
  }
}

TEST_F(SecretStore, ACreatorOfTheProjectReadsUnlessItIsPrivate) {
  const std::string one = store(text("geheim"));
  const std::string other = join("cora", "ada", "creator");
  EXPECT_EQ(send(other, "GET", one + "/payload", nullptr, "text/plain").status, 200);
  const std::string eve_id = string_member(cloud.get("/v3/users?name=eve").body["users"][0], "id");
  EXPECT_EQ(
      send(ada, "PUT", one + "/acl", {{"read", {{"users", {eve_id}}, {"project-access", false}}}})
          .status,
      200);
  EXPECT_EQ(send(other, "GET", one + "/payload", nullptr, "text/plain").status, 403);
  EXPECT_EQ(send(eve, "GET", one + "/payload", nullptr, "text/plain").raw.body, "geheim");
  EXPECT_EQ(send(eve, "DELETE", one).status, 403);
}

TEST_F(SecretStore, RefusesWhatDoesNotFit) {
  const auto status = [&](const Json& body) { return send(ada, "POST", "", body).status; };
  EXPECT_EQ(status({{"payload", "p"}}), 400);
  EXPECT_EQ(status(text("")), 400);
  EXPECT_EQ(status(text("  ")), 400);
  EXPECT_EQ(status({{"payload", 5}, {"payload_content_type", "text/plain"}}), 400);
  EXPECT_EQ(status({{"payload", "p"}, {"payload_content_type", "image/png"}}), 400);
  EXPECT_EQ(status({{"payload", "p"}, {"payload_content_type", "application/octet-stream"}}), 400);
  EXPECT_EQ(status({{"payload_content_type", "text/plain"}}), 400);
  EXPECT_EQ(status({{"secret_type", "zzz"}}), 400);
  EXPECT_EQ(status({{"expiration", "2020-01-01T00:00:00"}}), 400);
  EXPECT_EQ(status({{"expiration", "zzz"}}), 400);
  EXPECT_EQ(status(text(std::string(20001, 'x'))), 413);
  EXPECT_EQ(send(ada, "GET", "").body["total"], 0);
}

TEST_F(SecretStore, PayloadComesLaterOnce) {
  const std::string one = store({{"name", "later"}});
  EXPECT_EQ(send(ada, "GET", one + "/payload", nullptr, "text/plain").status, 404);
  ServerRequest request;
  request.method = "PUT";
  request.target = request.path = "/key-manager/v1/secrets" + one;
  request.headers = {{"x-auth-token", ada}, {"content-type", "text/plain"}};
  request.body = "now";
  EXPECT_EQ(cloud.send(request).status, 204);
  EXPECT_EQ(cloud.send(request).status, 409);
  EXPECT_EQ(send(ada, "GET", one + "/payload", nullptr, "text/plain").raw.body, "now");
}

TEST_F(SecretStore, ListsByNameInPages) {
  for (const char* name : {"a", "b", "b"}) store(text("x", name));
  EXPECT_EQ(send(ada, "GET", "?name=b").body["total"], 2);
  const Json page = send(ada, "GET", "?limit=2&offset=0").body;
  EXPECT_EQ(page["secrets"].size(), 2U);
  EXPECT_TRUE(page.contains("next"));
  EXPECT_FALSE(page.contains("previous"));
  EXPECT_EQ(send(ada, "GET", "?limit=2&offset=2").body["secrets"].size(), 1U);
  EXPECT_EQ(send(ada, "GET", "?sort=nosuch").status, 400);
}

TEST_F(SecretStore, MetadataIsLowerCasedText) {
  const std::string meta = store(text("x")) + "/metadata";
  EXPECT_EQ(send(ada, "PUT", meta, {{"metadata", {{"Key", "V"}}}}).status, 201);
  EXPECT_EQ(send(ada, "GET", meta).body["metadata"], (Json{{"key", "V"}}));
  EXPECT_EQ(send(ada, "POST", meta, {{"key", "key"}, {"value", "W"}}).status, 409);
  EXPECT_EQ(send(ada, "PUT", meta, {{"metadata", {{"k", 5}}}}).status, 400);
  EXPECT_EQ(send(ada, "PUT", meta, {{"metadata", {{"a:b", "v"}}}}).status, 400);
  EXPECT_EQ(send(ada, "GET", meta + "/nosuch").status, 404);
}

TEST_F(SecretStore, DeletedAndExpiredOnesAreGone) {
  const std::string one = store(text("x"));
  EXPECT_EQ(send(ada, "DELETE", one).status, 204);
  EXPECT_EQ(send(ada, "DELETE", one).status, 404);
  EXPECT_EQ(send(ada, "GET", one).status, 404);
  Json brief = text("x");
  brief["expiration"] = "2026-03-04T10:00:30";
  const std::string two = store(brief);
  cloud.clock.advance(std::chrono::seconds(31));
  EXPECT_EQ(send(ada, "GET", two + "/payload", nullptr, "text/plain").status, 404);
  EXPECT_EQ(send(ada, "GET", "").body["total"], 0);
}

TEST_F(SecretStore, NobodyGetsInWithoutAToken) {
  EXPECT_EQ(send("", "GET", "").status, 401);
  EXPECT_EQ(cloud.call("GET", "/key-manager/v1/nosuch").status, 401);
  EXPECT_EQ(cloud.call("GET", "/key-manager/").status, 300);
}

TEST(SecretState, PayloadsDoNotLieInTheFileInPlain) {
  std::string pattern = (std::filesystem::temp_directory_path() / "bailey-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  DevcloudOptions options;
  options.state = folder / "cloud.db";
  std::string ref;
  {
    TestCloud cloud(options);
    const Reply made =
        cloud.post("/key-manager/v1/secrets",
                   {{"payload", "a-payload-to-look-for"}, {"payload_content_type", "text/plain"}});
    ASSERT_EQ(made.status, 201) << made.raw.body;
    ref = string_member(made.body, "secret_ref");
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto bytes = read_file(entry.path(), 64U * 1024 * 1024);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->find("a-payload-to-look-for"), std::string::npos) << entry.path();
  }
  {
    TestCloud cloud(options);
    const std::string target = ref.substr(ref.find("/key-manager")) + "/payload";
    const Reply read = cloud.call("GET", target, cloud.admin, nullptr, {{"accept", "text/plain"}});
    EXPECT_EQ(read.raw.body, "a-payload-to-look-for");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace bailey::test
