#include "orchestrator/serve/engine/progress.hpp"

#include "orchestrator/base/json.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ResourceAddress at(const std::string& local) {
  return ResourceAddress::parse("dev/" + local).value();
}

class ProgressTest : public ::testing::Test {
 protected:
  void plan(const std::string& local, const std::string& type, Action action,
            const std::vector<std::string>& needs = {}) {
    Operation operation;
    operation.address = at(local);
    operation.type = type;
    operation.action = action;
    for (const auto& each : needs) operation.depends_on.push_back(at(each));
    plan_.operations.push_back(std::move(operation));
  }
  void stand(const std::string& local, const std::vector<std::string>& needs = {}) {
    ResourceState state;
    state.address = at(local);
    for (const auto& each : needs) state.depends_on.push_back(at(each));
    states_.push_back(std::move(state));
  }
  void know(const std::string& type, const std::string& verb, seconds took) {
    known_[type][verb] = {std::chrono::duration_cast<milliseconds>(took).count()};
  }
  void begin(int concurrency = 8) {
    tracker_.begin(plan_, steps_of(plan_, states_, {}), estimates_from_json(known_), concurrency);
  }
  void start(const std::string& local) {
    tracker_.observe({.kind = ApplyEvent::Kind::Started, .address = at(local), .error = {}});
  }
  void finish(const std::string& local, OperationOutcome outcome = OperationOutcome::Succeeded) {
    tracker_.observe({.kind = ApplyEvent::Kind::Finished,
                      .address = at(local),
                      .outcome = outcome,
                      .error = outcome == OperationOutcome::Failed
                                   ? std::optional(Error(ErrorKind::QuotaExceeded, "too many"))
                                   : std::nullopt});
  }
  OperationProgress operation(const std::string& local) const {
    for (auto& each : tracker_.now().operations) {
      if (each.address == at(local)) return each;
    }
    ADD_FAILURE() << "no operation on " << local;
    return {};
  }
  using Addresses = std::vector<ResourceAddress>;

  test::FakeClock clock_;
  ProgressTracker tracker_{clock_};
  Plan plan_;
  std::vector<ResourceState> states_;
  Json known_ = Json::object();
};

TEST_F(ProgressTest, SaysWhatEachWaitsFor) {
  plan("net", "network", Action::Create);
  plan("sg", "security-group", Action::Create);
  plan("web", "server", Action::Create, {"net", "sg"});
  EXPECT_TRUE(tracker_.now().operations.empty());
  begin();
  EXPECT_EQ(operation("web").waits_for, (Addresses{at("net"), at("sg")}));
  start("net");
  clock_.advance(seconds(3));
  finish("net");
  EXPECT_EQ(operation("net").state, OperationState::Done);
  EXPECT_EQ(*operation("net").finished_at - *operation("net").started_at, seconds(3));
  EXPECT_EQ(operation("web").waits_for, Addresses{at("sg")});
  start("sg");
  EXPECT_EQ(operation("sg").state, OperationState::Running);
  EXPECT_TRUE(operation("sg").waits_for.empty());
  finish("sg", OperationOutcome::Failed);
  finish("web", OperationOutcome::Skipped);
  EXPECT_EQ(operation("sg").error->message(), "too many");
  EXPECT_EQ(operation("web").state, OperationState::Skipped);
  EXPECT_FALSE(operation("web").started_at || operation("web").finished_at);
}

TEST_F(ProgressTest, SaysWhatARunningReplaceWaitsFor) {
  stand("net");
  stand("web", {"net"});
  plan("net", "network", Action::Replace);
  plan("web", "server", Action::Update, {"net"});
  begin();
  EXPECT_TRUE(operation("net").waits_for.empty());
  start("net");
  EXPECT_EQ(operation("net").waits_for, Addresses{at("web")});
  start("web");
  finish("web");
  EXPECT_TRUE(operation("net").waits_for.empty());
}

TEST_F(ProgressTest, DestroysBackwards) {
  stand("net");
  stand("web", {"net"});
  plan("net", "network", Action::Delete);
  plan("web", "server", Action::Delete, {"net"});
  begin();
  EXPECT_EQ(operation("net").waits_for, Addresses{at("web")});
  EXPECT_TRUE(operation("web").waits_for.empty());
}

TEST_F(ProgressTest, EstimatesByWhatTheSameTookBefore) {
  know("network", "create", seconds(10));
  know("server", "create", seconds(40));
  plan("net", "network", Action::Create);
  plan("web", "server", Action::Create, {"net"});
  EXPECT_EQ(tracker_.now().left, std::nullopt);
  begin();
  EXPECT_EQ(operation("web").expected, seconds(40));
  EXPECT_EQ(tracker_.now().left, seconds(50));
  start("net");
  clock_.advance(seconds(4));
  EXPECT_EQ(tracker_.now().left, seconds(46));
  clock_.advance(seconds(60));  // Over its time: it may end at any moment.
  EXPECT_EQ(tracker_.now().left, seconds(40));
  finish("net");
  start("web");
  clock_.advance(seconds(15));
  EXPECT_EQ(tracker_.now().left, seconds(25));
  finish("web");
  EXPECT_EQ(tracker_.now().left, seconds(0));
  tracker_.enter(ExecutionStage::Verifying);
  EXPECT_EQ(tracker_.now().left, std::nullopt);
}

TEST_F(ProgressTest, LeavesUnknownWhatIsUnknown) {
  know("network", "create", seconds(10));
  plan("net", "network", Action::Create);
  plan("web", "server", Action::Create);
  begin();
  EXPECT_EQ(operation("web").expected, std::nullopt);
  EXPECT_EQ(tracker_.now().left, std::nullopt);
  start("web");
  finish("web");
  EXPECT_EQ(tracker_.now().left, seconds(10));
}

TEST_F(ProgressTest, TakesAReplaceForItsTwoHalves) {
  know("network", "create", seconds(10));
  know("network", "delete", seconds(5));
  stand("net");
  plan("net", "network", Action::Replace);
  begin();
  EXPECT_EQ(operation("net").expected, seconds(15));
  start("net");
  clock_.advance(seconds(12));
  EXPECT_EQ(tracker_.now().left, seconds(3));
}

TEST_F(ProgressTest, ReckonsWithTheConcurrencyOfTheAccount) {
  know("server", "create", seconds(10));
  for (const auto* name : {"a", "b", "c", "d"}) plan(name, "server", Action::Create);
  begin(2);
  EXPECT_EQ(tracker_.now().left, seconds(20));
}

TEST_F(ProgressTest, TakesWhatWasStoppedForWaiting) {
  plan("net", "network", Action::Create);
  begin();
  finish("net", OperationOutcome::Cancelled);
  EXPECT_EQ(operation("net").state, OperationState::Waiting);
  finish("stranger");
  EXPECT_EQ(to_json(tracker_.now())["finished"], 0);
}

}  // namespace
}  // namespace bailey
