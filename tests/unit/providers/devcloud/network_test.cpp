#include "providers/devcloud/network_address.hpp"
#include "tests/unit/providers/devcloud/test_cloud.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::Reply;
using test::TestCloud;

constexpr const char* kNowhere = "00000000-0000-0000-0000-000000000000";

std::string type_of(const Reply& reply) {
  return string_member(member(reply.body, "NeutronError"), "type");
}

/// Two projects, each with a member, and shorthand for the calls of the first.
class Network : public ::testing::Test {
 protected:
  void SetUp() override {
    ann = cloud.tenant("ann");
    bob = cloud.tenant("bob");
    project = string_member(cloud.get("/v3/projects?name=ann").body["projects"][0], "id");
  }
  Reply get(const std::string& path) { return cloud.call("GET", "/network/v2.0/" + path, ann); }
  Reply post(const std::string& path, const Json& body) {
    return cloud.call("POST", "/network/v2.0/" + path, ann, body);
  }
  Reply put(const std::string& path, const Json& body) {
    return cloud.call("PUT", "/network/v2.0/" + path, ann, body);
  }
  Reply remove(const std::string& path) {
    return cloud.call("DELETE", "/network/v2.0/" + path, ann);
  }
  std::string make(const std::string& path, const Json& body) {
    const Reply reply = post(path, body);
    EXPECT_EQ(reply.status, 201) << path << " " << reply.raw.body;
    return reply.id();
  }
  std::string network(const std::string& name = "net") {
    return make("networks", {{"network", {{"name", name}}}});
  }
  Reply subnet_of(const std::string& network_id, Json more) {
    Json body = {{"network_id", network_id}, {"ip_version", 4}};
    body.update(more);
    return post("subnets", {{"subnet", body}});
  }
  std::string subnet(const std::string& network_id, const std::string& cidr = "10.20.0.0/24") {
    const Reply reply = subnet_of(network_id, {{"cidr", cidr}});
    EXPECT_EQ(reply.status, 201) << reply.raw.body;
    return reply.id();
  }
  std::string public_network() {
    return string_member(get("networks?router:external=True").body["networks"][0], "id");
  }

  TestCloud cloud;
  std::string ann;
  std::string bob;
  std::string project;
};

TEST_F(Network, IsMadeWithTheUsualValues) {
  const Reply made = post("networks", {{"network", {{"name", "n"}, {"description", "d"}}}});
  ASSERT_EQ(made.status, 201);
  const Json& body = made.body["network"];
  EXPECT_EQ(body["status"], "ACTIVE");
  EXPECT_EQ(body["project_id"], project);
  EXPECT_EQ(body["tenant_id"], project);
  EXPECT_EQ(body["mtu"], 1450);
  EXPECT_EQ(body["subnets"], Json::array());
  EXPECT_FALSE(body.contains("provider:network_type"));
  EXPECT_TRUE(cloud.get("/network/v2.0/networks/" + made.id())
                  .body["network"]
                  .contains("provider:network_type"));
}

TEST_F(Network, RefusesWhatItDoesNotKnowOrAllow) {
  const auto create = [&](const Json& body) {
    const Reply reply = post("networks", {{"network", body}});
    return std::to_string(reply.status) + " " + type_of(reply);
  };
  EXPECT_EQ(create({{"color", "red"}}), "400 HTTPBadRequest");
  EXPECT_EQ(create({{"name", 5}}), "400 HTTPBadRequest");
  EXPECT_EQ(create({{"name", std::string(256, 'x')}}), "400 HTTPBadRequest");
  EXPECT_EQ(create({{"admin_state_up", "maybe"}}), "400 InvalidInput");
  EXPECT_EQ(create({{"mtu", 9000}}), "400 InvalidInput");
  EXPECT_EQ(create({{"id", kNowhere}}), "400 HTTPBadRequest");
  EXPECT_EQ(create({{"tags", {"a"}}}), "400 HTTPBadRequest");
  EXPECT_EQ(create({{"project_id", "another"}}), "400 HTTPBadRequest");
  EXPECT_EQ(create({{"shared", true}}), "403 PolicyNotAuthorized");
  EXPECT_EQ(create({{"router:external", true}}), "403 PolicyNotAuthorized");
  EXPECT_EQ(create({{"provider:network_type", "vlan"}}), "403 PolicyNotAuthorized");
  EXPECT_EQ(post("networks", {{"name", "x"}}).status, 400);
  EXPECT_EQ(cloud.call("GET", "/network/v2.0/networks").status, 401);
  EXPECT_EQ(get("nosuch").status, 404);
  EXPECT_EQ(cloud.call("PATCH", "/network/v2.0/networks/x", ann, Json::object()).status, 405);
}

TEST_F(Network, IsInvisibleToOtherProjects) {
  const std::string id = network();
  const std::string path = "/network/v2.0/networks/" + id;
  EXPECT_EQ(cloud.call("GET", path, bob).status, 404);
  EXPECT_EQ(cloud.call("PUT", path, bob, {{"network", {{"name", "x"}}}}).status, 404);
  EXPECT_EQ(cloud.call("DELETE", path, bob).status, 404);
  EXPECT_EQ(cloud.call("PUT", path + "/tags", bob, {{"tags", {"x"}}}).status, 404);
  const auto listed = cloud.call("GET", "/network/v2.0/networks", bob);
  for (const Json& each : listed.body.at("networks")) EXPECT_NE(each["id"], id);
  EXPECT_EQ(cloud.call("POST", "/network/v2.0/ports", bob, {{"port", {{"network_id", id}}}}).status,
            404);
  EXPECT_EQ(cloud.get(path.substr(0)).status, 200);
}

TEST_F(Network, OfThePublicIsReadButNotChanged) {
  const std::string id = public_network();
  ASSERT_FALSE(id.empty());
  EXPECT_EQ(get("networks/" + id).status, 200);
  EXPECT_EQ(put("networks/" + id, {{"network", {{"name", "x"}}}}).status, 403);
  EXPECT_EQ(remove("networks/" + id).status, 403);
  EXPECT_EQ(subnet_of(id, {{"cidr", "10.0.0.0/24"}}).status, 403);
}

TEST_F(Network, IsFoundByFiltersTagsFieldsAndPages) {
  const std::string first = network("a");
  network("b");
  network("c");
  EXPECT_EQ(put("networks/" + first + "/tags", {{"tags", {"red", "blue"}}}).status, 200);
  const auto count = [&](const std::string& query) {
    return get("networks?" + query).body["networks"].size();
  };
  EXPECT_EQ(count("name=a"), 1U);
  EXPECT_EQ(count("name=a&name=b"), 2U);
  EXPECT_EQ(count("project_id=" + project), 3U);
  EXPECT_EQ(count("tags=red,blue"), 1U);
  EXPECT_EQ(count("tags=red,green"), 0U);
  EXPECT_EQ(count("tags-any=red,green"), 1U);
  EXPECT_EQ(count("not-tags=red&project_id=" + project), 2U);
  EXPECT_EQ(get("networks?nosuch=1").status, 400);
  EXPECT_EQ(get("networks?shared=maybe").status, 400);
  EXPECT_EQ(get("networks?limit=x").status, 400);
  EXPECT_EQ(get(std::string("networks?limit=1&marker=") + kNowhere).status, 404);

  const Reply fields = get("networks?name=a&fields=id&fields=name");
  EXPECT_EQ(fields.body["networks"][0].size(), 2U);

  const std::string query = "networks?sort_key=name&sort_dir=asc&limit=2&project_id=" + project;
  const Reply page = get(query);
  ASSERT_EQ(page.body["networks"].size(), 2U);
  EXPECT_EQ(page.body["networks_links"][0]["rel"], "next");
  const std::string marker = string_member(page.body["networks"][1], "id");
  const Reply rest = get(query + "&marker=" + marker);
  ASSERT_EQ(rest.body["networks"].size(), 1U);
  EXPECT_EQ(rest.body["networks"][0]["name"], "c");
  EXPECT_EQ(rest.body["networks_links"][0]["rel"], "previous");
}

TEST_F(Network, CountsItsRevisions) {
  const std::string id = network();
  EXPECT_EQ(
      put("networks/" + id, {{"network", {{"name", "x"}}}}).body["network"]["revision_number"], 2);
  const auto update = [&](const char* expected) {
    return cloud
        .call("PUT", "/network/v2.0/networks/" + id, ann, {{"network", {{"name", "y"}}}},
              {{"if-match", expected}})
        .status;
  };
  EXPECT_EQ(update("revision_number=1"), 412);
  EXPECT_EQ(update("revision_number=2"), 200);
  EXPECT_EQ(put("networks/" + id, {{"network", {{"status", "DOWN"}}}}).status, 400);
}

TEST_F(Network, TagsAreCheckedAndKept) {
  const std::string path = "networks/" + network() + "/tags";
  EXPECT_EQ(put(path, {{"tags", "x"}}).status, 400);
  EXPECT_EQ(put(path, {{"tags", {"x", "x"}}}).status, 400);
  EXPECT_EQ(put(path, {{"x", Json::array()}}).status, 400);
  EXPECT_EQ(put(path, {{"tags", {"bailey:env=x", "b"}}}).status, 200);
  EXPECT_EQ(get(path).body["tags"].size(), 2U);
  EXPECT_EQ(put(path + "/c", nullptr).status, 201);
  EXPECT_EQ(get(path + "/c").status, 204);
  EXPECT_EQ(remove(path + "/c").status, 204);
  EXPECT_EQ(remove(path + "/c").status, 404);
  EXPECT_EQ(remove(path).status, 204);
}

TEST_F(Network, BulkIsAllOrNothing) {
  const Json bad = {{"networks", {{{"name", "x"}}, {{"name", 5}}}}};
  EXPECT_EQ(post("networks", bad).status, 400);
  EXPECT_EQ(get("networks?name=x").body["networks"].size(), 0U);
  const Json good = {{"networks", {{{"name", "x"}}, {{"name", "y"}}}}};
  EXPECT_EQ(post("networks", good).body["networks"].size(), 2U);
}

TEST_F(Network, SubnetsHaveGatewaysAndPools) {
  const std::string id = network();
  const Reply plain = subnet_of(id, {{"cidr", "10.11.0.7/24"}});
  EXPECT_EQ(plain.body["subnet"]["cidr"], "10.11.0.0/24");
  EXPECT_EQ(plain.body["subnet"]["gateway_ip"], "10.11.0.1");
  EXPECT_EQ(plain.body["subnet"]["allocation_pools"][0],
            Json({{"start", "10.11.0.2"}, {"end", "10.11.0.254"}}));
  const Reply bare = subnet_of(id, {{"cidr", "10.12.0.0/24"}, {"gateway_ip", nullptr}});
  EXPECT_TRUE(bare.body["subnet"]["gateway_ip"].is_null());
  EXPECT_EQ(bare.body["subnet"]["allocation_pools"][0]["start"], "10.12.0.1");
  const Reply six = subnet_of(id, {{"cidr", "fd00:1::/64"}, {"ip_version", 6}});
  EXPECT_EQ(six.body["subnet"]["gateway_ip"], "fd00:1::");
  EXPECT_EQ(get("networks/" + id).body["network"]["subnets"].size(), 3U);
}

TEST_F(Network, SubnetsRefuseWhatCannotBe) {
  const std::string id = network();
  subnet(id, "10.11.0.0/24");
  const auto refused = [&](const Json& more) {
    const Reply reply = subnet_of(id, more);
    return std::to_string(reply.status) + " " + type_of(reply);
  };
  EXPECT_EQ(refused({{"cidr", "10.11.0.128/25"}}), "400 InvalidInput");
  EXPECT_EQ(refused({{"cidr", "nonsense"}}), "400 InvalidInput");
  EXPECT_EQ(refused({{"cidr", "10.17.0.0/31"}}), "400 InvalidInput");
  EXPECT_EQ(refused({{"cidr", "fd00::/64"}}), "400 InvalidInput");
  EXPECT_EQ(refused({{"cidr", "10.16.0.0/24"}, {"ip_version", 5}}), "400 HTTPBadRequest");
  EXPECT_EQ(refused(Json::object()), "400 BadRequest");
  EXPECT_EQ(refused({{"cidr", "10.16.0.0/24"}, {"network_id", kNowhere}}), "404 NetworkNotFound");
  EXPECT_EQ(refused({{"cidr", "10.16.0.0/24"}, {"network_id", "abc"}}), "400 HTTPBadRequest");
  EXPECT_EQ(refused({{"cidr", "10.16.0.0/24"}, {"dns_nameservers", {"nope!"}}}),
            "400 HTTPBadRequest");
  const Json outside = Json::array({{{"start", "10.44.0.1"}, {"end", "10.44.0.9"}}});
  EXPECT_EQ(refused({{"cidr", "10.16.0.0/24"}, {"allocation_pools", outside}}),
            "400 OutOfBoundsAllocationPool");
  const Json around = Json::array({{{"start", "10.19.0.2"}, {"end", "10.19.0.9"}}});
  EXPECT_EQ(
      refused(
          {{"cidr", "10.19.0.0/24"}, {"gateway_ip", "10.19.0.5"}, {"allocation_pools", around}}),
      "409 GatewayConflictWithAllocationPools");
}

TEST_F(Network, PortsTakeAddressesAndTheDefaultGroup) {
  const std::string id = network();
  const std::string range = subnet(id);
  const Reply port = post("ports", {{"port", {{"network_id", id}, {"name", "p"}}}});
  ASSERT_EQ(port.status, 201) << port.raw.body;
  EXPECT_EQ(port.body["port"]["fixed_ips"],
            Json::array({{{"subnet_id", range}, {"ip_address", "10.20.0.2"}}}));
  EXPECT_EQ(port.body["port"]["security_groups"].size(), 1U);
  EXPECT_EQ(port.body["port"]["status"], "DOWN");
  EXPECT_FALSE(port.body["port"].contains("binding:host_id"));
  EXPECT_EQ(get("ports?fixed_ips=ip_address%3D10.20.0.2").body["ports"].size(), 1U);

  const auto refused = [&](Json more) {
    Json body = {{"network_id", id}};
    body.update(more);
    const Reply reply = post("ports", {{"port", body}});
    return std::to_string(reply.status) + " " + type_of(reply);
  };
  const auto address = [](const char* ip) {
    return Json{{"fixed_ips", Json::array({{{"ip_address", ip}}})}};
  };
  EXPECT_EQ(refused(address("10.20.0.2")), "409 IpAddressAlreadyAllocated");
  EXPECT_EQ(refused(address("172.16.0.1")), "400 InvalidIpForNetwork");
  EXPECT_EQ(refused(address("nope")), "400 HTTPBadRequest");
  EXPECT_EQ(refused({{"security_groups", {kNowhere}}}), "404 SecurityGroupNotFound");
  EXPECT_EQ(refused({{"network_id", kNowhere}}), "404 NetworkNotFound");
  EXPECT_EQ(refused({{"mac_address", "zz"}}), "400 HTTPBadRequest");
  EXPECT_EQ(refused({{"binding:host_id", "h"}}), "403 PolicyNotAuthorized");
}

TEST_F(Network, RunsOutOfAddresses) {
  const std::string id = network();
  subnet(id, "10.20.0.0/30");
  const Json body = {{"port", {{"network_id", id}}}};
  EXPECT_EQ(post("ports", body).status, 201);
  const Reply full = post("ports", body);
  EXPECT_EQ(full.status, 409);
  EXPECT_EQ(type_of(full), "IpAddressGenerationFailure");
}

TEST_F(Network, RefusesToLoseWhatIsInUse) {
  const std::string id = network();
  const std::string range = subnet(id);
  const std::string group = make("security-groups", {{"security_group", {{"name", "web"}}}});
  const std::string port =
      make("ports", {{"port", {{"network_id", id}, {"security_groups", {group}}}}});
  EXPECT_EQ(type_of(remove("networks/" + id)), "NetworkInUse");
  EXPECT_EQ(type_of(remove("subnets/" + range)), "SubnetInUse");
  EXPECT_EQ(type_of(remove("security-groups/" + group)), "SecurityGroupInUse");
  EXPECT_EQ(remove("ports/" + port).status, 204);
  EXPECT_EQ(remove("ports/" + port).status, 404);
  EXPECT_EQ(remove("security-groups/" + group).status, 204);
  EXPECT_EQ(remove("networks/" + id).status, 204);
  EXPECT_EQ(get("subnets/" + range).status, 404);
}

TEST_F(Network, RoutersJoinSubnets) {
  const std::string id = network();
  const std::string range = subnet(id);
  const std::string router = make("routers", {{"router", {{"name", "r"}}}});
  const std::string add = "routers/" + router + "/add_router_interface";
  const Reply joined = put(add, {{"subnet_id", range}});
  ASSERT_EQ(joined.status, 200) << joined.raw.body;
  EXPECT_EQ(joined.body["subnet_ids"], Json::array({range}));
  EXPECT_EQ(put(add, {{"subnet_id", range}}).status, 400);
  EXPECT_EQ(put(add, Json::object()).status, 400);
  EXPECT_EQ(put(add, {{"subnet_id", kNowhere}}).status, 404);
  const std::string other = make("routers", {{"router", {{"name", "r2"}}}});
  EXPECT_EQ(put("routers/" + other + "/add_router_interface", {{"subnet_id", range}}).status, 409);
  EXPECT_EQ(type_of(remove("routers/" + router)), "RouterInUse");
  const std::string port = string_member(joined.body, "port_id");
  EXPECT_EQ(type_of(remove("ports/" + port)), "ServicePortInUse");
  const std::string leave = "routers/" + router + "/remove_router_interface";
  EXPECT_EQ(put(leave, {{"subnet_id", range}}).status, 200);
  EXPECT_EQ(type_of(put(leave, {{"subnet_id", range}})), "RouterInterfaceNotFoundForSubnet");
  EXPECT_EQ(remove("routers/" + router).status, 204);
}

TEST_F(Network, RoutersHaveGatewaysToExternalNetworksAlone) {
  const std::string outside = public_network();
  const Reply made =
      post("routers", {{"router", {{"external_gateway_info", {{"network_id", outside}}}}}});
  ASSERT_EQ(made.status, 201) << made.raw.body;
  const Json& gateway = made.body["router"]["external_gateway_info"];
  EXPECT_EQ(gateway["external_fixed_ips"].size(), 1U);
  EXPECT_EQ(gateway["enable_snat"], true);
  const Json inside = {{"router", {{"external_gateway_info", {{"network_id", network()}}}}}};
  EXPECT_EQ(post("routers", inside).status, 400);
  const Reply cleared =
      put("routers/" + made.id(), {{"router", {{"external_gateway_info", Json::object()}}}});
  EXPECT_TRUE(cleared.body["router"]["external_gateway_info"].is_null());
  EXPECT_EQ(remove("routers/" + made.id()).status, 204);
}

TEST_F(Network, EveryProjectHasADefaultGroup) {
  const Json groups = get("security-groups").body["security_groups"];
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0]["name"], "default");
  EXPECT_EQ(groups[0]["security_group_rules"].size(), 4U);
  const std::string path = "security-groups/" + string_member(groups[0], "id");
  EXPECT_EQ(type_of(remove(path)), "SecurityGroupCannotRemoveDefault");
  EXPECT_EQ(type_of(put(path, {{"security_group", {{"name", "x"}}}})),
            "SecurityGroupCannotUpdateDefault");
  EXPECT_EQ(type_of(post("security-groups", {{"security_group", {{"name", "default"}}}})),
            "SecurityGroupDefaultAlreadyExists");
}

TEST_F(Network, RulesAreCheckedAndUnique) {
  const Reply made = post("security-groups", {{"security_group", {{"name", "web"}}}});
  EXPECT_EQ(made.body["security_group"]["security_group_rules"].size(), 2U);
  const std::string group = made.id();
  const auto rule = [&](Json more) {
    Json body = {{"security_group_id", group}, {"direction", "ingress"}};
    body.update(more);
    const Reply reply = post("security-group-rules", {{"security_group_rule", body}});
    return std::to_string(reply.status) + " " + type_of(reply);
  };
  const auto ports = [](const char* protocol, int least, int most) {
    return Json{{"protocol", protocol}, {"port_range_min", least}, {"port_range_max", most}};
  };
  EXPECT_EQ(rule(ports("tcp", 22, 22)), "201 ");
  EXPECT_EQ(rule(ports("TCP", 22, 22)), "409 SecurityGroupRuleExists");
  EXPECT_EQ(rule({{"remote_ip_prefix", "10.0.0.5/8"}}), "201 ");
  EXPECT_EQ(rule({{"remote_ip_prefix", "10.0.0.0/8"}}), "409 SecurityGroupRuleExists");
  EXPECT_EQ(rule({{"remote_group_id", group}}), "201 ");
  EXPECT_EQ(rule(ports("icmp", 8, 0)), "201 ");
  EXPECT_EQ(rule({{"protocol", 17}}), "201 ");
  EXPECT_EQ(rule({{"protocol", "nosuch"}}), "400 SecurityGroupRuleInvalidProtocol");
  EXPECT_EQ(rule({{"protocol", "256"}}), "400 SecurityGroupRuleInvalidProtocol");
  EXPECT_EQ(rule(ports("tcp", 90, 80)), "400 SecurityGroupInvalidPortRange");
  EXPECT_EQ(rule(ports("tcp", 1, 65536)), "400 SecurityGroupInvalidPortValue");
  EXPECT_EQ(rule(ports("tcp", 0, 5)), "400 SecurityGroupInvalidPortValue");
  EXPECT_EQ(rule({{"port_range_min", 80}, {"port_range_max", 80}}),
            "400 SecurityGroupProtocolRequiredWithPorts");
  EXPECT_EQ(rule(ports("icmp", 300, 0)), "400 SecurityGroupInvalidIcmpValue");
  EXPECT_EQ(rule({{"direction", "up"}}), "400 HTTPBadRequest");
  EXPECT_EQ(rule({{"ethertype", "IPX"}}), "400 SecurityGroupRuleInvalidEtherType");
  EXPECT_EQ(rule({{"remote_ip_prefix", "nope"}}), "400 InvalidCIDR");
  EXPECT_EQ(rule({{"remote_ip_prefix", "fd00::/8"}}), "400 SecurityGroupRuleParameterConflict");
  EXPECT_EQ(rule({{"remote_ip_prefix", "10.0.0.0/8"}, {"remote_group_id", group}}),
            "400 SecurityGroupMultipleRemoteEntites");
  EXPECT_EQ(rule({{"remote_group_id", kNowhere}}), "404 SecurityGroupNotFound");
  EXPECT_EQ(rule({{"security_group_id", kNowhere}}), "404 SecurityGroupNotFound");
  EXPECT_EQ(rule({{"protocol", "ipv6-icmp"}}), "400 SecurityGroupEthertypeConflictWithProtocol");
}

TEST_F(Network, QuotasAreSetByAdministratorsAndHold) {
  const std::string path = "/network/v2.0/quotas/" + project;
  EXPECT_EQ(get("quotas/" + project).body["quota"]["network"], 100);
  EXPECT_EQ(cloud.call("GET", path, bob).status, 403);
  EXPECT_EQ(put("quotas/" + project, {{"quota", {{"network", 5}}}}).status, 403);
  const auto set = [&](const Json& quota) {
    return cloud.call("PUT", path, cloud.admin, {{"quota", quota}}).status;
  };
  EXPECT_EQ(set({{"network", -2}}), 400);
  EXPECT_EQ(set({{"network", "x"}}), 400);
  EXPECT_EQ(set({{"nosuch", 1}}), 400);
  EXPECT_EQ(set({{"network", 1}, {"port", 0}}), 200);
  const std::string id = network();
  EXPECT_EQ(type_of(post("networks", {{"network", Json::object()}})), "OverQuota");
  EXPECT_EQ(type_of(post("ports", {{"port", {{"network_id", id}}}})), "OverQuota");
  EXPECT_EQ(get("quotas/" + project + "/details").body["quota"]["network"],
            Json({{"limit", 1}, {"used", 1}, {"reserved", 0}}));
  EXPECT_EQ(cloud.get("/network/v2.0/quotas").body["quotas"].size(), 1U);
  EXPECT_EQ(cloud.call("DELETE", path, cloud.admin).status, 204);
  EXPECT_EQ(cloud.call("DELETE", path, cloud.admin).status, 404);
  EXPECT_EQ(post("networks", {{"network", Json::object()}}).status, 201);
}

TEST(NetworkVisibility, HidesNewObjectsFromReadsForAWhile) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  DevcloudOptions options;
  options.faults = folder->path() / "faults.json";
  ASSERT_TRUE(write_file(options.faults, R"({"visibility_delay_ms": 1000})"));
  TestCloud cloud(options);
  const std::string id = cloud.make("/network/v2.0/networks", {{"network", {{"name", "late"}}}});
  const std::string path = "/network/v2.0/networks/" + id;
  EXPECT_EQ(cloud.get(path).status, 404);
  EXPECT_EQ(cloud.get("/network/v2.0/networks?name=late").body["networks"].size(), 0U);
  EXPECT_EQ(cloud.get("/network/v2.0/security-groups").status, 200);
  EXPECT_EQ(
      cloud
          .post("/network/v2.0/subnets",
                {{"subnet", {{"network_id", id}, {"ip_version", 4}, {"cidr", "10.0.0.0/24"}}}})
          .status,
      201);
  cloud.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(cloud.get(path).status, 200);
  EXPECT_EQ(cloud.get("/network/v2.0/security-groups?name=default").body["security_groups"].size(),
            1U);
}

TEST(IpAddresses, AreReadAndWrittenAndCompared) {
  using namespace devcloud::network;
  for (const char* bad : {"", "10.0.0", "10.0.0.256", "10.0.0.1/33", "10.0.0.1/", "fd00::/129",
                          "10.0.0.0/-1", "::g"}) {
    EXPECT_FALSE(read_cidr(bad)) << bad;
  }
  for (const char* good : {"10.0.0.0/8", "0.0.0.0/0", "fd00::/64", "::/0", "10.1.2.3/32"}) {
    const auto cidr = read_cidr(good);
    ASSERT_TRUE(cidr) << good;
    EXPECT_EQ(write_cidr(*cidr), good);
  }
  EXPECT_TRUE(read_cidr("10.0.0.0/8")->overlaps(*read_cidr("10.9.0.0/24")));
  EXPECT_TRUE(read_cidr("10.9.0.0/24")->overlaps(*read_cidr("0.0.0.0/0")));
  EXPECT_FALSE(read_cidr("10.0.0.0/24")->overlaps(*read_cidr("10.0.1.0/24")));
  EXPECT_FALSE(read_cidr("0.0.0.0/0")->overlaps(*read_cidr("::/0")));
}

/// A router between a network of its own and the public one, and a port on the former.
class FloatingIp : public Network {
 protected:
  void SetUp() override {
    Network::SetUp();
    inner = network();
    inner_subnet = subnet(inner);
    outer = public_network();
    port = make("ports", {{"port", {{"network_id", inner}}}});
    router = make("routers", {{"router", {{"name", "r"}}}});
  }
  void connect() {
    put("routers/" + router + "/add_router_interface", {{"subnet_id", inner_subnet}});
    set_gateway({{"network_id", outer}});
  }
  Reply set_gateway(const Json& info) {
    return put("routers/" + router, {{"router", {{"external_gateway_info", info}}}});
  }
  Reply create(Json more = Json::object()) {
    if (!more.contains("floating_network_id")) more["floating_network_id"] = outer;
    return post("floatingips", {{"floatingip", more}});
  }
  Reply change(const std::string& id, const Json& changes) {
    return put("floatingips/" + id, {{"floatingip", changes}});
  }

  std::string inner;
  std::string inner_subnet;
  std::string outer;
  std::string port;
  std::string router;
};

TEST_F(FloatingIp, IsTakenAndGivenToAPort) {
  connect();
  const Reply made = create({{"description", "d"}});
  ASSERT_EQ(made.status, 201) << made.raw.body;
  EXPECT_EQ(made.body["floatingip"]["port_id"], nullptr);
  const Json with = change(made.id(), {{"port_id", port}}).body["floatingip"];
  EXPECT_EQ(with["router_id"], router);
  EXPECT_EQ(with["port_details"]["network_id"], inner);
  EXPECT_EQ(change(made.id(), {{"description", "x"}}).body["floatingip"]["port_id"], port);
  EXPECT_EQ(change(made.id(), {{"port_id", nullptr}}).body["floatingip"]["router_id"], nullptr);
  EXPECT_EQ(remove("floatingips/" + made.id()).status, 204);
  EXPECT_EQ(get("floatingips/" + made.id()).status, 404);
  EXPECT_EQ(cloud.get("/network/v2.0/ports?device_owner=network:floatingip").body["ports"].size(),
            0U);
}

TEST_F(FloatingIp, RefusesPortsThatItCannotReach) {
  EXPECT_EQ(type_of(create({{"port_id", port}})), "ExternalGatewayForFloatingIPNotFound");
  put("routers/" + router + "/add_router_interface", {{"subnet_id", inner_subnet}});
  EXPECT_EQ(type_of(create({{"port_id", port}})), "ExternalGatewayForFloatingIPNotFound");
  connect();
  EXPECT_EQ(create({{"port_id", port}}).status, 201);
  EXPECT_EQ(type_of(create({{"port_id", port}})), "FloatingIPPortAlreadyAssociated");
  EXPECT_EQ(type_of(create({{"port_id", kNowhere}})), "PortNotFound");
  const std::string bare =
      make("ports", {{"port", {{"network_id", inner}, {"fixed_ips", Json::array()}}}});
  EXPECT_EQ(create({{"port_id", bare}}).status, 400);
}

TEST_F(FloatingIp, RefusesWhatIsNoExternalAddress) {
  EXPECT_EQ(post("floatingips", {{"floatingip", Json::object()}}).status, 400);
  EXPECT_EQ(create({{"floating_network_id", inner}}).status, 400);
  EXPECT_EQ(create({{"floating_network_id", kNowhere}}).status, 404);
  EXPECT_EQ(create({{"subnet_id", inner_subnet}}).status, 400);
  EXPECT_EQ(create({{"fixed_ip_address", "10.20.0.5"}}).status, 400);
  EXPECT_EQ(create({{"floating_ip_address", "198.51.100.9"}}).status, 403);
  cloud.call("PUT", "/network/v2.0/quotas/" + project, cloud.admin,
             {{"quota", {{"floatingip", "1"}}}});
  EXPECT_EQ(create().status, 201);
  EXPECT_EQ(type_of(create()), "OverQuota");
}

TEST_F(FloatingIp, HoldsItsRouterAndLetsItsPortGo) {
  connect();
  const std::string id = create({{"port_id", port}}).id();
  EXPECT_EQ(type_of(set_gateway(nullptr)), "RouterExternalGatewayInUseByFloatingIp");
  EXPECT_EQ(
      type_of(put("routers/" + router + "/remove_router_interface", {{"subnet_id", inner_subnet}})),
      "RouterInterfaceInUseByFloatingIP");
  EXPECT_EQ(cloud.call("GET", "/network/v2.0/floatingips/" + id, bob).status, 404);
  EXPECT_EQ(remove("ports/" + port).status, 204);
  EXPECT_EQ(get("floatingips/" + id).body["floatingip"]["port_id"], nullptr);
  EXPECT_EQ(set_gateway(nullptr).status, 200);
}

}  // namespace
}  // namespace bailey
