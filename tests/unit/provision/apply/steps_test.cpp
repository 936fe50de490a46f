#include "orchestrator/provision/apply/steps.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace bailey {
namespace {

ResourceAddress at(const std::string& local) {
  return ResourceAddress::parse("dev/" + local).value();
}

class Steps : public ::testing::Test {
 protected:
  void plan(const std::string& local, Action action, const std::vector<std::string>& needs = {}) {
    Operation operation;
    operation.address = at(local);
    operation.action = action;
    for (const auto& each : needs) operation.depends_on.push_back(at(each));
    plan_.operations.push_back(std::move(operation));
  }
  void stand(const std::string& local, const std::vector<std::string>& needs = {}) {
    ResourceState state;
    state.address = at(local);
    for (const auto& each : needs) state.depends_on.push_back(at(each));
    states_.push_back(std::move(state));
  }
  StepPlan build() const { return steps_of(plan_, states_, retiring_); }

  static std::size_t find(const StepPlan& steps, const std::string& local, StepKind kind) {
    for (std::size_t i = 0; i < steps.steps.size(); ++i) {
      if (steps.steps[i].address == at(local) && steps.steps[i].kind == kind) return i;
    }
    ADD_FAILURE() << "no such step of " << local;
    return 0;
  }
  static bool waits(const StepPlan& steps, std::size_t step, std::size_t before) {
    const auto& edges = steps.edges[step].depends_on;
    return std::find(edges.begin(), edges.end(), before) != edges.end();
  }

  Plan plan_;
  std::vector<ResourceState> states_;
  std::vector<Intent> retiring_;
};

TEST_F(Steps, CreatesDependenciesFirst) {
  plan("net", Action::Create);
  plan("web", Action::Create, {"net"});
  const auto steps = build();
  EXPECT_TRUE(
      waits(steps, find(steps, "web", StepKind::Forward), find(steps, "net", StepKind::Forward)));
}

TEST_F(Steps, DeletesDependentsFirst) {
  stand("net");
  stand("web", {"net"});
  plan("net", Action::Delete);
  plan("web", Action::Delete, {"net"});
  const auto steps = build();
  EXPECT_TRUE(
      waits(steps, find(steps, "net", StepKind::Removal), find(steps, "web", StepKind::Removal)));
}

TEST_F(Steps, DeletesOnlyAfterWhatReferredToItHasLetGo) {
  stand("net");
  stand("web", {"net"});
  plan("net", Action::Delete);
  plan("web", Action::Update);
  const auto steps = build();
  EXPECT_TRUE(
      waits(steps, find(steps, "net", StepKind::Removal), find(steps, "web", StepKind::Forward)));
}

TEST_F(Steps, ReplacesByCreatingFirstAndRemovingLast) {
  stand("net");
  stand("web", {"net"});
  plan("net", Action::Replace);
  plan("web", Action::Replace, {"net"});
  const auto steps = build();
  ASSERT_EQ(steps.steps.size(), 4U);
  const auto old_net = find(steps, "net", StepKind::Removal);
  EXPECT_TRUE(waits(steps, old_net, find(steps, "net", StepKind::Forward)));
  EXPECT_TRUE(waits(steps, old_net, find(steps, "web", StepKind::Removal)));
  EXPECT_TRUE(
      waits(steps, find(steps, "web", StepKind::Forward), find(steps, "net", StepKind::Forward)));
}

TEST_F(Steps, HasNoneForWhatStaysAsItIs) {
  stand("net");
  plan("net", Action::NoOp);
  plan("lost", Action::NoOp);
  const auto steps = build();
  ASSERT_EQ(steps.steps.size(), 1U);
  EXPECT_EQ(steps.steps[0].address, at("lost"));
}

TEST_F(Steps, BringsTheRestOfAnEarlierReplacementToItsEnd) {
  stand("net");
  stand("web", {"net"});
  Intent intent;
  intent.address = at("net");
  intent.verb = Verb::Retire;
  retiring_.push_back(intent);
  plan("net", Action::NoOp);
  plan("web", Action::Update, {"net"});
  const auto steps = build();
  ASSERT_EQ(steps.steps.size(), 2U);
  const auto rest = find(steps, "net", StepKind::Removal);
  EXPECT_EQ(steps.steps[rest].operation, nullptr);
  EXPECT_TRUE(waits(steps, rest, find(steps, "web", StepKind::Forward)));
}

TEST_F(Steps, RemovesWhatWasSupersededBeforeWhatItRefersTo) {
  stand("net");
  stand("web");
  plan("net", Action::Delete);
  Intent rest;
  rest.address = at("web");
  rest.verb = Verb::Retire;
  rest.superseded = {{"server", "old", nlohmann::json::object(), {at("net")}}};
  retiring_ = {rest};
  const auto steps = build();
  EXPECT_TRUE(
      waits(steps, find(steps, "net", StepKind::Removal), find(steps, "web", StepKind::Removal)));
}

TEST_F(Steps, WaitInNoCircleWhenWhatStandsHasTurnedRound) {
  stand("net", {"web"});
  stand("web");
  plan("net", Action::Delete, {"web"});
  Intent rest;
  rest.address = at("web");
  rest.verb = Verb::Retire;
  rest.superseded = {{"server", "old", nlohmann::json::object(), {at("net")}}};
  retiring_ = {rest};
  const auto steps = build();
  const auto net = find(steps, "net", StepKind::Removal);
  const auto web = find(steps, "web", StepKind::Removal);
  EXPECT_TRUE(waits(steps, web, net));
  EXPECT_FALSE(waits(steps, net, web));
}

}  // namespace
}  // namespace bailey
