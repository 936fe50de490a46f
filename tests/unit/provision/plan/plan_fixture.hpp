#pragma once

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/plan/planner.hpp"
#include "tests/support/fake_provider.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace bailey::test {

inline ResourceAddress at(const std::string& local) {
  return ResourceAddress::parse("dev/" + local).value();
}

/// What is declared, what is recorded and what the provider shows, to be varied by each test.
class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    environment_.uid = EnvironmentUid("env-1");
    environment_.name = "dev";
    environment_.serial = 7;
    environment_.boundary = "wall";
    desired_.spec_digest = "sha256:spec";
  }

  DesiredResource& declare(const std::string& local, const std::string& type, Json fields,
                           const std::vector<std::string>& depends_on = {}) {
    DesiredResource resource;
    resource.address = at(local);
    resource.type = type;
    resource.fields = std::move(fields);
    for (const auto& each : depends_on) resource.depends_on.push_back(at(each));
    desired_.resources.push_back(std::move(resource));
    return desired_.resources.back();
  }

  /// Records it and lets the provider show the same.
  ResourceState& stand(const std::string& local, const std::string& type, Json inputs,
                       Json attributes = Json::object(),
                       const std::vector<std::string>& depends_on = {}) {
    ResourceState state;
    state.address = at(local);
    state.type = type;
    state.provider_id = "id-" + local;
    state.inputs = inputs;
    state.attributes = attributes;
    for (const auto& each : depends_on) state.depends_on.push_back(at(each));
    Observed observed;
    observed.type = type;
    observed.provider_id = state.provider_id;
    observed.inputs = std::move(inputs);
    observed.attributes = std::move(attributes);
    observed.marker = Marker{environment_.uid, state.address, 1};
    refreshed_.observed[state.address] = std::move(observed);
    states_.push_back(std::move(state));
    return states_.back();
  }

  Observed& unrecorded(const std::string& local, const std::string& type, int generation,
                       Json inputs) {
    Observed observed;
    observed.type = type;
    observed.provider_id = "lost-" + local + "-" + std::to_string(generation);
    observed.inputs = std::move(inputs);
    observed.attributes = Json::object();
    observed.marker = Marker{environment_.uid, at(local), generation};
    refreshed_.unrecorded.push_back(std::move(observed));
    return refreshed_.unrecorded.back();
  }

  void go(const std::string& local) {
    refreshed_.observed.erase(at(local));
    refreshed_.gone.insert(at(local));
  }

  Result<Plan> try_plan(PlanKind kind = PlanKind::Apply) const {
    return make_plan({.kind = kind,
                      .desired = desired_,
                      .environment = environment_,
                      .resources = states_,
                      .refreshed = refreshed_,
                      .schema = schema_,
                      .policy_digest = "sha256:policy",
                      .template_digest = "sha256:template",
                      .artifacts = {{"web", "registry/web@sha256:a"}},
                      .targets = targets_});
  }
  Plan plan(PlanKind kind = PlanKind::Apply) const {
    auto made = try_plan(kind);
    EXPECT_TRUE(made) << made.error().render();
    return made ? *std::move(made) : Plan{};
  }
  Operation operation(const std::string& local, PlanKind kind = PlanKind::Apply) const {
    for (const auto& each : plan(kind).operations) {
      if (each.address == at(local)) return each;
    }
    ADD_FAILURE() << "no operation on " << local;
    return {};
  }

  /// A network, a group, a secret and two servers, all standing as declared.
  void stand_all() {
    const Json rules = {{{"protocol", "tcp"}, {"port", 443}, {"from", "0.0.0.0/0"}},
                        {{"protocol", "tcp"}, {"port", 22}, {"from", "10.0.0.0/8"}}};
    declare("net", "network", {{"cidr", "10.20.0.0/24"}});
    declare("sg", "security-group", {{"ingress", rules}});
    declare("password", "secret", {{"generate", {{"length", 32}}}});
    stand("net", "network", {{"cidr", "10.20.0.0/24"}}, {{"cidr", "10.20.0.0/24"}});
    stand("sg", "security-group", {{"ingress", rules}});
    stand("password", "secret", {{"generate", {{"length", 32}}}}, {{"ref", "secret://1"}});
    refreshed_.observed[at("password")].inputs = Json::object();
    for (const auto* name : {"web[0]", "web[1]"}) {
      declare(name, "server",
              {{"flavor", "small"},
               {"network", "${resource.net}"},
               {"securityGroups", {"${resource.sg}"}},
               {"metadata", {{"password", "${resource.password.ref}"}, {"artifact", "a"}}}},
              {"net", "sg", "password"});
      stand(name, "server",
            {{"flavor", "small"},
             {"network", "id-net"},
             {"securityGroups", {"id-sg"}},
             {"metadata", {{"password", "secret://1"}, {"artifact", "a"}}}},
            {{"address", "10.20.0.5"}}, {"net", "sg", "password"});
    }
  }

  DesiredResource& desired(const std::string& local) {
    return *std::find_if(desired_.resources.begin(), desired_.resources.end(),
                         [&](const auto& each) { return each.address == at(local); });
  }

  ResourceState& state(const std::string& local) {
    return *std::find_if(states_.begin(), states_.end(),
                         [&](const auto& each) { return each.address == at(local); });
  }
  void undeclare(const std::string& local) {
    std::erase_if(desired_.resources, [&](const auto& each) { return each.address == at(local); });
  }

  std::vector<ResourceAddress> targets_;
  Expansion desired_;
  EnvironmentState environment_;
  std::vector<ResourceState> states_;
  Refreshed refreshed_;
  ProviderSchema schema_ = fake_provider_schema();
};

}  // namespace bailey::test
