#include "providers/openstack/security_rules.hpp"
#include "tests/unit/providers/openstack/fake_openstack.hpp"

#include <algorithm>

namespace bailey::openstack {
namespace {

using std::chrono::milliseconds;

class ResourcesTest : public OpenstackTest {
 protected:
  static Json network(bool tagged) {
    return {{"id", "n1"},
            {"name", marker("one").unique_name()},
            {"description", marker("one").str()},
            {"project_id", "p1"},
            {"tags", tagged ? Json{marker("one").str()} : Json::array()}};
  }
  static Json subnet(const std::string& cidr) {
    return {{"id", "s1"},         {"network_id", "n1"},    {"cidr", cidr},
            {"project_id", "p1"}, {"tags", Json::array()}, {"dns_nameservers", Json::array()}};
  }
  static Json server(const std::string& status) {
    return {{"id", "v1"},
            {"name", marker("one").unique_name()},
            {"tenant_id", "p1"},
            {"status", status},
            {"flavor", {{"original_name", "small"}}},
            {"image", {{"id", "i1"}}},
            {"metadata", {{"bailey.marker", marker("one").str()}, {"bailey.image", "i1 cirros"}}},
            {"fault", {{"message", "No valid host was found."}}}};
  }
  void script_server_lookups() {
    cloud.on("GET /compute/v2.1/flavors",
             answer(200, {{"flavors", {{{"id", "f1"}, {"name", "small"}}}}}));
    cloud.on("GET /image/v2/images",
             answer(200, {{"images", {{{"id", "i1"}, {"name", "cirros"}, {"status", "active"}}}}}));
    cloud.on("GET /network/v2.0/ports", answer(200, {{"ports", Json::array()}}));
    cloud.on("GET /network/v2.0/security-groups",
             answer(200, {{"security_groups", Json::array()}}));
  }
  static HttpResponse building() { return answer(200, {{"servers", {{{"id", "v1"}}}}}); }
  static HttpResponse none_building() { return answer(200, {{"servers", Json::array()}}); }
  static Json server_inputs() { return {{"flavor", "small"}, {"image", "cirros"}}; }
};

TEST_F(ResourcesTest, NetworkThatFailedHalfWayIsFinishedByTheNextCreate) {
  cloud.on("GET /network/v2.0/networks", answer(200, {{"networks", Json::array()}}));
  cloud.on("GET /network/v2.0/networks", answer(200, {{"networks", {network(false)}}}));
  cloud.on("POST /network/v2.0/networks", answer(201, {{"network", network(false)}}));
  cloud.on_failure("POST /network/v2.0/subnets", ErrorKind::Timeout);
  cloud.on("POST /network/v2.0/subnets", answer(201, {{"subnet", subnet("10.0.0.0/24")}}));
  const auto failed = provider->create(ask("network", {{"cidr", "10.0.0.0/24"}}), {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::Timeout);

  cloud.on("GET /network/v2.0/subnets", answer(200, {{"subnets", Json::array()}}));
  cloud.on("PUT /network/v2.0/subnets/s1/tags", answer(200));
  cloud.on("PUT /network/v2.0/networks/n1/tags", answer(200));
  const auto made = provider->create(ask("network", {{"cidr", "10.0.0.0/24"}}), {});
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_EQ(made->provider_id, "n1");
  EXPECT_TRUE(made->complete);
  EXPECT_EQ(cloud.count("POST /network/v2.0/networks"), 1U);
}

TEST_F(ResourcesTest, SubnetOfAnEarlierAttemptWithOtherAddressesIsReplaced) {
  cloud.on("GET /network/v2.0/networks", answer(200, {{"networks", {network(false)}}}));
  cloud.on("GET /network/v2.0/subnets", answer(200, {{"subnets", {subnet("10.9.0.0/24")}}}));
  cloud.on("DELETE /network/v2.0/subnets/s1", answer(204));
  cloud.on("POST /network/v2.0/subnets", answer(201, {{"subnet", subnet("10.0.0.0/24")}}));
  cloud.on("PUT /network/v2.0/subnets/s1/tags", answer(200));
  cloud.on("PUT /network/v2.0/networks/n1/tags", answer(200));
  const auto made = provider->create(ask("network", {{"cidr", "10.0.0.0/24"}}), {});
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_EQ(made->inputs["cidr"], "10.0.0.0/24");
}

TEST_F(ResourcesTest, FindKnowsWhatBearsOnlyTheName) {
  auto bare = network(false);
  bare["description"] = "";
  cloud.on("GET /network/v2.0/networks", answer(200, {{"networks", {bare}}}));
  cloud.on("GET /network/v2.0/subnets", answer(200, {{"subnets", Json::array()}}));
  const auto found = provider->find("network", "p1", marker("one"), {});
  ASSERT_TRUE(found) << found.error().render();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().marker, marker("one"));
  EXPECT_FALSE(found->front().complete);
}

TEST_F(ResourcesTest, ListPassesOverWhatOtherProjectsShare) {
  auto shared = network(true);
  shared["project_id"] = "p-other";
  cloud.on("GET /network/v2.0/networks", answer(200, {{"networks", {shared}}}));
  cloud.on("GET /network/v2.0/subnets", answer(200, {{"subnets", Json::array()}}));
  const auto all = provider->list("network", "p1", {});
  ASSERT_TRUE(all) << all.error().render();
  EXPECT_TRUE(all->empty());
  cloud.on("GET /network/v2.0/networks/n1", answer(200, {{"network", shared}}));
  const auto one = provider->read("network", "p1", "n1", {});
  ASSERT_TRUE(one) << one.error().render();
  EXPECT_FALSE(*one);
}

TEST_F(ResourcesTest, NetworkWaitsForItsLastPortsToGo) {
  cloud.on("DELETE /network/v2.0/networks/n1", answer(409));
  cloud.on("DELETE /network/v2.0/networks/n1", answer(409));
  cloud.on("DELETE /network/v2.0/networks/n1", answer(204));
  EXPECT_TRUE(provider->remove("network", "p1", "n1", {}));
  EXPECT_EQ(clock.sleeps(), (std::vector{milliseconds(200), milliseconds(250)}));
}

TEST_F(ResourcesTest, NetworkThatStaysInUseIsAConflict) {
  cloud.on("DELETE /network/v2.0/networks/n1", answer(409));
  const auto kept = provider->remove("network", "p1", "n1", {});
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().kind(), ErrorKind::Conflict);
}

TEST_F(ResourcesTest, ServerIsAwaitedWithPausesThatGrowWithTheWait) {
  script_server_lookups();
  cloud.on("GET /compute/v2.1/servers/detail", answer(200, {{"servers", Json::array()}}));
  cloud.on("POST /compute/v2.1/servers", answer(202, {{"server", {{"id", "v1"}}}}));
  for (int i = 0; i < 40; ++i) cloud.on("GET /compute/v2.1/servers", building());
  cloud.on("GET /compute/v2.1/servers", none_building());
  cloud.on("GET /compute/v2.1/servers/v1", answer(200, {{"server", server("ACTIVE")}}));
  const auto made = provider->create(ask("server", server_inputs()), {});
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_EQ(made->inputs["image"], "cirros");
  EXPECT_EQ(cloud.count("GET /compute/v2.1/servers/v1"), 1U);
  const auto pauses = clock.sleeps();
  ASSERT_EQ(pauses.size(), 41U);
  EXPECT_EQ(pauses.front(), milliseconds(200));
  milliseconds waited{0};
  for (const auto pause : pauses) {
    EXPECT_LE(pause, std::max(milliseconds(200), waited / 10));
    waited += pause;
  }
  EXPECT_GT(pauses.back(), milliseconds(1'000));
}

TEST_F(ResourcesTest, ServerWithNothingBeforeItIsNotLookedFor) {
  script_server_lookups();
  cloud.on("POST /compute/v2.1/servers", answer(202, {{"server", {{"id", "v1"}}}}));
  cloud.on("GET /compute/v2.1/servers", none_building());
  cloud.on("GET /compute/v2.1/servers/v1", answer(200, {{"server", server("ACTIVE")}}));
  auto request = ask("server", server_inputs());
  request.earlier = Earlier::None;
  const auto made = provider->create(request, {});
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_EQ(cloud.count("GET /compute/v2.1/servers/detail"), 0U);
}

TEST_F(ResourcesTest, ServerThatCannotBeBuiltIsTakenAwayAgain) {
  script_server_lookups();
  cloud.on("GET /compute/v2.1/servers/detail", answer(200, {{"servers", Json::array()}}));
  cloud.on("POST /compute/v2.1/servers", answer(202, {{"server", {{"id", "v1"}}}}));
  cloud.on("GET /compute/v2.1/servers", none_building());
  cloud.on("GET /compute/v2.1/servers/v1", answer(200, {{"server", server("ERROR")}}));
  cloud.on("DELETE /compute/v2.1/servers/v1", answer(204));
  const auto failed = provider->create(ask("server", server_inputs()), {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::FailedPrecondition);
  EXPECT_NE(failed.error().message().find("No valid host was found."), std::string::npos);
  EXPECT_EQ(cloud.count("DELETE /compute/v2.1/servers/v1"), 1U);
}

TEST_F(ResourcesTest, ServerWhoseAnswerWasLostIsAwaitedAndNotAskedForTwice) {
  script_server_lookups();
  cloud.on("GET /compute/v2.1/servers/detail", answer(200, {{"servers", Json::array()}}));
  cloud.on("GET /compute/v2.1/servers/detail", answer(200, {{"servers", {server("BUILD")}}}));
  cloud.on_failure("POST /compute/v2.1/servers", ErrorKind::Timeout);
  cloud.on("GET /compute/v2.1/servers", none_building());
  cloud.on("GET /compute/v2.1/servers/v1", answer(200, {{"server", server("ACTIVE")}}));
  const auto lost = provider->create(ask("server", server_inputs()), {});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind(), ErrorKind::Timeout);

  const auto found = provider->find("server", "p1", marker("one"), {});
  ASSERT_TRUE(found) << found.error().render();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_FALSE(found->front().complete);
  const auto made = provider->create(ask("server", server_inputs()), {});
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_TRUE(made->complete);
  EXPECT_EQ(cloud.count("POST /compute/v2.1/servers"), 1U);
}

TEST_F(ResourcesTest, SecretIsNeverQuotedBack) {
  std::string sent;
  cloud.on("POST /key-manager/v1/secrets", [&](const HttpRequest& request) {
    sent = string_member(*parse_json(request.body), "payload");
    return Result<HttpResponse>(answer(400, {{"description", "bad payload " + sent}}));
  });
  const auto refused = provider->create(ask("secret", {{"generate", {{"length", 32}}}}), {});
  ASSERT_FALSE(refused);
  ASSERT_EQ(sent.size(), 32U);
  EXPECT_EQ(refused.error().render().find(sent), std::string::npos);
}

TEST_F(ResourcesTest, SecretUsesEveryCharacterOfItsAlphabet) {
  std::map<char, int> seen;
  cloud.on("POST /key-manager/v1/secrets", [&](const HttpRequest& request) {
    for (const char c : string_member(*parse_json(request.body), "payload")) ++seen[c];
    return Result<HttpResponse>(
        answer(201, {{"secret_ref", "https://cloud/key-manager/v1/secrets/k1"}}));
  });
  const Json how{{"length", 4096}, {"alphabet", "abcd"}};
  const auto made = provider->create(ask("secret", {{"generate", how}}), {});
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_EQ(made->provider_id, "k1");
  EXPECT_EQ(made->marker, marker("one"));
  ASSERT_EQ(seen.size(), 4U);
  for (const auto& [character, times] : seen) EXPECT_GT(times, 800) << character;
}

TEST_F(ResourcesTest, KeypairNameHoldsTheWholeMarker) {
  auto request = ask("keypair", {{"publicKey", "ssh-ed25519 AAAA me\n"}});
  request.marker.address.index = 3;
  request.marker.generation = 7;
  cloud.on("POST /compute/v2.1/os-keypairs", [](const HttpRequest& sent) {
    const auto body = *parse_json(sent.body);
    EXPECT_EQ(string_member(member(body, "keypair"), "name"), "bailey env-1 test_one_3 7");
    return Result<HttpResponse>(answer(201, body));
  });
  const auto made = provider->create(request, {});
  ASSERT_TRUE(made) << made.error().render();
  EXPECT_EQ(made->marker, request.marker);
}

TEST_F(ResourcesTest, KeypairsOfPeopleAndOfOtherEnvironmentsAreNotListed) {
  Json keypairs = Json::array();
  for (const auto* name : {"laptop", "bailey env-2 test_one 1", "bailey env-1 test_one 1",
                           "bailey env-1 test_one_x 1", "bailey env-1 test 1"}) {
    keypairs.push_back({{"keypair", {{"name", name}, {"public_key", "k"}}}});
  }
  cloud.on("GET /compute/v2.1/os-keypairs", answer(200, {{"keypairs", keypairs}}));
  const auto all = provider->list("keypair", "p1", {});
  ASSERT_TRUE(all) << all.error().render();
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().marker, marker("one"));
}

TEST_F(ResourcesTest, NothingIsInAProjectThatIsGone) {
  cloud.on("GET /v3/projects/p2", answer(404));
  const auto all = provider->list("network", "p2", {});
  EXPECT_TRUE(all && all->empty());
  const auto one = provider->read("network", "p2", "n1", {});
  EXPECT_TRUE(one && !*one);
  EXPECT_TRUE(provider->remove("network", "p2", "n1", {}));
  const auto made =
      provider->create({"network", marker("one"), "p2", {{"cidr", "10.0.0.0/24"}}}, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::NotFound);
}

TEST_F(ResourcesTest, ProjectOfSomebodyElseIsNotWorkedIn) {
  cloud.on("GET /v3/projects/p3", answer(200, {{"project", {{"id", "p3"}, {"tags", {"mine"}}}}}));
  const auto removed = provider->remove("network", "p3", "n1", {});
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind(), ErrorKind::Refused);
}

TEST(SecurityRules, SpecAndNeutronMeetInOneForm) {
  const Json inputs{{"ingress",
                     {{{"protocol", "tcp"}, {"port", 443}, {"from", "0.0.0.0/0"}},
                      {{"protocol", "udp"}, {"port", 80}, {"portMax", 90}, {"from", "fd00::/8"}},
                      {{"protocol", "icmp"}, {"from", "::/0"}},
                      {{"protocol", "any"}, {"from", "group-id"}}}}};
  const auto wanted = wanted_rules(inputs);
  ASSERT_TRUE(wanted) << wanted.error().render();
  SecurityRules read;
  for (const auto& rule : *wanted) {
    read.insert(rule_from_neutron(rule_for_neutron(rule, "g")));
  }
  EXPECT_EQ(read, *wanted);
  EXPECT_EQ(rules_for_spec(read, "ingress").size(), 4U);
  EXPECT_EQ(rules_for_spec(read, "egress"), rules_for_spec(default_egress(), "egress"));
}

TEST(SecurityRules, EmptyEgressLetsNothingOut) {
  const auto wanted = wanted_rules({{"ingress", Json::array()}, {"egress", Json::array()}});
  ASSERT_TRUE(wanted);
  EXPECT_TRUE(wanted->empty());
}

}  // namespace
}  // namespace bailey::openstack
