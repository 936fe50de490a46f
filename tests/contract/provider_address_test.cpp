#include "tests/contract/provider_resources.hpp"

#include <optional>
#include <set>
#include <thread>

namespace bailey::contract {
namespace {

/// An external network of the administrator's, a network, and a router between them.
class FloatingIps : public ProviderResources {
 protected:
  void SetUp() override {
    ProviderResources::SetUp();
    outside_ = Ground::instance().unique("bailey-outside-");
    auto network = admin().post(Service::Network, "/networks",
                                {{"network", {{"name", outside_}, {"router:external", true}}}});
    ASSERT_TRUE(network) << network.error().render();
    outside_id_ = string_member(member(*network, "network"), "id");
    auto subnet = admin().post(Service::Network, "/subnets",
                               {{"subnet",
                                 {{"network_id", outside_id_},
                                  {"ip_version", 4},
                                  {"cidr", "198.51.100.0/24"},
                                  {"enable_dhcp", false}}}});
    ASSERT_TRUE(subnet) << subnet.error().render();
    net_ = place().make("network", "net", {{"cidr", "10.20.0.0/24"}});
    gate_ =
        place().make("router", "gate", {{"networks", {net_.provider_id}}, {"external", outside_}});
    EXPECT_EQ(string_member(gate_.attributes, "external"), outside_);
  }
  void TearDown() override {
    ProviderResources::TearDown();
    EXPECT_TRUE(admin().remove(Service::Network, "/networks/" + outside_id_));
  }
  static Api admin() { return Ground::instance().admin(); }
  Json inputs(const Json& more = Json::object()) const {
    Json all{{"network", outside_}};
    all.update(more);
    return all;
  }

  std::string outside_;
  std::string outside_id_;
  Observed net_;
  Observed gate_;
};

TEST_F(FloatingIps, LiveAndMoveAndDie) {
  const auto one = place().make_server("one", net_);
  const auto two = place().make_server("two", net_);
  const auto first = inputs({{"server", one.provider_id}, {"description", "the front door"}});
  const auto second = inputs({{"server", two.provider_id}, {"tags", {"blue"}}});
  const auto made = born("floating-ip", "door", first);
  EXPECT_TRUE(string_member(made.attributes, "address").starts_with("198.51.100."));
  changes("floating-ip", "door", made, first, second);
  changes("floating-ip", "door", made, second, inputs());
  EXPECT_TRUE(read_back("floating-ip", made.provider_id).inputs["server"].is_null());
  changes("floating-ip", "door", made, inputs(), first);
  dies("floating-ip", "door", made.provider_id);
}

TEST_F(FloatingIps, LeadToAPortThatIsNoServers) {
  auto port = place().inside().post(Service::Network, "/ports",
                                    {{"port", {{"network_id", net_.provider_id}}}});
  ASSERT_TRUE(port) << port.error().render();
  const auto id = string_member(member(*port, "port"), "id");
  const auto made = born("floating-ip", "door", inputs({{"port", id}}));
  dies("floating-ip", "door", made.provider_id);
  EXPECT_TRUE(place().inside().remove(Service::Network, "/ports/" + id));
}

TEST_F(FloatingIps, ThatAreHalfMadeAreFinished) {
  const auto marker = place().marker("door");
  auto half = place().inside().post(
      Service::Network, "/floatingips",
      {{"floatingip", {{"floating_network_id", outside_id_}, {"description", marker.str()}}}});
  ASSERT_TRUE(half) << half.error().render();
  auto found = provider().find("floating-ip", place().boundary, marker, {});
  ASSERT_TRUE(found) << found.error().render();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_FALSE(found->front().complete);
  const auto web = place().make_server("web", net_);
  const auto whole = born("floating-ip", "door", inputs({{"server", web.provider_id}}));
  EXPECT_EQ(whole.provider_id, string_member(member(*half, "floatingip"), "id"));
}

TEST_F(FloatingIps, AreRefusedWhatCannotBe) {
  const auto island = place().make("network", "island", {{"cidr", "10.30.0.0/24"}});
  const auto alone = place().make_server("alone", island);
  const std::map<std::string, std::pair<Json, ErrorKind>> refusals{
      {"no such network", {{{"network", "nowhere-at-all"}}, ErrorKind::InvalidArgument}},
      {"two ends",
       {inputs({{"server", alone.provider_id}, {"port", "p"}}), ErrorKind::InvalidArgument}},
      {"no such port", {inputs({{"port", "p"}}), ErrorKind::InvalidArgument}},
      {"no way", {inputs({{"server", alone.provider_id}}), ErrorKind::FailedPrecondition}}};
  for (const auto& [why, refusal] : refusals) {
    auto made = provider().create(place().ask("floating-ip", "door", refusal.first), {});
    ASSERT_FALSE(made) << why;
    EXPECT_EQ(made.error().kind(), refusal.second) << made.error().render();
  }
  auto all = provider().list("floating-ip", place().boundary, {});
  EXPECT_TRUE(all && all->empty());
}

TEST_F(FloatingIps, StandInTheWayOfTheirBoundary) {
  const auto made = place().make("floating-ip", "door", inputs());
  auto gone = provider().remove_boundary(place().boundary, {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind(), ErrorKind::FailedPrecondition);
}

TEST_F(ProviderResources, DescriptionsAndTagsChangeInPlace) {
  const std::map<std::string, Json> types{{"network", {{"cidr", "10.20.0.0/24"}}},
                                          {"router", {{"networks", Json::array()}}},
                                          {"security-group", {{"ingress", Json::array()}}}};
  for (const auto& [type, bare] : types) {
    auto before = bare;
    before["description"] = "one (of several)";
    before["tags"] = {"blue", "red"};
    auto after = bare;
    after["description"] = "another";
    after["tags"] = {"green"};
    const auto made = born(type, "thing", before);
    changes(type, "thing", made, before, after);
    changes(type, "thing", made, after, bare);
    const auto now = read_back(type, made.provider_id);
    EXPECT_FALSE(now.inputs.contains("description")) << type;
    EXPECT_FALSE(now.inputs.contains("tags")) << type;
    auto own = bare;
    own["tags"] = {"bailey:mine"};
    auto refused = provider().update(place().ask(type, "thing", own), made.provider_id, bare, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::InvalidArgument);
    dies(type, "thing", made.provider_id);
  }
}

TEST_F(ProviderResources, SixteenThingsAtOnceAreEachMadeOnce) {
  const auto net = place().make("network", "net", {{"cidr", "10.20.0.0/24"}});
  std::vector<ResourceRequest> requests;
  for (int i = 0; i < 4; ++i) {
    const auto end = std::to_string(i);
    requests.push_back(place().ask("server", "server" + end,
                                   {{"flavor", Ground::instance().flavor()},
                                    {"image", Ground::instance().image()},
                                    {"network", net.provider_id}}));
    requests.push_back(place().ask("network", "net" + end, {{"cidr", "10.4" + end + ".0.0/24"}}));
    requests.push_back(place().ask("security-group", "group" + end, {{"ingress", Json::array()}}));
    requests.push_back(has(Service::Volume) ? place().ask("volume", "disk" + end, {{"size", 1}})
                                            : place().ask("secret", "secret" + end,
                                                          {{"generate", {{"length", 16}}}}));
  }
  std::vector<std::optional<Result<Observed>>> made(requests.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests[i].earlier = Earlier::None;
      threads.emplace_back([&, i] { made[i] = provider().create(requests[i], {}); });
    }
  }
  std::set<std::pair<std::string, std::string>> things;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ASSERT_TRUE(*made[i]) << made[i]->error().render();
    EXPECT_EQ((**made[i]).marker, requests[i].marker);
    EXPECT_TRUE((**made[i]).complete);
    things.emplace(requests[i].type, (**made[i]).provider_id);
    auto found = provider().find(requests[i].type, place().boundary, requests[i].marker, {});
    ASSERT_TRUE(found) << found.error().render();
    EXPECT_EQ(found->size(), 1U) << requests[i].marker.str();
  }
  EXPECT_EQ(things.size(), requests.size());
  for (const std::string type : {"server", "security-group"}) {
    auto all = provider().list(type, place().boundary, {});
    ASSERT_TRUE(all) << all.error().render();
    EXPECT_EQ(all->size(), 4U) << type;
  }
}

}  // namespace
}  // namespace bailey::contract
