#include "providers/openstack/catalog.hpp"

#include "orchestrator/base/json.hpp"

#include <gtest/gtest.h>

namespace bailey::openstack {
namespace {

Json endpoint(const std::string& interface, const std::string& region, const std::string& url) {
  return {{"interface", interface}, {"region_id", region}, {"url", url}};
}

Json entry(const std::string& type, std::vector<Json> endpoints) {
  return {{"type", type}, {"endpoints", std::move(endpoints)}};
}

Json one_region() {
  return Json::array({entry("identity", {endpoint("public", "Global", "https://id/v3")}),
                      entry("network", {endpoint("public", "R1", "https://net"),
                                        endpoint("internal", "R1", "http://127.0.0.1:9696")}),
                      entry("compute", {endpoint("public", "R1", "https://nova/v2.1/")})});
}

std::string code_of(const Result<Catalog>& result) {
  return result ? std::string() : result.error().code();
}

TEST(ReadCatalog, TakesTheOneRegionThatThereIs) {
  const auto read = read_catalog(one_region(), {"public", ""});
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(read->region, "R1");
  EXPECT_EQ(read->endpoints.at(Service::Network), "https://net/v2.0");
  EXPECT_EQ(read->endpoints.at(Service::Compute), "https://nova/v2.1");
  EXPECT_FALSE(read->endpoints.contains(Service::Identity));
}

TEST(ReadCatalog, TakesTheInterfaceThatIsAskedFor) {
  const auto read = read_catalog(one_region(), {"internal", "R1"});
  ASSERT_TRUE(read) << read.error().render();
  EXPECT_EQ(read->endpoints.at(Service::Network), "http://127.0.0.1:9696/v2.0");
  EXPECT_FALSE(read->endpoints.contains(Service::Compute));
  EXPECT_EQ(code_of(read_catalog(one_region(), {"admin", ""})), "openstack.interface");
}

TEST(ReadCatalog, ChoosesNoRegionOfSeveral) {
  auto catalog = one_region();
  catalog.push_back(entry("dns", {endpoint("public", "R2", "https://dns")}));
  const auto refused = read_catalog(catalog, {"public", ""});
  ASSERT_EQ(code_of(refused), "openstack.region");
  for (const char* region : {"R1", "R2"}) {
    EXPECT_NE(refused.error().message().find(region), std::string::npos);
    const auto read = read_catalog(catalog, {"public", region});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->endpoints.contains(Service::Dns), std::string(region) == "R2");
  }
}

TEST(ReadCatalog, NamesTheRegionsThatThereAre) {
  const auto refused = read_catalog(one_region(), {"public", "R3"});
  ASSERT_EQ(code_of(refused), "openstack.region");
  EXPECT_EQ(refused.error().kind(), ErrorKind::InvalidArgument);
  EXPECT_NE(refused.error().message().find("R1"), std::string::npos);
  // Keystone's own region is none of the services'.
  EXPECT_EQ(code_of(read_catalog(one_region(), {"public", "Global"})), "openstack.region");
}

TEST(ReadCatalog, KnowsTheAliasesOfBlockStorage) {
  for (const char* type : {"block-storage", "volumev3", "volume", "block-store"}) {
    const auto catalog =
        Json::array({entry(type, {endpoint("public", "R1", "https://cinder/v3/0a1b2c")})});
    const auto read = read_catalog(catalog, {"public", ""});
    ASSERT_TRUE(read) << type;
    EXPECT_EQ(read->endpoints.at(Service::Volume), "https://cinder/v3/0a1b2c");
  }
}

TEST(ReadCatalog, PassesOverAnotherMajorVersion) {
  const auto catalog =
      Json::array({entry("volume", {endpoint("public", "R1", "https://cinder/v1/0a1b2c")}),
                   entry("volumev2", {endpoint("public", "R1", "https://cinder/v2/0a1b2c")}),
                   entry("image", {endpoint("public", "R1", "https://glance/v1"),
                                   endpoint("public", "R1", "https://glance/v2/")})});
  const auto read = read_catalog(catalog, {"public", ""});
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->endpoints.contains(Service::Volume));
  EXPECT_EQ(read->endpoints.at(Service::Image), "https://glance/v2");
}

TEST(ReadCatalog, OfAnUnscopedTokenIsEmpty) {
  const auto read = read_catalog(Json::array(), {"public", "R1"});
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->endpoints.empty());
}

TEST(ServiceRoot, IsWhatStandsBeforeTheVersion) {
  EXPECT_EQ(service_root("https://h/compute/v2.1"), "https://h/compute/");
  EXPECT_EQ(service_root("https://h:8776/v3/0a1b2c/"), "https://h:8776/");
  EXPECT_EQ(service_root("https://v2cloud.example/"), "https://v2cloud.example/");
  EXPECT_EQ(with_version("https://v3.example", "/v3"), "https://v3.example/v3");
  EXPECT_EQ(with_version("https://h/v3/", "/v3"), "https://h/v3");
}

}  // namespace
}  // namespace bailey::openstack
