#include "tests/unit/declare/duties/shop.hpp"

namespace bailey {
namespace {

using test::Shop;
using Codes = std::vector<std::string>;

void expect_said(const test::Proof& proof, const std::string& text) {
  EXPECT_NE(proof.told().find(text), std::string::npos) << text << "\nin\n" << proof.told();
}

const Codes kNever{"policy.unsatisfiable"};
const Codes kForSome{"policy.unsatisfiable-for-some"};

TEST(Satisfiability, NamesWhoHasNoKey) {
  const auto proof = Shop().without_key("dan").check();
  ASSERT_EQ(proof.codes(), kNever) << proof.told();
  EXPECT_EQ(proof.findings[0].severity, Severity::Error);
  EXPECT_EQ(proof.findings[0].subject->line, 128U);
  expect_said(proof,
              "No change can ever pass the gate of shop-production. It needs 1 of "
              "group:security: dan has no key.");
}

TEST(Satisfiability, NamesWhoMayNotApprove) {
  const auto proof = Shop()
                         .with("approver: [group:release-managers, group:security]",
                               "approver: [group:release-managers]")
                         .check();
  ASSERT_EQ(proof.codes(), kNever) << proof.told();
  expect_said(proof, "dan does not hold \"approve\" in shop-production");
}

TEST(Satisfiability, TellsAnEmptyGroup) {
  const auto proof = Shop().with("security: [dan]", "security: []").check();
  ASSERT_EQ(proof.codes(), kNever) << proof.told();
  expect_said(proof, "It needs 1 of group:security: nobody is in it.");
}

TEST(Satisfiability, TellsThatOnlyTheAuthorCould) {
  const auto proof = Shop()
                         .with("developers: [ann, ben]", "developers: [dan]")
                         .with("{from: group:security}", "{from: group:security, count: 2}")
                         .check();
  ASSERT_EQ(proof.codes(), kNever) << proof.told();
  expect_said(proof, "It needs 2 of group:security: only dan can give it; dan is the only author.");
}

TEST(Satisfiability, WarnsWhereOneOfTheAuthorsCouldNot) {
  const auto proof = Shop().with("developers: [ann, ben]", "developers: [ann, dan]").check();
  ASSERT_EQ(proof.codes(), kForSome) << proof.told();
  EXPECT_EQ(proof.findings[0].severity, Severity::Warning);
  expect_said(proof, "What dan writes can never pass the gate of shop-production.");
}

TEST(Satisfiability, WarnsWhereOneWhoAsksCouldNot) {
  const auto proof = Shop()
                         .with("platform: [gus]", "platform: [gus, cleo]")
                         .with("holds: [approve@production, deploy@production]",
                               "holds: [author@shop, deploy@production]")
                         .check();
  // The service ci alone asks in staging and production, and cleo stands behind it.
  ASSERT_EQ(proof.codes(), (Codes{"policy.unsatisfiable", "policy.unsatisfiable"})) << proof.told();
  expect_said(proof, "cleo asks for the change");
  const auto two = Shop()
                       .with("bindings: {deployer: [service:ci], operator", "bindings: {operator")
                       .with("    deployer: [service:ci]\n    operator: [group:operations]",
                             "    deployer: [service:ci, cleo]\n    operator: [group:operations]")
                       .check();
  ASSERT_EQ(two.codes(), kForSome) << two.told();
  expect_said(two, "What cleo asks for can never pass the gate of shop-staging");
}

TEST(Satisfiability, CountsNobodyForTwoRules) {
  const auto proof = Shop()
                         .with("{rules: [{from: group:release-managers}, {from: group:security}]}",
                               "{rules: [{from: group:security}, {from: group:security}]}")
                         .check();
  ASSERT_EQ(proof.codes(), kNever) << proof.told();
  expect_said(proof, "all rules together need more different people");
}

TEST(Satisfiability, AsksForAnExecutorWhoIsNotTheAuthor) {
  const char* on_approval = "deployer: [service:ci]\n  execute: on-approval";
  const auto none =
      Shop()
          .with("    deployer: [service:ci]\n  execute: on-approval", "  execute: by-operator")
          .check();
  ASSERT_EQ(none.codes(), kNever) << none.told();
  expect_said(none, "An operator must execute it, and nobody holds \"deploy\" in shop-production.");
  const auto author = Shop()
                          .with("developers: [ann, ben]", "developers: [ann]")
                          .with(on_approval, "deployer: [ann]\n  execute: by-operator")
                          .check();
  ASSERT_EQ(author.codes(), kNever) << author.told();
  expect_said(author, "Whoever could execute it stands behind the one who wrote it");
  const auto two = Shop().with(on_approval, "deployer: [ann, gus]\n  execute: by-operator").check();
  EXPECT_TRUE(two.findings.empty()) << two.told();
}

TEST(Satisfiability, OfTheOrganizationItself) {
  const auto proof = Shop().without_key("gus").without_key("hana").check();
  ASSERT_EQ(proof.codes(), kNever) << proof.told();
  expect_said(proof, "2 administrators must agree, and cleo can; gus and hana have no key.");
}

TEST(Satisfiability, OfRollbacksToo) {
  const auto proof =
      Shop()
          .with("  execute: on-approval",
                "  execute: on-approval\n  rollback: {gate: [{verified: {in: shop-staging}}, "
                "{approvals: {rules: [{from: group:testers, count: 2}]}}]}")
          .check();
  ASSERT_EQ(proof.codes(), kNever) << proof.told();
  expect_said(proof, "the gate of its rollbacks of shop-production");
}

}  // namespace
}  // namespace bailey
