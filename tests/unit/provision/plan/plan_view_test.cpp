#include "orchestrator/provision/plan/plan_view.hpp"

#include "tests/support/golden.hpp"
#include "tests/unit/provision/plan/plan_fixture.hpp"

namespace bailey {
namespace {

using test::at;

class PlanView : public test::PlanTest {
 protected:
  ProviderSchemas schemas() const { return {{"fake", schema_}}; }
};

TEST_F(PlanView, ShowsAFirstProvisioning) {
  declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  declare("web[0]", "server", {{"flavor", "small"}, {"network", "${resource.net}"}}, {"net"});
  desired_.deferred.push_back({at("web[1]"), "the artifact slot \"web\" is empty"});
  test::expect_golden("plan/first.txt", render_plan(plan(), schemas()));
}

TEST_F(PlanView, ShowsEveryKindOfChange) {
  stand_all();
  stand("old", "network", {{"cidr", "10.1.0.0/24"}});
  desired("net").fields["cidr"] = "10.30.0.0/24";
  desired("web[1]").fields["metadata"]["artifact"] =
      "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef and more than fits "
      "on a line that people read to its end";
  declare("new", "security-group", {{"description", "\u202ereversed"}});
  refreshed_.observed[at("sg")].inputs["description"] = "by hand \u202e";
  states_[1].inputs["description"] = "was";
  desired("sg").fields["description"] = "was";
  go("password");
  test::expect_golden("plan/everything.txt", render_plan(plan(), schemas()));
}

TEST_F(PlanView, SaysWhenThereIsNothingToDo) {
  stand_all();
  test::expect_golden("plan/nothing.txt", render_plan(plan(), schemas()));
}

TEST_F(PlanView, ShowsADestruction) {
  stand_all();
  test::expect_golden("plan/destroy.txt", render_plan(plan(PlanKind::Destroy), schemas()));
}

TEST_F(PlanView, StaysReadableWithAThousandOperations) {
  declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  for (int i = 0; i < 1000; ++i) {
    const auto name = "web[" + std::to_string(i) + "]";
    if (i % 250 == 7) {
      stand(name, "server", {{"flavor", "large"}, {"network", "id-net"}});
      declare(name, "server", {{"flavor", "small"}, {"network", "id-net"}});
    } else {
      declare(name, "server", {{"flavor", "small"}, {"network", "${resource.net}"}}, {"net"});
    }
  }
  test::expect_golden("plan/large.txt", render_plan(plan(), schemas()));
}

TEST_F(PlanView, ShowsLongValuesAroundTheirFirstDifference) {
  const std::string script(400, 'a');
  stand("web[0]", "server",
        {{"flavor", "small"}, {"metadata", {{"script", script + "x" + script}}}});
  declare("web[0]", "server",
          {{"flavor", "small"}, {"metadata", {{"script", script + "y" + script}}}});
  test::expect_golden("plan/long_values.txt", render_plan(plan(), schemas()));
}

TEST_F(PlanView, WithoutSchemasItSaysNothingOfWhatForces) {
  stand_all();
  desired("net").fields["cidr"] = "10.30.0.0/24";
  EXPECT_EQ(render_plan(plan()).find("forces replacement"), std::string::npos);
  EXPECT_NE(render_plan(plan(), schemas()).find("(forces replacement)"), std::string::npos);
}

TEST_F(PlanView, ShowsMovesProtectionAndParts) {
  stand_all();
  undeclare("net");
  declare("core", "network", {{"cidr", "10.20.0.0/24"}, {"description", "inner"}});
  for (const auto* name : {"web[0]", "web[1]"}) {
    desired(name).fields["network"] = "${resource.core}";
    desired(name).depends_on = {at("core"), at("sg"), at("password")};
  }
  stand("old", "security-group", Json::object());
  declare("doors", "security-group", Json::object());
  desired_.moves = {{"net", "core"}, {"old", "doors"}};
  desired("sg").protect = true;
  targets_ = {at("web"), at("doors")};
  test::expect_golden("plan/parts.txt", render_plan(plan()));
}

TEST_F(PlanView, ShowsWhatIsDecidedAboutDrift) {
  stand_all();
  auto made = plan();
  DriftFinding finding;
  finding.address = "dev/web[0]";
  finding.type = "server";
  finding.field = "flavor";
  finding.before = "small";
  finding.after = "huge \u202e";
  identify(finding);
  made.drift = {{DriftAction::Restore, finding, "", ""},
                {DriftAction::Ignore, finding, "known \u202e", "2026-03-05T10:00:00.000Z"}};
  seal(made);
  EXPECT_FALSE(made.empty());
  test::expect_golden("plan/drift.txt", render_plan(made));
}

TEST_F(PlanView, HasAStableJsonForm) {
  stand_all();
  desired("web[1]").fields["metadata"]["artifact"] = "b";
  test::expect_golden("plan/plan.json", pretty(to_json(plan())));
}

}  // namespace
}  // namespace bailey
