#include "orchestrator/provision/apply/operation_runner.hpp"

#include "orchestrator/provision/plan/differ.hpp"
#include "orchestrator/provision/plan/references.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace bailey {

namespace {

using Json = nlohmann::json;

StepResult ended(OperationOutcome outcome, Error error) {
  return {outcome, std::move(error), {}};
}

StepResult not_sent(Error error) {
  if (error.kind() == ErrorKind::Cancelled) return {OperationOutcome::Cancelled, std::nullopt, {}};
  return ended(OperationOutcome::Errored, std::move(error));
}

OperationOutcome outcome_of(Ending ending) {
  return ending == Ending::NotDone ? OperationOutcome::Failed : OperationOutcome::Errored;
}

std::string frame_of(const Operation& operation) {
  const auto* verb = "working on ";
  switch (operation.action) {
    case Action::Create:
      verb = "creating ";
      break;
    case Action::Update:
      verb = "updating ";
      break;
    case Action::Replace:
      verb = "replacing ";
      break;
    case Action::Delete:
      verb = "deleting ";
      break;
    case Action::NoOp:
      verb = "taking over ";
      break;
    case Action::Record:
      verb = "recording ";
      break;
  }
  return verb + operation.address.str();
}

Outcome audit_outcome(const std::optional<Error>& error) {
  return error ? Outcome::Failed : Outcome::Ok;
}

}  // namespace

OperationRunner::OperationRunner(const ApplyContext& context, const Plan& plan,
                                 JournalWriter& journal, Settler& settler, Recorded recorded,
                                 std::stop_token stop)
    : context_(context),
      plan_(plan),
      journal_(journal),
      settler_(settler),
      stop_(std::move(stop)),
      slots_(context.concurrency, context.threads) {
  for (auto& state : recorded.states) states_.emplace(state.address, std::move(state));
  for (auto& intent : recorded.intents) intents_.emplace(intent.address, std::move(intent));
}

StepResult OperationRunner::run(const ApplyStep& step, double urgency) {
  Turn turn{urgency, {}};
  auto result = run_in(step, turn);
  result.remote = turn.remote;
  return result;
}

StepResult OperationRunner::run_in(const ApplyStep& step, Turn& turn) {
  const auto open = intent_of(step.address);
  if (open && open->verb != Verb::Retire) {
    return ended(OperationOutcome::Errored, Error(ErrorKind::FailedPrecondition,
                                                  "an earlier operation on it could not be settled")
                                                .in("working on " + step.address.str()));
  }
  if (step.operation == nullptr) return retire(step.address, turn);
  const auto& operation = *step.operation;
  auto result = [&] {
    switch (operation.action) {
      case Action::Create:
        return create(operation, turn);
      case Action::Update:
        return update(operation, turn);
      case Action::Replace:
        return step.kind == StepKind::Forward ? create(operation, turn)
                                              : retire(operation.address, turn);
      case Action::Delete:
        return remove(operation, turn);
      case Action::Record:
        return note(operation);
      case Action::NoOp:
        break;
    }
    return take_over(operation, turn);
  }();
  if (result.error) result.error = std::move(*result.error).in(frame_of(operation));
  return result;
}

Intent OperationRunner::intent_for(const Operation& operation, Verb verb) const {
  Intent intent;
  intent.address = operation.address;
  intent.verb = verb;
  intent.phase = Phase::Sent;
  intent.operation = to_string(operation.action);
  intent.type = operation.type;
  intent.marker = Marker{plan_.environment_uid, operation.address, operation.generation};
  intent.provider_id = operation.provider_id;
  intent.depends_on = operation.depends_on;
  intent.plan_digest = plan_.digest;
  if (const auto open = intent_of(operation.address)) intent.superseded = open->superseded;
  return intent;
}

Recording OperationRunner::recording_for(const Operation& operation) const {
  Recording recording;
  recording.address = operation.address;
  recording.action =
      fmt::format("resource.{}", operation.action == Action::NoOp ? std::string_view("adopt")
                                                                  : to_string(operation.action));
  recording.plan_digest = plan_.digest;
  return recording;
}

std::optional<ResourceState> OperationRunner::state_of(const ResourceAddress& address) const {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(address);
  if (found == states_.end()) return std::nullopt;
  return found->second;
}

std::optional<Intent> OperationRunner::intent_of(const ResourceAddress& address) const {
  const std::lock_guard lock(mutex_);
  const auto found = intents_.find(address);
  if (found == intents_.end()) return std::nullopt;
  return found->second;
}

Result<Json> OperationRunner::resolve(const Operation& operation) const {
  const std::lock_guard lock(mutex_);
  return resolve_inputs(operation.after.value_or(Json::object()), plan_.environment,
                        [this](const ResourceAddress& address) -> const ResourceState* {
                          const auto found = states_.find(address);
                          return found == states_.end() ? nullptr : &found->second;
                        });
}

Status OperationRunner::announce(Intent& intent) {
  if (auto written = journal_.announce(intent); !written) return written;
  const std::lock_guard lock(mutex_);
  intents_[intent.address] = intent;
  return {};
}

template <class Call>
auto OperationRunner::timed(Turn& turn, const Call& call) -> decltype(call()) {
  const auto began = context_.clock.monotonic_now();
  auto result = call();
  turn.remote += context_.clock.monotonic_now() - began;
  return result;
}

template <class Call>
Result<ActResult> OperationRunner::act(Intent& intent, Turn& turn, const Call& call) {
  const auto before = intent_of(intent.address);
  if (auto written = announce(intent); !written) return fail(std::move(written.error()));
  const auto slot = slots_.take(turn.urgency);
  if (stop_.stop_requested()) {
    if (auto back = withdraw(intent.address, before); !back) return fail(std::move(back.error()));
    return fail(ErrorKind::Cancelled, "stopped before it was sent");
  }
  return timed(turn, call);
}

Status OperationRunner::withdraw(const ResourceAddress& address,
                                 const std::optional<Intent>& before) {
  if (auto written = journal_.withdraw(address, before); !written) return written;
  const std::lock_guard lock(mutex_);
  if (before) {
    intents_[address] = *before;
  } else {
    intents_.erase(address);
  }
  return {};
}

Status OperationRunner::record(const Recording& recording) {
  if (auto written = journal_.record(recording); !written) return written;
  const std::lock_guard lock(mutex_);
  if (recording.resource) {
    states_[recording.address] = *recording.resource;
  } else if (recording.erase_resource) {
    states_.erase(recording.address);
  }
  if (recording.intent) {
    intents_[recording.address] = *recording.intent;
  } else if (!recording.keep_intent) {
    intents_.erase(recording.address);
  }
  return {};
}

/// A plan that is carried on finds what it made before. What an earlier plan made, and recovery has
/// found only after this one was made, may be something else.
StepResult OperationRunner::made_before(const ResourceState& made, const Json& inputs) const {
  const auto type = context_.schema.resource_types.find(made.type);
  if (type != context_.schema.resource_types.end() &&
      diff_fields(type->second, inputs, made.inputs, Json()).fields.empty()) {
    return {};
  }
  return ended(OperationOutcome::Failed,
               Error(ErrorKind::Conflict, "an earlier plan has made it, and otherwise")
                   .with_code("plan.stale")
                   .with_hint("Plan again."));
}

/// The plan may have been made while something was not settled: a reference to it counted as a
/// change, or what only its intent knew. Recovery has told since.
Result<bool> OperationRunner::stands_as_wanted(const Operation& operation, const ResourceState& old,
                                               const Json& inputs) const {
  const auto type = context_.schema.resource_types.find(operation.type);
  if (type == context_.schema.resource_types.end() || old.type != operation.type ||
      !diff_fields(type->second, inputs, old.inputs, Json()).fields.empty()) {
    return false;
  }
  auto shown = settler_.read(old.type, old.provider_id);
  if (!shown) return fail(std::move(shown.error()));
  return *shown && diff_fields(type->second, inputs, old.inputs, (*shown)->inputs).fields.empty();
}

StepResult OperationRunner::create(const Operation& operation, Turn& turn) {
  const auto old = state_of(operation.address);
  auto inputs = resolve(operation);
  if (!inputs) return ended(OperationOutcome::Failed, std::move(inputs.error()));
  if (old && old->generation >= operation.generation) {
    auto made = made_before(*old, *inputs);
    const bool noted =
        made.outcome != OperationOutcome::Succeeded || old->protect == operation.protect;
    return noted ? made : note(operation);
  }
  if (operation.action == Action::Replace && old) {
    const auto stands = stands_as_wanted(operation, *old, *inputs);
    if (!stands) return ended(OperationOutcome::Errored, stands.error());
    if (*stands) return {};
  }

  auto intent = intent_for(operation, Verb::Create);
  intent.inputs = *std::move(inputs);
  intent.before = Json();
  intent.provider_id.clear();
  if (operation.action == Action::Replace) {
    intent.superseded.push_back(
        old ? Superseded{old->type, old->provider_id, old->attributes, old->depends_on}
            : Superseded{operation.type, operation.provider_id});
  }
  // The plan has seen all that bears our markers, and whatever ran since has been settled.
  const auto earlier = operation.provider_id.empty() || operation.action == Action::Replace
                           ? Earlier::None
                           : Earlier::Perhaps;
  auto result = act(intent, turn, [&] { return settler_.create(intent, earlier); });
  if (!result) return not_sent(std::move(result.error()));
  if (result->ending != Ending::Done) {
    return give_up_create(operation, std::move(intent), *std::move(result));
  }
  return finish_create(operation, std::move(intent), *std::move(result));
}

StepResult OperationRunner::finish_create(const Operation& operation, Intent intent,
                                          ActResult result) {
  auto recording = recording_for(operation);
  recording.resource = ResourceState{.address = operation.address,
                                     .type = operation.type,
                                     .provider_id = result.observed->provider_id,
                                     .inputs = intent.inputs,
                                     .attributes = result.observed->attributes,
                                     .depends_on = operation.depends_on,
                                     .generation = operation.generation,
                                     .made_at = format_time(context_.clock.wall_now()),
                                     .protect = operation.protect};
  if (!intent.superseded.empty()) {
    intent.verb = Verb::Retire;
    intent.phase = Phase::Intent;
    intent.inputs = Json();
    recording.intent = std::move(intent);
  }
  if (auto written = record(recording); !written) {
    return ended(OperationOutcome::Errored, std::move(written.error()));
  }
  return {};
}

StepResult OperationRunner::give_up_create(const Operation& operation, Intent intent,
                                           ActResult result) {
  auto recording = recording_for(operation);
  recording.outcome = Outcome::Failed;
  recording.detail = result.error->message();
  if (!result.left_behind.empty()) {
    intent.phase = Phase::Observed;
    intent.provider_id = result.left_behind;
    recording.intent = std::move(intent);
  } else if (result.ending == Ending::Unknown) {
    recording.keep_intent = true;
  } else {
    // What stands was not superseded after all; what an earlier run left still is to be retired.
    if (operation.action == Action::Replace) intent.superseded.pop_back();
    if (!intent.superseded.empty()) {
      intent.verb = Verb::Retire;
      intent.phase = Phase::Intent;
      intent.inputs = Json();
      recording.intent = std::move(intent);
    }
  }
  if (auto written = record(recording); !written) {
    return ended(OperationOutcome::Errored, std::move(*result.error).in(written.error().message()));
  }
  return ended(outcome_of(result.ending), std::move(*result.error));
}

StepResult OperationRunner::update(const Operation& operation, Turn& turn) {
  auto inputs = resolve(operation);
  if (!inputs) return ended(OperationOutcome::Failed, std::move(inputs.error()));
  auto intent = intent_for(operation, Verb::Update);
  intent.inputs = *std::move(inputs);
  intent.before = operation.before.value_or(Json::object());
  auto old = state_of(operation.address);
  // What is recorded may be gone, and the plan takes over what stands in its place.
  if (!old ||
      (old->provider_id != operation.provider_id && old->generation <= operation.generation)) {
    old = ResourceState{.address = operation.address,
                        .type = operation.type,
                        .provider_id = operation.provider_id,
                        .inputs = intent.before,
                        .attributes = Json::object(),
                        .depends_on = {},
                        .generation = operation.generation,
                        .made_at = {},
                        .marked_as = operation.moved_from};
  }
  old->protect = operation.protect;
  intent.provider_id = old->provider_id;
  // A thing keeps the marker under which it was made.
  if (old->marked_as) intent.marker.address = *old->marked_as;
  auto result = act(intent, turn, [&] { return settler_.update(intent); });
  if (!result) return not_sent(std::move(result.error()));
  return finish_update(intent, *old, *std::move(result));
}

StepResult OperationRunner::finish_update(const Intent& intent, const ResourceState& old,
                                          ActResult result) {
  Recording recording;
  recording.address = intent.address;
  recording.action = "resource.update";
  recording.plan_digest = plan_.digest;
  recording.outcome = audit_outcome(result.error);
  if (result.ending == Ending::Done) {
    recording.resource = old;
    recording.resource->inputs = intent.inputs;
    recording.resource->attributes = result.observed->attributes;
    recording.resource->depends_on = intent.depends_on;
  } else {
    recording.detail = result.error->message();
    if (result.ending == Ending::Unknown) {
      recording.keep_intent = true;
    } else {
      recording.resource = after_unsure_update(old, intent, result.observed);
    }
  }
  if (!recording.keep_intent && !intent.superseded.empty()) {
    recording.intent = intent;
    recording.intent->verb = Verb::Retire;
    recording.intent->phase = Phase::Intent;
    recording.intent->inputs = recording.intent->before = Json();
  }
  if (auto written = record(recording); !written) {
    return ended(OperationOutcome::Errored, std::move(written.error()));
  }
  if (result.ending == Ending::Done) return {};
  return ended(outcome_of(result.ending), std::move(*result.error));
}

StepResult OperationRunner::take_over(const Operation& operation, Turn& turn) {
  auto shown = [&] {
    const auto slot = slots_.take(turn.urgency);
    return timed(turn, [&] { return settler_.read(operation.type, operation.provider_id); });
  }();
  if (!shown) return ended(OperationOutcome::Errored, std::move(shown.error()));
  if (!*shown) {
    return ended(OperationOutcome::Failed, Error(ErrorKind::NotFound, "it is no longer there"));
  }
  auto recording = recording_for(operation);
  recording.resource = ResourceState{.address = operation.address,
                                     .type = operation.type,
                                     .provider_id = operation.provider_id,
                                     .inputs = operation.after.value_or(Json::object()),
                                     .attributes = (*shown)->attributes,
                                     .depends_on = operation.depends_on,
                                     .generation = operation.generation,
                                     .made_at = format_time(context_.clock.wall_now()),
                                     .protect = operation.protect,
                                     .marked_as = operation.moved_from};
  if (auto written = record(recording); !written) {
    return ended(OperationOutcome::Errored, std::move(written.error()));
  }
  return {};
}

StepResult OperationRunner::note(const Operation& operation) {
  auto old = state_of(operation.address);
  if (!old) {
    return ended(OperationOutcome::Failed, Error(ErrorKind::NotFound, "it is not recorded"));
  }
  auto inputs = resolve(operation);
  if (!inputs) return ended(OperationOutcome::Failed, std::move(inputs.error()));
  auto recording = recording_for(operation);
  recording.keep_intent = intent_of(operation.address).has_value();
  recording.resource = *std::move(old);
  recording.resource->inputs = *std::move(inputs);
  recording.resource->depends_on = operation.depends_on;
  recording.resource->protect = operation.protect;
  if (auto written = record(recording); !written) {
    return ended(OperationOutcome::Errored, std::move(written.error()));
  }
  return {};
}

StepResult OperationRunner::remove(const Operation& operation, Turn& turn) {
  const auto old = state_of(operation.address);
  auto intent = intent_for(operation, Verb::Delete);
  if (old) {
    intent.type = old->type;
    intent.provider_id = old->provider_id;
  }
  // What an earlier replacement left goes along.
  std::vector<Superseded> all = intent.superseded;
  all.push_back({intent.type, intent.provider_id});
  auto acted = act(intent, turn, [&] { return remove_all(all); });
  if (!acted) return not_sent(std::move(acted.error()));
  auto& result = *acted;
  auto recording = recording_for(operation);
  recording.outcome = audit_outcome(result.error);
  if (result.ending == Ending::Done) {
    recording.erase_resource = true;
  } else {
    recording.detail = result.error->message();
    recording.keep_intent = result.ending == Ending::Unknown;
    if (!recording.keep_intent && !intent.superseded.empty()) {
      recording.intent = intent;
      recording.intent->verb = Verb::Retire;
      recording.intent->phase = Phase::Intent;
    }
  }
  if (auto written = record(recording); !written) {
    return ended(OperationOutcome::Errored, std::move(written.error()));
  }
  if (result.ending == Ending::Done) return {};
  return ended(outcome_of(result.ending), std::move(*result.error));
}

ActResult OperationRunner::remove_all(const std::vector<Superseded>& all) {
  ActResult result;
  for (const auto& each : all) {
    result = settler_.remove(each.type, each.provider_id);
    if (result.ending != Ending::Done) break;
  }
  return result;
}

StepResult OperationRunner::retire(const ResourceAddress& address, Turn& turn) {
  auto intent = intent_of(address);
  if (!intent) return {};
  intent->phase = Phase::Sent;
  auto acted = act(*intent, turn, [&] { return remove_all(intent->superseded); });
  if (!acted) return not_sent(std::move(acted.error()));
  auto& result = *acted;
  Recording recording;
  recording.address = address;
  recording.action = "resource.retire";
  recording.plan_digest = plan_.digest;
  recording.outcome = audit_outcome(result.error);
  recording.keep_intent = result.ending != Ending::Done;
  if (result.error) recording.detail = result.error->message();
  if (auto written = record(recording); !written) {
    return ended(OperationOutcome::Errored, std::move(written.error()));
  }
  if (result.ending == Ending::Done) return {};
  return ended(outcome_of(result.ending),
               std::move(*result.error).in("removing what " + address.str() + " replaced"));
}

}  // namespace bailey
