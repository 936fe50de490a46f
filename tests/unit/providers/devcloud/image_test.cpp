#include "tests/unit/providers/devcloud/test_cloud.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace bailey::test {
namespace {

class Image : public ::testing::Test {
 protected:
  Reply send(const std::string& token, const std::string& method, const std::string& path,
             const Json& body = nullptr) {
    return cloud.call(method, "/image/v2/images" + path, token, body,
                      {{"accept", "application/json"}});
  }
  Reply raw(const std::string& token, const std::string& method, const std::string& path,
            std::string type, std::string bytes) {
    ServerRequest request;
    request.method = method;
    request.target = request.path = "/image/v2/images" + path;
    request.headers = {
        {"x-auth-token", token}, {"content-type", std::move(type)}, {"accept", "application/json"}};
    request.body = std::move(bytes);
    return cloud.send(request);
  }
  Reply upload(const std::string& token, const std::string& id, std::string bytes) {
    return raw(token, "PUT", "/" + id + "/file", "application/octet-stream", std::move(bytes));
  }
  Reply patch(const std::string& token, const std::string& id, const Json& operations) {
    return raw(token, "PATCH", "/" + id, "application/openstack-images-v2.1-json-patch",
               operations.dump());
  }
  std::string create(Json more = Json::object()) {
    Json body = {{"name", "one"}, {"disk_format", "raw"}, {"container_format", "bare"}};
    body.update(more);
    const Reply reply = send(ada, "POST", "", body);
    EXPECT_EQ(reply.status, 201) << reply.raw.body;
    return string_member(reply.body, "id");
  }
  static Json replace(const std::string& name, const Json& value) {
    return Json::array({{{"op", "replace"}, {"path", "/" + name}, {"value", value}}});
  }

  TestCloud cloud;
  std::string ada = cloud.tenant("ada");
  std::string eve = cloud.tenant("eve");
};

TEST_F(Image, CloudHasOneToBeginWith) {
  const Json images = send(ada, "GET", "").body["images"];
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0]["name"], "cirros");
  EXPECT_EQ(images[0]["status"], "active");
  EXPECT_EQ(images[0]["visibility"], "public");
  EXPECT_EQ(send(ada, "DELETE", "/" + string_member(images[0], "id")).status, 403);
}

TEST_F(Image, UploadMakesItActive) {
  const std::string id = create({{"colour", "red"}});
  EXPECT_EQ(send(ada, "GET", "/" + id).body["status"], "queued");
  EXPECT_EQ(send(ada, "GET", "/" + id + "/file").status, 204);
  EXPECT_EQ(raw(ada, "PUT", "/" + id + "/file", "application/json", "{}").status, 415);
  EXPECT_EQ(upload(ada, id, "hello image data").status, 204);
  const Json image = send(ada, "GET", "/" + id).body;
  EXPECT_EQ(image["status"], "active");
  EXPECT_EQ(image["size"], 16);
  EXPECT_EQ(image["checksum"], "826ad52d67c55b1f07cabe148b8146ac");
  EXPECT_EQ(string_member(image, "os_hash_value").substr(0, 16), "c0320840d9e506a0");
  EXPECT_EQ(image["colour"], "red");
  EXPECT_EQ(send(ada, "GET", "/" + id + "/file").raw.body, "hello image data");
  EXPECT_EQ(upload(ada, id, "again").status, 409);
}

TEST_F(Image, UploadNeedsFormats) {
  const Reply made = send(ada, "POST", "", Json::object());
  EXPECT_EQ(upload(ada, string_member(made.body, "id"), "x").status, 400);
}

TEST_F(Image, PrivateOnesAreForTheirProject) {
  const std::string id = create({{"visibility", "private"}});
  EXPECT_EQ(send(eve, "GET", "/" + id).status, 404);
  EXPECT_EQ(send(eve, "DELETE", "/" + id).status, 404);
  EXPECT_EQ(patch(eve, id, replace("name", "x")).status, 404);
  EXPECT_EQ(upload(eve, id, "x").status, 404);
  EXPECT_EQ(send(eve, "GET", "").body["images"].size(), 1U);
  EXPECT_EQ(send(cloud.admin, "GET", "/" + id).status, 200);
}

TEST_F(Image, SharedOnesAreSeenByMembersAndChangedByTheOwnerAlone) {
  const std::string id = create();
  const std::string project =
      string_member(cloud.get("/v3/projects?name=eve").body["projects"][0], "id");
  EXPECT_EQ(send(eve, "GET", "/" + id).status, 404);
  EXPECT_EQ(send(ada, "POST", "/" + id + "/members", {{"member", project}}).status, 200);
  EXPECT_EQ(send(ada, "POST", "/" + id + "/members", {{"member", project}}).status, 409);
  EXPECT_EQ(send(eve, "GET", "/" + id).status, 200);
  EXPECT_EQ(send(eve, "DELETE", "/" + id).status, 403);
  EXPECT_EQ(send(ada, "PUT", "/" + id + "/members/" + project, {{"status", "accepted"}}).status,
            403);
  EXPECT_EQ(send(eve, "PUT", "/" + id + "/members/" + project, {{"status", "accepted"}}).status,
            200);
  EXPECT_EQ(send(eve, "GET", "").body["images"].size(), 2U);
}

TEST_F(Image, OnlyAdministratorsPublish) {
  EXPECT_EQ(send(ada, "POST", "", {{"name", "x"}, {"visibility", "public"}}).status, 403);
  const std::string id = create();
  EXPECT_EQ(patch(ada, id, replace("visibility", "public")).status, 403);
  EXPECT_EQ(patch(cloud.admin, id, replace("visibility", "public")).status, 200);
  EXPECT_EQ(patch(eve, id, replace("name", "mine")).status, 403);
}

TEST_F(Image, PatchKeepsItsRules) {
  const std::string id = create({{"colour", "red"}});
  EXPECT_EQ(patch(ada, id, replace("name", "two")).body["name"], "two");
  EXPECT_EQ(patch(ada, id, replace("nosuch", "x")).status, 409);
  EXPECT_EQ(patch(ada, id, Json::array({{{"op", "remove"}, {"path", "/nosuch"}}})).status, 409);
  EXPECT_EQ(patch(ada, id, replace("status", "active")).status, 403);
  EXPECT_EQ(patch(ada, id, Json::array({{{"op", "zap"}, {"path", "/name"}}})).status, 400);
  EXPECT_EQ(patch(ada, id, {{"name", "x"}}).status, 400);
  EXPECT_EQ(raw(ada, "PATCH", "/" + id, "application/json", "[]").status, 415);
  EXPECT_EQ(send(ada, "GET", "/" + id).body["name"], "two");
}

TEST_F(Image, BadOnesAreRefused) {
  EXPECT_EQ(send(ada, "POST", "", {{"disk_format", "zzz"}}).status, 400);
  EXPECT_EQ(send(ada, "POST", "", {{"id", "nope"}}).status, 400);
  EXPECT_EQ(send(ada, "POST", "", {{"status", "active"}}).status, 403);
  EXPECT_EQ(send(ada, "POST", "", {{"owner", "somebody"}}).status, 403);
  EXPECT_EQ(send(ada, "POST", "", {{"mine", 5}}).status, 400);
  EXPECT_EQ(send(ada, "GET", "/nosuch").status, 404);
}

TEST_F(Image, ProtectedOnesStayAndIdsNeverComeBack) {
  const std::string id = "11111111-2222-4333-8444-555555555555";
  create({{"id", id}, {"protected", true}});
  EXPECT_EQ(send(ada, "DELETE", "/" + id).status, 403);
  patch(ada, id, replace("protected", false));
  EXPECT_EQ(send(ada, "DELETE", "/" + id).status, 204);
  EXPECT_EQ(send(ada, "DELETE", "/" + id).status, 404);
  EXPECT_EQ(send(ada, "POST", "", {{"id", id}}).status, 409);
}

TEST_F(Image, ListsFilterAndPage) {
  create({{"name", "a"}, {"tags", {"red", "blue"}}});
  create({{"name", "b"}, {"tags", {"red"}}, {"colour", "green"}});
  const auto count = [&](const std::string& query) {
    return send(ada, "GET", "?" + query).body["images"].size();
  };
  EXPECT_EQ(count("name=a"), 1U);
  EXPECT_EQ(count("name=in:a,b"), 2U);
  EXPECT_EQ(count("tag=red&tag=blue"), 1U);
  EXPECT_EQ(count("colour=green"), 1U);
  EXPECT_EQ(count("visibility=public"), 1U);
  EXPECT_EQ(count("status=active"), 1U);
  EXPECT_EQ(send(ada, "GET", "?visibility=zzz").status, 400);
  EXPECT_EQ(send(ada, "GET", "?limit=x").status, 400);
  EXPECT_EQ(send(ada, "GET", "?sort_key=nosuch").status, 400);
  EXPECT_EQ(send(ada, "GET", "?marker=nosuch").status, 400);
  std::vector<std::string> seen;
  std::string path = "?limit=1&sort=name:asc";
  while (!path.empty() && seen.size() < 9) {
    const Json page = send(ada, "GET", path).body;
    for (const Json& image : page["images"]) seen.push_back(string_member(image, "name"));
    const std::string next = string_member(page, "next");
    path = next.empty() ? "" : next.substr(next.find('?'));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "cirros"}));
}

TEST_F(Image, ClientsWithoutJsonAreAnsweredInHtml) {
  const Reply reply = cloud.call("GET", "/image/v2/images/nosuch", ada);
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.header("Content-Type"), "text/html; charset=UTF-8");
}

TEST_F(Image, NobodyGetsInWithoutAToken) {
  EXPECT_EQ(send("", "GET", "").status, 401);
  EXPECT_EQ(send("nonsense", "GET", "").status, 401);
  EXPECT_EQ(cloud.call("GET", "/image/").status, 300);
}

}  // namespace
}  // namespace bailey::test
