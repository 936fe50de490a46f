#include "tests/unit/providers/devcloud/test_cloud.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

namespace bailey::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kNowhere = "00000000-0000-0000-0000-000000000000";

/// Two projects with a user each; calls go to the first.
class Volume : public ::testing::Test {
 protected:
  void SetUp() override {
    ann = cloud.tenant("ann");
    bob = cloud.tenant("bob");
    project = id_of_project("ann");
  }
  std::string id_of_project(const std::string& name) {
    return string_member(cloud.get("/v3/projects?name=" + name).body["projects"][0], "id");
  }
  Reply send(const std::string& token, const std::string& method, const std::string& path,
             const Json& body = nullptr, const std::string& version = "3.70") {
    return cloud.call(method, "/volume/v3" + path, token, body,
                      {{"openstack-api-version", "volume " + version}});
  }
  Reply create(const Json& volume) { return send(ann, "POST", "/volumes", {{"volume", volume}}); }
  std::string available(const Json& volume = {{"size", 1}}) {
    const Reply made = create(volume);
    EXPECT_EQ(made.status, 202) << made.raw.body;
    cloud.clock.advance(1s);
    return made.id();
  }
  std::string status(const std::string& id) {
    return string_member(send(ann, "GET", "/volumes/" + id).body["volume"], "status");
  }
  Reply act(const std::string& token, const std::string& id, const Json& action) {
    return send(token, "POST", "/volumes/" + id + "/action", action);
  }
  int set_quota(const Json& quota) {
    return send(cloud.admin, "PUT", "/os-quota-sets/" + project, {{"quota_set", quota}}).status;
  }

  TestCloud cloud;
  std::string ann;
  std::string bob;
  std::string project;
};

TEST_F(Volume, IsAvailableAfterAWhile) {
  const Reply made = create({{"size", 1}, {"name", "v"}, {"metadata", {{"k", "v"}}}});
  ASSERT_EQ(made.status, 202);
  EXPECT_EQ(made.body["volume"]["status"], "creating");
  EXPECT_EQ(made.header("OpenStack-API-Version"), "volume 3.70");
  EXPECT_EQ(status(made.id()), "creating");
  cloud.clock.advance(1s);
  EXPECT_EQ(status(made.id()), "available");
  EXPECT_EQ(send(ann, "DELETE", "/volumes/" + made.id()).status, 202);
  EXPECT_EQ(status(made.id()), "deleting");
  cloud.clock.advance(1s);
  EXPECT_EQ(send(ann, "GET", "/volumes/" + made.id()).status, 404);
}

TEST_F(Volume, RefusesWhatItCannotMake) {
  EXPECT_EQ(send(ann, "POST", "/volumes", Json::object()).status, 400);
  EXPECT_EQ(create(Json::object()).status, 400);
  EXPECT_EQ(create({{"size", 0}}).status, 400);
  EXPECT_EQ(create({{"size", "x"}}).status, 400);
  EXPECT_EQ(create({{"size", 1}, {"nope", 1}}).status, 400);
  EXPECT_EQ(create({{"size", 1}, {"name", std::string(256, 'x')}}).status, 400);
  EXPECT_EQ(create({{"size", 1}, {"metadata", {{"a", 1}}}}).status, 400);
  EXPECT_EQ(create({{"size", 1}, {"availability_zone", "moon"}}).status, 400);
  EXPECT_EQ(create({{"size", 1}, {"imageRef", kNowhere}}).status, 400);
  EXPECT_EQ(create({{"size", 1}, {"volume_type", "nope"}}).status, 404);
  EXPECT_EQ(create({{"size", 1}, {"source_volid", kNowhere}}).status, 404);
  EXPECT_EQ(send(ann, "GET", "/volumes").body["volumes"].size(), 0U);
}

TEST_F(Volume, IsNobodyElses) {
  const std::string id = available();
  EXPECT_EQ(send(bob, "GET", "/volumes/" + id).status, 404);
  EXPECT_EQ(send(bob, "DELETE", "/volumes/" + id).status, 404);
  EXPECT_EQ(send(bob, "GET", "/volumes").body["volumes"].size(), 0U);
  EXPECT_EQ(send(bob, "GET", "/volumes?all_tenants=1").body["volumes"].size(), 0U);
  EXPECT_EQ(send(cloud.admin, "GET", "/volumes?all_tenants=1").body["volumes"].size(), 1U);
  EXPECT_EQ(send(bob, "GET", "/" + project + "/volumes").status, 400);
  EXPECT_EQ(send(ann, "GET", "/" + project + "/volumes").status, 200);
  EXPECT_EQ(send("", "GET", "/volumes").status, 401);
}

TEST_F(Volume, IsListedByFiltersAndPages) {
  const std::string one = available({{"size", 1}, {"name", "one"}, {"metadata", {{"k", "v"}}}});
  const std::string two = available({{"size", 2}, {"name", "two"}});
  const Json first = send(ann, "GET", "/volumes?limit=1").body;
  EXPECT_EQ(first["volumes"][0]["id"], two);
  EXPECT_EQ(first["volumes_links"].size(), 1U);
  const Json rest = send(ann, "GET", "/volumes?limit=2&marker=" + two).body;
  EXPECT_EQ(rest["volumes"][0]["id"], one);
  EXPECT_FALSE(rest.contains("volumes_links"));
  EXPECT_EQ(send(ann, "GET", "/volumes/detail?name=two").body["volumes"][0]["size"], 2);
  EXPECT_EQ(send(ann, "GET", "/volumes?metadata=%7B'k':'v'%7D").body["volumes"][0]["id"], one);
  EXPECT_EQ(send(ann, "GET", "/volumes?nope=1").status, 400);
  EXPECT_EQ(send(ann, "GET", "/volumes?limit=x").status, 400);
  EXPECT_EQ(send(ann, "GET", "/volumes?sort=nope").status, 400);
  EXPECT_EQ(send(ann, "GET", std::string("/volumes?marker=") + kNowhere).status, 404);
}

TEST_F(Volume, GrowsAndNeverShrinks) {
  const std::string id = available({{"size", 2}});
  EXPECT_EQ(act(ann, id, {{"os-extend", {{"new_size", 1}}}}).status, 400);
  EXPECT_EQ(act(ann, id, {{"os-extend", {{"new_size", 2}}}}).status, 400);
  EXPECT_EQ(act(ann, id, {{"os-extend", Json::object()}}).status, 400);
  EXPECT_EQ(act(ann, id, {{"os-extend", {{"new_size", 3}}}}).status, 202);
  EXPECT_EQ(act(ann, id, {{"os-extend", {{"new_size", 4}}}}).status, 400);
  cloud.clock.advance(1s);
  EXPECT_EQ(send(ann, "GET", "/volumes/" + id).body["volume"]["size"], 3);
  EXPECT_EQ(act(ann, id, {{"os-reset_status", {{"status", "error"}}}}).status, 403);
  EXPECT_EQ(act(cloud.admin, id, {{"os-reset_status", {{"status", "nope"}}}}).status, 400);
  EXPECT_EQ(act(cloud.admin, id, {{"os-reset_status", {{"status", "error"}}}}).status, 202);
  EXPECT_EQ(status(id), "error");
  EXPECT_EQ(act(ann, id, {{"nope", nullptr}}).status, 400);
}

TEST_F(Volume, KeepsMetadata) {
  const std::string id = available({{"size", 1}, {"metadata", {{"k", "v"}}}});
  const std::string path = "/volumes/" + id + "/metadata";
  EXPECT_EQ(send(ann, "POST", path, {{"metadata", {{"a", "b"}}}}).body["metadata"],
            Json({{"a", "b"}, {"k", "v"}}));
  EXPECT_EQ(send(ann, "PUT", path, {{"metadata", {{"c", "d"}}}}).body["metadata"],
            Json({{"c", "d"}}));
  EXPECT_EQ(send(ann, "PUT", path + "/c", {{"meta", {{"x", "e"}}}}).status, 400);
  EXPECT_EQ(send(ann, "GET", path + "/k").status, 404);
  EXPECT_EQ(send(ann, "DELETE", path + "/c").status, 200);
  EXPECT_EQ(send(ann, "DELETE", path + "/c").status, 404);
  EXPECT_EQ(send(ann, "POST", path, {{"metadata", {{"", "b"}}}}).status, 400);
}

TEST_F(Volume, IsCountedAgainstQuotas) {
  EXPECT_EQ(set_quota({{"volumes", 1}, {"gigabytes", 5}}), 200);
  EXPECT_EQ(create({{"size", 6}}).status, 413);
  const std::string id = available();
  const Reply over = create({{"size", 1}});
  EXPECT_EQ(over.status, 413);
  EXPECT_EQ(over.header("Retry-After"), "0");
  EXPECT_EQ(act(ann, id, {{"os-extend", {{"new_size", 6}}}}).status, 413);
  EXPECT_EQ(set_quota({{"volumes", 0}}), 400);
  EXPECT_EQ(set_quota({{"nope", 1}}), 400);
  EXPECT_EQ(set_quota({{"volumes", 1}, {"tenant_id", project}}), 200);
  EXPECT_EQ(set_quota({{"volumes", -2}}), 400);
  EXPECT_EQ(set_quota(Json::object()), 400);
  const std::string path = "/os-quota-sets/" + project;
  EXPECT_EQ(send(ann, "PUT", path, {{"quota_set", {{"volumes", 9}}}}).status, 403);
  EXPECT_EQ(send(bob, "GET", path).status, 403);
  const Json usage = send(ann, "GET", path + "?usage=True").body["quota_set"];
  EXPECT_EQ(usage["volumes"], Json({{"limit", 1}, {"in_use", 1}, {"reserved", 0}}));
  EXPECT_EQ(send(cloud.admin, "DELETE", path).status, 200);
  EXPECT_EQ(send(ann, "GET", path).body["quota_set"]["volumes"], 10);
}

TEST_F(Volume, NegotiatesVersions) {
  EXPECT_EQ(cloud.call("GET", "/volume/").status, 300);
  EXPECT_EQ(send(ann, "GET", "/").status, 200);
  EXPECT_EQ(send(ann, "GET", "/volumes", nullptr, "3.99").status, 406);
  EXPECT_EQ(send(ann, "GET", "/volumes", nullptr, "x").status, 400);
  const std::string id = available();
  const Reply old = send(ann, "GET", "/volumes/" + id, nullptr, "3.0");
  EXPECT_EQ(old.header("OpenStack-API-Version"), "volume 3.0");
  EXPECT_FALSE(old.body["volume"].contains("volume_type_id"));
}

/// With a server to attach to.
class VolumeAttachment : public Volume {
 protected:
  void SetUp() override {
    Volume::SetUp();
    server = make_server();
    cloud.clock.advance(1s);
    path = "/servers/" + server + "/os-volume_attachments";
  }
  Reply nova(const std::string& token, const std::string& method, const std::string& target,
             const Json& body = nullptr) {
    return cloud.call(method, "/compute/v2.1" + target, token, body,
                      {{"openstack-api-version", "compute 2.79"}});
  }
  std::string make_server(const Json& more = Json::object()) {
    const Json flavor = cloud.get("/compute/v2.1/flavors").body["flavors"][0];
    const Json image = cloud.get("/image/v2/images").body["images"][0];
    Json body = {{"server",
                  {{"name", "s"},
                   {"flavorRef", flavor["id"]},
                   {"imageRef", image["id"]},
                   {"networks", "none"}}}};
    body.update(more);
    const Reply made = nova(ann, "POST", "/servers", body);
    EXPECT_EQ(made.status, 202) << made.raw.body;
    return made.id();
  }
  Reply attach(const std::string& volume, Json more = Json::object()) {
    more["volumeId"] = volume;
    return nova(ann, "POST", path, {{"volumeAttachment", more}});
  }

  std::string server;
  std::string path;
};

TEST_F(VolumeAttachment, MakesAVolumeInUseUntilItIsDetached) {
  const std::string id = available();
  const Reply attached = attach(id);
  ASSERT_EQ(attached.status, 200) << attached.raw.body;
  EXPECT_EQ(attached.body["volumeAttachment"]["device"], "/dev/sdb");
  cloud.clock.advance(1s);
  const Json volume = send(ann, "GET", "/volumes/" + id).body["volume"];
  EXPECT_EQ(volume["status"], "in-use");
  EXPECT_EQ(volume["attachments"][0]["server_id"], server);
  EXPECT_EQ(send(ann, "DELETE", "/volumes/" + id).status, 400);
  EXPECT_EQ(nova(ann, "GET", path).body["volumeAttachments"].size(), 1U);
  EXPECT_EQ(nova(ann, "DELETE", path + "/" + id).status, 202);
  cloud.clock.advance(1s);
  EXPECT_EQ(status(id), "available");
  EXPECT_EQ(nova(ann, "GET", path + "/" + id).status, 404);
  EXPECT_EQ(nova(ann, "DELETE", path + "/" + id).status, 404);
}

TEST_F(VolumeAttachment, RefusesVolumesThatCannotBeTaken) {
  const Reply others = send(bob, "POST", "/volumes", {{"volume", {{"size", 1}}}});
  EXPECT_EQ(attach(others.id()).status, 404);
  EXPECT_EQ(attach(kNowhere).status, 404);
  EXPECT_EQ(attach("abc").status, 400);
  const Reply creating = create({{"size", 1}});
  EXPECT_EQ(attach(creating.id()).status, 400);
  cloud.clock.advance(1s);
  EXPECT_EQ(attach(creating.id(), {{"device", "/dev/sda"}}).status, 409);
  EXPECT_EQ(attach(creating.id()).status, 200);
  EXPECT_EQ(attach(creating.id()).status, 400);
  const std::string building = make_server();
  EXPECT_EQ(nova(ann, "POST", "/servers/" + building + "/os-volume_attachments",
                 {{"volumeAttachment", {{"volumeId", available()}}}})
                .status,
            200)
      << "available() has let the time pass that the server needed";
  EXPECT_EQ(nova(bob, "GET", path).status, 404);
}

TEST_F(VolumeAttachment, EndsWithItsServer) {
  const std::string stays = available();
  const std::string goes = available();
  ASSERT_EQ(attach(stays).status, 200);
  ASSERT_EQ(attach(goes, {{"delete_on_termination", true}}).status, 200);
  cloud.clock.advance(1s);
  EXPECT_EQ(nova(ann, "DELETE", "/servers/" + server).status, 204);
  cloud.clock.advance(1s);
  EXPECT_EQ(status(stays), "available");
  cloud.clock.advance(1s);
  EXPECT_EQ(send(ann, "GET", "/volumes/" + goes).status, 404);
}

TEST_F(VolumeAttachment, ServersJoinAGroupByItsHint) {
  const Json policy = {{"server_group", {{"name", "g"}, {"policy", "affinity"}}}};
  const std::string group = nova(ann, "POST", "/os-server-groups", policy).id();
  const std::string member = make_server({{"os:scheduler_hints", {{"group", group}}}});
  EXPECT_EQ(nova(ann, "GET", "/os-server-groups/" + group).body["server_group"]["members"],
            Json::array({member}));
  const auto hinted = [&](const std::string& token, const std::string& id) {
    Json body = {{"server", {{"name", "s"}, {"flavorRef", "x"}, {"networks", "none"}}},
                 {"os:scheduler_hints", {{"group", id}}}};
    const Json shown = nova(ann, "GET", "/servers/" + server).body["server"];
    body["server"]["imageRef"] = shown["image"]["id"];
    body["server"]["flavorRef"] = cloud.get("/compute/v2.1/flavors").body["flavors"][0]["id"];
    return nova(token, "POST", "/servers", body).status;
  };
  EXPECT_EQ(hinted(ann, kNowhere), 400);
  EXPECT_EQ(hinted(ann, "abc"), 400);
  EXPECT_EQ(hinted(bob, group), 400);
  EXPECT_EQ(nova(ann, "DELETE", "/servers/" + member).status, 204);
  cloud.clock.advance(1s);
  EXPECT_EQ(nova(ann, "GET", "/os-server-groups/" + group).body["server_group"]["members"],
            Json::array());
}

}  // namespace
}  // namespace bailey::test
