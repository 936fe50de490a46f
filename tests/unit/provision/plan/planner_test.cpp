#include "orchestrator/provision/plan/planner.hpp"

#include "tests/unit/provision/plan/plan_fixture.hpp"

#include <random>

namespace bailey {
namespace {

using test::at;

class Planner : public test::PlanTest {};

TEST_F(Planner, CreatesWhatIsDeclaredAndNotThere) {
  declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  declare("web", "server", {{"flavor", "small"}, {"network", "${resource.net}"}}, {"net"});
  const auto made = plan();
  ASSERT_EQ(made.operations.size(), 2U);
  EXPECT_EQ(made.operations[1].action, Action::Create);
  EXPECT_EQ(made.operations[1].reason, Reason::NotInState);
  EXPECT_EQ(made.operations[1].generation, 1);
  EXPECT_TRUE(made.operations[1].provider_id.empty());
  EXPECT_FALSE(made.operations[1].before.has_value());
  EXPECT_EQ((*made.operations[1].after)["network"], "${resource.net}");
  EXPECT_EQ(made.operations[1].depends_on, std::vector{at("net")});
}

TEST_F(Planner, CarriesWhatTheApprovalBinds) {
  const auto made = plan();
  EXPECT_EQ(made.spec_digest, "sha256:spec");
  EXPECT_EQ(made.policy_digest, "sha256:policy");
  EXPECT_EQ(made.template_digest, "sha256:template");
  EXPECT_EQ(made.state_serial, 7U);
  EXPECT_EQ(made.environment_uid, EnvironmentUid("env-1"));
  EXPECT_EQ(made.artifacts.at("web"), "registry/web@sha256:a");
  ASSERT_TRUE(plan_from_json(to_json(made)));
}

TEST_F(Planner, IsEmptyWhenAllStandsAsDeclared) {
  stand_all();
  const auto made = plan();
  EXPECT_TRUE(made.empty());
  EXPECT_EQ(made.operations.size(), 5U);
  EXPECT_EQ(made.digest, plan().digest);
}

TEST_F(Planner, DoesNotDependOnTheOrderOfItsInputs) {
  stand_all();
  desired("web[0]").fields["flavor"] = "large";
  desired("net").fields["cidr"] = "10.30.0.0/24";
  unrecorded("lost", "network", 3, {{"cidr", "10.9.0.0/24"}});
  unrecorded("lost", "network", 2, {{"cidr", "10.8.0.0/24"}});
  go("sg");
  const auto expected = plan();
  std::mt19937 random(20260304);
  for (int round = 0; round < 50; ++round) {
    std::shuffle(desired_.resources.begin(), desired_.resources.end(), random);
    for (auto& resource : desired_.resources) {
      std::shuffle(resource.depends_on.begin(), resource.depends_on.end(), random);
    }
    std::shuffle(states_.begin(), states_.end(), random);
    std::shuffle(refreshed_.unrecorded.begin(), refreshed_.unrecorded.end(), random);
    ASSERT_EQ(plan(), expected) << "round " << round;
  }
}

TEST_F(Planner, UpdatesInPlaceWhatCanChange) {
  stand_all();
  desired("web[1]").fields["metadata"]["artifact"] = "b";
  const auto made = operation("web[1]");
  EXPECT_EQ(made.action, Action::Update);
  EXPECT_EQ(made.reason, Reason::FieldsChanged);
  EXPECT_EQ(made.changed_fields, std::vector<std::string>{"metadata.artifact"});
  EXPECT_EQ(made.provider_id, "id-web[1]");
  EXPECT_EQ(made.generation, 1);
  EXPECT_EQ(operation("web[0]").action, Action::NoOp);
}

TEST_F(Planner, ReplacesWhatCannotChangeAndWhatReferredToIt) {
  stand_all();
  desired("net").fields["cidr"] = "10.30.0.0/24";
  const auto net = operation("net");
  EXPECT_EQ(net.action, Action::Replace);
  EXPECT_EQ(net.generation, 2);
  EXPECT_EQ(net.provider_id, "id-net");
  const auto web = operation("web[0]");
  EXPECT_EQ(web.action, Action::Replace);
  EXPECT_EQ((*web.after)["network"], "${resource.net}");
  EXPECT_EQ((*web.before)["network"], "id-net");
}

TEST_F(Planner, UpdatesTheReferrerWhereItsFieldCanChange) {
  stand_all();
  desired("password").fields["generate"]["length"] = 48;
  EXPECT_EQ(operation("password").action, Action::Replace);
  const auto web = operation("web[0]");
  EXPECT_EQ(web.action, Action::Update);
  EXPECT_EQ(web.changed_fields, std::vector<std::string>{"metadata.password"});
}

TEST_F(Planner, LeavesReferrersAloneWhenTheTargetIsOnlyUpdated) {
  stand_all();
  desired("net").fields["description"] = "inner";
  EXPECT_EQ(operation("net").action, Action::Update);
  EXPECT_EQ(operation("web[0]").action, Action::NoOp);
}

TEST_F(Planner, RepairsDrift) {
  stand_all();
  refreshed_.observed[at("web[0]")].inputs["flavor"] = "huge";
  const auto web = operation("web[0]");
  EXPECT_EQ(web.action, Action::Update);
  EXPECT_EQ(web.reason, Reason::Drifted);
  EXPECT_EQ((*web.before)["flavor"], "huge");
  EXPECT_EQ((*web.after)["flavor"], "small");
}

TEST_F(Planner, SeesARuleThatWasAddedByHand) {
  declare("sg", "security-group", {{"description", "closed"}});
  stand("sg", "security-group", {{"description", "closed"}});
  refreshed_.observed[at("sg")].inputs["ingress"] = {{{"protocol", "tcp"}, {"port", 22}}};
  EXPECT_EQ(operation("sg").reason, Reason::Drifted);
  EXPECT_EQ(operation("sg").changed_fields, std::vector<std::string>{"ingress"});
}

TEST_F(Planner, IgnoresTheOrderOfUnorderedLists) {
  stand_all();
  auto& rules = refreshed_.observed[at("sg")].inputs["ingress"];
  std::reverse(rules.begin(), rules.end());
  EXPECT_TRUE(plan().empty());
}

TEST_F(Planner, CreatesAnewWhatIsGoneWithTheNextGeneration) {
  stand_all();
  go("net");
  const auto net = operation("net");
  EXPECT_EQ(net.action, Action::Create);
  EXPECT_EQ(net.reason, Reason::GoneAtProvider);
  EXPECT_EQ(net.generation, 2);
  EXPECT_EQ(operation("web[0]").action, Action::Replace);
}

TEST_F(Planner, CountsWhatCannotBeSeenYetAsUnchanged) {
  stand_all();
  refreshed_.observed.erase(at("net"));
  refreshed_.unknown.insert(at("net"));
  EXPECT_TRUE(plan().empty());
}

TEST_F(Planner, DeletesWhatIsNoLongerDeclared) {
  stand_all();
  desired_.resources.pop_back();
  const auto web = operation("web[1]");
  EXPECT_EQ(web.action, Action::Delete);
  EXPECT_EQ(web.reason, Reason::NoLongerDeclared);
  EXPECT_FALSE(web.after.has_value());
  EXPECT_EQ(web.depends_on, (std::vector{at("net"), at("password"), at("sg")}));
}

TEST_F(Planner, DestroysEverything) {
  stand_all();
  unrecorded("lost", "network", 1, {{"cidr", "10.9.0.0/24"}});
  unrecorded("half", "server", 1, Json::object()).complete = false;
  const auto made = plan(PlanKind::Destroy);
  EXPECT_EQ(made.operations.size(), 7U);
  for (const auto& each : made.operations) {
    EXPECT_EQ(each.action, Action::Delete) << each.address.str();
    EXPECT_EQ(each.reason, Reason::EnvironmentDestroyed);
    EXPECT_FALSE(each.provider_id.empty());
  }
}

TEST_F(Planner, RefusesToDestroyWhatIsProtected) {
  stand_all();
  desired("net").protect = true;
  state("net").protect = true;
  EXPECT_TRUE(plan().empty());
  desired("net").fields["cidr"] = "10.30.0.0/24";
  const auto replaced = try_plan();
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().kind(), ErrorKind::Refused);
  EXPECT_EQ(replaced.error().code(), "plan.protected");
  const auto destroyed = try_plan(PlanKind::Destroy);
  ASSERT_FALSE(destroyed);
  EXPECT_EQ(destroyed.error().code(), "plan.protected");
}

TEST_F(Planner, RefusesATypeThatTheProviderDoesNotOffer) {
  declare("x", "balloon", Json::object());
  const auto made = try_plan();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::Unsupported);
}

TEST_F(Planner, RefusesACycle) {
  declare("a", "network", {{"cidr", "x"}}, {"b"});
  declare("b", "network", {{"cidr", "x"}}, {"a"});
  ASSERT_FALSE(try_plan());
}

TEST_F(Planner, LeavesAStandingResourceAloneWhileItIsDeferred) {
  stand_all();
  desired_.deferred.push_back({at("web[1]"), "no artifact yet"});
  desired_.resources.pop_back();
  const auto made = plan();
  EXPECT_TRUE(made.empty());
  EXPECT_EQ(made.operations.size(), 5U);
  EXPECT_EQ(made.deferred.size(), 1U);
}

TEST_F(Planner, ReplacesWhenTheTypeChanges) {
  declare("net", "security-group", Json::object());
  stand("net", "network", {{"cidr", "10.0.0.0/24"}});
  EXPECT_EQ(operation("net").action, Action::Replace);
  EXPECT_EQ(operation("net").type, "security-group");
}

TEST_F(Planner, TakesOverWhatNobodyRecorded) {
  declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  unrecorded("net", "network", 2, {{"cidr", "10.0.0.0/24"}});
  const auto net = operation("net");
  EXPECT_EQ(net.action, Action::NoOp);
  EXPECT_EQ(net.generation, 2);
  EXPECT_EQ(net.provider_id, "lost-net-2");
}

TEST_F(Planner, NeverGoesBackToWhatWasSuperseded) {
  declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  stand("net", "network", {{"cidr", "10.1.0.0/24"}}).generation = 3;
  refreshed_.observed.clear();
  refreshed_.gone.insert(at("net"));
  unrecorded("net", "network", 2, {{"cidr", "10.0.0.0/24"}});
  const auto net = operation("net");
  EXPECT_EQ(net.action, Action::Create);
  EXPECT_EQ(net.reason, Reason::GoneAtProvider);
  EXPECT_EQ(net.generation, 4);
}

TEST_F(Planner, FinishesWhatIsHalfMadeInPlaceOfWhatIsGone) {
  declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  stand("net", "network", {{"cidr", "10.0.0.0/24"}});
  refreshed_.observed.clear();
  refreshed_.gone.insert(at("net"));
  unrecorded("net", "network", 2, Json::object()).complete = false;
  const auto net = operation("net");
  EXPECT_EQ(net.action, Action::Create);
  EXPECT_EQ(net.generation, 2);
  EXPECT_EQ(net.provider_id, "lost-net-2");
}

TEST_F(Planner, FinishesWhatIsHalfMadeUnderItsOwnMarker) {
  declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  unrecorded("net", "network", 2, Json::object()).complete = false;
  const auto net = operation("net");
  EXPECT_EQ(net.action, Action::Create);
  EXPECT_EQ(net.generation, 2);
  EXPECT_EQ(net.provider_id, "lost-net-2");
}

TEST_F(Planner, ReplacesWhatCanOnlyGrowWhenItIsToShrink) {
  FieldSchema size;
  size.name = "size";
  size.type = FieldType::Integer;
  size.grows = true;
  schema_.resource_types["volume"].name = "volume";
  schema_.resource_types["volume"].fields = {size};
  declare("disk", "volume", {{"size", 5}});
  stand("disk", "volume", {{"size", 5}});
  EXPECT_EQ(operation("disk").action, Action::NoOp);
  desired("disk").fields["size"] = 6;
  EXPECT_EQ(operation("disk").action, Action::Update);
  desired("disk").fields["size"] = 4;
  EXPECT_EQ(operation("disk").action, Action::Replace);
}

TEST_F(Planner, NeverUsesAMarkerThatIsTaken) {
  stand_all();
  desired("net").fields["cidr"] = "10.30.0.0/24";
  unrecorded("net", "network", 4, {{"cidr", "10.9.0.0/24"}});
  EXPECT_EQ(operation("net").generation, 5);
}

TEST_F(Planner, DropsAFieldThatIsNoLongerDeclared) {
  declare("net", "network", {{"cidr", "10.0.0.0/24"}});
  stand("net", "network", {{"cidr", "10.0.0.0/24"}, {"description", "old"}});
  const auto net = operation("net");
  EXPECT_EQ(net.action, Action::Update);
  EXPECT_EQ(net.changed_fields, std::vector<std::string>{"description"});
  EXPECT_FALSE(net.after->contains("description"));
}

TEST_F(Planner, WhatIsRecordedAsProtectedIsRefusedWhenItIsNoLongerDeclared) {
  stand_all();
  state("net").protect = true;
  undeclare("web[0]");
  undeclare("web[1]");
  undeclare("net");
  const auto removed = try_plan();
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code(), "plan.protected");
  // Also when the whole environment is no longer declared.
  desired_.resources.clear();
  EXPECT_EQ(try_plan(PlanKind::Destroy).error().code(), "plan.protected");
}

TEST_F(Planner, ProtectionComesAndGoesAsAStepOfItsOwn) {
  stand_all();
  desired("net").protect = true;
  auto net = operation("net");
  EXPECT_EQ(net.action, Action::Record);
  EXPECT_EQ(net.reason, Reason::ProtectionChanged);
  EXPECT_TRUE(net.protect);
  EXPECT_FALSE(plan().empty());
  state("net").protect = true;
  desired("net").protect = false;
  net = operation("net");
  EXPECT_EQ(net.action, Action::Record);
  EXPECT_FALSE(net.protect);
}

/// The network is declared as `core` from now on.
class MovedPlan : public Planner {
 protected:
  MovedPlan() {
    stand_all();
    undeclare("net");
    declare("core", "network", {{"cidr", "10.20.0.0/24"}});
    for (const auto* name : {"web[0]", "web[1]"}) {
      desired(name).fields["network"] = "${resource.core}";
      desired(name).depends_on = {at("core"), at("sg"), at("password")};
    }
    desired_.moves = {{"net", "core"}};
  }
};

TEST_F(MovedPlan, KeepsItStanding) {
  const auto made = plan();
  for (const auto& each : made.operations) {
    EXPECT_EQ(each.action, each.address == at("core") ? Action::Record : Action::NoOp)
        << each.address.str();
  }
  const auto core = operation("core");
  EXPECT_EQ(core.reason, Reason::Moved);
  EXPECT_EQ(core.moved_from, at("net"));
  EXPECT_EQ(core.provider_id, "id-net");
  EXPECT_FALSE(made.empty());
}

TEST_F(MovedPlan, WithoutTheMoveItWouldBeReplaced) {
  desired_.moves.clear();
  EXPECT_EQ(operation("net").action, Action::Delete);
  EXPECT_EQ(operation("core").action, Action::Create);
}

TEST_F(MovedPlan, ChangesItOnTheWay) {
  desired("core").fields["description"] = "inner";
  auto core = operation("core");
  EXPECT_EQ(core.action, Action::Update);
  EXPECT_EQ(core.moved_from, at("net"));
  desired("core").fields["cidr"] = "10.30.0.0/24";
  core = operation("core");
  EXPECT_EQ(core.action, Action::Replace);
  EXPECT_EQ(core.generation, 2);
  state("net").protect = true;
  desired("core").protect = true;
  EXPECT_EQ(try_plan().error().code(), "plan.protected");
}

TEST_F(MovedPlan, FollowsChains) {
  undeclare("core");
  declare("inner", "network", {{"cidr", "10.20.0.0/24"}});
  for (const auto* name : {"web[0]", "web[1]"}) {
    desired(name).fields["network"] = "${resource.inner}";
  }
  desired_.moves.push_back({"core", "inner"});
  EXPECT_EQ(operation("inner").moved_from, at("net"));
}

TEST_F(MovedPlan, AStaleMoveIsHarmless) {
  desired_.moves = {{"net", "core"}, {"gone", "sg"}};
  const auto once = plan();
  // As it is after the move: recorded under its new address, marked with the old one.
  auto& net = state("net");
  net.address = at("core");
  net.marked_as = at("net");
  refreshed_.observed[at("core")] = refreshed_.observed[at("net")];
  refreshed_.observed.erase(at("net"));
  for (const auto* name : {"web[0]", "web[1]"}) {
    state(name).depends_on = {at("core"), at("sg"), at("password")};
  }
  EXPECT_TRUE(plan().empty());
  EXPECT_FALSE(once.empty());
}

TEST_F(MovedPlan, WhatTakesTheOldNameGetsAMarkerOfItsOwn) {
  auto& net = state("net");
  net.address = at("core");
  net.marked_as = at("net");
  refreshed_.observed[at("core")] = refreshed_.observed[at("net")];
  refreshed_.observed.erase(at("net"));
  desired_.moves.clear();
  declare("net", "network", {{"cidr", "10.40.0.0/24"}});
  const auto fresh = operation("net");
  EXPECT_EQ(fresh.action, Action::Create);
  EXPECT_EQ(fresh.generation, 2);
}

TEST_F(MovedPlan, IsRefusedWhereSomethingStandsAlready) {
  stand("core", "network", {{"cidr", "10.20.0.0/24"}});
  const auto blocked = try_plan();
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().code(), "plan.move-blocked");
  EXPECT_NE(blocked.error().message().find("net -> core"), std::string::npos);
  EXPECT_TRUE(try_plan(PlanKind::Destroy));
}

TEST_F(MovedPlan, WhatIsInNoRecordIsFoundUnderItsMarker) {
  std::erase_if(states_, [](const auto& each) { return each.address == at("net"); });
  refreshed_.observed.erase(at("net"));
  unrecorded("net", "network", 1, {{"cidr", "10.20.0.0/24"}});
  const auto core = operation("core");
  EXPECT_EQ(core.action, Action::NoOp);
  EXPECT_EQ(core.provider_id, "lost-net-1");
  EXPECT_EQ(core.moved_from, at("net"));
}

TEST_F(Planner, MovesInstancesAndWhatGetsACount) {
  declare("api[0]", "network", {{"cidr", "10.1.0.0/24"}});
  declare("api[1]", "network", {{"cidr", "10.2.0.0/24"}});
  declare("core[0]", "network", {{"cidr", "10.3.0.0/24"}});
  declare("edge", "network", {{"cidr", "10.4.0.0/24"}});
  stand("web[0]", "network", {{"cidr", "10.1.0.0/24"}});
  stand("web[1]", "network", {{"cidr", "10.2.0.0/24"}});
  stand("net", "network", {{"cidr", "10.3.0.0/24"}});
  stand("rim[0]", "network", {{"cidr", "10.4.0.0/24"}});
  desired_.moves = {{"web", "api"}, {"net", "core"}, {"rim[0]", "edge"}};
  EXPECT_EQ(operation("api[0]").moved_from, at("web[0]"));
  EXPECT_EQ(operation("api[1]").moved_from, at("web[1]"));
  EXPECT_EQ(operation("core[0]").moved_from, at("net"));
  EXPECT_EQ(operation("edge").moved_from, at("rim[0]"));
  for (const auto& each : plan().operations) EXPECT_EQ(each.action, Action::Record);
}

TEST_F(Planner, TargetsTakeWhatTheyNeedAndNothingElse) {
  stand_all();
  desired("web[1]").fields["flavor"] = "large";
  desired("sg").fields["description"] = "doors";
  desired("net").fields["description"] = "inner";
  declare("other", "network", {{"cidr", "10.9.0.0/24"}});
  targets_ = {at("web[1]")};
  const auto made = plan();
  EXPECT_TRUE(made.partial());
  EXPECT_EQ(made.targets, targets_);
  std::vector<std::string> names;
  for (const auto& each : made.operations) names.push_back(each.address.local());
  EXPECT_EQ(names, (std::vector<std::string>{"net", "password", "sg", "web[1]"}));
  ASSERT_TRUE(plan_from_json(to_json(made)));
  targets_ = {at("nothing")};
  EXPECT_EQ(try_plan().error().code(), "plan.unknown-target");
}

TEST_F(Planner, ATargetTakesAlongWhatRefersToWhatIsReplaced) {
  stand_all();
  desired("net").fields["cidr"] = "10.30.0.0/24";
  targets_ = {at("net")};
  EXPECT_EQ(operation("web[0]").action, Action::Replace);
  EXPECT_EQ(operation("web[1]").action, Action::Replace);
  desired("net").fields["cidr"] = "10.20.0.0/24";
  desired("net").fields["description"] = "inner";
  EXPECT_EQ(plan().operations.size(), 1U);
  targets_ = {at("web")};
  EXPECT_EQ(plan().operations.size(), 5U);
}

}  // namespace
}  // namespace bailey
