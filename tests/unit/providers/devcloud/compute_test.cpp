#include "tests/unit/providers/devcloud/test_cloud.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace bailey::test {
namespace {

using namespace std::chrono_literals;

/// A project with a user, a network of its own, and what a server needs.
class Compute : public ::testing::Test {
 protected:
  Compute() {
    cloud.user("ada");
    project = cloud.project("acme");
    cloud.assign(project, string_member(cloud.get("/v3/users?name=ada").body["users"][0], "id"),
                 "member");
    ada = cloud.sign_in("ada", "pw-ada", "acme");
    eve = cloud.tenant("eve");
    network = make(ada, "/network/v2.0/networks", {{"network", {{"name", "inner"}}}});
    subnet =
        make(ada, "/network/v2.0/subnets",
             {{"subnet", {{"network_id", network}, {"ip_version", 4}, {"cidr", "10.7.0.0/24"}}}});
    const Json flavors = cloud.get("/compute/v2.1/flavors").body["flavors"];
    for (const Json& each : flavors) {
      if (each["name"] == "small") flavor = string_member(each, "id");
    }
    image = string_member(cloud.get("/image/v2/images?name=cirros").body["images"][0], "id");
  }

  Reply send(const std::string& token, const std::string& method, const std::string& path,
             const Json& body = nullptr, const std::string& version = "2.90") {
    return cloud.call(method, "/compute/v2.1" + path, token, body,
                      {{"openstack-api-version", "compute " + version}});
  }
  std::string make(const std::string& token, const std::string& target, const Json& body) {
    const Reply reply = cloud.call("POST", target, token, body);
    EXPECT_LT(reply.status, 300) << target << " " << reply.raw.body;
    return reply.id();
  }
  Json wish(Json more = Json::object()) const {
    Json server = {{"name", "web"},
                   {"imageRef", image},
                   {"flavorRef", flavor},
                   {"networks", Json::array({{{"uuid", network}}})}};
    server.update(more);
    return {{"server", server}};
  }
  std::string create(Json more = Json::object()) {
    const Reply reply = send(ada, "POST", "/servers", wish(std::move(more)));
    EXPECT_EQ(reply.status, 202) << reply.raw.body;
    return reply.id();
  }
  Json show(const std::string& id) { return send(ada, "GET", "/servers/" + id).body["server"]; }
  Json ports_of(const std::string& id) {
    return cloud.call("GET", "/network/v2.0/ports?device_id=" + id, ada).body["ports"];
  }

  TestCloud cloud;
  std::string project, ada, eve, network, subnet, flavor, image;
};

TEST_F(Compute, ServerBuildsAndThenRunsWithAnAddressOfItsSubnet) {
  const std::string id = create({{"metadata", {{"k", "v"}}}, {"tags", {"b", "a"}}});
  EXPECT_EQ(show(id)["status"], "BUILD");
  EXPECT_TRUE(show(id)["addresses"].empty());
  cloud.clock.advance(300ms);
  const Json server = show(id);
  EXPECT_EQ(server["status"], "ACTIVE");
  EXPECT_EQ(server["addresses"]["inner"].size(), 1U);
  EXPECT_EQ(server["metadata"], (Json{{"k", "v"}}));
  EXPECT_EQ(server["tags"], (Json{"a", "b"}));
  EXPECT_EQ(server["flavor"]["original_name"], "small");
  const Json ports = ports_of(id);
  ASSERT_EQ(ports.size(), 1U);
  EXPECT_EQ(ports[0]["status"], "ACTIVE");
  EXPECT_EQ(ports[0]["device_owner"], "compute:nova");
  EXPECT_EQ(ports[0]["fixed_ips"][0]["ip_address"], server["addresses"]["inner"][0]["addr"]);
}

TEST_F(Compute, PortsGoWithTheServerEvenIfOnlyNeutronIsAsked) {
  const std::string id = create();
  cloud.clock.advance(1s);
  EXPECT_EQ(send(ada, "DELETE", "/servers/" + id).status, 204);
  EXPECT_EQ(show(id)["OS-EXT-STS:task_state"], "deleting");
  EXPECT_EQ(send(ada, "DELETE", "/servers/" + id).status, 204);
  EXPECT_EQ(ports_of(id).size(), 1U);
  cloud.clock.advance(1s);
  EXPECT_EQ(ports_of(id).size(), 0U);
  EXPECT_EQ(send(ada, "GET", "/servers/" + id).status, 404);
  EXPECT_EQ(send(ada, "DELETE", "/servers/" + id).status, 404);
  EXPECT_EQ(cloud.call("DELETE", "/network/v2.0/networks/" + network, ada).status, 204);
}

TEST_F(Compute, PortOfAUserOutlivesItsServer) {
  const std::string port =
      make(ada, "/network/v2.0/ports", {{"port", {{"network_id", network}, {"name", "mine"}}}});
  const Json networks = Json::array({{{"port", port}}});
  const std::string id = create({{"networks", networks}});
  EXPECT_EQ(send(ada, "POST", "/servers", wish({{"networks", networks}})).status, 409);
  cloud.clock.advance(1s);
  send(ada, "DELETE", "/servers/" + id);
  cloud.clock.advance(1s);
  const Json left = cloud.call("GET", "/network/v2.0/ports/" + port, ada).body["port"];
  EXPECT_EQ(left["device_id"], "");
  EXPECT_EQ(left["status"], "DOWN");
}

TEST_F(Compute, OtherProjectsSeeNothing) {
  const std::string id = create();
  const std::string one = "/servers/" + id;
  const Json body = {{"server", {{"name", "mine now"}}}};
  EXPECT_EQ(send(eve, "GET", one).status, 404);
  EXPECT_EQ(send(eve, "PUT", one, body).status, 404);
  EXPECT_EQ(send(eve, "DELETE", one).status, 404);
  EXPECT_EQ(send(eve, "GET", one + "/metadata").status, 404);
  EXPECT_EQ(send(eve, "PUT", one + "/tags/x").status, 404);
  EXPECT_EQ(send(eve, "GET", one + "/os-interface").status, 404);
  EXPECT_EQ(send(eve, "POST", one + "/action", {{"os-stop", nullptr}}).status, 404);
  EXPECT_TRUE(send(eve, "GET", "/servers").body["servers"].empty());
  EXPECT_EQ(send(eve, "GET", "/servers?all_tenants=1").status, 403);
  EXPECT_EQ(send(cloud.admin, "GET", one).status, 200);
  EXPECT_EQ(send(cloud.admin, "GET", "/servers?all_tenants=1").body["servers"].size(), 1U);
  EXPECT_TRUE(send(cloud.admin, "GET", "/servers").body["servers"].empty());
}

TEST_F(Compute, WhatAServerNeedsMustBeThere) {
  const std::string zero = "00000000-0000-0000-0000-000000000000";
  const auto refused = [&](const Json& more) {
    return send(ada, "POST", "/servers", wish(more)).status;
  };
  EXPECT_EQ(refused({{"imageRef", zero}}), 400);
  EXPECT_EQ(refused({{"imageRef", ""}}), 400);
  EXPECT_EQ(refused({{"flavorRef", "nosuch"}}), 400);
  EXPECT_EQ(refused({{"networks", Json::array({{{"uuid", zero}}})}}), 400);
  EXPECT_EQ(refused({{"networks", "everything"}}), 400);
  EXPECT_EQ(refused({{"key_name", "nosuch"}}), 400);
  EXPECT_EQ(refused({{"security_groups", Json::array({{{"name", "nosuch"}}})}}), 400);
  EXPECT_EQ(refused({{"availability_zone", "nosuch"}}), 400);
  EXPECT_EQ(refused({{"colour", "red"}}), 400);
  EXPECT_EQ(refused({{"name", ""}}), 400);
  EXPECT_EQ(refused({{"metadata", {{"k", 5}}}}), 400);
  EXPECT_EQ(refused({{"tags", {"a,b"}}}), 400);
  EXPECT_EQ(send(eve, "POST", "/servers", wish()).status, 400) << "somebody else's network";
  EXPECT_TRUE(send(ada, "GET", "/servers").body["servers"].empty());
}

TEST_F(Compute, QuotaRefusesWithoutLeavingAnything) {
  ASSERT_EQ(
      send(cloud.admin, "PUT", "/os-quota-sets/" + project, {{"quota_set", {{"instances", 1}}}})
          .status,
      200);
  create();
  const Reply reply = send(ada, "POST", "/servers", wish());
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(reply.body["forbidden"]["message"],
            "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances");
  EXPECT_EQ(send(ada, "GET", "/servers").body["servers"].size(), 1U);
  EXPECT_EQ(cloud.call("GET", "/network/v2.0/ports", ada).body["ports"].size(), 1U);
  EXPECT_EQ(
      send(ada, "PUT", "/os-quota-sets/" + project, {{"quota_set", {{"instances", 9}}}}).status,
      403);
  EXPECT_EQ(send(eve, "GET", "/os-quota-sets/" + project).status, 403);
}

TEST_F(Compute, AddressThatDoesNotFitEndsInError) {
  const std::string id =
      create({{"networks", Json::array({{{"uuid", network}, {"fixed_ip", "192.168.9.9"}}})}});
  cloud.clock.advance(1s);
  EXPECT_EQ(show(id)["status"], "ERROR");
  EXPECT_EQ(show(id)["fault"]["code"], 500);
  EXPECT_TRUE(ports_of(id).empty());
}

TEST_F(Compute, MicroversionsAreHonoured) {
  const std::string id = create();
  const Reply newest = send(ada, "GET", "/servers/" + id, nullptr, "latest");
  EXPECT_EQ(newest.header("OpenStack-API-Version"), "compute 2.93");
  EXPECT_TRUE(newest.body["server"].contains("tags"));
  const Reply oldest = cloud.call("GET", "/compute/v2.1/servers/" + id, ada);
  EXPECT_EQ(oldest.header("OpenStack-API-Version"), "compute 2.1");
  EXPECT_FALSE(oldest.body["server"].contains("tags"));
  EXPECT_TRUE(oldest.body["server"]["flavor"].contains("id"));
  EXPECT_EQ(send(ada, "GET", "/servers", nullptr, "2.94").status, 406);
  EXPECT_EQ(send(ada, "GET", "/servers", nullptr, "2.0").status, 406);
  EXPECT_EQ(send(ada, "GET", "/servers", nullptr, "two").status, 400);
  EXPECT_EQ(send(ada, "GET", "/servers/" + id + "/tags", nullptr, "2.1").status, 404);
}

TEST_F(Compute, ListsFilterAndPage) {
  create({{"name", "web-1"}, {"tags", {"blue", "all"}}});
  create({{"name", "web-2"}, {"tags", {"all"}}});
  create({{"name", "db-1"}});
  const auto count = [&](const std::string& query) {
    return send(ada, "GET", "/servers?" + query).body["servers"].size();
  };
  EXPECT_EQ(count("name=web"), 2U);
  EXPECT_EQ(count("name=%5Eweb-1%24"), 1U);
  EXPECT_EQ(count("tags=all,blue"), 1U);
  EXPECT_EQ(count("tags-any=all,blue"), 2U);
  EXPECT_EQ(count("status=BUILD"), 3U);
  EXPECT_EQ(count("status=ACTIVE"), 0U);
  EXPECT_EQ(send(ada, "GET", "/servers?status=nosuch").status, 400);
  EXPECT_EQ(send(ada, "GET", "/servers?nosuch=1").status, 400);
  EXPECT_EQ(send(ada, "GET", "/servers?limit=x").status, 400);
  EXPECT_EQ(send(ada, "GET", "/servers?marker=nosuch").status, 400);

  std::vector<std::string> seen;
  std::string path = "/servers?limit=1";
  while (!path.empty() && seen.size() < 9) {
    const Json page = send(ada, "GET", path).body;
    for (const Json& server : page["servers"]) seen.push_back(string_member(server, "name"));
    path.clear();
    if (page.contains("servers_links")) {
      const std::string next = string_member(page["servers_links"][0], "href");
      path = next.substr(next.find("/servers?"));
    }
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"db-1", "web-2", "web-1"}));
}

TEST_F(Compute, MetadataAndTagsChange) {
  const std::string one = "/servers/" + create();
  send(ada, "POST", one + "/metadata", {{"metadata", {{"a", "1"}}}});
  EXPECT_EQ(send(ada, "POST", one + "/metadata", {{"metadata", {{"b", "2"}}}}).body["metadata"],
            (Json{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(send(ada, "PUT", one + "/metadata/c", {{"meta", {{"d", "x"}}}}).status, 400);
  EXPECT_EQ(send(ada, "DELETE", one + "/metadata/a").status, 204);
  EXPECT_EQ(send(ada, "DELETE", one + "/metadata/a").status, 404);
  EXPECT_EQ(send(ada, "PUT", one + "/tags/t").status, 201);
  EXPECT_EQ(send(ada, "PUT", one + "/tags/t").status, 204);
  EXPECT_EQ(send(ada, "DELETE", one + "/tags/t").status, 204);
  EXPECT_EQ(send(ada, "DELETE", one + "/tags/t").status, 404);
}

TEST_F(Compute, StopsAndStarts) {
  const std::string id = create();
  const std::string action = "/servers/" + id + "/action";
  EXPECT_EQ(send(ada, "POST", action, {{"os-stop", nullptr}}).status, 409);
  cloud.clock.advance(1s);
  EXPECT_EQ(send(ada, "POST", action, {{"os-stop", nullptr}}).status, 202);
  cloud.clock.advance(1s);
  EXPECT_EQ(show(id)["status"], "SHUTOFF");
  EXPECT_EQ(send(ada, "POST", action, {{"os-stop", nullptr}}).status, 409);
  EXPECT_EQ(send(ada, "POST", action, {{"os-start", nullptr}}).status, 202);
  cloud.clock.advance(1s);
  EXPECT_EQ(show(id)["status"], "ACTIVE");
  EXPECT_EQ(send(ada, "POST", action, {{"nosuch", nullptr}}).status, 400);
}

TEST_F(Compute, FlavorsAreMadeByAdministratorsAlone) {
  const Json body = {{"flavor", {{"name", "odd"}, {"ram", 64}, {"vcpus", 1}, {"disk", 1}}}};
  EXPECT_EQ(send(ada, "POST", "/flavors", body).status, 403);
  const Reply made = send(cloud.admin, "POST", "/flavors", body);
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(send(cloud.admin, "POST", "/flavors", body).status, 409);
  EXPECT_EQ(send(ada, "DELETE", "/flavors/" + made.id()).status, 403);
  EXPECT_EQ(send(cloud.admin, "DELETE", "/flavors/" + made.id()).status, 202);
  EXPECT_EQ(send(cloud.admin, "DELETE", "/flavors/" + made.id()).status, 404);
}

TEST_F(Compute, KeyPairsBelongToTheirUser) {
  const Json body = {
      {"keypair",
       {{"name", "k"},
        {"public_key",
         "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ me"}}}};
  const Reply made = send(ada, "POST", "/os-keypairs", body);
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body["keypair"]["fingerprint"], "46:5d:0f:4b:7b:74:b6:5f:ce:80:b0:33:70:9e:33:96");
  EXPECT_EQ(send(ada, "POST", "/os-keypairs", body).status, 409);
  EXPECT_EQ(send(eve, "GET", "/os-keypairs/k").status, 404);
  EXPECT_EQ(send(eve, "DELETE", "/os-keypairs/k").status, 404);
  EXPECT_EQ(send(ada, "POST", "/os-keypairs",
                 {{"keypair", {{"name", "bad"}, {"public_key", "nonsense"}}}})
                .status,
            400);
  EXPECT_EQ(send(ada, "DELETE", "/os-keypairs/k").status, 204);
}

TEST_F(Compute, NobodyGetsInWithoutAToken) {
  EXPECT_EQ(cloud.call("GET", "/compute/v2.1/servers").status, 401);
  EXPECT_EQ(cloud.call("GET", "/compute/v2.1/nosuch").status, 401);
  EXPECT_EQ(cloud.call("GET", "/compute/v2.1/nosuch", ada).status, 404);
  EXPECT_EQ(cloud.call("GET", "/compute/v2.1/").status, 200);
}

TEST(ComputeState, ABuildGoesOnAfterARestart) {
  std::string pattern = (std::filesystem::temp_directory_path() / "bailey-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  DevcloudOptions options;
  options.state = folder / "cloud.db";
  std::string id;
  {
    TestCloud cloud(options);
    const Json flavors = cloud.get("/compute/v2.1/flavors").body["flavors"];
    const Json images = cloud.get("/image/v2/images").body["images"];
    const Reply made = cloud.call("POST", "/compute/v2.1/servers", cloud.admin,
                                  {{"server",
                                    {{"name", "s"},
                                     {"imageRef", images[0]["id"]},
                                     {"flavorRef", flavors[0]["id"]},
                                     {"networks", "none"},
                                     {"user_data", "dG9wLXNlY3JldC1sb25nLWVub3VnaA=="}}}},
                                  {{"openstack-api-version", "compute 2.37"}});
    ASSERT_EQ(made.status, 202) << made.raw.body;
    id = made.id();
  }
  const auto bytes = read_file(options.state, 64U * 1024 * 1024);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->find("dG9wLXNlY3JldC1sb25nLWVub3VnaA"), std::string::npos);
  {
    TestCloud cloud(options);
    cloud.clock.advance(1s);
    EXPECT_EQ(cloud.get("/compute/v2.1/servers/" + id).body["server"]["status"], "ACTIVE");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace bailey::test
