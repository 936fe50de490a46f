#pragma once

#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/provision/apply/journal_writer.hpp"
#include "orchestrator/provision/apply/remote_slots.hpp"
#include "orchestrator/provision/apply/settle.hpp"
#include "orchestrator/provision/apply/steps.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

struct StepResult {
  OperationOutcome outcome = OperationOutcome::Succeeded;
  std::optional<Error> error;
  MonotonicTime::duration remote{0};  ///< Time at the provider.
};

/// What an apply begins from.
struct Recorded {
  std::vector<ResourceState> states;
  std::vector<Intent> intents;
};

/// Carries out single steps of one plan: intent, remote act, settlement, record. Steps of different
/// addresses may run at once, as many as the caller likes: no more than the context's `concurrency`
/// are at the provider, and the others write meanwhile. It keeps in memory what is recorded, so
/// that later steps can resolve their references.
class OperationRunner {
 public:
  /// Once `stop` is requested nothing more is sent.
  OperationRunner(const ApplyContext& context, const Plan& plan, JournalWriter& journal,
                  Settler& settler, Recorded recorded, std::stop_token stop);

  /// `urgency` decides who goes to the provider first.
  [[nodiscard]] StepResult run(const ApplyStep& step, double urgency);

 private:
  /// One step's way to the provider: how urgent it is, and how long it was there.
  struct Turn {
    double urgency = 0;
    MonotonicTime::duration remote{0};
  };

  [[nodiscard]] StepResult run_in(const ApplyStep& step, Turn& turn);
  [[nodiscard]] StepResult create(const Operation& operation, Turn& turn);
  [[nodiscard]] StepResult update(const Operation& operation, Turn& turn);
  [[nodiscard]] StepResult take_over(const Operation& operation, Turn& turn);
  [[nodiscard]] StepResult note(const Operation& operation);
  [[nodiscard]] StepResult remove(const Operation& operation, Turn& turn);
  [[nodiscard]] StepResult retire(const ResourceAddress& address, Turn& turn);

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
  [[nodiscard]] Status withdraw(const ResourceAddress& address,
                                const std::optional<Intent>& before);
  /// Announces the intent, waits for a slot and calls. After an error nothing was sent.
  template <class Call>
  [[nodiscard]] Result<ActResult> act(Intent& intent, Turn& turn, const Call& call);
  template <class Call>
  [[nodiscard]] auto timed(Turn& turn, const Call& call) -> decltype(call());
  /// In order; ends at the first that cannot be removed.
  [[nodiscard]] ActResult remove_all(const std::vector<Superseded>& all);

  const ApplyContext& context_;
  const Plan& plan_;
  JournalWriter& journal_;
  Settler& settler_;
  std::stop_token stop_;
  RemoteSlots slots_;
  mutable std::mutex mutex_;
  std::map<ResourceAddress, ResourceState> states_;
  std::map<ResourceAddress, Intent> intents_;
};

}  // namespace bailey
