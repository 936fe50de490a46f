#include "orchestrator/serve/identity/powers.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

Subject person(std::string name) {
  return {SubjectKind::Person, std::move(name)};
}
const Subject kCi{SubjectKind::Service, "ci"};

class Powers : public ::testing::Test {
 protected:
  Powers() {
    for (const char* name : {"alice", "bob", "carol"}) bundle_.directory.people[name] = {};
    bundle_.directory.services["ci"] = {};
    bundle_.directory.groups = {{"leads", {{SubjectKind::Group, "core"}}},
                                {"core", {person("bob")}}};
    bundle_.organization = Organization{"acme", {{SubjectKind::Group, "leads"}}, 1};
    Template& web = bundle_.templates["web"];
    web.roles["approver"] = {{Power::Read, Power::Approve}, {}};
    web.roles["deployer"] = {{Power::Read, Power::Deploy}, {}};
    environment_.name = "staging";
    environment_.environment_class = EnvironmentClass::Staging;
    environment_.template_name = "web";
    environment_.bindings = {{"approver", {person("alice"), person("nobody")}},
                             {"deployer", {kCi}},
                             {"unknown", {person("carol")}}};
    bundle_.environments["staging"] = environment_;
  }

  [[nodiscard]] std::set<Power> powers(const Subject& subject) const {
    return powers_of(bundle_, environment_, subject);
  }
  [[nodiscard]] static std::string code_of(const Status& status) {
    return status ? "" : status.error().code();
  }

  Bundle bundle_;
  Environment environment_;
};

using Set = std::set<Power>;

TEST_F(Powers, ComeFromTheRolesThatAreBound) {
  EXPECT_EQ(powers(person("alice")), (Set{Power::Read, Power::Approve}));
  EXPECT_EQ(powers(kCi), (Set{Power::Read, Power::Deploy}));
  EXPECT_EQ(roles_of(bundle_, environment_, kCi), std::set<std::string>{"deployer"});
}

TEST_F(Powers, AreNobodysWhoIsNotInTheDirectoryOrHoldsNoRoleOfTheTemplate) {
  EXPECT_EQ(powers(person("nobody")), Set{});
  EXPECT_EQ(powers(person("ci")), Set{});
  EXPECT_EQ(powers(person("carol")), Set{});
  EXPECT_EQ(roles_of(bundle_, environment_, person("nobody")), std::set<std::string>{});
  environment_.template_name = "none";
  EXPECT_EQ(powers(person("alice")), Set{});
}

TEST_F(Powers, OfAnOwnerAreAllInTheirSandboxAndNowhereElse) {
  environment_.bindings.clear();
  environment_.owner = "carol";
  EXPECT_EQ(powers(person("carol")), Set{});
  environment_.environment_class = EnvironmentClass::Sandbox;
  EXPECT_EQ(powers(person("carol")), (Set{Power::Read, Power::Approve, Power::Deploy}));
  EXPECT_EQ(powers(person("alice")), Set{});
  environment_.owner = "ci";
  EXPECT_EQ(powers(kCi), Set{});
  environment_.owner = "nobody";
  EXPECT_EQ(powers(person("nobody")), Set{});
}

TEST_F(Powers, OfAnAdministratorChangeNoEnvironment) {
  EXPECT_EQ(powers(person("bob")), (Set{Power::Read, Power::Audit, Power::Administer}));
  EXPECT_TRUE(is_administrator(bundle_, person("bob")));
  EXPECT_FALSE(is_administrator(bundle_, person("alice")));
  bundle_.organization.reset();
  EXPECT_EQ(powers(person("bob")), Set{});
  EXPECT_FALSE(is_administrator(bundle_, person("bob")));
}

TEST_F(Powers, AreDemandedByName) {
  const Caller alice{person("alice"), "token:1"};
  EXPECT_EQ(code_of(require(bundle_, environment_, alice, Power::Approve)), "");
  const auto refused = require(bundle_, environment_, alice, Power::Deploy);
  EXPECT_EQ(code_of(refused), "identity.power-missing");
  EXPECT_EQ(refused.error().kind(), ErrorKind::PermissionDenied);
  EXPECT_EQ(refused.error().hint(), "It comes with the role \"deployer\".");
  EXPECT_EQ(require(bundle_, environment_, alice, Power::BreakGlass).error().hint(),
            "No role there gives it.");
}

TEST_F(Powers, SomewhereAndAdministration) {
  const Caller alice{person("alice"), ""};
  EXPECT_EQ(code_of(require_somewhere(bundle_, alice, Power::Approve)), "");
  EXPECT_EQ(code_of(require_somewhere(bundle_, alice, Power::Deploy)), "identity.power-missing");
  EXPECT_EQ(code_of(require_administrator(bundle_, alice)), "identity.not-administrator");
  EXPECT_EQ(code_of(require_administrator(bundle_, {person("bob"), ""})), "");
}

}  // namespace
}  // namespace bailey
