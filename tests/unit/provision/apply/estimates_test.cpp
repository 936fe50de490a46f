#include "orchestrator/provision/apply/estimates.hpp"

#include "orchestrator/base/json.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using std::chrono::milliseconds;

/// One run: operations of a type, all with the same outcome.
class EstimatesTest : public ::testing::Test {
 protected:
  void run(const std::string& type, Action action, const std::vector<int>& took,
           OperationOutcome outcome = OperationOutcome::Succeeded) {
    Plan plan;
    ApplyReport report;
    for (std::size_t i = 0; i < took.size(); ++i) {
      Operation operation;
      operation.address = {"dev", "web", static_cast<int>(i)};
      operation.type = type;
      operation.action = action;
      plan.operations.push_back(operation);
      OperationReport done;
      done.address = operation.address;
      done.action = action;
      done.outcome = outcome;
      done.duration = milliseconds(took[i]);
      report.operations.push_back(done);
    }
    estimates_.learn(plan, report);
  }

  Estimates estimates_;
};

TEST_F(EstimatesTest, KnowNothingOfWhatWasNeverSeen) {
  run("server", Action::Create, {40000});
  EXPECT_EQ(estimates_.of("server", Verb::Delete), std::nullopt);
  EXPECT_EQ(estimates_.of("network", Verb::Create), std::nullopt);
}

TEST_F(EstimatesTest, AreMovedByNeitherOneSlowResourceNorOneSlowDay) {
  run("server", Action::Create, {40000, 41000, 900000});
  EXPECT_EQ(estimates_.of("server", Verb::Create), milliseconds(41000));
  run("server", Action::Create, {39000});
  run("server", Action::Create, {800000, 810000});
  EXPECT_EQ(estimates_.of("server", Verb::Create), milliseconds(41000));
}

TEST_F(EstimatesTest, FollowWhatHasChangedForGood) {
  for (int i = 0; i < 20; ++i) run("server", Action::Create, {40000});
  for (int i = 0; i < 5; ++i) run("server", Action::Create, {10000});
  EXPECT_EQ(estimates_.of("server", Verb::Create), milliseconds(10000));
  EXPECT_EQ(to_json(estimates_)["server"]["create"].size(), 9U);
}

TEST_F(EstimatesTest, LearnNothingFromFailuresAndReplacements) {
  run("server", Action::Create, {5}, OperationOutcome::Failed);
  run("server", Action::Create, {5}, OperationOutcome::Errored);
  run("server", Action::Delete, {5}, OperationOutcome::Skipped);
  run("server", Action::Replace, {5});
  EXPECT_EQ(to_json(estimates_), Json::object());
}

TEST_F(EstimatesTest, SurviveTheStoreAndReadNoNonsense) {
  run("server", Action::Create, {40000});
  run("server", Action::Create, {42000});
  run("network", Action::Delete, {700});
  const auto again = estimates_from_json(to_json(estimates_));
  EXPECT_EQ(to_json(again), to_json(estimates_));
  EXPECT_EQ(again.of("network", Verb::Delete), milliseconds(700));
  for (const auto* text : {"null", "[1]", R"({"server": 3})",
                           R"({"server": {"create": "x", "delete": [-1, 1.5, "2"]}})"}) {
    const auto read = estimates_from_json(Json::parse(text));
    EXPECT_EQ(read.of("server", Verb::Create), std::nullopt) << text;
    EXPECT_EQ(read.of("server", Verb::Delete), std::nullopt) << text;
  }
  EXPECT_EQ(
      estimates_from_json(Json::parse(R"({"a": {"create": [1, "x", 3]}})")).of("a", Verb::Create),
      milliseconds(3));
}

TEST_F(EstimatesTest, WeighStepsAndTakeTheUnknownForUsual) {
  run("server", Action::Create, {30000});
  run("server", Action::Delete, {10000});
  Plan plan;
  for (const auto& [name, type, action] :
       {std::tuple("web", "server", Action::Replace), std::tuple("dns", "zone", Action::Create)}) {
    Operation operation;
    operation.address = {"dev", name, std::nullopt};
    operation.type = type;
    operation.action = action;
    plan.operations.push_back(operation);
  }
  auto steps = steps_of(plan, {}, {});
  ASSERT_EQ(steps.steps.size(), 3U);
  weigh(steps, estimates_);
  EXPECT_EQ(steps.edges[0].weight, 30000);
  EXPECT_EQ(steps.edges[1].weight, 10000);
  EXPECT_EQ(steps.edges[2].weight, 20000);
  weigh(steps, Estimates());
  for (const auto& edge : steps.edges) EXPECT_EQ(edge.weight, 1);
}

TEST(TimeLeft, IsThatOfTheScheduleTheStepsWouldRunIn) {
  using Step = Scheduler::Step;
  EXPECT_EQ(time_left({}, 4), 0);
  const std::vector<Step> chain{{{}, 3}, {{0}, 4}, {{1}, 5}};
  EXPECT_EQ(time_left(chain, 8), 12);
  const std::vector<Step> apart{{{}, 3}, {{}, 3}, {{}, 3}, {{}, 3}};
  EXPECT_EQ(time_left(apart, 4), 3);
  EXPECT_EQ(time_left(apart, 2), 6);
  EXPECT_EQ(time_left(apart, 0), 12);
  // The long path first, the short ones beside it.
  const std::vector<Step> mixed{{{}, 1}, {{}, 1}, {{}, 2}, {{2}, 2}};
  EXPECT_EQ(time_left(mixed, 2), 4);
  const std::vector<Step> half_done{{{}, 0}, {{0}, 4}};
  EXPECT_EQ(time_left(half_done, 1), 4);
}

}  // namespace
}  // namespace bailey
