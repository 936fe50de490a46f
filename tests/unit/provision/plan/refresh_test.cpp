#include "orchestrator/provision/plan/refresh.hpp"

#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_provider.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using nlohmann::json;

ResourceAddress at(const std::string& local) {
  return ResourceAddress::parse("dev/" + local).value();
}

class Refresh : public ::testing::Test {
 protected:
  Marker marker(const std::string& local, const std::string& uid = "env-1") const {
    return {EnvironmentUid(uid), at(local), 1};
  }
  /// Stands in the cloud and in the record.
  ResourceState& stand(const std::string& local, const std::string& type = "network") {
    ResourceState state;
    state.address = at(local);
    state.type = type;
    state.provider_id = cloud_.plant(type, "wall", marker(local), {{"cidr", "10.0.0.0/24"}});
    states_.push_back(state);
    return states_.back();
  }
  Result<Refreshed> run() {
    return refresh(provider_,
                   {.environment_uid = EnvironmentUid("env-1"),
                    .boundary = boundary_,
                    .schema = schema_,
                    .now = clock_.wall_now()},
                   states_, {});
  }

  test::FakeClock clock_;
  test::FakeCloud cloud_;
  test::FakeProvider provider_{cloud_, clock_};
  ProviderSchema schema_ = test::fake_provider_schema(std::chrono::seconds(30));
  std::string boundary_ = "wall";
  std::vector<ResourceState> states_;
};

TEST_F(Refresh, ListsEachTypeOnceAndReadsNothing) {
  for (int i = 0; i < 20; ++i) stand("net" + std::to_string(i));
  stand("web", "server");
  const auto seen = run();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->observed.size(), 21U);
  EXPECT_EQ(provider_.calls_by_name(), (std::map<std::string, int>{{"list", 4}}));
}

TEST_F(Refresh, TellsApartWhoseThingsAre) {
  stand("net");
  cloud_.plant("network", "wall", std::nullopt, json::object());
  cloud_.plant("server", "wall", marker("web", "env-2"), json::object());
  cloud_.plant("server", "wall", marker("lost"), json::object());
  cloud_.plant("server", "elsewhere", marker("far"), json::object());
  const auto seen = run();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->observed.size(), 1U);
  EXPECT_EQ(seen->unmanaged.size(), 1U);
  EXPECT_EQ(seen->foreign.size(), 1U);
  ASSERT_EQ(seen->unrecorded.size(), 1U);
  EXPECT_EQ(seen->unrecorded[0].marker->address, at("lost"));
}

TEST_F(Refresh, FindsWhatIsGone) {
  cloud_.vanish(stand("net").provider_id);
  const auto seen = run();
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->gone.contains(at("net")));
}

TEST_F(Refresh, DoesNotCallGoneWhatWasMadeJustNow) {
  auto& state = stand("net");
  state.made_at = format_time(clock_.wall_now());
  cloud_.vanish(state.provider_id);
  EXPECT_TRUE(run()->unknown.contains(at("net")));
  clock_.advance(std::chrono::seconds(31));
  EXPECT_TRUE(run()->gone.contains(at("net")));
}

TEST_F(Refresh, ReadsWhatIsOnlyHiddenFromTheList) {
  cloud_.set_visibility_delay(std::chrono::seconds(10));
  ResourceRequest request{"network", marker("net"), "wall", {{"cidr", "10.0.0.0/24"}}};
  const auto made = provider_.create(request, {});
  ASSERT_TRUE(made);
  ResourceState state;
  state.address = at("net");
  state.type = "network";
  state.provider_id = made->provider_id;
  states_.push_back(state);
  const auto seen = run();
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->observed.contains(at("net")));
  EXPECT_EQ(provider_.calls_by_name().at("read"), 1);
}

TEST_F(Refresh, FailsAsAWholeWhenAListingFails) {
  stand("net");
  provider_.fail_call(2, test::FakeFault::FailBefore);
  const auto seen = run();
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().kind(), ErrorKind::Unavailable);
}

TEST_F(Refresh, KeepsWhatCouldNotBeReadAsUnknown) {
  cloud_.vanish(stand("net").provider_id);
  provider_.fail_call(5, test::FakeFault::FailBefore);
  EXPECT_TRUE(run()->unknown.contains(at("net")));
}

TEST_F(Refresh, AsksNobodyBeforeThereIsABoundary) {
  boundary_.clear();
  const auto seen = run();
  ASSERT_TRUE(seen);
  EXPECT_EQ(provider_.calls(), 0);
}

}  // namespace
}  // namespace bailey
