#include "tests/unit/providers/devcloud/test_cloud.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::Reply;
using test::TestCloud;

std::string own_id(TestCloud& cloud, const std::string& token) {
  const Reply reply =
      cloud.call("GET", "/v3/auth/tokens", token, nullptr, {{"x-subject-token", token}});
  return string_member(reply.body["token"]["user"], "id");
}

Reply with_credential(TestCloud& cloud, const std::string& id, const std::string& secret) {
  return cloud.call("POST", "/v3/auth/tokens", "",
                    {{"auth",
                      {{"identity",
                        {{"methods", {"application_credential"}},
                         {"application_credential", {{"id", id}, {"secret", secret}}}}}}}});
}

TEST(IdentityTokens, NameProjectRolesAndCatalog) {
  TestCloud cloud;
  const Reply reply =
      cloud.login("admin", std::string(cloud.devcloud().admin_password().reveal()), "admin");
  ASSERT_EQ(reply.status, 201);
  const Json& token = reply.body["token"];
  EXPECT_EQ(token["project"]["name"], "admin");
  EXPECT_EQ(token["roles"].size(), 3U);  // admin, and by it member and reader
  EXPECT_EQ(token["methods"], Json({"password"}));
  std::set<std::string> types;
  for (const Json& entry : token["catalog"]) types.insert(string_member(entry, "type"));
  EXPECT_TRUE(types.count("identity") == 1 && types.count("network") == 1);
}

TEST(IdentityTokens, RefuseWhatDoesNotProveAnybody) {
  TestCloud cloud;
  cloud.tenant("ann");
  EXPECT_EQ(cloud.login("ann", "wrong", "ann").status, 401);
  EXPECT_EQ(cloud.login("nobody", "pw", "ann").status, 401);
  EXPECT_EQ(cloud.login("ann", "pw-ann", "admin").status, 401);
  EXPECT_EQ(cloud.login("ann", "pw-ann", "nosuch").status, 401);
  EXPECT_EQ(cloud.call("GET", "/v3/projects").status, 401);
  EXPECT_EQ(cloud.call("GET", "/v3/projects", "garbage").status, 401);
  EXPECT_FALSE(cloud.call("GET", "/v3/projects").header("WWW-Authenticate").empty());
}

TEST(IdentityTokens, RefuseMalformedRequests) {
  TestCloud cloud;
  EXPECT_EQ(cloud.call("POST", "/v3/auth/tokens", "", Json::object()).status, 400);
  EXPECT_EQ(cloud.call("POST", "/v3/auth/tokens").status, 400);
  EXPECT_EQ(cloud.call("POST", "/v3/auth/tokens", "", {{"auth", Json::object()}}).status, 400);
  Json auth = TestCloud::password_login("admin", "x");
  auth["identity"]["methods"] = {"nosuch"};
  EXPECT_EQ(cloud.call("POST", "/v3/auth/tokens", "", {{"auth", auth}}).status, 401);
  auth =
      TestCloud::password_login("admin", std::string(cloud.devcloud().admin_password().reveal()));
  auth["scope"] = Json::object();
  EXPECT_EQ(cloud.call("POST", "/v3/auth/tokens", "", {{"auth", auth}}).status, 400);
}

TEST(IdentityTokens, EndAfterAnHour) {
  TestCloud cloud;
  EXPECT_EQ(cloud.get("/v3/projects").status, 200);
  cloud.clock.advance(std::chrono::minutes(59));
  EXPECT_EQ(cloud.get("/v3/projects").status, 200);
  cloud.clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(cloud.get("/v3/projects").status, 401);
}

TEST(IdentityTokens, CanBeRevokedAndAreThenNobodys) {
  TestCloud cloud;
  const std::string token = cloud.tenant("ann");
  EXPECT_EQ(
      cloud.call("DELETE", "/v3/auth/tokens", token, nullptr, {{"x-subject-token", token}}).status,
      204);
  EXPECT_EQ(cloud.call("GET", "/v3/auth/projects", token).status, 401);
  EXPECT_EQ(cloud.call("GET", "/v3/auth/tokens", cloud.admin, nullptr, {{"x-subject-token", token}})
                .status,
            404);
}

TEST(IdentityTokens, AreValidatedForTheirOwnerAndAdministratorsAlone) {
  TestCloud cloud;
  const std::string ann = cloud.tenant("ann");
  const std::string bob = cloud.tenant("bob");
  const auto validate = [&](const std::string& by) {
    return cloud.call("GET", "/v3/auth/tokens", by, nullptr, {{"x-subject-token", ann}}).status;
  };
  EXPECT_EQ(validate(ann), 200);
  EXPECT_EQ(validate(cloud.admin), 200);
  EXPECT_EQ(validate(bob), 403);
  EXPECT_EQ(validate(""), 401);
}

TEST(IdentityTokens, DieWithWhatTheyRestOn) {
  const auto alive = [](TestCloud& cloud, const std::string& token) {
    return cloud.call("GET", "/v3/auth/projects", token).status == 200;
  };
  {
    TestCloud cloud;  // the user is disabled
    const std::string token = cloud.tenant("ann");
    cloud.call("PATCH", "/v3/users/" + own_id(cloud, token), cloud.admin,
               {{"user", {{"enabled", false}}}});
    EXPECT_FALSE(alive(cloud, token));
  }
  {
    TestCloud cloud;  // the password changes
    const std::string token = cloud.tenant("ann");
    cloud.call("PATCH", "/v3/users/" + own_id(cloud, token), cloud.admin,
               {{"user", {{"password", "new"}}}});
    EXPECT_FALSE(alive(cloud, token));
    EXPECT_EQ(cloud.login("ann", "pw-ann", "ann").status, 401);
    EXPECT_EQ(cloud.login("ann", "new", "ann").status, 201);
  }
  {
    TestCloud cloud;  // the role is taken
    const std::string token = cloud.tenant("ann");
    const std::string project =
        string_member(cloud.get("/v3/projects?name=ann").body["projects"][0], "id");
    EXPECT_EQ(cloud
                  .call("DELETE",
                        "/v3/projects/" + project + "/users/" + own_id(cloud, token) + "/roles/" +
                            cloud.role("member"),
                        cloud.admin)
                  .status,
              204);
    EXPECT_FALSE(alive(cloud, token));
  }
  {
    TestCloud cloud;  // the project is disabled: Keystone says so with a 404
    const std::string token = cloud.tenant("ann");
    const std::string project =
        string_member(cloud.get("/v3/projects?name=ann").body["projects"][0], "id");
    cloud.call("PATCH", "/v3/projects/" + project, cloud.admin,
               {{"project", {{"enabled", false}}}});
    EXPECT_EQ(cloud.call("GET", "/v3/auth/projects", token).status, 404);
  }
}

TEST(IdentityTokens, TakeRolesFromGroups) {
  TestCloud cloud;
  const std::string project = cloud.project("shop");
  const std::string ann = cloud.user("ann");
  const std::string group = cloud.make("/v3/groups", {{"group", {{"name", "shopkeepers"}}}});
  const std::string grant =
      "/v3/projects/" + project + "/groups/" + group + "/roles/" + cloud.role("member");
  EXPECT_EQ(cloud.call("PUT", grant, cloud.admin).status, 204);
  EXPECT_EQ(cloud.login("ann", "pw-ann", "shop").status, 401);
  EXPECT_EQ(cloud.call("PUT", "/v3/groups/" + group + "/users/" + ann, cloud.admin).status, 204);
  const Reply signed_in = cloud.login("ann", "pw-ann", "shop");
  EXPECT_EQ(signed_in.status, 201);
  EXPECT_EQ(cloud.call("DELETE", "/v3/groups/" + group + "/users/" + ann, cloud.admin).status, 204);
  EXPECT_EQ(cloud.call("GET", "/v3/auth/projects", signed_in.header("X-Subject-Token")).status,
            401);
}

TEST(IdentityTokens, OfARoleThatIsOnlyCalledAdminGiveNoPower) {
  TestCloud cloud;
  const std::string project = cloud.project("shop");
  const std::string ann = cloud.user("ann");
  const std::string fake =
      cloud.make("/v3/roles", {{"role", {{"name", "admin"}, {"domain_id", "default"}}}});
  const std::string grant = "/v3/projects/" + project + "/users/" + ann + "/roles/";
  cloud.call("PUT", grant + fake, cloud.admin);
  EXPECT_EQ(cloud.login("ann", "pw-ann", "shop").status, 401);
  cloud.call("PUT", grant + cloud.role("reader"), cloud.admin);
  const std::string token = cloud.sign_in("ann", "pw-ann", "shop");
  EXPECT_EQ(cloud.call("GET", "/v3/projects", token).status, 403);
}

TEST(IdentityPolicy, RefusesEverybodyButAdministrators) {
  TestCloud cloud;
  const std::string member = cloud.tenant("ann");
  for (const char* path : {"/v3/projects", "/v3/users", "/v3/roles", "/v3/domains", "/v3/groups",
                           "/v3/services", "/v3/endpoints", "/v3/role_assignments"}) {
    EXPECT_EQ(cloud.call("GET", path, member).status, 403) << path;
  }
  EXPECT_EQ(cloud.call("POST", "/v3/projects", member, {{"project", {{"name", "x"}}}}).status, 403);
  EXPECT_EQ(cloud.call("POST", "/v3/users", member, {{"user", {{"name", "x"}}}}).status, 403);
}

TEST(IdentityPolicy, LetsPeopleReadThemselvesAndTheirProject) {
  TestCloud cloud;
  const std::string ann = cloud.tenant("ann");
  const std::string bob = cloud.tenant("bob");
  const std::string ann_id = own_id(cloud, ann);
  EXPECT_EQ(cloud.call("GET", "/v3/users/" + ann_id, ann).status, 200);
  EXPECT_EQ(cloud.call("GET", "/v3/users/" + ann_id, bob).status, 403);
  const std::string project =
      string_member(cloud.get("/v3/projects?name=ann").body["projects"][0], "id");
  EXPECT_EQ(cloud.call("GET", "/v3/projects/" + project, ann).status, 200);
  EXPECT_EQ(cloud.call("GET", "/v3/projects/" + project, bob).status, 403);
}

TEST(IdentityProjects, HoldToTheirRules) {
  TestCloud cloud;
  const Reply made = cloud.post(
      "/v3/projects", {{"project", {{"name", "shop"}, {"tags", {"t2", "t1"}}, {"color", "red"}}}});
  ASSERT_EQ(made.status, 201);
  const Json& project = made.body["project"];
  EXPECT_EQ(project["domain_id"], "default");
  EXPECT_EQ(project["parent_id"], "default");
  EXPECT_EQ(project["color"], "red");
  EXPECT_EQ(string_member(project, "id").size(), 32U);
  const std::string path = "/v3/projects/" + made.id();

  const auto create = [&](const Json& body) {
    return cloud.post("/v3/projects", {{"project", body}}).status;
  };
  EXPECT_EQ(create({{"name", "shop"}}), 409);
  EXPECT_EQ(create(Json::object()), 400);
  EXPECT_EQ(create({{"name", ""}}), 400);
  EXPECT_EQ(create({{"name", 5}}), 400);
  EXPECT_EQ(create({{"name", std::string(65, 'x')}}), 400);
  EXPECT_EQ(create({{"name", "y"}, {"domain_id", "nosuch"}}), 400);
  EXPECT_EQ(create({{"name", "y"}, {"parent_id", "nosuch"}}), 400);
  EXPECT_EQ(create({{"name", "y"}, {"tags", {"a,b"}}}), 400);
  EXPECT_EQ(create({{"name", "y"}, {"_password", "x"}}), 201);

  EXPECT_EQ(cloud.get("/v3/projects?tags=t1,t2").body["projects"].size(), 1U);
  EXPECT_EQ(cloud.get("/v3/projects?tags=t1,t3").body["projects"].size(), 0U);
  EXPECT_EQ(cloud.get("/v3/projects?tags-any=t1,t3").body["projects"].size(), 1U);
  EXPECT_EQ(cloud.call("PUT", path + "/tags/new", cloud.admin).status, 201);
  EXPECT_EQ(cloud.call("HEAD", path + "/tags/new", cloud.admin).status, 204);
  EXPECT_EQ(cloud.call("DELETE", path + "/tags/new", cloud.admin).status, 204);
  EXPECT_EQ(cloud.call("DELETE", path + "/tags/new", cloud.admin).status, 404);

  const Reply child =
      cloud.post("/v3/projects", {{"project", {{"name", "child"}, {"parent_id", made.id()}}}});
  EXPECT_EQ(child.status, 201);
  EXPECT_EQ(cloud.call("DELETE", path, cloud.admin).status, 403);
  EXPECT_EQ(cloud.call("PATCH", path, cloud.admin, {{"project", {{"enabled", false}}}}).status,
            403);
  EXPECT_EQ(cloud.call("PATCH", path, cloud.admin, {{"project", Json::object()}}).status, 400);
  EXPECT_EQ(cloud.call("DELETE", "/v3/projects/" + child.id(), cloud.admin).status, 204);
  EXPECT_EQ(cloud.call("DELETE", path, cloud.admin).status, 204);
  EXPECT_EQ(cloud.get(path).status, 404);
}

TEST(IdentityDomains, GoOnlyWhenDisabledAndTakeTheirOwnWithThem) {
  TestCloud cloud;
  const std::string domain = cloud.make("/v3/domains", {{"domain", {{"name", "acme"}}}});
  const std::string user = cloud.make(
      "/v3/users", {{"user", {{"name", "ann"}, {"domain_id", domain}, {"password", "x"}}}});
  const std::string path = "/v3/domains/" + domain;
  EXPECT_EQ(cloud.post("/v3/domains", {{"domain", {{"name", "acme"}}}}).status, 409);
  EXPECT_EQ(cloud.call("DELETE", path, cloud.admin).status, 403);
  EXPECT_EQ(cloud.call("PATCH", path, cloud.admin, {{"domain", {{"enabled", false}}}}).status, 200);
  EXPECT_EQ(cloud.call("DELETE", path, cloud.admin).status, 204);
  EXPECT_EQ(cloud.get("/v3/users/" + user).status, 404);
  EXPECT_EQ(cloud.call("DELETE", "/v3/domains/default", cloud.admin).status, 403);
}

TEST(IdentityRoles, AreListedByWhoHoldsWhatWhere) {
  TestCloud cloud;
  const std::string project = cloud.project("shop");
  const std::string user = cloud.user("ann");
  const std::string role = cloud.make("/v3/roles", {{"role", {{"name", "clerk"}}}});
  const std::string grant = "/v3/projects/" + project + "/users/" + user + "/roles/" + role;
  EXPECT_EQ(cloud.call("HEAD", grant, cloud.admin).status, 404);
  EXPECT_EQ(cloud.call("PUT", grant, cloud.admin).status, 204);
  EXPECT_EQ(cloud.call("PUT", grant, cloud.admin).status, 204);
  EXPECT_EQ(cloud.call("HEAD", grant, cloud.admin).status, 204);

  const Json lines = cloud.get("/v3/role_assignments?user.id=" + user + "&include_names=True")
                         .body["role_assignments"];
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["role"]["name"], "clerk");
  EXPECT_EQ(lines[0]["scope"]["project"]["name"], "shop");
  EXPECT_EQ(lines[0]["user"]["domain"]["name"], "Default");
  EXPECT_EQ(
      cloud.get("/v3/role_assignments?scope.project.id=" + project).body["role_assignments"].size(),
      1U);
  EXPECT_EQ(cloud.get("/v3/role_assignments?user.id=" + user + "&group.id=" + user).status, 400);

  EXPECT_EQ(
      cloud.call("PUT", "/v3/projects/x/users/" + user + "/roles/" + role, cloud.admin).status,
      404);
  EXPECT_EQ(
      cloud.call("PUT", "/v3/projects/" + project + "/users/x/roles/" + role, cloud.admin).status,
      404);
  EXPECT_EQ(cloud.call("DELETE", "/v3/roles/" + role, cloud.admin).status, 204);
  EXPECT_EQ(cloud.get("/v3/role_assignments?user.id=" + user).body["role_assignments"].size(), 0U);
  EXPECT_EQ(cloud.call("DELETE", "/v3/roles/" + cloud.role("admin"), cloud.admin).status, 403);
}

TEST(IdentityRoles, ResolveGroupsAndImplicationsWhenAskedFor) {
  TestCloud cloud;
  const std::string project = cloud.project("shop");
  const std::string user = cloud.user("ann");
  const std::string group = cloud.make("/v3/groups", {{"group", {{"name", "g"}}}});
  cloud.call("PUT", "/v3/groups/" + group + "/users/" + user, cloud.admin);
  cloud.call("PUT",
             "/v3/projects/" + project + "/groups/" + group + "/roles/" + cloud.role("member"),
             cloud.admin);
  const std::string list = "/v3/role_assignments?user.id=" + user;
  EXPECT_EQ(cloud.get(list).body["role_assignments"].size(), 0U);
  const Json lines = cloud.get(list + "&effective").body["role_assignments"];
  ASSERT_EQ(lines.size(), 2U);  // member, and by it reader
  EXPECT_TRUE(lines[0]["links"].contains("membership"));
  EXPECT_TRUE(lines[1]["links"].contains("prior_role"));
}

class ApplicationCredentials : public ::testing::Test {
 protected:
  void SetUp() override {
    token = cloud.tenant("ann");
    user = own_id(cloud, token);
    base = "/v3/users/" + user + "/application_credentials";
  }
  Reply create(const Json& body, const std::string& by) {
    return cloud.call("POST", base, by, {{"application_credential", body}});
  }
  Reply create(const Json& body) { return create(body, token); }

  TestCloud cloud;
  std::string token;
  std::string user;
  std::string base;
};

TEST_F(ApplicationCredentials, ShowTheirSecretOnceAndSignInWithTheirRolesAlone) {
  const Reply made = create({{"name", "ci"}, {"roles", {{{"name", "reader"}}}}});
  ASSERT_EQ(made.status, 201);
  const std::string secret = string_member(made.body["application_credential"], "secret");
  EXPECT_FALSE(secret.empty());
  const Reply shown = cloud.call("GET", base + "/" + made.id(), token);
  EXPECT_FALSE(shown.body["application_credential"].contains("secret"));
  EXPECT_EQ(shown.raw.body.find(secret), std::string::npos);

  const Reply signed_in = with_credential(cloud, made.id(), secret);
  ASSERT_EQ(signed_in.status, 201);
  EXPECT_EQ(signed_in.body["token"]["roles"].size(), 1U);
  EXPECT_EQ(signed_in.body["token"]["project"]["name"], "ann");
  EXPECT_EQ(signed_in.body["token"]["application_credential"]["restricted"], true);
  EXPECT_EQ(with_credential(cloud, made.id(), "wrong").status, 401);
  EXPECT_EQ(with_credential(cloud, "nosuch", secret).status, 404);
}

TEST_F(ApplicationCredentials, CannotMakeOthersOrChangeScopeUnlessUnrestricted) {
  const Reply made = create({{"name", "ci"}, {"secret", "s3"}});
  const std::string own = with_credential(cloud, made.id(), "s3").header("X-Subject-Token");
  EXPECT_EQ(create({{"name", "more"}}, own).status, 403);
  EXPECT_EQ(cloud.call("DELETE", base + "/" + made.id(), own).status, 403);
  EXPECT_EQ(
      cloud
          .call("POST", "/v3/auth/tokens", "",
                {{"auth", {{"identity", {{"methods", {"token"}}, {"token", {{"id", own}}}}}}}})
          .status,
      403);
  const Reply free = create({{"name", "free"}, {"secret", "s3"}, {"unrestricted", true}});
  const std::string other = with_credential(cloud, free.id(), "s3").header("X-Subject-Token");
  EXPECT_EQ(create({{"name", "more"}}, other).status, 201);
}

TEST_F(ApplicationCredentials, RefuseWhatTheirOwnerMayNotGive) {
  EXPECT_EQ(create({{"name", "a"}}).status, 201);
  EXPECT_EQ(create({{"name", "a"}}).status, 409);
  EXPECT_EQ(create(Json::object()).status, 400);
  EXPECT_EQ(create({{"name", "b"}, {"roles", {{{"id", cloud.role("admin")}}}}}).status, 400);
  EXPECT_EQ(create({{"name", "b"}, {"roles", {{{"name", "nosuch"}}}}}).status, 404);
  EXPECT_EQ(create({{"name", "b"}, {"expires_at", "2020-01-01T00:00:00"}}).status, 400);
  EXPECT_EQ(create({{"name", "b"}, {"expires_at", "tomorrow"}}).status, 400);
  EXPECT_EQ(create({{"name", "b"}}, cloud.admin).status, 403);
  EXPECT_EQ(create({{"name", "b"}}, cloud.tenant("bob")).status, 403);
}

TEST_F(ApplicationCredentials, EndWithTheirTimeAndTheirTokensToo) {
  const std::string ends = format_time(cloud.clock.wall_now() + std::chrono::minutes(10));
  const Reply made = create({{"name", "ci"}, {"secret", "s3"}, {"expires_at", ends}});
  ASSERT_EQ(made.status, 201) << made.raw.body;
  const std::string own = with_credential(cloud, made.id(), "s3").header("X-Subject-Token");
  EXPECT_EQ(cloud.call("GET", "/v3/auth/projects", own).status, 200);
  cloud.clock.advance(std::chrono::minutes(10));
  EXPECT_EQ(cloud.call("GET", "/v3/auth/projects", own).status, 401);
  EXPECT_EQ(with_credential(cloud, made.id(), "s3").status, 401);
}

TEST_F(ApplicationCredentials, EndWhenDeletedAndTheirTokensToo) {
  const Reply made = create({{"name", "ci"}, {"secret", "s3"}});
  const std::string own = with_credential(cloud, made.id(), "s3").header("X-Subject-Token");
  EXPECT_EQ(cloud.call("DELETE", base + "/" + made.id(), token).status, 204);
  EXPECT_EQ(with_credential(cloud, made.id(), "s3").status, 404);
  EXPECT_EQ(cloud.call("GET", "/v3/users/" + user, own).status, 404);
}

TEST_F(ApplicationCredentials, EndWithTheRoleOfTheirOwner) {
  const Reply made = create({{"name", "ci"}, {"secret", "s3"}});
  const std::string own = with_credential(cloud, made.id(), "s3").header("X-Subject-Token");
  const std::string project =
      string_member(cloud.get("/v3/projects?name=ann").body["projects"][0], "id");
  cloud.call("DELETE",
             "/v3/projects/" + project + "/users/" + user + "/roles/" + cloud.role("member"),
             cloud.admin);
  EXPECT_EQ(cloud.call("GET", "/v3/users/" + user, own).status, 401);
  EXPECT_NE(with_credential(cloud, made.id(), "s3").status, 201);
}

}  // namespace
}  // namespace bailey
