#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/base/threads.hpp"
#include "orchestrator/model/plan.hpp"
#include "orchestrator/model/provider_schema.hpp"
#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/provision/provider/provider.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

struct StepPlan;

enum class OperationOutcome : std::uint8_t {
  Succeeded,
  Failed,     ///< The provider said no; what it may have left was taken away.
  Errored,    ///< We could not find out, or could not write it down: its intent stays open.
  Skipped,    ///< Something it depends on did not succeed.
  Cancelled,  ///< We were asked to stop before it was started.
};

struct OperationReport {
  ResourceAddress address;
  Action action = Action::NoOp;
  OperationOutcome outcome = OperationOutcome::Cancelled;
  std::optional<Error> error;
  std::chrono::milliseconds started{0};  ///< Since the apply began; 0 when it never was.
  std::chrono::milliseconds finished{0};
  /// Time at the provider: no waiting for the journal or for a turn.
  std::chrono::milliseconds duration{0};
};

/// What came of a plan. Operations in the plan's order, without those that do nothing.
struct ApplyReport {
  std::vector<OperationReport> operations;
  std::chrono::milliseconds makespan{0};
  /// max(critical path of the operations' times at the provider, their sum / concurrency): how fast
  /// it could have been.
  std::chrono::milliseconds lower_bound{0};
  /// True when everything succeeded.
  [[nodiscard]] bool ok() const noexcept;
};

struct ApplyEvent {
  enum class Kind : std::uint8_t { Started, Finished };
  Kind kind = Kind::Started;
  ResourceAddress address;
  Action action = Action::NoOp;
  OperationOutcome outcome = OperationOutcome::Succeeded;  ///< For Finished.
  std::optional<Error> error;
  std::size_t finished = 0;  ///< Operations that came to their end so far.
  std::size_t total = 0;
};

/// What applying works with. The references outlive the call.
struct ApplyContext {
  StateStore& store;
  Provider& provider;
  const ProviderSchema& schema;
  Clock& clock;
  Random& random;
  int concurrency = 16;  ///< Operations at the provider at once.
  /// Called from pool threads, one call at a time; it must be quick.
  std::function<void(const ApplyEvent&)> observer = {};
  Threads& threads = system_threads();
  /// Gives each step the duration that is expected of it, in any one unit: the longest way to the
  /// end goes first. Without it, all are alike.
  std::function<void(StepPlan& steps)> weigh = {};
};

/// Conflict, code `plan.stale`, unless the environment still is the one that was planned for, at
/// the serial that was planned from. Checked once, in the transaction that claims the plan for
/// execution: from then on the serial grows with each resource that the plan itself changes.
[[nodiscard]] Status check_plan_is_current(Transaction& transaction, const Plan& plan);

/// Carries out a claimed plan with up to `concurrency` operations at the provider, while others are
/// being written down, and keeps the lease alive meanwhile. The environment's record must be there.
///
/// Before each remote act an intent is durable; after it the resource's state, the end of the
/// intent, an audit entry (`resource.create`, `.update`, `.replace`, `.delete`, `.retire`) and the
/// environment's next serial become durable in one transaction. Every write checks the fence. A
/// lost answer is settled by look-up within the operation, never by a second create without one.
///
/// A plan may be given again after a crash or a partial failure: what it has already reached is not
/// done twice. Intents left by an earlier run are settled first, as recover() says; an operation on
/// a resource whose intent could not be settled ends Errored.
///
/// Once `stop` is requested nothing more is started, and what is in flight is finished. When the
/// lease is lost, what is in flight is stopped too.
///
/// An Error only when nothing was started: no lease, no record, a store that cannot be read.
[[nodiscard]] Result<ApplyReport> apply_plan(const ApplyContext& context, const Plan& plan,
                                             const std::string& boundary, const Fence& fence,
                                             std::stop_token stop);

[[nodiscard]] std::string_view to_string(OperationOutcome outcome) noexcept;
/// null, or `{"kind", "message", "frames", "hint", "code"}`.
[[nodiscard]] nlohmann::json to_json(const std::optional<Error>& error);
/// `{"ok", "makespan_ms", "lower_bound_ms", "operations": [{"address", "action", "outcome",
/// "error", "started_ms", "finished_ms", "duration_ms"}]}`.
[[nodiscard]] nlohmann::json to_json(const ApplyReport& report);

}  // namespace bailey
