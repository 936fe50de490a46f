#include "orchestrator/model/directory.hpp"

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

class Directories : public ::testing::Test {
 protected:
  Directories() {
    directory_.people = {{"ann", {"Ann@x", {}}}, {"bob", {"bob@x", {}}}, {"cat", {"", {}}}};
    directory_.services["ci"] = {};
    directory_.groups = {{"all", {group("leads"), person("ann"), service("ci"), person("gone")}},
                         {"leads", {group("core"), person("bob")}},
                         {"core", {person("cat"), person("bob")}},
                         {"round", {group("trip")}},
                         {"trip", {group("round"), person("ann"), group("nowhere")}}};
  }
  Directory directory_;
};

TEST_F(Directories, FollowNestedGroupsAndKnowNobodyWhoIsGone) {
  EXPECT_EQ(directory_.expand(group("all")),
            (std::set<Subject>{person("ann"), person("bob"), person("cat"), service("ci")}));
  EXPECT_EQ(directory_.people_in({group("all")}), (Names{"ann", "bob", "cat"}));
  EXPECT_EQ(directory_.people_in({service("ci"), person("gone"), person("cat")}), Names{"cat"});
  EXPECT_EQ(directory_.people_in({person("ci")}), Names{});
  EXPECT_EQ(directory_.people_in({}), Names{});
}

TEST_F(Directories, TakeNoServiceForThePersonOfItsName) {
  directory_.services["bob"] = {};
  EXPECT_EQ(directory_.people_in({service("bob")}), Names{});
  EXPECT_EQ(directory_.people_among({"ann", "bob"}, {service("bob"), person("ann")}), Names{"ann"});
}

TEST_F(Directories, FindAmongSomeThoseForWhomSubjectsStand) {
  EXPECT_EQ(directory_.people_among({"ann", "cat", "gone"}, {group("all")}), (Names{"ann", "cat"}));
  EXPECT_EQ(directory_.people_among({"ann"}, {group("leads")}), Names{});
  EXPECT_EQ(directory_.people_among({}, {group("all")}), Names{});
}

TEST_F(Directories, FollowACircleOnce) {
  EXPECT_EQ(directory_.people_in({group("round")}), Names{"ann"});
  EXPECT_FALSE(directory_.contains({group("round")}, person("bob")));
}

TEST_F(Directories, TellWhoIsAmongThem) {
  EXPECT_TRUE(directory_.contains({group("all")}, person("cat")));
  EXPECT_TRUE(directory_.contains({group("all")}, service("ci")));
  EXPECT_TRUE(directory_.contains({group("leads"), person("ann")}, person("ann")));
  EXPECT_FALSE(directory_.contains({group("leads")}, person("ann")));
  EXPECT_FALSE(directory_.contains({group("all")}, person("gone")));
  EXPECT_FALSE(directory_.contains({group("all")}, person("ci")));
  EXPECT_FALSE(directory_.contains({group("all")}, service("ann")));
  EXPECT_FALSE(directory_.contains({group("all")}, group("leads")));
  EXPECT_FALSE(directory_.contains({}, person("ann")));
}

TEST_F(Directories, KnowPeopleByTheirAddressWhateverItsCase) {
  EXPECT_EQ(directory_.person_by_email("ann@X"), "ann");
  EXPECT_EQ(directory_.person_by_email("an@x"), std::nullopt);
  EXPECT_EQ(directory_.person_by_email("ann@xx"), std::nullopt);
  EXPECT_EQ(directory_.person_by_email(""), std::nullopt);
}

TEST_F(Directories, HaveAName) {
  EXPECT_TRUE(directory_.has(person("ann")));
  EXPECT_TRUE(directory_.has(service("ci")));
  EXPECT_TRUE(directory_.has(group("core")));
  EXPECT_FALSE(directory_.has(person("ci")));
  EXPECT_FALSE(directory_.has(service("ann")));
  EXPECT_FALSE(directory_.has(group("ann")));
}

}  // namespace
}  // namespace bailey
