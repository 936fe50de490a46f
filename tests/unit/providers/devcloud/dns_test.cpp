#include "tests/unit/providers/devcloud/test_cloud.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace bailey::test {
namespace {

using namespace std::chrono_literals;

class Zone : public ::testing::Test {
 protected:
  void SetUp() override {
    ann = cloud.tenant("ann");
    bob = cloud.tenant("bob");
  }
  Reply send(const std::string& token, const std::string& method, const std::string& path,
             const Json& body = nullptr) {
    return cloud.call(method, "/dns/v2" + path, token, body);
  }
  Reply create(const std::string& token, const std::string& name,
               const std::string& email = "a@example.org") {
    return send(token, "POST", "/zones", {{"name", name}, {"email", email}});
  }
  static std::string id(const Reply& reply) { return string_member(reply.body, "id"); }
  static std::string type(const Reply& reply) { return string_member(reply.body, "type"); }

  TestCloud cloud;
  std::string ann;
  std::string bob;
};

TEST_F(Zone, IsPendingThenActiveThenGone) {
  const Reply made = create(ann, "example.org.");
  ASSERT_EQ(made.status, 202);
  EXPECT_EQ(made.body["status"], "PENDING");
  EXPECT_EQ(made.body["action"], "CREATE");
  const std::string path = "/zones/" + id(made);
  cloud.clock.advance(1s);
  EXPECT_EQ(send(ann, "GET", path).body["status"], "ACTIVE");
  EXPECT_EQ(send(ann, "PATCH", path, {{"description", "d"}, {"ttl", 60}}).status, 202);
  EXPECT_EQ(send(ann, "GET", path + "/recordsets").body["metadata"]["total_count"], 2);
  EXPECT_EQ(send(ann, "DELETE", path).status, 202);
  cloud.clock.advance(1s);
  EXPECT_EQ(send(ann, "GET", path).status, 404);
}

TEST_F(Zone, RefusesBadOnes) {
  EXPECT_EQ(type(create(ann, "example.org")), "invalid_object");
  EXPECT_EQ(type(create(ann, "a..org.")), "invalid_object");
  EXPECT_EQ(type(create(ann, "example.org.", "nobody")), "invalid_object");
  EXPECT_EQ(type(create(ann, "org.")), "invalid_zone_name");
  EXPECT_EQ(send(ann, "POST", "/zones", {{"name", "example.org."}}).status, 400);
  const Json extra = {{"name", "example.org."}, {"email", "a@b.org"}, {"nope", 1}};
  EXPECT_EQ(send(ann, "POST", "/zones", extra).status, 400);
  ASSERT_EQ(create(ann, "example.org.").status, 202);
  EXPECT_EQ(create(ann, "example.org.").status, 409);
  EXPECT_EQ(create(bob, "example.org.").status, 409);
  EXPECT_EQ(create(bob, "sub.example.org.").status, 403);
  EXPECT_EQ(create(ann, "sub.example.org.").status, 202);
  EXPECT_EQ(create("", "example.net.").status, 401);
}

TEST_F(Zone, IsNobodyElses) {
  const std::string path = "/zones/" + id(create(ann, "example.org."));
  EXPECT_EQ(send(bob, "GET", path).status, 404);
  EXPECT_EQ(send(bob, "DELETE", path).status, 404);
  EXPECT_EQ(send(bob, "GET", "/zones").body["zones"].size(), 0U);
  EXPECT_EQ(send(ann, "GET", "/zones/abc").status, 400);
}

TEST_F(Zone, IsListedByNameAndPages) {
  create(ann, "a.example.org.");
  create(ann, "b.example.org.");
  EXPECT_EQ(send(ann, "GET", "/zones?name=b.example.org.").body["zones"].size(), 1U);
  const Json first = send(ann, "GET", "/zones?limit=1").body;
  ASSERT_TRUE(first["links"].contains("next"));
  const std::string marker = string_member(first["zones"][0], "id");
  const Json rest = send(ann, "GET", "/zones?limit=1&marker=" + marker).body;
  EXPECT_EQ(rest["zones"][0]["name"], "b.example.org.");
  EXPECT_FALSE(rest["links"].contains("next"));
  EXPECT_EQ(send(ann, "GET", "/zones?limit=x").status, 400);
  EXPECT_EQ(send(ann, "GET", "/zones?marker=x").status, 400);
}

TEST_F(Zone, IsCountedAgainstItsQuota) {
  const std::string project =
      string_member(cloud.get("/v3/projects?name=ann").body["projects"][0], "id");
  EXPECT_EQ(send(ann, "PATCH", "/quotas/" + project, {{"zones", 1}}).status, 403);
  EXPECT_EQ(send(cloud.admin, "PATCH", "/quotas/" + project, {{"zones", 1}}).body["zones"], 1);
  EXPECT_EQ(send(cloud.admin, "PATCH", "/quotas/" + project, {{"nope", 1}}).status, 404);
  EXPECT_EQ(create(ann, "example.org.").status, 202);
  EXPECT_EQ(create(ann, "example.net.").status, 413);
  EXPECT_EQ(send(cloud.admin, "DELETE", "/quotas/" + project).status, 204);
  EXPECT_EQ(create(ann, "example.net.").status, 202);
}

TEST_F(Zone, HasRecordsets) {
  const std::string path = "/zones/" + id(create(ann, "example.org.")) + "/recordsets";
  const Json www = {{"name", "www.example.org."}, {"type", "A"}, {"records", {"192.0.2.1"}}};
  const Reply made = send(ann, "POST", path, www);
  EXPECT_EQ(made.status, 202);
  EXPECT_EQ(send(ann, "POST", path, www).status, 409);
  Json elsewhere = www;
  elsewhere["name"] = "www.example.net.";
  EXPECT_EQ(send(ann, "POST", path, elsewhere).status, 400);
  const Json soa = send(ann, "GET", path + "?type=SOA").body["recordsets"][0];
  EXPECT_EQ(send(ann, "DELETE", path + "/" + string_member(soa, "id")).status, 403);
  EXPECT_EQ(send(ann, "DELETE", path + "/" + id(made)).status, 202);
}

}  // namespace
}  // namespace bailey::test
