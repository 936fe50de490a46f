#include "tests/unit/providers/openstack/fake_openstack.hpp"

namespace bailey::openstack {
namespace {

class ProbeTest : public OpenstackTest {
 protected:
  ProbeTest() {
    cloud.on("POST /v3/auth/tokens", FakeOpenstack::token_answer("t", cloud.expires_at));
    cloud.on("POST /v3/auth/tokens", answer(403));
    cloud.on("GET /network/v2.0/networks", answer(200, {{"networks", Json::array()}}));
    cloud.on("GET /compute/v2.1/servers/detail", answer(200, {{"servers", Json::array()}}));
    cloud.on("POST /network/v2.0/networks", answer(400));
  }
  ProbeOutcome outcome(const std::string& operation, std::vector<ProbeTarget::Thing> things = {}) {
    const Secret material(Json{
        {"auth_url", "https://cloud/v3"},
        {"region", "here"},
        {"interface", "public"},
        {"application_credential_id", "ac"},
        {"application_credential_secret",
         "s"}}.dump());
    const auto attempts = provider->probe(material, {"p2", std::move(things)}, {});
    EXPECT_TRUE(attempts);
    if (!attempts) return ProbeOutcome::Unknown;
    for (const auto& attempt : *attempts) {
      if (attempt.operation == operation) return attempt.outcome;
    }
    ADD_FAILURE() << operation << " was not tried";
    return ProbeOutcome::Unknown;
  }
};

TEST_F(ProbeTest, RefusedTokenIsARefusal) {
  EXPECT_EQ(outcome("rescope token"), ProbeOutcome::Refused);
}

TEST_F(ProbeTest, EmptyListIsARefusal) {
  EXPECT_EQ(outcome("list networks"), ProbeOutcome::Refused);
}

TEST_F(ProbeTest, TokenOfTheTargetIsAHole) {
  cloud.replace("POST /v3/auth/tokens", FakeOpenstack::token_answer("t", cloud.expires_at));
  EXPECT_EQ(outcome("rescope token"), ProbeOutcome::Allowed);
}

TEST_F(ProbeTest, ListedThingOfTheTargetIsAHole) {
  cloud.replace("GET /network/v2.0/networks",
                answer(200, {{"networks", {{{"id", "n"}, {"project_id", "p2"}}}}}));
  EXPECT_EQ(outcome("list networks"), ProbeOutcome::Allowed);
}

TEST_F(ProbeTest, FailureOfTheServiceProvesNothing) {
  cloud.on("GET /network/v2.0/networks/n1", answer(500));
  EXPECT_EQ(outcome("read network", {{"network", "n1"}}), ProbeOutcome::Unknown);
  EXPECT_EQ(cloud.count("DELETE /network/v2.0/networks/n1"), 0U);
}

TEST_F(ProbeTest, WhatCanBeReadIsNotDeleted) {
  cloud.on("GET /network/v2.0/networks/n1", answer(200));
  EXPECT_EQ(outcome("read network", {{"network", "n1"}}), ProbeOutcome::Allowed);
  EXPECT_EQ(cloud.count("DELETE /network/v2.0/networks/n1"), 0U);
}

TEST_F(ProbeTest, DeleteThatOnlyUseForbidsIsAHole) {
  cloud.on("GET /network/v2.0/networks/n1", answer(404));
  cloud.on("DELETE /network/v2.0/networks/n1", answer(409));
  EXPECT_EQ(outcome("delete network", {{"network", "n1"}}), ProbeOutcome::Allowed);
}

TEST_F(ProbeTest, PayloadThatCanBeReadIsAHoleThoughItsSecretIsRefused) {
  cloud.on("GET /key-manager/v1/secrets/k1", answer(403));
  cloud.on("GET /key-manager/v1/secrets/k1/payload", answer(200, "top secret"));
  EXPECT_EQ(outcome("read secret/payload", {{"secret", "k1"}}), ProbeOutcome::Allowed);
  EXPECT_EQ(cloud.count("DELETE /key-manager/v1/secrets/k1"), 0U);
}

TEST_F(ProbeTest, NetworkThatIsMadeIsTakenBack) {
  cloud.replace("POST /network/v2.0/networks",
                answer(201, {{"network", {{"id", "n9"}, {"project_id", "p2"}}}}));
  cloud.on("DELETE /network/v2.0/networks/n9", answer(204));
  EXPECT_EQ(outcome("create network"), ProbeOutcome::Allowed);
  EXPECT_EQ(cloud.count("DELETE /network/v2.0/networks/n9"), 1U);
}

TEST_F(ProbeTest, UnknownTypeIsUnknownAndNotRefused) {
  EXPECT_EQ(outcome("read balloon", {{"balloon", "b1"}}), ProbeOutcome::Unknown);
}

TEST_F(ProbeTest, TargetWithoutABoundaryIsRefused) {
  const Secret material(Json{
      {"auth_url", "https://cloud/v3"},
      {"application_credential_id", "ac"},
      {"application_credential_secret",
       "s"}}.dump());
  const auto attempts = provider->probe(material, {"", {}}, {});
  ASSERT_FALSE(attempts);
  EXPECT_EQ(attempts.error().kind(), ErrorKind::InvalidArgument);
}

}  // namespace
}  // namespace bailey::openstack
