#include "orchestrator/model/standing.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

Subject person(std::string name) {
  return {SubjectKind::Person, std::move(name)};
}
Subject service(std::string name) {
  return {SubjectKind::Service, std::move(name)};
}
Subject group(std::string name) {
  return {SubjectKind::Group, std::move(name)};
}

using Names = std::set<std::string>;

class Standing : public ::testing::Test {
 protected:
  Standing() {
    auto& directory = bundle_.directory;
    for (const char* name : {"ann", "bob", "cat", "dan"}) {
      directory.people[name] = {std::string(name) + "@x", {}};
    }
    directory.people["eve"] = {"", {}};
    directory.services = {{"ci", {{group("core"), service("robot")}, {}, {}}},
                          {"robot", {{person("dan"), service("ci")}, {}, {}}}};
    directory.groups = {{"core", {person("ann"), group("core")}}};
    bundle_.templates["web"].roles = {{"approver", {{Power::Approve}, {}}},
                                      {"second", {{Power::Approve}, {}}},
                                      {"reader", {{Power::Read}, {}}}};
    environment_.template_name = "web";
    environment_.bindings = {{"approver", {group("core")}},
                             {"second", {person("bob"), service("ci")}},
                             {"reader", {person("cat")}},
                             {"unknown", {person("dan")}}};
  }

  Bundle bundle_;
  Environment environment_;
};

TEST_F(Standing, BehindAServiceAreAllWhoControlIt) {
  EXPECT_EQ(people_behind(bundle_.directory, service("ci")), (Names{"ann", "dan"}));
  EXPECT_EQ(people_behind(bundle_.directory, group("core")), Names{"ann"});
  EXPECT_EQ(people_behind(bundle_.directory, person("bob")), Names{"bob"});
  EXPECT_EQ(people_behind(bundle_.directory, service("unknown")), Names{});
  EXPECT_EQ(people_behind(bundle_.directory, group("unknown")), Names{});
}

TEST_F(Standing, NobodyHoldsWhatNoTemplateGives) {
  environment_.template_name = "unknown";
  EXPECT_TRUE(holders_of(bundle_, environment_, Power::Approve).empty());
}

TEST_F(Standing, WhoLeftStaysInvolved) {
  EXPECT_EQ(people_behind(bundle_.directory, person("gone")), Names{"gone"});
}

TEST_F(Standing, InvolvedAreAuthorsRequesterAndExecutor) {
  const auto& directory = bundle_.directory;
  EXPECT_EQ(involved_people(directory, {}, service("ci"), {}), (Names{"ann", "dan"}));
  EXPECT_EQ(involved_people(directory, {}, person("ann"), person("bob")), (Names{"ann", "bob"}));
  EXPECT_EQ(involved_people(directory, {{"BOB@X", ""}}, person("ann"), {}), (Names{"ann", "bob"}));
  EXPECT_EQ(involved_people(directory, {{"", "cat"}}, person("ann"), {}), (Names{"ann", "cat"}));
  EXPECT_EQ(involved_people(directory, {{"bob@x", "cat"}}, person("ann"), {}),
            (Names{"ann", "bob", "cat"}));
}

TEST_F(Standing, AnAuthorWithoutAnAddressIsNotWhoeverHasNone) {
  EXPECT_EQ(involved_people(bundle_.directory, {{"", ""}}, person("ann"), {}), Names{"ann"});
  EXPECT_EQ(involved_people(bundle_.directory, {{"stranger@x", ""}}, person("ann"), {}),
            Names{"ann"});
}

TEST_F(Standing, TwoAccountsWithOneAddressAreBothInvolved) {
  bundle_.directory.people["ann2"] = {"ANN@x", {}};
  EXPECT_EQ(involved_people(bundle_.directory, {{"ann@x", ""}}, person("bob"), {}),
            (Names{"ann", "ann2", "bob"}));
}

TEST_F(Standing, HoldersOfAPowerComeFromEveryRoleThatGivesIt) {
  EXPECT_EQ(people_holding(bundle_, environment_, Power::Approve), (Names{"ann", "bob"}));
  EXPECT_EQ(people_holding(bundle_, environment_, Power::Read), Names{"cat"});
  EXPECT_EQ(people_holding(bundle_, environment_, Power::Deploy), Names{});
  environment_.template_name = "unknown";
  EXPECT_EQ(people_holding(bundle_, environment_, Power::Approve), Names{});
}

}  // namespace
}  // namespace bailey
