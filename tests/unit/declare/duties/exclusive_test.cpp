#include "tests/unit/declare/duties/shop.hpp"

namespace bailey {
namespace {

using test::Shop;
using Codes = std::vector<std::string>;

const Codes kExclusive{"duty.exclusive"};

TEST(ExclusiveDuties, HoldInASeparatedShop) {
  const auto proof = Shop().prove();
  EXPECT_TRUE(proof.findings.empty()) << proof.told();
}

TEST(ExclusiveDuties, AreBrokenByABinding) {
  const auto proof =
      Shop()
          .with("security: [dan]", "security: [dan, hana]")
          .with("deployer: [service:ci]\n  execute", "deployer: [service:ci, dan]\n  execute")
          .check();
  ASSERT_EQ(proof.codes(), kExclusive) << proof.told();
  const auto& finding = proof.findings[0];
  EXPECT_EQ(finding.severity, Severity::Error);
  EXPECT_NE(finding.detail.find("approve@production and deploy@production"), std::string::npos);
  EXPECT_NE(finding.detail.find("NIST-800-53-AC-5"), std::string::npos);
  EXPECT_EQ(finding.path,
            (Codes{"dan is in the group security (shop.yaml:20).",
                   "The group security holds the role approver in shop-production (shop.yaml:121).",
                   "The role approver gives the power \"approve\" there (shop.yaml:59).",
                   "dan holds the role deployer in shop-production (shop.yaml:122).",
                   "The role deployer gives the power \"deploy\" there (shop.yaml:60)."}));
}

TEST(ExclusiveDuties, AreFollowedThroughNestedGroupsAndServices) {
  const auto proof =
      Shop()
          .with("security: [dan]", "security: [dan, hana]")
          .with("platform: [gus]", "platform: [gus, service:robot]")
          .with("    ci: {", "    robot: {controlledBy: [group:outer]}\n    ci: {")
          .with("    developers: ", "    outer: [group:inner]\n    inner: [dan]\n    developers: ")
          .check();
  ASSERT_EQ(proof.codes(), kExclusive) << proof.told();
  const auto& path = proof.findings[0].path;
  ASSERT_EQ(path.size(), 10U) << proof.told();
  EXPECT_EQ(path[3].substr(0, 26), "dan is in the group inner ");
  EXPECT_EQ(path[4].substr(0, 32), "The group inner is in the group ");
  EXPECT_EQ(path[5].substr(0, 54), "The group outer controls the service robot and acts th");
  EXPECT_EQ(path[6].substr(0, 42), "The service robot is in the group platform");
  EXPECT_EQ(path[7].substr(0, 50), "The group platform controls the service ci and act");
}

TEST(ExclusiveDuties, AreBrokenByARoleOnRequest) {
  const char* binding = "    deployer: [service:ci]\n  execute";
  const auto granted = [&](const std::string& to, int approvals) {
    return Shop()
        .with(binding, "    deployer: [service:ci]\n  grantable: {operator: {to: [" + to +
                           "], approvals: " + std::to_string(approvals) + ", ttl: 2h}}\n  execute")
        .check();
  };
  const auto proof = granted("group:developers", 1);
  ASSERT_EQ(proof.codes(), kExclusive) << proof.told();
  EXPECT_NE(proof.findings[0].detail.find("ann can come to hold both. So does one other by the "
                                          "same path: ben."),
            std::string::npos)
      << proof.told();
  EXPECT_NE(proof.told().find("ann asks for the role operator in shop-production, for 2h at a "
                              "time; 1 other must agree (shop.yaml:"),
            std::string::npos)
      << proof.told();
  EXPECT_TRUE(granted("group:operations", 1).findings.empty());
  // More must agree than there are approvers: nobody gets it.
  EXPECT_EQ(granted("group:developers", 3).codes(), Codes{"policy.unsatisfiable-for-some"});
}

TEST(ExclusiveDuties, CountNobodyWhoseOwnAgreementWouldBeNeeded) {
  // Of two approvers two must agree: cleo, who is one of them, never gets it; ann does.
  const auto proof =
      Shop()
          .with("developers: [ann, ben]", "developers: [ann, cleo]")
          .with("    deployer: [service:ci]\n  execute",
                "    deployer: [service:ci]\n  grantable: {operator: {to: [group:developers], "
                "approvals: 2, ttl: 2h}}\n  execute")
          .check();
  std::string exclusive;
  for (const auto& finding : proof.findings) {
    if (finding.code == "duty.exclusive") exclusive += finding.detail;
  }
  EXPECT_NE(exclusive.find("ann can come"), std::string::npos) << proof.told();
  EXPECT_EQ(exclusive.find("cleo"), std::string::npos) << proof.told();
  EXPECT_EQ(exclusive.find("other"), std::string::npos) << proof.told();
}

TEST(ExclusiveDuties, AreBrokenByBrokenGlass) {
  const auto glass = [](const std::string& who) {
    return Shop()
        .with(
            "    deployer: [service:ci]\n  execute",
            "    deployer: [service:ci]\n  breakGlass: {who: [" + who +
                "], approvals: 1, ttl: 1h, review: {from: group:security, within: 24h}}\n  execute")
        .check();
  };
  const auto proof = glass("ann, eve");
  ASSERT_EQ(proof.codes(), kExclusive) << proof.told();
  EXPECT_NE(proof.told().find("ann breaks the glass of shop-production, for 1h at a time, which "
                              "gives the power \"operate\" there; 1 other must agree"),
            std::string::npos)
      << proof.told();
  EXPECT_TRUE(glass("hana, eve").findings.empty());
  // Alone she is offered it and nobody could agree.
  EXPECT_EQ(glass("ann").codes(), Codes{"policy.unsatisfiable-for-some"});
}

TEST(ExclusiveDuties, AreBrokenByAnAdministratorWhoseSignatureAloneChangesThem) {
  const auto proof =
      Shop()
          .with("members: [gus, hana, cleo], approvals: 2", "members: [hana, ann], approvals: 1")
          .check();
  ASSERT_FALSE(proof.findings.empty());
  std::string told;
  for (const auto& finding : proof.findings) {
    EXPECT_EQ(finding.code, "duty.exclusive");
    told += finding.detail;
  }
  EXPECT_NE(told.find("author-never-operates-production"), std::string::npos) << told;
  EXPECT_NE(proof.told().find("One administrator's approval changes what decides, so ann alone "),
            std::string::npos)
      << proof.told();
  EXPECT_TRUE(Shop()
                  .with("members: [gus, hana, cleo], approvals: 2",
                        "members: [hana, ann, gus], approvals: 2")
                  .check()
                  .findings.empty());
}

TEST(ExclusiveDuties, NameOneEnvironmentWhereTheyDo) {
  EXPECT_TRUE(Shop().and_duty("author@shop, operate@shop-staging").check().findings.empty());
  EXPECT_EQ(Shop().and_duty("author@shop, operate@shop-dev").check().codes(), kExclusive);
}

TEST(ExclusiveDuties, OfThreeAreBrokenByAllThreeAlone) {
  EXPECT_TRUE(Shop()
                  .and_duty("author@shop, operate@development, approve@staging")
                  .check()
                  .findings.empty());
  EXPECT_EQ(Shop()
                .with("release-managers: [cleo]", "release-managers: [cleo, ben]")
                .and_duty("author@shop, operate@development, approve@staging")
                .check()
                .codes(),
            kExclusive);
}

TEST(ExclusiveDuties, CountWhatAdministratorsHoldEverywhere) {
  EXPECT_EQ(Shop().and_duty("approve@production, administer@production").check().codes(),
            kExclusive);
  EXPECT_EQ(Shop().and_duty("author@shop, audit@production").check().codes(), Codes{});
}

TEST(ExclusiveDuties, CountTheOwnerOfASandbox) {
  Shop shop;
  shop.with("classes: [development, test, staging]",
            "classes: [sandbox, development, test, staging]")
      .with("credential: {file: /etc/bailey/cloud-test.json}",
            "credential: {file: /etc/bailey/cloud-test.json}\n  limits: {sandboxesPerOwner: 1, "
            "maximumTtl: 8h}")
      .and_duty("approve@production, deploy@sandbox")
      .and_document(
          "kind: Environment\nmetadata: {name: play}\nspec: {project: shop, class: sandbox, "
          "account: cloud-test, template: shop, owner: dan, ttl: 8h}\n");
  const auto proof = shop.check();
  ASSERT_EQ(proof.codes(), kExclusive) << proof.told();
  EXPECT_NE(proof.told().find("dan owns the sandbox play"), std::string::npos) << proof.told();
}

TEST(ExclusiveDuties, TellManyPeopleOfOnePathInOneFinding) {
  std::string people;
  std::string names;
  for (int i = 100; i < 600; ++i) {
    const auto name = "p" + std::to_string(i);
    people += "    " + name + ": {email: " + name + "@shop.example}\n";
    names += ", " + name;
  }
  const auto proof = Shop()
                         .with("  services:\n", people + "  services:\n")
                         .with("developers: [ann, ben]", "developers: [ann, ben" + names + "]")
                         .with("platform: [gus]", "platform: [gus, group:developers]")
                         .and_duty("author@shop, deploy@production")
                         .check();
  ASSERT_EQ(proof.codes(), kExclusive) << proof.told();
  EXPECT_NE(proof.findings[0].detail.find("So do 501 others by the same path: ben, p100, p101, "
                                          "p102, p103 and 496 more."),
            std::string::npos)
      << proof.findings[0].detail;
}

TEST(ExclusiveDuties, TellTenPathsAndCountTheRest) {
  std::string names;
  std::string people;
  for (int i = 10; i < 30; ++i) {
    const auto name = "p" + std::to_string(i);
    people += "    " + name + ": {email: " + name + "@shop.example}\n";
    names += ", " + name;
  }
  const auto proof =
      Shop()
          .with("  services:\n", people + "  services:\n")
          .with("  authors: [group:developers]", "  authors: [group:developers" + names + "]")
          .with("deployer: [service:ci]\n  execute",
                "deployer: [service:ci" + names + "]\n  execute")
          .and_duty("author@shop, deploy@production")
          .check();
  ASSERT_EQ(proof.findings.size(), 10U) << proof.told();
  EXPECT_NE(proof.told().find("10 more paths lead others there."), std::string::npos)
      << proof.told();
}

}  // namespace
}  // namespace bailey
