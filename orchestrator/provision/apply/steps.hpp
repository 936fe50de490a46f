#pragma once

#include "orchestrator/model/plan.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/provision/apply/scheduler.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bailey {

/// `Forward` creates, updates or takes over; `Removal` deletes, or retires what a new generation
/// took the place of.
enum class StepKind : std::uint8_t { Forward, Removal };

struct ApplyStep {
  std::size_t report = 0;                ///< Index among the reports.
  const Operation* operation = nullptr;  ///< Null: the rest of an earlier replacement.
  ResourceAddress address;
  StepKind kind = StepKind::Forward;
};

struct StepPlan {
  std::vector<ApplyStep> steps;
  std::vector<Scheduler::Step> edges;  ///< One for each step.
  struct Subject {
    ResourceAddress address;
    Action action = Action::NoOp;
  };
  std::vector<Subject> reports;  ///< What is reported on, in the plan's order, then the rests.
};

/// What a plan asks for, as steps that wait for each other:
///
/// - Create and Update are one forward step, Delete is one removal, Replace is a forward step and
///   then the removal of the old one: names tell generations apart, so that both can stand at once.
/// - A forward step waits for the forward steps of what it depends on.
/// - A removal waits for the forward step (which lets go of the old) and for the removal of
///   everything that depended on the resource until now.
///
/// Forward steps follow the new dependencies and never wait for a removal, removals follow the old
/// ones backwards: no cycle can come of it. `retiring` are open Retire intents of earlier runs;
/// their removals follow what the superseded depended on, as far as that makes no cycle.
[[nodiscard]] StepPlan steps_of(const Plan& plan, const std::vector<ResourceState>& states,
                                const std::vector<Intent>& retiring);

}  // namespace bailey
