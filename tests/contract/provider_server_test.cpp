#include "tests/contract/provider_resources.hpp"

namespace bailey::contract {
namespace {

TEST_F(ProviderResources, ServerLivesAndDies) {
  const auto net = place().make("network", "net", {{"cidr", "10.20.0.0/24"}});
  const auto web = place().make("security-group", "web", {{"ingress", Json::array()}});
  const auto db = place().make("security-group", "db", {{"ingress", Json::array()}});
  const auto key = place().make("keypair", "key", {{"publicKey", kPublicKey}});
  auto both = std::vector{web.provider_id, db.provider_id};
  std::sort(both.begin(), both.end());
  Json before{{"flavor", Ground::instance().flavor()},
              {"image", Ground::instance().image()},
              {"network", net.provider_id},
              {"securityGroups", {web.provider_id}},
              {"keypair", key.provider_id},
              {"metadata", {{"artifact", "sha256:abc"}, {"colour", "red"}}}};
  const auto made = born("server", "web", before);
  EXPECT_EQ(string_member(made.attributes, "status"), "ACTIVE");
  EXPECT_TRUE(string_member(made.attributes, "address").starts_with("10.20.0."));

  auto after = before;
  after["securityGroups"] = both;
  after["metadata"] = {{"artifact", "sha256:def"}};
  changes("server", "web", made, before, after);
  auto bare = before;
  bare.erase("securityGroups");
  bare["metadata"] = Json::object();
  changes("server", "web", made, after, bare);
  EXPECT_TRUE(read_back("server", made.provider_id).inputs["securityGroups"].empty());
  dies("server", "web", made.provider_id);
}

TEST_F(ProviderResources, ServerOnTwoNetworksKeepsTheirOrder) {
  const auto one = place().make("network", "one", {{"cidr", "10.21.0.0/24"}});
  const auto two = place().make("network", "two", {{"cidr", "10.22.0.0/24"}});
  for (const auto& order : {std::vector{one.provider_id, two.provider_id},
                            std::vector{two.provider_id, one.provider_id}}) {
    const auto made = born("server", "web",
                           {{"flavor", Ground::instance().flavor()},
                            {"image", Ground::instance().image()},
                            {"networks", order}});
    dies("server", "web", made.provider_id);
  }
}

TEST_F(ProviderResources, ServerIsRefusedForWhatIsNotThere) {
  const Json good{{"flavor", Ground::instance().flavor()}, {"image", Ground::instance().image()}};
  for (const auto& [name, value] :
       std::map<std::string, Json>{{"flavor", "no-such-flavor"},
                                   {"image", "no-such-image"},
                                   {"network", "11111111-2222-3333-4444-555555555555"},
                                   {"keypair", "no such key"},
                                   {"metadata", {{"bailey.marker", "mine"}}}}) {
    auto inputs = good;
    inputs[name] = value;
    auto made = provider().create(place().ask("server", "web", inputs), {});
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument) << made.error().render();
  }
  auto all = provider().list("server", place().boundary, {});
  EXPECT_TRUE(all && all->empty());
}

TEST_F(ProviderResources, ServerThatIsBeingBuiltIsAwaitedByTheNextCreate) {
  const auto net = place().make("network", "net", {{"cidr", "10.20.0.0/24"}});
  const auto first = place().make_server("web", net);
  const auto again = place().make_server("web", net);
  EXPECT_EQ(again.provider_id, first.provider_id);
  auto all = provider().list("server", place().boundary, {});
  EXPECT_TRUE(all && all->size() == 1);
}

TEST_F(ProviderResources, ServerTakesItsVolumesFromTheOneThatItReplaces) {
  if (!has(Service::Volume)) GTEST_SKIP() << "no volumes here";
  const auto disk = place().make("volume", "disk", {{"size", 1}});
  const Json inputs{{"flavor", Ground::instance().flavor()},
                    {"image", Ground::instance().image()},
                    {"volumes", {disk.provider_id}}};
  const auto old = place().make("server", "web", inputs);
  // Somebody else's request for it is refused, and takes nothing away.
  auto other = provider().create(place().ask("server", "other", inputs), {});
  ASSERT_FALSE(other);
  EXPECT_EQ(read_back("server", old.provider_id).inputs["volumes"], inputs["volumes"]);
  auto younger = place().ask("server", "web", inputs);
  younger.marker.generation = 2;
  const auto now = provider().create(younger, {});
  ASSERT_TRUE(now) << now.error().render();
  EXPECT_TRUE(now->complete);
  EXPECT_EQ(now->inputs["volumes"], inputs["volumes"]);
  EXPECT_TRUE(read_back("server", old.provider_id).inputs["volumes"].empty());
  EXPECT_TRUE(provider().remove("server", place().boundary, old.provider_id, {}));
  EXPECT_EQ(read_back("server", now->provider_id).inputs["volumes"], inputs["volumes"]);
}

TEST_F(ProviderResources, ServerHasVolumesAndAGroup) {
  if (!has(Service::Volume)) GTEST_SKIP() << "no volumes here";
  const auto one = place().make("volume", "one", {{"size", 1}});
  const auto two = place().make("volume", "two", {{"size", 1}});
  const auto group = place().make("server-group", "apart", {{"policy", "anti-affinity"}});
  Json before{{"flavor", Ground::instance().flavor()},
              {"image", Ground::instance().image()},
              {"volumes", {one.provider_id}},
              {"serverGroup", group.provider_id},
              {"description", "holds data"},
              {"tags", {"blue", "data"}},
              {"userData", "#!/bin/true\n"}};
  const auto made = born("server", "data", before);
  EXPECT_FALSE(made.inputs.contains("userData"));
  auto refused = provider().remove("volume", place().boundary, one.provider_id, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::FailedPrecondition);

  auto after = before;
  after["volumes"] = {two.provider_id};
  after["description"] = "holds more";
  after["tags"] = {"green"};
  changes("server", "data", made, before, after);
  dies("volume", "one", one.provider_id);
  auto bare = before;
  for (const auto* name : {"volumes", "description", "tags"}) bare.erase(name);
  changes("server", "data", made, after, bare);
  const auto now = read_back("server", made.provider_id);
  EXPECT_TRUE(now.inputs["volumes"].empty());
  EXPECT_FALSE(now.inputs.contains("tags"));
  EXPECT_FALSE(now.inputs.contains("description"));
  changes("server", "data", made, bare, after);
  dies("server", "data", made.provider_id);
  dies("volume", "two", two.provider_id);
}

TEST_F(ProviderResources, ServerWhoseVolumesAreMissingIsFinished) {
  if (!has(Service::Volume)) GTEST_SKIP() << "no volumes here";
  const auto volume = place().make("volume", "disk", {{"size", 1}});
  const auto bare = place().make(
      "server", "data",
      {{"flavor", Ground::instance().flavor()}, {"image", Ground::instance().image()}});
  auto marked =
      place().inside().post(Service::Compute, "/servers/" + bare.provider_id + "/metadata",
                            {{"metadata", {{"bailey.unfinished", "volumes"}}}});
  ASSERT_TRUE(marked) << marked.error().render();
  EXPECT_FALSE(read_back("server", bare.provider_id).complete);
  const auto whole = born("server", "data",
                          {{"flavor", Ground::instance().flavor()},
                           {"image", Ground::instance().image()},
                           {"volumes", {volume.provider_id}}});
  EXPECT_EQ(whole.provider_id, bare.provider_id);
}

TEST_F(ProviderResources, ServerGroupLivesAndDies) {
  for (const std::string policy :
       {"affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"}) {
    const auto made = born("server-group", "apart", {{"policy", policy}});
    EXPECT_TRUE(made.name.starts_with(place().marker("apart").unique_name()));
    const auto again = place().make("server-group", "apart", {{"policy", policy}});
    EXPECT_EQ(again.provider_id, made.provider_id);
    dies("server-group", "apart", made.provider_id);
  }
}

TEST_F(ProviderResources, ServerGroupIsRefusedAPolicyThatIsNone) {
  auto made = provider().create(place().ask("server-group", "apart", {{"policy", "nearby"}}), {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
}

}  // namespace
}  // namespace bailey::contract
