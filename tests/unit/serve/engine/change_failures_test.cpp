#include "orchestrator/serve/engine/change_failures.hpp"

#include "orchestrator/base/json.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

class Failures : public ::testing::Test {
 protected:
  void operation(const std::string& local, Action action, const std::string& outcome,
                 const std::vector<std::string>& needs = {}) {
    Operation planned;
    planned.address = ResourceAddress::parse("dev/" + local).value();
    planned.type = "server";
    planned.action = action;
    for (const auto& each : needs) {
      planned.depends_on.push_back(ResourceAddress::parse("dev/" + each).value());
    }
    change_.plan.operations.push_back(planned);
    change_.outcome["operations"].push_back({{"address", "dev/" + local},
                                             {"action", to_string(action)},
                                             {"outcome", outcome},
                                             {"error", {{"message", "no to " + local}}},
                                             {"duration_ms", 400}});
  }
  Json left_undone(std::size_t failure) const {
    return failures_of(change_)[failure]["left_undone"];
  }

  Change change_;
};

TEST_F(Failures, AreNoneWhereNothingWasExecuted) {
  EXPECT_EQ(failures_of(change_), Json::array());
  operation("net", Action::Create, "succeeded");
  operation("web", Action::Create, "cancelled");
  EXPECT_EQ(failures_of(change_), Json::array());
}

TEST_F(Failures, AreAllTold) {
  operation("a", Action::Create, "failed");
  operation("b", Action::Create, "succeeded");
  operation("c", Action::Update, "errored");
  const auto failures = failures_of(change_);
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_EQ(failures[0]["address"], "dev/a");
  EXPECT_EQ(failures[0]["type"], "server");
  EXPECT_EQ(failures[1]["action"], "update");
  EXPECT_EQ(failures[1]["outcome"], "errored");
  EXPECT_EQ(failures[1]["error"]["message"], "no to c");
}

TEST_F(Failures, HoldUpWhatDependsOnThemHoweverFar) {
  operation("net", Action::Create, "failed");
  operation("sg", Action::Create, "failed");
  operation("web", Action::Create, "skipped", {"net"});
  operation("dns", Action::Create, "skipped", {"web", "sg"});
  operation("other", Action::Create, "succeeded");
  EXPECT_EQ(left_undone(0), (Json{"dev/dns", "dev/web"}));
  EXPECT_EQ(left_undone(1), Json{"dev/dns"});
}

TEST_F(Failures, HoldUpTheRemovalOfWhatTheyStandOn) {
  operation("net", Action::Delete, "skipped");
  operation("web", Action::Delete, "failed", {"net"});
  operation("db", Action::Delete, "failed", {});
  EXPECT_EQ(left_undone(0), Json{"dev/net"});
  EXPECT_EQ(left_undone(1), Json::array());
}

TEST_F(Failures, OneAloneIsTheReasonForAll) {
  operation("net", Action::Replace, "skipped");
  operation("web", Action::Update, "failed");  // It stood on the old net: recorded, not planned.
  EXPECT_EQ(left_undone(0), Json{"dev/net"});
}

}  // namespace
}  // namespace bailey
