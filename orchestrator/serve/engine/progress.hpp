#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/provision/apply/estimates.hpp"
#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/apply/steps.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// What a change that is being executed is at.
enum class ExecutionStage : std::uint8_t {
  Preparing,   ///< Its boundary is found or made, and what an earlier run left open is settled.
  Applying,    ///< Its operations run.
  Stamping,    ///< Identities and credentials are issued, or revoked.
  Verifying,   ///< The environment's programs run.
  TakingDown,  ///< The boundary goes, and an inventory has to find nothing.
};

enum class OperationState : std::uint8_t { Waiting, Running, Done, Failed, Skipped };

struct OperationProgress {
  ResourceAddress address;
  std::string type;
  Action action = Action::NoOp;
  OperationState state = OperationState::Waiting;
  std::optional<WallTime> started_at;
  std::optional<WallTime> finished_at;
  /// Unfinished operations that this one waits for; of a running Replace, those that have to let go
  /// of the old resource before it can be removed.
  std::vector<ResourceAddress> waits_for;
  /// What the same took before at this account; nothing where that is not known.
  std::optional<std::chrono::milliseconds> expected;
  std::optional<Error> error;
};

/// How far a change has come, at one moment.
struct Progress {
  ExecutionStage stage = ExecutionStage::Preparing;
  WallTime at;
  std::vector<OperationProgress> operations;  ///< In the plan's order; empty while preparing.
  /// What the operations still need, simulated with the account's concurrency. Nothing as long as
  /// one of them has no known duration: a guess would look like knowledge.
  std::optional<std::chrono::milliseconds> left;
};

/// Keeps the progress of one change as it is executed. Thread-safe.
class ProgressTracker {
 public:
  explicit ProgressTracker(const Clock& clock) : clock_(clock) {}

  void enter(ExecutionStage stage);
  /// The operations are about to run, in `steps` of `plan`. The plan has to stay only for the call.
  void begin(const Plan& plan, StepPlan steps, const Estimates& estimates, int concurrency);
  void observe(const ApplyEvent& event);
  [[nodiscard]] Progress now() const;

 private:
  using Expected = std::optional<std::chrono::milliseconds>;
  [[nodiscard]] bool is_over(std::size_t operation) const;
  [[nodiscard]] std::vector<ResourceAddress> waits_for(std::size_t operation) const;
  [[nodiscard]] Expected left(WallTime at) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  ExecutionStage stage_ = ExecutionStage::Preparing;
  std::vector<OperationProgress> operations_;
  std::map<ResourceAddress, std::size_t> index_;
  std::vector<Scheduler::Step> edges_;
  std::vector<std::size_t> operation_of_;           ///< By step.
  std::vector<Expected> expected_;                  ///< By step.
  std::vector<std::vector<std::size_t>> steps_of_;  ///< By operation, the forward step first.
  std::size_t concurrency_ = 1;
};

[[nodiscard]] std::string_view to_string(ExecutionStage stage) noexcept;
[[nodiscard]] std::string_view to_string(OperationState state) noexcept;
/// `{"stage", "at", "finished", "total", "left_ms", "operations": [{"address", "type", "action",
/// "state", "started_at", "finished_at", "waits_for", "expected_ms", "error"}]}`; what is unknown
/// is null.
[[nodiscard]] nlohmann::json to_json(const Progress& progress);

}  // namespace bailey
