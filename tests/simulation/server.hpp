#pragma once

#include "orchestrator/model/plan.hpp"
#include "orchestrator/provision/apply/executor.hpp"
#include "tests/simulation/store.hpp"
#include "tests/support/fake_random.hpp"

#include <optional>

namespace bailey::test {

/// What is to stand, and how it is worked on: the conductor's side of a run.
struct Assignment {
  PlanKind kind = PlanKind::Apply;
  Expansion desired;
  ProviderSchema schema;
  int concurrency = 4;
};

/// What a server does with its one environment, step for step as the engine does: plan; claim the
/// plan together with the lease; recover; apply; finish. A claimed plan is in the store, so that
/// whoever comes next carries it on.
class ServerLife {
 public:
  ServerLife(SimulatedCloud& cloud, Server& server, StateStore& store, const Disk& disk,
             const Assignment& assignment);

  /// True when there was nothing left to do; false when it gave up, was stopped, or died.
  [[nodiscard]] bool live();

 private:
  /// True when nothing was left to do.
  [[nodiscard]] bool step();
  [[nodiscard]] Result<std::optional<Plan>> find_claimed();
  /// Nothing when nothing is left to do.
  [[nodiscard]] Result<std::optional<Plan>> make_plan_now();
  [[nodiscard]] Status claim(const Plan& plan, bool is_new);
  [[nodiscard]] Status carry_out(const Plan& plan);
  [[nodiscard]] Status finish(bool ends);
  [[nodiscard]] ApplyContext context();

  SimulatedCloud& cloud_;
  Server& server_;
  StoreDoor store_;
  CloudDoor provider_;
  VirtualClock clock_;
  VirtualThreads threads_;
  FakeRandom random_;
  const Assignment& assignment_;
  Fence fence_;
};

}  // namespace bailey::test
