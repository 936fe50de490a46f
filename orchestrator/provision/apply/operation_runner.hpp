#pragma once

#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/provision/apply/journal_writer.hpp"
#include "orchestrator/provision/apply/settle.hpp"
#include "orchestrator/provision/apply/steps.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

struct StepResult {
  OperationOutcome outcome = OperationOutcome::Succeeded;
  std::optional<Error> error;
};

/// Carries out single steps of one plan: intent, remote act, settlement, record. Steps of different
/// addresses may run at once; it keeps in memory what is recorded, so that later steps can resolve
/// their references.
class OperationRunner {
 public:
  OperationRunner(const ApplyContext& context, const Plan& plan, JournalWriter& journal,
                  Settler& settler, const std::vector<ResourceState>& states,
                  const std::vector<Intent>& intents);

  [[nodiscard]] StepResult run(const ApplyStep& step);

 private:
  [[nodiscard]] StepResult create(const Operation& operation);
  [[nodiscard]] StepResult update(const Operation& operation);
  [[nodiscard]] StepResult take_over(const Operation& operation);
  [[nodiscard]] StepResult remove(const Operation& operation);
  [[nodiscard]] StepResult retire(const ResourceAddress& address);

  [[nodiscard]] StepResult finish_create(const Operation& operation, Intent intent,
                                         ActResult result);
  [[nodiscard]] StepResult finish_update(const Intent& intent, const ResourceState& old,
                                         ActResult result);
  [[nodiscard]] StepResult give_up_create(const Operation& operation, Intent intent,
                                          ActResult result);

  [[nodiscard]] Intent intent_for(const Operation& operation, Verb verb) const;
  [[nodiscard]] Recording recording_for(const Operation& operation) const;
  [[nodiscard]] StepResult made_before(const ResourceState& made,
                                       const nlohmann::json& inputs) const;
  [[nodiscard]] Result<bool> stands_as_wanted(const Operation& operation, const ResourceState& old,
                                              const nlohmann::json& inputs) const;
  [[nodiscard]] std::optional<ResourceState> state_of(const ResourceAddress& address) const;
  [[nodiscard]] std::optional<Intent> intent_of(const ResourceAddress& address) const;
  [[nodiscard]] Result<nlohmann::json> resolve(const Operation& operation) const;
  /// Writes, and on success keeps the same in memory.
  [[nodiscard]] Status record(const Recording& recording);
  [[nodiscard]] Status announce(Intent& intent);

  const ApplyContext& context_;
  const Plan& plan_;
  JournalWriter& journal_;
  Settler& settler_;
  mutable std::mutex mutex_;
  std::map<ResourceAddress, ResourceState> states_;
  std::map<ResourceAddress, Intent> intents_;
};

}  // namespace bailey
