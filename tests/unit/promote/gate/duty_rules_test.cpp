#include "orchestrator/promote/gate/duty_rules.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using Names = std::set<std::string>;

class DutyRules : public ::testing::Test {
 protected:
  DutyRules() {
    bundle_.directory.people["ann"].email = "ann@x";
    bundle_.directory.people["ben"].email = "ben@x";
    bundle_.directory.services["ci"].controlled_by = {{SubjectKind::Group, "platform"}};
    bundle_.directory.groups["platform"] = {{SubjectKind::Person, "ben"}};
    environment_.name = "shop-production";
    environment_.project = "shop";
    environment_.environment_class = EnvironmentClass::Production;
    people_ = {{"ann"}, {"ben"}, {"cleo", "dan"}, {"eve"}};
  }
  [[nodiscard]] std::vector<BrokenDuty> broken(std::vector<Holding> holds) {
    bundle_.duties.exclusive = {{"d", std::move(holds), {}}};
    return broken_duties(bundle_, environment_, people_);
  }

  Bundle bundle_;
  Environment environment_;
  PeopleOfChange people_;
};

TEST_F(DutyRules, NameWhoDoesBoth) {
  people_.executor = {"ann", "eve"};
  const auto found = broken({{"author", "shop"}, {"deploy", "production"}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].duty, "d");
  EXPECT_EQ(found[0].person, "ann");
  EXPECT_EQ(found[0].parts, (std::vector<std::string>{"wrote it", "executes it"}));
}

TEST_F(DutyRules, HoldForEachPairOfParts) {
  const std::vector<std::pair<Holding, Names PeopleOfChange::*>> parts{
      {{"author", "shop"}, &PeopleOfChange::authors},
      {{"request", "shop-production"}, &PeopleOfChange::requester},
      {{"approve", "production"}, &PeopleOfChange::approvers},
      {{"deploy", "shop-production"}, &PeopleOfChange::executor}};
  for (const auto& [one, first] : parts) {
    for (const auto& [other, second] : parts) {
      if (one == other) continue;
      people_ = {{"ann"}, {"ben"}, {"cleo", "dan"}, {"eve"}};
      EXPECT_TRUE(broken({one, other}).empty()) << one.what << other.what;
      (people_.*first).insert("zoe");
      EXPECT_TRUE(broken({one, other}).empty()) << one.what << other.what;
      (people_.*second).insert("zoe");
      EXPECT_EQ(broken({one, other}).size(), 1U) << one.what << other.what;
    }
  }
}

TEST_F(DutyRules, AreOfTheEnvironmentAndProjectThatTheyName) {
  people_ = {{"zoe"}, {"zoe"}, {"zoe"}, {"zoe"}};
  EXPECT_EQ(broken({{"author", "shop"}, {"deploy", "production"}}).size(), 1U);
  EXPECT_TRUE(broken({{"author", "other"}, {"deploy", "production"}}).empty());
  EXPECT_TRUE(broken({{"author", "shop"}, {"deploy", "staging"}}).empty());
  EXPECT_TRUE(broken({{"author", "shop"}, {"deploy", "shop-staging"}}).empty());
}

TEST_F(DutyRules, AskForAllThatTheDutyNames) {
  people_.executor = {"ann"};
  EXPECT_TRUE(
      broken({{"author", "shop"}, {"deploy", "production"}, {"approve", "production"}}).empty());
  people_.approvers.insert("ann");
  EXPECT_EQ(
      broken({{"author", "shop"}, {"deploy", "production"}, {"approve", "production"}}).size(), 1U);
}

TEST_F(DutyRules, SayNothingOfWhatIsNoPartOfAChange) {
  people_ = {{"zoe"}, {"zoe"}, {"zoe"}, {"zoe"}};
  EXPECT_TRUE(broken({{"author", "shop"}, {"operate", "production"}}).empty());
  EXPECT_TRUE(broken({}).empty());
}

TEST_F(DutyRules, CountThePeopleBehindAService) {
  Change change;
  change.requester = {SubjectKind::Service, "ci"};
  change.executor = Subject{SubjectKind::Service, "ci"};
  const auto people = people_of_change(bundle_.directory, change, {{"Ben@x", ""}}, {"ann"});
  EXPECT_EQ(people.authors, Names{"ben"});
  EXPECT_EQ(people.requester, Names{"ben"});
  EXPECT_EQ(people.executor, Names{"ben"});
  EXPECT_EQ(people.approvers, Names{"ann"});
}

TEST_F(DutyRules, KnowNoExecutorWhereBaileyExecutes) {
  Change change;
  change.requester = {SubjectKind::Person, "ann"};
  EXPECT_EQ(people_of_change(bundle_.directory, change, {}, {}).executor, Names{});
  EXPECT_EQ(people_of_change(bundle_.directory, change, {}, {}).authors, Names{});
}

}  // namespace
}  // namespace bailey
