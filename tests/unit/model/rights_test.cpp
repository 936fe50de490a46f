#include "orchestrator/model/rights.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using Names = std::vector<std::string>;

Subject subject(const char* text) {
  return *parse_subject(text);
}

/// One production environment: group `ops` operates, carol approves; the service ci is driven by
/// zed; dave administers.
Bundle acme() {
  Bundle bundle;
  for (const char* name : {"alice", "bob", "carol", "dave", "zed"}) {
    bundle.directory.people[name] = {std::string(name) + "@acme.example", {"key"}};
  }
  bundle.directory.groups["ops"] = {subject("alice"), subject("group:leads")};
  bundle.directory.groups["leads"] = {subject("bob")};
  bundle.directory.services["ci"] = {{subject("zed")}, {"key"}, {}};
  bundle.organization = Organization{"acme", {subject("dave")}, 1};
  Template used;
  used.name = "web";
  used.roles["operator"] = {{Power::Read, Power::Operate}, {"member"}};
  used.roles["approver"] = {{Power::Approve}, {}};
  used.roles["deployer"] = {{Power::Deploy}, {}};
  bundle.templates["web"] = used;
  Environment production;
  production.name = "production";
  production.template_name = "web";
  production.bindings["operator"] = {subject("group:ops")};
  production.bindings["approver"] = {subject("carol")};
  production.bindings["deployer"] = {subject("service:ci")};
  bundle.environments["production"] = production;
  bundle.projects["payments"].authors = {subject("alice")};
  return bundle;
}

TEST(Rights, NothingDiffersFromItself) {
  EXPECT_EQ(people_with_other_rights(acme(), acme()), Names{});
}

TEST(Rights, AnotherMemberOfANestedGroup) {
  auto after = acme();
  after.directory.groups["leads"].push_back(subject("carol"));
  EXPECT_EQ(people_with_other_rights(acme(), after), Names{"carol"});
  EXPECT_EQ(people_with_other_rights(after, acme()), Names{"carol"}) << "to lose some counts too";
}

TEST(Rights, APowerMoreChangesTheRightsOfAllWhoHoldTheRole) {
  auto after = acme();
  after.templates["web"].roles["operator"].powers.insert(Power::Deploy);
  EXPECT_EQ(people_with_other_rights(acme(), after), (Names{"alice", "bob"}));
  after = acme();
  after.templates["web"].roles["operator"].grants = {"admin"};
  EXPECT_EQ(people_with_other_rights(acme(), after), (Names{"alice", "bob"}));
}

TEST(Rights, WhatAServiceHoldsIsHeldByWhoStandsBehindIt) {
  auto after = acme();
  after.environments["production"].bindings["approver"].push_back(subject("service:ci"));
  EXPECT_EQ(people_with_other_rights(acme(), after), Names{"zed"});
  after = acme();
  after.directory.services["ci"].controlled_by = {subject("bob")};
  EXPECT_EQ(people_with_other_rights(acme(), after), (Names{"bob", "zed"}));
  after = acme();
  after.directory.services["ci"].keys = {"another"};
  EXPECT_EQ(people_with_other_rights(acme(), after), Names{"zed"});
}

TEST(Rights, OwnKeysAndAddressesAreRights) {
  auto after = acme();
  after.directory.people["carol"].keys = {"another"};
  after.directory.people["bob"].email = "robert@acme.example";
  EXPECT_EQ(people_with_other_rights(acme(), after), (Names{"bob", "carol"}));
  after.directory.people.erase("alice");
  EXPECT_EQ(people_with_other_rights(acme(), after), (Names{"alice", "bob", "carol"}));
}

TEST(Rights, AuthorshipAdministrationAndWhatMayBeAskedFor) {
  auto after = acme();
  after.projects["payments"].authors = {subject("bob")};
  EXPECT_EQ(people_with_other_rights(acme(), after), (Names{"alice", "bob"}));
  after = acme();
  after.organization->administrators.push_back(subject("carol"));
  EXPECT_EQ(people_with_other_rights(acme(), after), Names{"carol"});
  after = acme();
  after.environments["production"].grantable["operator"] = {{subject("carol")}, 1, {}};
  EXPECT_EQ(people_with_other_rights(acme(), after), Names{"carol"});
  after = acme();
  after.environments["production"].break_glass =
      BreakGlass{{subject("bob")}, 2, {}, {subject("carol"), 1}, {}};
  EXPECT_EQ(people_with_other_rights(acme(), after), (Names{"bob", "carol"}));
}

TEST(Rights, WhomAGateAsks) {
  auto after = acme();
  ApprovalsCondition condition;
  condition.rules = {{subject("carol"), 1}};
  after.environments["production"].gate = {condition};
  EXPECT_EQ(people_with_other_rights(acme(), after), Names{"carol"});
  auto more = after;
  std::get<ApprovalsCondition>(more.environments["production"].gate[0]).rules[0].count = 2;
  EXPECT_EQ(people_with_other_rights(after, more), Names{}) << "nobody may more than before";
  auto signers = acme();
  signers.environments["production"].gate = {EvidenceCondition{"t", {subject("bob")}},
                                             EvidenceCondition{"t", {subject("service:ci")}}};
  EXPECT_EQ(people_with_other_rights(acme(), signers), (Names{"bob", "zed"}));
}

TEST(Rights, ANewEnvironmentIsANewRightOfAllWhoAreInIt) {
  auto after = acme();
  after.environments["staging"] = after.environments["production"];
  after.environments["staging"].name = "staging";
  EXPECT_EQ(people_with_other_rights(acme(), after), (Names{"alice", "bob", "carol", "zed"}));
  after.environments["staging"].environment_class = EnvironmentClass::Sandbox;
  EXPECT_EQ(people_with_other_rights(acme(), after), Names{});
}

TEST(Rights, GroupsThatContainEachOtherEnd) {
  auto after = acme();
  after.directory.groups["leads"].push_back(subject("group:ops"));
  EXPECT_EQ(people_with_other_rights(acme(), after), Names{});
}

}  // namespace
}  // namespace bailey
