#include "tests/contract/provider_resources.hpp"

namespace bailey::contract {
namespace {

TEST_F(ProviderResources, NetworkLivesAndDies) {
  const Json before{{"cidr", "10.20.0.0/24"}};
  const Json after{{"cidr", "10.20.0.0/24"}, {"dns", {"192.0.2.53", "192.0.2.54"}}};
  const auto made = born("network", "net", before);
  EXPECT_FALSE(string_member(made.attributes, "subnet").empty());
  EXPECT_EQ(string_member(made.attributes, "cidr"), "10.20.0.0/24");
  EXPECT_EQ(string_member(made.attributes, "name"), place().marker("net").unique_name());
  changes("network", "net", made, before, after);
  changes("network", "net", made, after, before);
  dies("network", "net", made.provider_id);
}

TEST_F(ProviderResources, NetworkOfTheSixthVersionLivesAndDies) {
  const auto made = born("network", "net", {{"cidr", "fd00:20::/64"}});
  dies("network", "net", made.provider_id);
}

TEST_F(ProviderResources, NetworkDoesNotChangeItsAddressesInPlace) {
  const auto made = place().make("network", "net", {{"cidr", "10.20.0.0/24"}});
  auto changed = provider().update(place().ask("network", "net", {{"cidr", "10.21.0.0/24"}}),
                                   made.provider_id, {{"cidr", "10.20.0.0/24"}}, {});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind(), ErrorKind::InvalidArgument);
}

TEST_F(ProviderResources, NetworkIsRefusedWithAddressesThatAreNone) {
  auto made = provider().create(place().ask("network", "net", {{"cidr", "10.20.0.0/99"}}), {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
}

TEST_F(ProviderResources, NetworkThatIsHalfMadeIsFinished) {
  const auto marker = place().marker("net");
  auto half = place().inside().post(
      Service::Network, "/networks",
      {{"network", {{"name", marker.unique_name()}, {"description", marker.str()}}}});
  ASSERT_TRUE(half) << half.error().render();
  auto found = provider().find("network", place().boundary, marker, {});
  ASSERT_TRUE(found) << found.error().render();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_FALSE(found->front().complete);
  EXPECT_TRUE(found->front().inputs["cidr"].is_null());

  const auto whole = born("network", "net", {{"cidr", "10.20.0.0/24"}});
  EXPECT_EQ(whole.provider_id, string_member(member(*half, "network"), "id"));
}

TEST_F(ProviderResources, NetworkThatOnlyLacksItsTagIsFinished) {
  const auto made = place().make("network", "net", {{"cidr", "10.20.0.0/24"}});
  auto bare = place().inside().put(Service::Network, "/networks/" + made.provider_id + "/tags",
                                   {{"tags", Json::array()}});
  ASSERT_TRUE(bare) << bare.error().render();
  EXPECT_FALSE(read_back("network", made.provider_id).complete);
  const auto again = born("network", "net", {{"cidr", "10.20.0.0/24"}});
  EXPECT_EQ(again.provider_id, made.provider_id);
}

TEST_F(ProviderResources, NetworkThatIsHalfMadeCanBeRemoved) {
  const auto marker = place().marker("net");
  auto half = place().inside().post(
      Service::Network, "/networks",
      {{"network", {{"name", marker.unique_name()}, {"description", marker.str()}}}});
  ASSERT_TRUE(half);
  dies("network", "net", string_member(member(*half, "network"), "id"));
}

TEST_F(ProviderResources, RouterLivesAndDies) {
  const auto one = place().make("network", "one", {{"cidr", "10.21.0.0/24"}});
  const auto two = place().make("network", "two", {{"cidr", "10.22.0.0/24"}});
  auto both = std::vector{one.provider_id, two.provider_id};
  std::sort(both.begin(), both.end());
  const Json first{{"networks", {one.provider_id}}};
  const Json second{{"networks", both}};
  const Json third{{"networks", {two.provider_id}}};
  const auto made = born("router", "gate", first);
  changes("router", "gate", made, first, second);
  changes("router", "gate", made, second, third);
  dies("router", "gate", made.provider_id);
}

TEST_F(ProviderResources, RouterIsRefusedWithAnExternalNetworkThatIsNotThere) {
  auto made = provider().create(
      place().ask("router", "gate", {{"networks", Json::array()}, {"external", "nowhere-at-all"}}),
      {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
}

TEST_F(ProviderResources, SecurityGroupLivesAndDies) {
  const auto peer = place().make("security-group", "peer", {{"ingress", Json::array()}});
  const Json https{{"protocol", "tcp"}, {"port", 443}, {"from", "0.0.0.0/0"}};
  const Json range{{"protocol", "udp"}, {"port", 80}, {"portMax", 90}, {"from", "10.0.0.0/8"}};
  const Json friends{{"protocol", "any"}, {"from", peer.provider_id}};
  const Json ping{{"protocol", "icmp"}, {"from", "fd00::/8"}};
  const Json before{{"description", "web"}, {"ingress", {https}}};
  const auto made = born("security-group", "web", before);
  EXPECT_FALSE(made.inputs.contains("egress"));

  Json after{{"description", "web and more"}, {"ingress", {range, friends, ping}}};
  auto now =
      provider().update(place().ask("security-group", "web", after), made.provider_id, before, {});
  ASSERT_TRUE(now) << now.error().render();
  EXPECT_EQ(now->inputs["description"], "web and more");
  EXPECT_EQ(now->inputs["ingress"].size(), 3U);
  for (const auto& rule : after["ingress"]) {
    EXPECT_NE(std::find(now->inputs["ingress"].begin(), now->inputs["ingress"].end(), rule),
              now->inputs["ingress"].end())
        << rule;
  }
  const Json closed{{"ingress", {https}},
                    {"egress", {{{"protocol", "tcp"}, {"port", 5432}, {"to", "10.0.0.0/8"}}}}};
  changes("security-group", "web", made, after, closed);
  changes("security-group", "web", made, closed, before);
  EXPECT_FALSE(read_back("security-group", made.provider_id).inputs.contains("egress"));
  dies("security-group", "web", made.provider_id);
}

TEST_F(ProviderResources, SecurityGroupShowsARuleThatSomebodyAdded) {
  const auto made = place().make("security-group", "web", {{"ingress", Json::array()}});
  EXPECT_TRUE(made.inputs["ingress"].empty());
  auto opened = place().inside().post(Service::Network, "/security-group-rules",
                                      {{"security_group_rule",
                                        {{"security_group_id", made.provider_id},
                                         {"direction", "ingress"},
                                         {"ethertype", "IPv4"},
                                         {"protocol", "tcp"},
                                         {"port_range_min", 22},
                                         {"port_range_max", 22}}}});
  ASSERT_TRUE(opened) << opened.error().render();
  const auto now = read_back("security-group", made.provider_id);
  EXPECT_EQ(now.inputs["ingress"],
            (Json{{{"protocol", "tcp"}, {"port", 22}, {"from", "0.0.0.0/0"}}}));
}

TEST_F(ProviderResources, SecurityGroupThatIsHalfMadeIsFinished) {
  const auto marker = place().marker("web");
  auto half = place().inside().post(
      Service::Network, "/security-groups",
      {{"security_group", {{"name", marker.unique_name()}, {"description", marker.str()}}}});
  ASSERT_TRUE(half) << half.error().render();
  auto found = provider().find("security-group", place().boundary, marker, {});
  ASSERT_TRUE(found) << found.error().render();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_FALSE(found->front().complete);
  const auto whole =
      born("security-group", "web",
           {{"ingress", {{{"protocol", "tcp"}, {"port", 443}, {"from", "0.0.0.0/0"}}}}});
  EXPECT_EQ(whole.provider_id, string_member(member(*half, "security_group"), "id"));
}

TEST_F(ProviderResources, SecurityGroupRefusesARuleThatMeansNothing) {
  for (const auto& rule : {Json{{"protocol", "tcp"}, {"port", 443}},
                           Json{{"protocol", "any"}, {"port", 1}, {"from", "0.0.0.0/0"}},
                           Json{{"protocol", "tcp"}, {"portMax", 9}, {"from", "0.0.0.0/0"}},
                           Json{{"protocol", "esp"}, {"from", "0.0.0.0/0"}}}) {
    auto made = provider().create(place().ask("security-group", "web", {{"ingress", {rule}}}), {});
    ASSERT_FALSE(made) << rule;
    EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
  }
  auto all = provider().list("security-group", place().boundary, {});
  EXPECT_TRUE(all && all->empty());
}

TEST_F(ProviderResources, SecretLivesAndDies) {
  const Json inputs{{"generate", {{"length", 40}, {"alphabet", "abc"}}}};
  const auto made = born("secret", "password", inputs);
  EXPECT_FALSE(string_member(made.attributes, "ref").empty());
  EXPECT_FALSE(made.inputs.contains("generate"));
  auto payload = place().inside().send({.service = Service::KeyManager,
                                        .path = "/secrets/" + made.provider_id + "/payload",
                                        .accept = "text/plain"});
  ASSERT_TRUE(payload) << payload.error().render();
  EXPECT_EQ(payload->body.size(), 40U);
  EXPECT_EQ(payload->body.find_first_not_of("abc"), std::string::npos);
  EXPECT_EQ((made.inputs.dump() + made.attributes.dump() + made.name).find(payload->body),
            std::string::npos);
  dies("secret", "password", made.provider_id);
}

TEST_F(ProviderResources, SecretsAreListedBeyondTheFirstPage) {
  for (int i = 0; i < 12; ++i) {
    place().make("secret", "s" + std::to_string(i), {{"generate", {{"length", 16}}}});
  }
  auto all = provider().list("secret", place().boundary, {});
  ASSERT_TRUE(all) << all.error().render();
  EXPECT_EQ(all->size(), 12U);
}

TEST_F(ProviderResources, SecretIsRefusedWhenItWouldBeGuessable) {
  for (const auto& how : {Json{{"length", 4}}, Json{{"length", 20}, {"alphabet", "aaa"}},
                          Json{{"length", "20"}}, Json::object()}) {
    auto made = provider().create(place().ask("secret", "password", {{"generate", how}}), {});
    ASSERT_FALSE(made) << how;
    EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
  }
}

TEST_F(ProviderResources, KeypairLivesAndDies) {
  const auto made = born("keypair", "key", {{"publicKey", kPublicKey}});
  auto again = provider().create(place().ask("keypair", "key", {{"publicKey", kPublicKey}}), {});
  EXPECT_TRUE(again) << again.error().render();
  dies("keypair", "key", made.provider_id);
}

TEST_F(ProviderResources, KeypairsOfAnotherEnvironmentAreNotListed) {
  Place other(provider());
  place().make("keypair", "key", {{"publicKey", kPublicKey}});
  auto all = provider().list("keypair", other.boundary, {});
  ASSERT_TRUE(all) << all.error().render();
  EXPECT_TRUE(all->empty());
}

TEST_F(ProviderResources, QuotasAreToldFromRefusals) {
  auto admin = Ground::instance().admin();
  auto narrowed = admin.put(Service::Network, "/quotas/" + place().boundary,
                            {{"quota", {{"network", 0}, {"security_group", 0}}}});
  ASSERT_TRUE(narrowed) << narrowed.error().render();
  narrowed = admin.put(Service::Compute, "/os-quota-sets/" + place().boundary,
                       {{"quota_set", {{"instances", 0}}}});
  ASSERT_TRUE(narrowed) << narrowed.error().render();
  const std::map<std::string, Json> requests{
      {"network", {{"cidr", "10.20.0.0/24"}}},
      {"security-group", {{"ingress", Json::array()}}},
      {"server", {{"flavor", Ground::instance().flavor()}, {"image", Ground::instance().image()}}}};
  for (const auto& [type, inputs] : requests) {
    auto made = provider().create(place().ask(type, "one", inputs), {});
    ASSERT_FALSE(made) << type;
    EXPECT_EQ(made.error().kind(), ErrorKind::QuotaExceeded) << made.error().render();
    EXPECT_FALSE(made.error().retryable());
  }
}

TEST_F(ProviderResources, ThingsOfAnotherEnvironmentAreNotThere) {
  Place other(provider());
  const auto net = place().make("network", "net", {{"cidr", "10.20.0.0/24"}});
  const auto secret = place().make("secret", "password", {{"generate", {{"length", 16}}}});
  auto seen = provider().read("network", other.boundary, net.provider_id, {});
  ASSERT_TRUE(seen) << seen.error().render();
  EXPECT_FALSE(*seen);
  (void)provider().remove("network", other.boundary, net.provider_id, {});
  (void)provider().remove("secret", other.boundary, secret.provider_id, {});
  EXPECT_EQ(read_back("network", net.provider_id).marker, net.marker);
  EXPECT_EQ(read_back("secret", secret.provider_id).marker, secret.marker);
}

TEST_F(ProviderResources, SomebodyElsesThingsAreListedWithoutAMarker) {
  auto foreign =
      place().inside().post(Service::Network, "/networks", {{"network", {{"name", "by hand"}}}});
  ASSERT_TRUE(foreign) << foreign.error().render();
  auto all = provider().list("network", place().boundary, {});
  ASSERT_TRUE(all) << all.error().render();
  ASSERT_EQ(all->size(), 1U);
  EXPECT_FALSE(all->front().marker);
  EXPECT_EQ(all->front().name, "by hand");
}

TEST_F(ProviderResources, AnUnknownTypeIsUnsupported) {
  auto made = provider().create(place().ask("balloon", "one", Json::object()), {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::Unsupported);
}

}  // namespace
}  // namespace bailey::contract
