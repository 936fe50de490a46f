#include "providers/openstack/microversion.hpp"

#include "tests/unit/providers/openstack/fake_openstack.hpp"

namespace bailey::openstack {
namespace {

constexpr auto kCompute = "https://cloud/compute/v2.1";

/// Answers by address, 404 elsewhere; counts.
struct Versioned {
  std::map<std::string, HttpResponse> answers;
  std::vector<std::string> asked;
  AskVersion ask() {
    return [this](const std::string& url, bool with_token) -> Result<HttpResponse> {
      asked.push_back(url + (with_token ? " with token" : ""));
      const auto found = answers.find(url);
      return found == answers.end() ? answer(404) : found->second;
    };
  }
};

std::string chosen(const std::string& newest) {
  Versioned service{{{"https://cloud/compute/", FakeOpenstack::versions(newest)}}, {}};
  const auto header = Microversions().header(Service::Compute, kCompute, service.ask());
  return header ? *header : header.error().code();
}

TEST(Microversions, ChoosesTheNewestThatBothSpeak) {
  EXPECT_EQ(chosen("2.93"), "compute 2.60");
  EXPECT_EQ(chosen("2.60"), "compute 2.60");
  EXPECT_EQ(chosen("2.53"), "compute 2.53");
  EXPECT_EQ(chosen("2.46"), "openstack.microversion");
}

TEST(Microversions, RefusesAServiceThatHasForgottenOurs) {
  Versioned service{
      {{"https://cloud/compute/",
        answer(200, {{"versions", {{{"version", "2.120"}, {"min_version", "2.90"}}}}})}},
      {}};
  const auto header = Microversions().header(Service::Compute, kCompute, service.ask());
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().kind(), ErrorKind::Unsupported);
}

TEST(Microversions, AsksOnceForAllProjects) {
  Versioned service{{{"https://cloud/volume/", FakeOpenstack::versions("3.70")}}, {}};
  Microversions versions;
  for (const char* project : {"p1", "p2", "p1"}) {
    const auto header = versions.header(
        Service::Volume, "https://cloud/volume/v3/" + std::string(project), service.ask());
    ASSERT_TRUE(header) << header.error().render();
    EXPECT_EQ(*header, "volume 3.59");
  }
  EXPECT_EQ(service.asked, std::vector<std::string>{"https://cloud/volume/"});
}

TEST(Microversions, LooksAtTheVersionItselfWhereTheRootIsHidden) {
  Versioned service{{{"https://cloud/compute/v2.1/",
                      answer(200, {{"version", {{"version", "2.50"}, {"min_version", "2.1"}}}})}},
                    {}};
  const auto header = Microversions().header(Service::Compute, kCompute, service.ask());
  ASSERT_TRUE(header);
  EXPECT_EQ(*header, "compute 2.50");
  EXPECT_EQ(service.asked.back(), "https://cloud/compute/v2.1/ with token");
}

TEST(Microversions, AsksForTheOldestThatWillDoWhereNothingIsTold) {
  for (const auto& nothing : {answer(401), answer(200, {{"hello", "world"}}),
                              HttpResponse{.status = 200, .headers = {}, .body = "<html>"}}) {
    Versioned service{{{"https://cloud/compute/", nothing}}, {}};
    const auto header = Microversions().header(Service::Compute, kCompute, service.ask());
    ASSERT_TRUE(header);
    EXPECT_EQ(*header, "compute 2.47");
  }
}

TEST(Microversions, KeepsNoFailure) {
  Microversions versions;
  const auto failed = versions.header(Service::Compute, kCompute,
                                      [](const std::string&, bool) -> Result<HttpResponse> {
                                        return fail(ErrorKind::Unavailable, "scripted");
                                      });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::Unavailable);
  Versioned service{{{"https://cloud/compute/", FakeOpenstack::versions("2.93")}}, {}};
  EXPECT_TRUE(versions.header(Service::Compute, kCompute, service.ask()));
}

TEST(Microversions, OtherServicesHaveNone) {
  Versioned service;
  const auto header =
      Microversions().header(Service::Network, "https://cloud/network/v2.0", service.ask());
  ASSERT_TRUE(header);
  EXPECT_EQ(*header, "");
  EXPECT_TRUE(service.asked.empty());
}

}  // namespace
}  // namespace bailey::openstack
