#include "tests/contract/provider_resources.hpp"

namespace bailey::contract {
namespace {

/// An image of the account's project, to share.
class SharedImages : public ProviderResources {
 protected:
  void SetUp() override {
    ProviderResources::SetUp();
    auto made = admin().post(Service::Image, "/images",
                             {{"name", Ground::instance().unique("bailey-shared-")},
                              {"disk_format", "raw"},
                              {"container_format", "bare"},
                              {"visibility", "shared"}});
    ASSERT_TRUE(made) << made.error().render();
    image_ = string_member(*made, "id");
    Ground::instance().upload(image_);
    auto whole = admin().get(Service::Image, "/images/" + image_);
    ASSERT_TRUE(whole) << whole.error().render();
    digest_ = string_member(*whole, "os_hash_algo") + ":" + string_member(*whole, "os_hash_value");
  }
  void TearDown() override {
    ProviderResources::TearDown();
    EXPECT_TRUE(admin().remove(Service::Image, "/images/" + image_));
  }
  static Api admin() { return Ground::instance().admin(); }

  std::string image_;
  std::string digest_;
};

TEST_F(SharedImages, LiveAndDie) {
  const Json inputs{{"image", image_}, {"digest", digest_}};
  const auto made = born("shared-image", "base", inputs);
  EXPECT_EQ(made.provider_id, image_);
  EXPECT_EQ(string_member(made.attributes, "checksum"), digest_);
  EXPECT_TRUE(digest_.starts_with("sha512:"));
  const auto again = place().make("shared-image", "base", {{"image", image_}});
  EXPECT_EQ(again.provider_id, made.provider_id);
  dies("shared-image", "base", made.provider_id);
}

TEST_F(SharedImages, BootServers) {
  const auto shared = place().make("shared-image", "base", {{"image", image_}});
  const auto net = place().make("network", "net", {{"cidr", "10.20.0.0/24"}});
  const auto server = place().make_server("web", net, {{"image", shared.provider_id}});
  EXPECT_EQ(server.inputs["image"], image_);
}

TEST_F(SharedImages, AreRefusedWithAnotherContent) {
  auto made = provider().create(
      place().ask("shared-image", "base", {{"image", image_}, {"digest", "sha512:" + hex("x")}}),
      {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::Refused);
  auto all = provider().list("shared-image", place().boundary, {});
  EXPECT_TRUE(all && all->empty());
}

TEST_F(SharedImages, AreRefusedWhenTheAccountHasThemNot) {
  auto theirs = place().inside().post(
      Service::Image, "/images",
      {{"name", "theirs"}, {"disk_format", "raw"}, {"container_format", "bare"}});
  ASSERT_TRUE(theirs) << theirs.error().render();
  const auto id = string_member(*theirs, "id");
  for (const auto& image : {id, std::string("11111111-2222-3333-4444-555555555555")}) {
    auto made = provider().create(place().ask("shared-image", "base", {{"image", image}}), {});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
  }
  EXPECT_TRUE(place().inside().remove(Service::Image, "/images/" + id));
}

TEST_F(SharedImages, ThatAreOnlyOfferedAreNotInside) {
  auto offered = admin().post(Service::Image, "/images/" + image_ + "/members",
                              {{"member", place().boundary}});
  ASSERT_TRUE(offered) << offered.error().render();
  auto all = provider().list("shared-image", place().boundary, {});
  ASSERT_TRUE(all) << all.error().render();
  EXPECT_TRUE(all->empty());
  const auto made = born("shared-image", "base", {{"image", image_}});
  dies("shared-image", "base", made.provider_id);
}

TEST_F(SharedImages, ThatAreNotYetAcceptedAreFinished) {
  place().make("shared-image", "base", {{"image", image_}});
  auto undone =
      place().inside().put(Service::Image, "/images/" + image_ + "/members/" + place().boundary,
                           {{"status", "pending"}});
  ASSERT_TRUE(undone) << undone.error().render();
  auto found = provider().find("shared-image", place().boundary, place().marker("base"), {});
  ASSERT_TRUE(found) << found.error().render();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_FALSE(found->front().complete);
  born("shared-image", "base", {{"image", image_}});
}

TEST_F(ProviderResources, ContainerLivesAndDies) {
  if (!has(Service::ObjectStore)) GTEST_SKIP() << "no object store here";
  const Json before{{"metadata", {{"colour", "red"}}}, {"public", true}};
  const Json after{{"metadata", {{"shape", "round"}}}, {"emptyOnRemove", true}};
  const auto made = born("container", "files", before);
  changes("container", "files", made, before, after);
  EXPECT_FALSE(read_back("container", made.provider_id).inputs.contains("public"));
  const auto again = place().make("container", "files", after);
  EXPECT_EQ(again.provider_id, made.provider_id);
  dies("container", "files", made.provider_id);
}

TEST_F(ProviderResources, ContainerWithObjectsIsKeptUnlessItsSpecSaysOtherwise) {
  if (!has(Service::ObjectStore)) GTEST_SKIP() << "no object store here";
  const auto made = place().make("container", "files", Json::object());
  auto put = place().inside().send({.service = Service::ObjectStore,
                                    .method = "PUT",
                                    .path = "/" + made.provider_id + "/an%20object",
                                    .body = "content"});
  ASSERT_TRUE(put) << put.error().render();
  auto refused = provider().remove("container", place().boundary, made.provider_id, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::FailedPrecondition);
  changes("container", "files", made, Json::object(), {{"emptyOnRemove", true}});
  dies("container", "files", made.provider_id);
}

TEST_F(ProviderResources, ContainerIsRefusedMetadataThatSwiftWouldBend) {
  if (!has(Service::ObjectStore)) GTEST_SKIP() << "no object store here";
  for (const std::string key : {"Colour", "the colour", "bailey", "", "a\r\nb"}) {
    auto made =
        provider().create(place().ask("container", "files", {{"metadata", {{key, "x"}}}}), {});
    ASSERT_FALSE(made) << key;
    EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
  }
}

TEST_F(ProviderResources, ZoneLivesAndDies) {
  if (!has(Service::Dns)) GTEST_SKIP() << "no DNS here";
  const auto name = Ground::instance().unique("bailey-") + ".example.org.";
  const Json before{{"name", name}, {"email", "dns@example.org"}, {"ttl", 600}};
  const Json after{{"name", name},
                   {"email", "hostmaster@example.org"},
                   {"ttl", 7200},
                   {"description", "for the contract"}};
  const auto made = born("zone", "names", before);
  EXPECT_EQ(string_member(made.attributes, "name"), name);
  changes("zone", "names", made, before, after);
  changes("zone", "names", made, after, before);
  const auto again = place().make("zone", "names", before);
  EXPECT_EQ(again.provider_id, made.provider_id);
  dies("zone", "names", made.provider_id);
}

TEST_F(ProviderResources, ZoneIsRefusedWithANameThatIsNone) {
  if (!has(Service::Dns)) GTEST_SKIP() << "no DNS here";
  auto made = provider().create(
      place().ask("zone", "names",
                  {{"name", "no dot at the end"}, {"email", "dns@example.org"}, {"ttl", 600}}),
      {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
}

}  // namespace
}  // namespace bailey::contract
