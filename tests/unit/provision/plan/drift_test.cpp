#include "orchestrator/provision/plan/drift.hpp"

#include "tests/unit/provision/plan/plan_fixture.hpp"

namespace bailey {
namespace {

using test::at;

class Drift : public test::PlanTest {
 protected:
  [[nodiscard]] std::vector<DriftFinding> found() const {
    return find_drift(refreshed_, states_, schema_);
  }
  [[nodiscard]] DriftFinding only() const {
    const auto all = found();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? DriftFinding{} : all.front();
  }
};

TEST_F(Drift, IsNoneWhereAllIsAsItWasApplied) {
  stand_all();
  EXPECT_TRUE(found().empty());
  // What the specs say by now is for a plan.
  desired("web[0]").fields["flavor"] = "large";
  EXPECT_TRUE(found().empty());
}

TEST_F(Drift, TellsEachFieldFromWhatToWhat) {
  stand_all();
  auto& web = refreshed_.observed[at("web[0]")].inputs;
  web["flavor"] = "huge";
  web["metadata"]["artifact"] = "b";
  const auto all = found();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].kind, DriftKind::Changed);
  EXPECT_EQ(all[0].address, "dev/web[0]");
  EXPECT_EQ(all[0].field, "flavor");
  EXPECT_EQ(all[0].before, "small");
  EXPECT_EQ(all[0].after, "huge");
  EXPECT_EQ(all[1].field, "metadata.artifact");
  EXPECT_EQ(describe(all[0]), "dev/web[0] flavor: \"small\" -> \"huge\"");
}

TEST_F(Drift, SeesAPortThatSomebodyOpened) {
  stand("sg", "security-group", {{"description", "closed"}});
  refreshed_.observed[at("sg")].inputs["ingress"] = {{{"protocol", "tcp"}, {"port", 22}}};
  EXPECT_EQ(only().field, "ingress");
  EXPECT_TRUE(only().before.is_null());
}

TEST_F(Drift, TellsWhatIsGoneAndWhatIsNotOurs) {
  stand_all();
  go("web[1]");
  unrecorded("lost", "network", 2, {{"cidr", "10.9.0.0/24"}});
  Observed stray;
  stray.type = "network";
  stray.provider_id = "stray";
  stray.name = "by hand";
  refreshed_.unmanaged.push_back(stray);
  stray.provider_id = "theirs";
  stray.marker = Marker{EnvironmentUid("env-2"), at("net"), 1};
  refreshed_.foreign.push_back(stray);
  std::map<std::string, DriftKind> kinds;
  for (const auto& finding : found()) kinds[finding.provider_id] = finding.kind;
  EXPECT_EQ(kinds, (std::map<std::string, DriftKind>{{"id-web[1]", DriftKind::Gone},
                                                     {"lost-lost-2", DriftKind::Unrecorded},
                                                     {"stray", DriftKind::Unmanaged},
                                                     {"theirs", DriftKind::Foreign}}));
}

TEST_F(Drift, TheSameDifferenceKeepsItsIdAndAnotherValueHasAnother) {
  stand_all();
  refreshed_.observed[at("web[0]")].inputs["flavor"] = "huge";
  const auto first = only();
  EXPECT_EQ(only().id, first.id);
  refreshed_.observed[at("web[0]")].inputs["flavor"] = "vast";
  EXPECT_NE(only().id, first.id);
}

TEST_F(Drift, WhatIsLeftAloneIsNotInAPlan) {
  stand_all();
  auto& web = refreshed_.observed[at("web[0]")].inputs;
  web["flavor"] = "huge";
  web["metadata"]["artifact"] = "b";
  web["metadata"]["by.hand"] = "c";
  const auto findings = found();
  ASSERT_EQ(findings.size(), 3U);
  leave_alone(refreshed_, states_, findings);
  EXPECT_TRUE(plan().empty());
  EXPECT_TRUE(found().empty());
}

TEST(WithField, SetsWhatAPathNames) {
  const Json inputs{{"flavor", "small"}, {"metadata", {{"a.b", 1}, {"c", 2}}}};
  EXPECT_EQ(with_field(inputs, "flavor", "large")["flavor"], "large");
  EXPECT_EQ(with_field(inputs, "metadata.a.b", 3)["metadata"]["a.b"], 3);
  EXPECT_FALSE(with_field(inputs, "metadata.c", nullptr)["metadata"].contains("c"));
  EXPECT_EQ(with_field(inputs, "new.key", "x")["new"], Json({{"key", "x"}}));
  const Json nested{{"a", {{"b", {{"c", 1}}}}}};
  EXPECT_EQ(with_field(nested, "a.b.c", 2)["a"]["b"]["c"], 2);
}

TEST(DriftReport, ADecisionHoldsUntilItsTime) {
  DriftReport report;
  DriftFinding finding;
  identify(finding);
  report.findings = {finding};
  EXPECT_EQ(report.open("2026-01-01T00:00:00.000Z"), 1U);
  report.ignored = {{DriftAction::Ignore, finding, "known", "2026-02-01T00:00:00.000Z"}};
  EXPECT_EQ(report.open("2026-01-01T00:00:00.000Z"), 0U);
  EXPECT_EQ(report.open("2026-02-01T00:00:00.000Z"), 1U);
}

}  // namespace
}  // namespace bailey
