#include "tests/model/checker.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>

namespace bailey::model_check {
namespace {

std::string told(const Counterexample& found) {
  std::string text = found.why + ":\n";
  for (std::size_t i = 0; i < found.steps.size(); ++i) {
    text += fmt::format("  {}. {}\n", i + 1, found.steps[i]);
  }
  return text;
}

struct Start {
  const char* name;
  State state;
};

std::vector<Start> starts() {
  return {{"nothing is there", nothing()},
          {"a build is verified in staging", in_staging()},
          {"a change of production waits", asked_for()}};
}

/// Six steps in the first organization, which is the one that specs should look like, and four in
/// the others; BAILEY_MODEL_STEPS takes as many in all of them (6 is a quarter of an hour).
int steps_in(std::size_t organization) {
  if (const char* all = std::getenv("BAILEY_MODEL_STEPS")) return std::atoi(all);
  return organization == 0 ? 6 : 4;
}

/// Four people, three stages, every sequence of steps.
TEST(ModelCheck, NoSequenceOfSixStepsGetsAroundTheGate) {
  Report sum;
  for (std::size_t i = 0; i < organizations().size(); ++i) {
    const auto& organization = organizations()[i];
    for (const auto& start : starts()) {
      const auto report = explore({organization, start.state, steps_in(i), {}, {}});
      EXPECT_FALSE(report.found) << organization.name << ", " << start.name << ": "
                                 << told(*report.found);
      std::cout << fmt::format("{:44} {:32} {:>9} states {:>10} transitions {:>6} executed\n",
                               organization.name, start.name, report.states, report.transitions,
                               report.executed);
      sum.states += report.states;
      sum.transitions += report.transitions;
      sum.attempts += report.attempts;
      sum.sequences += report.sequences;
      sum.executed += report.executed;
      sum.policies += report.policies;
    }
  }
  std::cout << fmt::format(
      "{} transitions between {} states, {} sequences, {} attempts; {} changed "
      "production, {} the policy\n",
      sum.transitions, sum.states, sum.sequences, sum.attempts, sum.executed, sum.policies);
  EXPECT_GE(sum.transitions, 1'000'000U);
  // A search in which nothing ever gets through proves nothing.
  EXPECT_GE(sum.executed, 1'000U);
  EXPECT_GE(sum.policies, 1'000U);
}

TEST(ModelCheck, NobodyAloneChangesProduction) {
  for (const auto& organization : organizations()) {
    for (const auto& start : {nothing(), in_staging()}) {
      for (std::size_t person = 0; person < kPeople.size(); ++person) {
        const auto report = explore({organization, start, 9, person, {}});
        EXPECT_FALSE(report.found) << organization.name << ": " << told(*report.found);
        EXPECT_EQ(report.executed, 0U);
        EXPECT_GT(report.transitions, 10U);
      }
    }
  }
}

/// Two people agreed to a change of production, and then the policy became another.
State agreed_under_another_policy() {
  auto state = asked_for();
  for (const auto person : std::array<std::uint8_t, 2>{1, 2}) {
    state.open[kProduction].given.push_back({person, 0, Decision::Approve, 0, 0, true});
  }
  state.policy = 4;
  return state;
}

/// Breaks one rule and returns what is found; every organization and start is tried.
std::optional<Counterexample> found_with(const std::function<void(Rules&)>& break_one) {
  Rules rules;
  break_one(rules);
  auto begins = starts();
  begins.push_back({"agreed under another policy", agreed_under_another_policy()});
  // Short ways first: a hole is shown best by few steps.
  for (int steps = 3; steps <= 5; ++steps) {
    for (const auto& organization : organizations()) {
      for (const auto& start : begins) {
        auto report = explore({organization, start.state, steps, {}, rules});
        if (report.found) return report.found;
      }
    }
  }
  return std::nullopt;
}

GateResult with_change(const GateInputs& inputs, const std::function<void(Change&)>& alter,
                       bool forget_authors = false) {
  auto change = inputs.change;
  alter(change);
  auto evidence = inputs.evidence;
  if (forget_authors) {
    for (auto& item : evidence) item.authors.clear();
  }
  return evaluate_gate({inputs.bundle, inputs.environment, change, inputs.approvals,
                        inputs.verified, evidence, inputs.checks, inputs.now});
}

const auto kAnyDecision = [](const Case&, const Subject&, const Status&) { return Status(); };

TEST(ModelCheck, FindsAHoleThatIsPlanted) {
  struct Hole {
    const char* name;
    std::function<void(Rules&)> plant;
  };
  const std::vector<Hole> holes{
      {"the requester counts",
       [](Rules& rules) {
         rules.decide = kAnyDecision;
         rules.gate = [](const GateInputs& inputs) {
           return with_change(inputs, [](Change& change) {
             change.requester = {SubjectKind::Service, "nobody"};
           });
         };
       }},
      {"authors count",
       [](Rules& rules) {
         rules.decide = kAnyDecision;
         rules.gate = [](const GateInputs& inputs) {
           return with_change(
               inputs, [](auto&) {}, true);
         };
       }},
      {"the executor counts",
       [](Rules& rules) {
         rules.execute = [](const auto&, const auto&, const auto&, const Status& holds) {
           return holds;
         };
         rules.gate = [](const GateInputs& inputs) {
           return with_change(inputs, [](Change& change) { change.executor.reset(); });
         };
       }},
      {"approvers execute",
       [](Rules& rules) {
         rules.execute = [](const auto&, const auto&, const auto&, const Status& holds) {
           return holds;
         };
       }},
      {"anybody executes",
       [](Rules& rules) {
         rules.execute = [](const Case& about, const Subject& who,
                            const std::vector<Approval>& approvals,
                            const Status&) { return may_execute(about, who, approvals, {}); };
       }},
      {"no operator is needed",
       [](Rules& rules) { rules.execute_unasked = [](const Case&) { return Status(); }; }},
      {"an approval is good for any policy and any evidence",
       [](Rules& rules) { rules.matches = [](const auto&, const auto&) { return Status(); }; }},
      {"keys are counted, not people",
       [](Rules& rules) {
         rules.gate = [](const GateInputs& inputs) {
           auto result = evaluate_gate(inputs);
           result.met = inputs.approvals.size() >= 2 && !result.rejected;
           return result;
         };
       }},
  };
  for (const auto& hole : holes) {
    const auto found = found_with(hole.plant);
    ASSERT_TRUE(found) << hole.name;
    std::cout << hole.name << ": " << told(*found);
    EXPECT_LE(found->steps.size(), 6U);
  }
}

}  // namespace
}  // namespace bailey::model_check
