#include "tests/unit/declare/duties/shop.hpp"

namespace bailey {
namespace {

using test::Shop;
using Codes = std::vector<std::string>;

constexpr const char* kProductionDeployer = "deployer: [service:ci]\n  execute: on-approval";

std::string changed(const std::string& bindings,
                    const std::string& fields = "execute: on-approval") {
  return bindings + "\n  " + fields;
}

TEST(CommonFailures, AuthorWithAHandOnProduction) {
  const auto proof =
      Shop().with(kProductionDeployer, changed("deployer: [service:ci, ben]")).prove();
  ASSERT_EQ(proof.codes(), Codes{"duty.author-controls-production"}) << proof.told();
  EXPECT_NE(proof.findings[0].detail.find("ben writes what shop-production runs"),
            std::string::npos);
  EXPECT_EQ(proof.findings[0].path.size(), 4U) << proof.told();
  // What breaks no duty of the bundle is for people to judge, and no ground to refuse it.
  EXPECT_TRUE(Shop()
                  .with(kProductionDeployer, changed("deployer: [service:ci, ben]"))
                  .check()
                  .findings.empty());
}

TEST(CommonFailures, AuthorBehindTheBuildMachine) {
  const auto proof = Shop().with("platform: [gus]", "platform: [gus, ann]").prove();
  ASSERT_EQ(proof.codes(), Codes{"duty.author-controls-production"}) << proof.told();
}

TEST(CommonFailures, AuthorWhoAdministersProduction) {
  const auto proof =
      Shop()
          .with("    operator: {powers",
                "    master: {powers: [read, administer]}\n    operator: {powers")
          .with(kProductionDeployer, changed("deployer: [service:ci]\n    master: [ann]"))
          .prove();
  ASSERT_EQ(proof.codes(), Codes{"duty.author-controls-production"}) << proof.told();
}

TEST(CommonFailures, AuthorOnRequestIsNone) {
  // The duty that the shop wrote down forbids it; the failure by itself does not.
  const auto proof =
      Shop()
          .with("holds: [author@shop, operate@production]",
                "holds: [author@shop, audit@production]")
          .with(kProductionDeployer, changed("deployer: [service:ci]\n  grantable: {operator: {to: "
                                             "[group:developers], ttl: 2h}}"))
          .prove();
  EXPECT_TRUE(proof.findings.empty()) << proof.told();
}

TEST(CommonFailures, AuthorOfAnotherProjectIsNone) {
  const auto proof =
      Shop()
          .with(kProductionDeployer, changed("deployer: [service:ci, eve]"))
          .and_document(
              "kind: Project\nmetadata: {name: other}\nspec: {authors: [eve], stages: "
              "[other-dev]}\n")
          .and_document(
              "kind: Environment\nmetadata: {name: other-dev}\nspec: {project: other, "
              "class: development, account: cloud-test, template: plain}\n")
          .and_document(
              "kind: Template\nmetadata: {name: plain}\nspec: {provider: demo, resources: "
              "{net: {type: network, cidr: 10.1.0.0/24}}}\n")
          .prove();
  EXPECT_TRUE(proof.findings.empty()) << proof.told();
}

const std::string kFlow = "  flows: [{from: shop-test, to: shop-production, what: prices}]\n";

TEST(CommonFailures, TesterWritesWhatProductionReads) {
  const auto proof = Shop().with("  exclusive:\n", kFlow + "  exclusive:\n").check();
  ASSERT_EQ(proof.codes(), Codes{"duty.tester-alters-production"}) << proof.told();
  const auto& finding = proof.findings[0];
  EXPECT_NE(finding.detail.find("finn can change shop-test"), std::string::npos) << proof.told();
  ASSERT_EQ(finding.path.size(), 4U);
  EXPECT_EQ(finding.path[3].substr(0, 52), "What shop-test holds flows into shop-production: pri");
}

TEST(CommonFailures, TestServiceWritesWhatProductionReads) {
  const auto proof = Shop()
                         .with("  exclusive:\n", kFlow + "  exclusive:\n")
                         .with("    ci: {", "    qa: {controlledBy: [group:testers]}\n    ci: {")
                         .with("operator: [group:testers]", "operator: [service:qa]")
                         .check();
  ASSERT_EQ(proof.codes(), Codes{"duty.tester-alters-production"}) << proof.told();
  EXPECT_NE(proof.told().find("controls the service qa and acts through it"), std::string::npos);
}

TEST(CommonFailures, WritersWhomProductionTrustsAreNone) {
  const auto proof = Shop()
                         .with("  exclusive:\n", kFlow + "  exclusive:\n")
                         .with("operator: [group:testers]", "operator: [gus]")
                         .check();
  EXPECT_TRUE(proof.findings.empty()) << proof.told();
}

TEST(CommonFailures, WhoMayAskIsAWriterWhereTheGateAsksNobody) {
  const auto proof =
      Shop()
          .with("  exclusive:\n", kFlow + "  exclusive:\n")
          .with("    operator: {powers", "    asker: {powers: [request]}\n    operator: {powers")
          .with("operator: [group:testers]", "asker: [hana]")
          .check();
  ASSERT_EQ(proof.codes(), Codes{"duty.tester-alters-production"}) << proof.told();
  EXPECT_NE(proof.findings[0].detail.find("hana"), std::string::npos);
  // In staging somebody has to approve: asking alone changes nothing there.
  const auto staging =
      Shop()
          .with(
              "  exclusive:\n",
              "  flows: [{from: shop-staging, to: shop-production, what: prices}]\n  exclusive:\n")
          .with("    operator: {powers", "    asker: {powers: [request]}\n    operator: {powers")
          .with("    operator: [group:operations]", "    asker: [hana]")
          .check();
  EXPECT_TRUE(staging.findings.empty()) << staging.told();
}

TEST(CommonFailures, FlowsAreFollowedFromEnvironmentToEnvironment) {
  const auto proof =
      Shop()
          .with("  exclusive:\n",
                "  flows:\n    - {from: shop-dev, to: shop-test, what: seeds}\n    - {from: "
                "shop-test, to: shop-production, what: prices}\n  exclusive:\n")
          .with("operator: [group:testers]", "operator: [gus]")
          .check();
  // The developers write in dev: into test, and through it into production.
  ASSERT_EQ(proof.codes(), (Codes{"duty.tester-alters-production", "duty.untrusted-flow"}))
      << proof.told();
  EXPECT_NE(proof.findings[0].path.back().find("shop-test holds flows into shop-production"),
            std::string::npos)
      << proof.told();
}

TEST(CommonFailures, WhatFlowsDownIsNone) {
  const auto proof = Shop()
                         .with("  exclusive:\n",
                               "  flows: [{from: shop-production, to: shop-test, what: "
                               "samples}]\n  exclusive:\n")
                         .check();
  EXPECT_TRUE(proof.findings.empty()) << proof.told();
}

TEST(CommonFailures, FlowsInACircleEnd) {
  const auto proof = Shop()
                         .with("  exclusive:\n",
                               "  flows: [{from: shop-production, to: shop-test, what: a}, {from: "
                               "shop-test, to: shop-production, what: b}]\n  exclusive:\n")
                         .check();
  EXPECT_EQ(proof.codes(), Codes{"duty.tester-alters-production"}) << proof.told();
}

constexpr const char* kRegistry =
    "kind: Account\nmetadata: {name: registry}\nspec: {provider: oci, classes: [test, production], "
    "endpoint: \"https://registry.shop.example\", credential: {env: REGISTRY}}\n";

TEST(CommonFailures, RegistryThatTestAndProductionShare) {
  const auto shared = [](const std::string& of_test) {
    return Shop()
        .with("operator: [group:testers]}",
              "operator: [group:testers]}\n  repositories: {web: {account: registry, repository: " +
                  of_test + "}}")
        .with(kProductionDeployer,
              changed("deployer: [service:ci]\n  repositories: {web: {account: registry, "
                      "repository: registry.shop.example/production/web}}"))
        .and_document(kRegistry)
        .prove();
  };
  // One repository for both is refused by validation already.
  const auto account = shared("registry.shop.example/test/web");
  ASSERT_EQ(account.codes(), Codes{"duty.tester-alters-production"}) << account.told();
  EXPECT_NE(account.findings[0].detail.find("behind the account registry"), std::string::npos);
}

TEST(CommonFailures, TwoAccountsWithOneCredential) {
  const auto proof =
      Shop()
          .with("{file: /etc/bailey/cloud-test.json}", "{file: /etc/bailey/cloud-production.json}")
          .prove();
  ASSERT_EQ(proof.codes(), Codes{"duty.tester-alters-production"}) << proof.told();
  EXPECT_NE(proof.findings[0].detail.find("whose credential is that of cloud-test"),
            std::string::npos)
      << proof.told();
}

TEST(CommonFailures, OperatorWhoseSignatureIsEnough) {
  const auto proof =
      Shop().with("release-managers: [cleo]", "release-managers: [cleo, group:operations]").prove();
  ASSERT_EQ(proof.codes(), Codes{"duty.operator-passes-approval"}) << proof.told();
  EXPECT_NE(proof.findings[0].detail.find("eve acts in shop-staging"), std::string::npos);
}

TEST(CommonFailures, OperatorWhoseSignatureIsOneOfTwoIsNone) {
  const auto proof =
      Shop()
          .with("release-managers: [cleo]", "release-managers: [cleo, group:operations]")
          .with("{rules: [{from: group:release-managers}]}",
                "{rules: [{from: group:release-managers, count: 2}]}")
          .prove();
  EXPECT_TRUE(proof.findings.empty()) << proof.told();
}

TEST(CommonFailures, OperatorWithoutAKeyIsNone) {
  const auto proof =
      Shop()
          .with("release-managers: [cleo]", "release-managers: [cleo, group:operations]")
          .without_key("eve")
          .prove();
  EXPECT_TRUE(proof.findings.empty()) << proof.told();
}

TEST(CommonFailures, ApproversWhoExecute) {
  const auto proof =
      Shop()
          .with("holds: [approve@production, deploy@production]",
                "holds: [author@shop, deploy@production]")
          .with(kProductionDeployer, changed("deployer: [service:ci, dan]", "execute: by-operator"))
          .with("security: [dan]", "security: [dan, hana]")
          .prove();
  ASSERT_EQ(proof.codes(), Codes{"duty.operator-passes-approval"}) << proof.told();
  EXPECT_NE(proof.findings[0].detail.find("dan acts in shop-production"), std::string::npos);
}

TEST(CommonFailures, GlassThatIsReviewedByThoseWhoBreakIt) {
  const auto glass = [](const std::string& reviewers) {
    return Shop()
        .with(kProductionDeployer,
              changed("deployer: [service:ci]\n  breakGlass: {who: [eve, finn, hana], approvals: "
                      "1, ttl: 1h, review: {from: " +
                      reviewers + ", within: 24h}}"))
        .prove();
  };
  const auto proof = glass("group:operations");
  // eve has to review what eve did: nobody can.
  ASSERT_EQ(proof.codes(),
            (Codes{"policy.unsatisfiable-for-some", "duty.operator-passes-approval"}))
      << proof.told();
  EXPECT_TRUE(glass("group:security").findings.empty());
}

TEST(CommonFailures, WhoActsInProductionWithoutAKey) {
  const auto proof = Shop()
                         .with(kProductionDeployer, changed("deployer: [service:ci, eve]"))
                         .without_key("eve")
                         .prove();
  ASSERT_EQ(proof.codes(), Codes{"duty.token-in-anothers-name"}) << proof.told();
  EXPECT_EQ(proof.findings[0].severity, Severity::Warning);
  EXPECT_NE(proof.findings[0].detail.find("eve has no key"), std::string::npos);
}

}  // namespace
}  // namespace bailey
