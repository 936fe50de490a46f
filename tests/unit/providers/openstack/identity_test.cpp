#include "tests/unit/providers/openstack/fake_openstack.hpp"

namespace bailey::openstack {
namespace {

class IdentityTest : public OpenstackTest {
 protected:
  static IdentityRequest role(std::vector<std::string> grants) {
    return {EnvironmentUid("env-12345678"), "test", "app", "p1", std::move(grants)};
  }
  static Json assignment(const std::string& role, const Json& scope) {
    return {{"user", {{"id", "u1"}}}, {"role", {{"id", role}}}, {"scope", scope}};
  }
  void script_user() {
    cloud.on("GET /v3/users", answer(200, {{"users",
                                            {{{"id", "u1"},
                                              {"name", "bailey-test-app-12345678"},
                                              {"description", "bailey:env-12345678 role app"}}}}}));
    cloud.on("PATCH /v3/users/u1", answer(200));
    cloud.on("GET /v3/roles", answer(200, {{"roles", {{{"id", "r-member"}, {"name", "member"}}}}}));
  }
};

TEST_F(IdentityTest, EveryOtherAssignmentIsTakenAwayWhereverItIs) {
  script_user();
  const Json inherited{{"project", {{"id", "p1"}}}, {"OS-INHERIT:inherited_to", "projects"}};
  cloud.on("GET /v3/role_assignments",
           answer(200, {{"role_assignments",
                         {assignment("r-member", {{"project", {{"id", "p1"}}}}),
                          assignment("r-old", {{"project", {{"id", "p1"}}}}),
                          assignment("r-member", {{"project", {{"id", "p2"}}}}),
                          assignment("r-member", {{"domain", {{"id", "d1"}}}}),
                          assignment("r-member", {{"system", {{"all", true}}}}),
                          assignment("r-member", inherited)}}}));
  const std::vector<std::string> gone{
      "DELETE /v3/projects/p1/users/u1/roles/r-old",
      "DELETE /v3/projects/p2/users/u1/roles/r-member",
      "DELETE /v3/domains/d1/users/u1/roles/r-member", "DELETE /v3/system/users/u1/roles/r-member",
      "DELETE /v3/OS-INHERIT/projects/p1/users/u1/roles/r-member/inherited_to_projects"};
  for (const auto& what : gone) cloud.on(what, answer(204));
  const auto made = provider->ensure_identity(role({"member"}), std::nullopt, {});
  ASSERT_TRUE(made) << made.error().render();
  for (const auto& what : gone) EXPECT_EQ(cloud.count(what), 1U) << what;
}

TEST_F(IdentityTest, KnownSecretIsKept) {
  script_user();
  cloud.on(
      "GET /v3/users/u1",
      answer(200, {{"user", {{"id", "u1"}, {"description", "bailey:env-12345678 role app"}}}}));
  cloud.on(
      "GET /v3/role_assignments",
      answer(200, {{"role_assignments", {assignment("r-member", {{"project", {{"id", "p1"}}}})}}}));
  const auto made =
      provider->ensure_identity(role({"member"}), Identity{"u1", Secret("known")}, {});
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_EQ(made->secret.reveal(), "known");
  EXPECT_EQ(cloud.count("PATCH /v3/users/u1"), 0U);
}

TEST_F(IdentityTest, UserOfAnotherRoleIsNotAdopted) {
  script_user();
  auto request = role({"member"});
  request.role = "app-app";
  cloud.replace("GET /v3/users",
                answer(200, {{"users",
                              {{{"id", "u1"},
                                {"name", "bailey-test-app-app-12345678"},
                                {"description", "bailey:env-12345678 role app"}}}}}));
  const auto made = provider->ensure_identity(request, std::nullopt, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::Conflict);
}

TEST_F(IdentityTest, RevokeFallsBackToTheUserItself) {
  const std::string path = "/v3/users/u1/application_credentials/ac";
  cloud.on("DELETE " + path, answer(403));
  cloud.on("DELETE " + path, answer(204));
  cloud.on("GET " + path, answer(404));
  EXPECT_TRUE(provider->revoke(Identity{"u1", Secret("known")}, "ac", {}));
  EXPECT_EQ(cloud.count("DELETE " + path), 2U);
}

TEST_F(IdentityTest, RevokeWaitsUntilTheCredentialIsGone) {
  const std::string path = "/v3/users/u1/application_credentials/ac";
  cloud.on("DELETE " + path, answer(204));
  cloud.on("GET " + path, answer(200));
  cloud.on("GET " + path, answer(404));
  EXPECT_TRUE(provider->revoke(Identity{"u1", Secret()}, "ac", {}));
  EXPECT_EQ(clock.sleeps().size(), 1U);
}

TEST_F(IdentityTest, RevokeThatCannotBeConfirmedFails) {
  const std::string path = "/v3/users/u1/application_credentials/ac";
  cloud.on("DELETE " + path, answer(204));
  cloud.on("GET " + path, answer(200));
  const auto revoked = provider->revoke(Identity{"u1", Secret()}, "ac", {});
  ASSERT_FALSE(revoked);
  EXPECT_EQ(revoked.error().kind(), ErrorKind::Timeout);
}

TEST_F(IdentityTest, TwoProjectsOfOneEnvironmentAreAConflict) {
  const Json one{{"id", "p1"}, {"tags", {"bailey:env-1"}}};
  const Json two{{"id", "p2"}, {"tags", {"bailey:env-1"}}};
  cloud.on("GET /v3/projects", answer(200, {{"projects", {one, two}}}));
  const auto found = provider->find_boundary(EnvironmentUid("env-1"), {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind(), ErrorKind::Conflict);
}

TEST_F(IdentityTest, ProjectWithAnotherTagIsNotTaken) {
  const Json other{{"id", "p1"}, {"tags", {"bailey:env-10"}}};
  cloud.on("GET /v3/projects", answer(200, {{"projects", {other}}}));
  const auto found = provider->find_boundary(EnvironmentUid("env-1"), {});
  ASSERT_TRUE(found) << found.error().render();
  EXPECT_FALSE(*found);
}

TEST(OpenstackSchema, NamesEveryType) {
  const auto schema = openstack_plugin().schema;
  EXPECT_EQ(schema.name, "openstack");
  std::vector<std::string> names;
  for (const auto& [name, type] : schema.resource_types) {
    names.push_back(name);
    EXPECT_FALSE(type.description.empty());
    EXPECT_TRUE(type.attributes.contains("id")) << name;
    for (const auto& field : type.fields) EXPECT_FALSE(field.description.empty()) << field.name;
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"container", "floating-ip", "keypair", "network", "quota",
                                      "router", "secret", "security-group", "server",
                                      "server-group", "shared-image", "volume", "zone"}));
}

}  // namespace
}  // namespace bailey::openstack
