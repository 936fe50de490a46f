#include "tests/contract/provider_resources.hpp"

namespace bailey::contract {
namespace {

TEST_F(ProviderResources, VolumeLivesAndDies) {
  if (!has(Service::Volume)) GTEST_SKIP() << "no volumes here";
  const Json before{{"size", 1}, {"description", "data"}, {"metadata", {{"colour", "red"}}}};
  const Json after{{"size", 2}, {"description", "more data"}, {"metadata", {{"shape", "round"}}}};
  const Json bare{{"size", 2}};
  const auto made = born("volume", "disk", before);
  EXPECT_FALSE(made.inputs.contains("volumeType"));
  changes("volume", "disk", made, before, after);
  changes("volume", "disk", made, after, bare);
  EXPECT_FALSE(read_back("volume", made.provider_id).inputs.contains("description"));
  const auto again = place().make("volume", "disk", bare);
  EXPECT_EQ(again.provider_id, made.provider_id);
  dies("volume", "disk", made.provider_id);
}

TEST_F(ProviderResources, VolumeBeginsWithAnImage) {
  if (!has(Service::Volume)) GTEST_SKIP() << "no volumes here";
  const auto made = born("volume", "disk", {{"size", 1}, {"image", Ground::instance().image()}});
  dies("volume", "disk", made.provider_id);
}

TEST_F(ProviderResources, VolumeDoesNotShrinkInPlace) {
  if (!has(Service::Volume)) GTEST_SKIP() << "no volumes here";
  const auto made = place().make("volume", "disk", {{"size", 2}});
  auto changed = provider().update(place().ask("volume", "disk", {{"size", 1}}), made.provider_id,
                                   {{"size", 2}}, {});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(read_back("volume", made.provider_id).inputs["size"], 2);
}

TEST_F(ProviderResources, VolumeThatIsBeingDeletedIsAwaited) {
  if (!has(Service::Volume)) GTEST_SKIP() << "no volumes here";
  const auto made = place().make("volume", "disk", {{"size", 1}});
  // As when the answer to an earlier attempt was lost.
  ASSERT_TRUE(place().inside().remove(Service::Volume, "/volumes/" + made.provider_id));
  dies("volume", "disk", made.provider_id);
}

TEST_F(ProviderResources, VolumeIsRefusedForWhatIsNotThere) {
  if (!has(Service::Volume)) GTEST_SKIP() << "no volumes here";
  for (const auto& [name, value] : std::map<std::string, Json>{
           {"image", "no-such-image"}, {"metadata", {{"bailey.marker", "mine"}}}, {"size", 0}}) {
    Json inputs{{"size", 1}};
    inputs[name] = value;
    auto made = provider().create(place().ask("volume", "disk", inputs), {});
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument) << made.error().render();
  }
  auto all = provider().list("volume", place().boundary, {});
  EXPECT_TRUE(all && all->empty());
}

TEST_F(ProviderResources, VolumesAreRefusedBeyondTheQuotaThatIsDeclared) {
  if (!has(Service::Volume)) GTEST_SKIP() << "no volumes here";
  place().make("quota", "limits", {{"volume", {{"volumes", 1}}}});
  place().make("volume", "one", {{"size", 1}});
  auto made = provider().create(place().ask("volume", "two", {{"size", 1}}), {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::QuotaExceeded) << made.error().render();
}

TEST_F(ProviderResources, QuotaLivesAndDies) {
  const Json before{{"compute", {{"instances", 7}, {"serverGroups", 3}}},
                    {"network", {{"networks", 5}, {"floatingIps", 2}}}};
  const Json after{{"compute", {{"instances", 8}}}, {"network", {{"networks", 5}, {"ports", 50}}}};
  const auto made = born("quota", "limits", before);
  EXPECT_EQ(made.inputs, before);
  changes("quota", "limits", made, before, after);
  EXPECT_EQ(read_back("quota", made.provider_id).inputs, after);
  const auto again = place().make("quota", "limits", after);
  EXPECT_EQ(again.provider_id, made.provider_id);
  dies("quota", "limits", made.provider_id);
}

TEST_F(ProviderResources, QuotaThatIsHalfMadeIsFinishedOrRemoved) {
  auto tag = "bailey-quota:all:" + place().marker("limits").str();
  std::replace(tag.begin(), tag.end(), '/', '|');
  const auto path = "/projects/" + place().boundary + "/tags/" + percent_encode(tag);
  auto admin = Ground::instance().admin();
  ASSERT_TRUE(admin.put(Service::Identity, path, Json()));
  auto found = provider().find("quota", place().boundary, place().marker("limits"), {});
  ASSERT_TRUE(found) << found.error().render();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_FALSE(found->front().complete);
  const auto whole = born("quota", "limits", {{"network", {{"networks", 5}}}});
  dies("quota", "limits", whole.provider_id);
  ASSERT_TRUE(admin.put(Service::Identity, path, Json()));
  dies("quota", "limits", whole.provider_id);
}

TEST_F(ProviderResources, QuotaIsThereOnceAndRefusesWhatItDoesNotKnow) {
  for (const auto& inputs :
       {Json{{"compute", {{"elephants", 1}}}}, Json{{"network", {{"networks", -2}}}},
        Json{{"volume", {{"volumes", "many"}}}}}) {
    auto made = provider().create(place().ask("quota", "limits", inputs), {});
    ASSERT_FALSE(made) << inputs;
    EXPECT_EQ(made.error().kind(), ErrorKind::InvalidArgument);
  }
  place().make("quota", "limits", {{"network", {{"networks", 5}}}});
  auto second =
      provider().create(place().ask("quota", "more", {{"network", {{"networks", 9}}}}), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::Conflict);
}

}  // namespace
}  // namespace bailey::contract
