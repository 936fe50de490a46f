#include "tests/unit/providers/devcloud/test_cloud.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace bailey::test {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

class Container : public ::testing::Test {
 protected:
  void SetUp() override {
    ann = cloud.tenant("ann");
    bob = cloud.tenant("bob");
    account = "/object-store/v1/AUTH_" +
              string_member(cloud.get("/v3/projects?name=ann").body["projects"][0], "id");
  }
  Reply send(const std::string& method, const std::string& path, const Headers& headers = {}) {
    return cloud.call(method, account + path, ann, nullptr, headers);
  }
  Reply put(const std::string& path, const std::string& bytes, Headers headers = {}) {
    ServerRequest request;
    request.method = "PUT";
    request.target = account + path;
    request.path = request.target;
    request.headers = std::move(headers);
    request.headers.emplace_back("x-auth-token", ann);
    request.body = bytes;
    return cloud.send(request);
  }

  TestCloud cloud;
  std::string ann;
  std::string bob;
  std::string account;
};

TEST_F(Container, IsMadeOnceAndKeepsItsMetadata) {
  EXPECT_EQ(send("PUT", "/box", {{"x-container-meta-color", "red"}}).status, 201);
  EXPECT_EQ(send("PUT", "/box", {{"x-container-meta-size", "big"}}).status, 202);
  const Reply head = send("HEAD", "/box");
  EXPECT_EQ(head.status, 204);
  EXPECT_EQ(head.header("X-Container-Meta-Color"), "red");
  EXPECT_EQ(head.header("X-Container-Meta-Size"), "big");
  EXPECT_EQ(head.header("X-Container-Object-Count"), "0");
  EXPECT_EQ(send("POST", "/box", {{"x-remove-container-meta-color", "x"}}).status, 204);
  EXPECT_EQ(send("HEAD", "/box").header("X-Container-Meta-Color"), "");
  EXPECT_EQ(send("DELETE", "/box").status, 204);
  EXPECT_EQ(send("HEAD", "/box").status, 404);
  EXPECT_EQ(send("POST", "/box").status, 404);
  EXPECT_EQ(send("DELETE", "/box").status, 404);
}

TEST_F(Container, IsListedByPages) {
  for (const char* name : {"/b", "/a", "/c"}) ASSERT_EQ(send("PUT", name).status, 201);
  EXPECT_EQ(send("GET", "").raw.body, "a\nb\nc\n");
  const Json page = send("GET", "?format=json&limit=1&marker=a").body;
  ASSERT_EQ(page.size(), 1U);
  EXPECT_EQ(page[0]["name"], "b");
  EXPECT_EQ(send("GET", "?prefix=x").status, 204);
  EXPECT_EQ(send("GET", "?limit=10001").status, 412);
  EXPECT_EQ(send("HEAD", "").header("X-Account-Container-Count"), "3");
}

TEST_F(Container, HoldsObjects) {
  EXPECT_EQ(put("/box/a/b", "hello").status, 404);
  ASSERT_EQ(send("PUT", "/box").status, 201);
  ASSERT_EQ(put("/box/a/b", "hello", {{"x-object-meta-k", "v"}}).status, 201);
  EXPECT_EQ(put("/box/json", "{", {{"content-type", "application/json"}}).status, 201);
  EXPECT_EQ(put("/box/bad", "hello", {{"etag", "0123"}}).status, 422);
  EXPECT_EQ(put("/box/large", std::string(1024 * 1024 + 1, 'x')).status, 413);
  const Reply got = send("GET", "/box/a/b");
  EXPECT_EQ(got.raw.body, "hello");
  EXPECT_EQ(got.header("Etag"), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(got.header("X-Object-Meta-K"), "v");
  EXPECT_EQ(send("HEAD", "/box/a/b").header("Content-Length"), "5");
  EXPECT_EQ(send("GET", "/box?format=json&delimiter=/").body[0]["subdir"], "a/");
  EXPECT_EQ(send("DELETE", "/box").status, 409);
  EXPECT_EQ(send("DELETE", "/box/a/b").status, 204);
  EXPECT_EQ(send("DELETE", "/box/a/b").status, 404);
  EXPECT_EQ(send("DELETE", "/box/json").status, 204);
  EXPECT_EQ(send("DELETE", "/box").status, 204);
}

TEST_F(Container, IsForItsProjectsMembersAlone) {
  ASSERT_EQ(send("PUT", "/box").status, 201);
  const std::string reader = cloud.tenant("rea", "reader");
  for (const std::string& token : {bob, reader, cloud.admin}) {
    EXPECT_EQ(cloud.call("HEAD", account + "/box", token).status, 403);
    EXPECT_EQ(cloud.call("DELETE", account + "/box", token).status, 403);
  }
  EXPECT_EQ(cloud.call("GET", account + "/box").status, 401);
  const std::string own =
      string_member(cloud.get("/v3/projects?name=rea").body["projects"][0], "id");
  EXPECT_EQ(cloud.call("GET", "/object-store/v1/AUTH_" + own, reader).status, 403);
}

}  // namespace
}  // namespace bailey::test
