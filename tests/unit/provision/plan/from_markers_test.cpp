#include "orchestrator/provision/plan/from_markers.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

const std::string kOne = "sha256:" + std::string(64, '1');
const std::string kTwo = "sha256:" + std::string(64, '2');

struct FromMarkers : testing::Test {
  FromMarkers() {
    environment.name = "dev";
    environment.project = "payments";
    environment.template_name = "web";
    auto& used = bundle.templates["web"];
    used.artifacts = {"web"};
    used.resources["net"] = {"network", nullptr, false, {{"cidr", "10.0.0.0/24"}}};
    used.resources["web"] = {"server",
                             2,
                             false,
                             {{"network", "${resource.net}"},
                              {"secret", "${resource.net.name}"},
                              {"metadata", {{"run", "web:${artifact.web.digest}!"}}}}};
    bundle.projects["payments"].repositories = {{"web", "registry/web"}};
    see("net", std::nullopt, "network", {{"cidr", "10.0.0.0/24"}}).attributes["name"] = "n";
  }
  Observed& see(const std::string& name, std::optional<int> index, const std::string& type,
                nlohmann::json inputs, int generation = 1) {
    Observed item;
    item.type = type;
    item.inputs = std::move(inputs);
    item.marker = Marker{EnvironmentUid("env-1"), {"dev", name, index}, generation};
    item.provider_id = item.marker->address.str() + "#" + std::to_string(generation);
    item.attributes = nlohmann::json::object();
    refreshed.unrecorded.push_back(std::move(item));
    return refreshed.unrecorded.back();
  }
  void see_server(int index, const std::string& digest) {
    see("web", index, "server",
        {{"network", "dev/net#1"}, {"metadata", {{"run", "web:" + digest + "!"}}}});
  }
  [[nodiscard]] StateFromMarkers told() const {
    return state_from_markers(bundle, environment, refreshed);
  }
  Bundle bundle;
  Environment environment;
  Refreshed refreshed;
};

TEST_F(FromMarkers, ReadsTheArtifactWhereTheTemplateWritesIt) {
  see_server(0, kOne);
  see_server(1, kOne);
  const auto state = told();
  EXPECT_EQ(state.artifacts.at("web"), "registry/web@" + kOne);
  ASSERT_EQ(state.resources.size(), 3U);
  EXPECT_EQ(state.resources[1].depends_on, state.resources[2].depends_on);
  ASSERT_EQ(state.resources[1].depends_on.size(), 1U);
  EXPECT_EQ(state.resources[1].depends_on[0].str(), "dev/net");
}

TEST_F(FromMarkers, FieldsThatAreNotShownAreTakenAsDeclared) {
  see_server(0, kOne);
  EXPECT_EQ(told().resources[1].inputs.at("secret"), "n");
}

TEST_F(FromMarkers, DifferentDigestsLeaveTheSlotEmpty) {
  see_server(0, kOne);
  see_server(1, kTwo);
  const auto state = told();
  EXPECT_TRUE(state.artifacts.empty());
  EXPECT_EQ(state.resources.size(), 3U);
}

TEST_F(FromMarkers, TheNewestGenerationStandsAndTheOthersAreLeft) {
  see("net", std::nullopt, "network", {{"cidr", "10.1.0.0/24"}}, 3);
  see("net", std::nullopt, "network", {{"cidr", "10.2.0.0/24"}}, 2);
  const auto state = told();
  ASSERT_EQ(state.resources.size(), 1U);
  EXPECT_EQ(state.resources[0].generation, 3);
  EXPECT_EQ(state.left.size(), 2U);
}

TEST_F(FromMarkers, HalfMadeResourcesAreLeft) {
  see("other", std::nullopt, "network", {{"cidr", nullptr}}).complete = false;
  const auto state = told();
  EXPECT_EQ(state.resources.size(), 1U);
  ASSERT_EQ(state.left.size(), 1U);
}

TEST_F(FromMarkers, WhatIsNoLongerDeclaredDependsOnTheIdsItHolds) {
  see("old", std::nullopt, "server", {{"networks", {"dev/net#1"}}});
  const auto state = told();
  ASSERT_EQ(state.resources.size(), 2U);
  ASSERT_EQ(state.resources[1].depends_on.size(), 1U);
  EXPECT_EQ(state.resources[1].depends_on[0].str(), "dev/net");
}

}  // namespace
}  // namespace bailey
