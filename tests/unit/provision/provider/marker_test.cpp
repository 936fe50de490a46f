#include "orchestrator/provision/provider/marker.hpp"

#include <gtest/gtest.h>

#include <set>

namespace bailey {
namespace {

Marker marker(const std::string& address, int generation = 1, const std::string& uid = "env-1") {
  return {EnvironmentUid(uid), ResourceAddress::parse(address).value(), generation};
}

TEST(Marker, ReadsBackWhatItWrote) {
  for (const auto* address : {"dev/net", "dev/web[0]", "payments-production/web-sg[19]"}) {
    for (const int generation : {1, 2, 1000}) {
      const auto original = marker(address, generation);
      EXPECT_EQ(Marker::parse(original.str()), original) << original.str();
    }
  }
  EXPECT_EQ(marker("dev/web[0]", 3).str(), "bailey:env-1:dev/web[0]:3");
}

TEST(Marker, IsNothingForAnythingElse) {
  for (const auto* text :
       {"", "bailey", "bailey:", "bailey::dev/net:1", "bailey:env-1:dev/net", "bailey:env-1:dev:1",
        "bailey:env-1:dev/net:0", "bailey:env-1:dev/net:-1", "bailey:env-1:dev/net:1x",
        "bailey:env-1:dev/net:", "bailey:env-1:dev/net:99999999999", "Bailey:env-1:dev/net:1",
        " bailey:env-1:dev/net:1", "bailey:env-1:dev/web[]:1", "bailey:env-1:dev/web[x]:1"}) {
    EXPECT_FALSE(Marker::parse(text).has_value()) << text;
  }
}

TEST(Marker, GivesANameOfItsOwnToEachGenerationIndexAndLife) {
  std::set<std::string> names;
  for (const auto& each :
       {marker("dev/web[0]"), marker("dev/web[1]"), marker("dev/web"), marker("dev/web[0]", 2),
        marker("dev/web[0]", 1, "env-2"), marker("dev/web-0")}) {
    names.insert(each.unique_name());
  }
  EXPECT_EQ(names.size(), 6U);
  EXPECT_EQ(marker("dev/web[0]").unique_name().substr(0, 10), "dev-web-0-");
}

}  // namespace
}  // namespace bailey
