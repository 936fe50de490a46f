#include "orchestrator/provision/apply/recovery.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/stop.hpp"
#include "orchestrator/provision/apply/recover_intents.hpp"
#include "orchestrator/provision/plan/refresh.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace bailey {

namespace {

/// Whether one of `texts` is part of a string within `value`. A null stands for a value that an
/// interrupted update left unknown: it may be any of them.
bool mentions(const Json& value, const std::vector<std::string>& texts) {
  if (value.is_null()) return true;
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& each) {
      return text.find(each) != std::string::npos;
    });
  }
  return value.is_structured() && std::any_of(value.begin(), value.end(), [&](const Json& inner) {
           return mentions(inner, texts);
         });
}

/// What only the superseded resource is known by: its id, and attributes that the new one has not.
std::vector<std::string> traces_of(const Superseded& superseded, const Json& newer) {
  std::vector<std::string> traces{superseded.provider_id};
  for (const auto& [name, value] : superseded.attributes.items()) {
    if (value.is_string() && !value.get_ref<const std::string&>().empty() &&
        member(newer, name) != value) {
      traces.push_back(value.get<std::string>());
    }
  }
  return traces;
}

class Recovery {
 public:
  Recovery(const RecoveryTools& tools, std::vector<ResourceState> states,
           const std::vector<Intent>& intents)
      : tools_(tools) {
    for (auto& state : states) {
      note_dependents(state);
      states_.emplace(state.address, std::move(state));
    }
    for (const auto& intent : intents) superseded_[intent.address] = intent.superseded;
  }

  RecoveredIntent settle(const Intent& intent) {
    switch (intent.verb) {
      case Verb::Create:
        return settle_create(intent);
      case Verb::Update:
        return settle_update(intent);
      case Verb::Delete:
        return settle_delete(intent);
      case Verb::Retire:
        break;
    }
    return settle_retire(intent);
  }

 private:
  RecoveredIntent settle_create(const Intent& intent) {
    if (intent.phase == Phase::Observed) return discard(intent);
    if (intent.phase == Phase::Intent) return ended_without(intent);
    auto found = tools_.settler.find_made(intent);
    if (found.ending == Ending::Unknown) {
      if (!found.left_behind.empty()) return keep_for_discard(intent, std::move(found));
      return open(intent, std::move(*found.error));
    }
    if (found.ending == Ending::NotDone) return ended_without(intent);
    auto recording = recording_for(intent, "resource.adopt");
    recording.detail = "found by its marker after an interruption";
    recording.resource = ResourceState{.address = intent.address,
                                       .type = intent.type,
                                       .provider_id = found.observed->provider_id,
                                       .inputs = intent.inputs,
                                       .attributes = found.observed->attributes,
                                       .depends_on = intent.depends_on,
                                       .generation = intent.marker.generation,
                                       .made_at = format_time(tools_.context.clock.wall_now())};
    auto superseded = intent.superseded;
    recording.intent = retirement(intent, std::move(superseded));
    return written(intent, Settlement::Adopted, recording);
  }

  /// Something useless stands under the marker: it has to go before anything else is made.
  RecoveredIntent discard(const Intent& intent) {
    auto removed = tools_.settler.remove(intent.type, intent.provider_id);
    if (removed.ending != Ending::Done) return open(intent, std::move(*removed.error));
    return ended_without(intent);
  }

  RecoveredIntent keep_for_discard(Intent intent, ActResult found) {
    auto recording = recording_for(intent, "resource.recover");
    recording.outcome = Outcome::Failed;
    recording.detail = found.error->message();
    intent.phase = Phase::Observed;
    intent.provider_id = found.left_behind;
    recording.intent = intent;
    auto result = written(intent, Settlement::Open, recording);
    if (!result.error) result.error = std::move(found.error);
    return result;
  }

  RecoveredIntent ended_without(const Intent& intent) {
    auto recording = recording_for(intent, "resource.recover");
    recording.detail = "nothing was made";
    // What stands was not superseded after all; what an earlier run left still is to be retired.
    auto superseded = intent.superseded;
    if (const auto state = states_.find(intent.address); state != states_.end()) {
      std::erase_if(superseded, [&](const Superseded& each) {
        return each.provider_id == state->second.provider_id;
      });
    }
    recording.intent = retirement(intent, std::move(superseded));
    return written(intent, Settlement::Absent, recording);
  }

  RecoveredIntent settle_update(const Intent& intent) {
    auto shown = tools_.settler.read(intent.type, intent.provider_id);
    if (!shown) return open(intent, std::move(shown.error()));
    auto recording = recording_for(intent, "resource.recover");
    recording.intent = retirement(intent, intent.superseded);
    const auto state = states_.find(intent.address);
    const auto schema = tools_.context.schema.resource_types.find(intent.type);
    if (state == states_.end()) return written(intent, Settlement::Unsure, recording);
    if (*shown && schema != tools_.context.schema.resource_types.end() &&
        update_arrived(schema->second, intent, **shown)) {
      recording.detail = "the update had been made";
      recording.resource = state->second;
      recording.resource->inputs = intent.inputs;
      recording.resource->attributes = (*shown)->attributes;
      recording.resource->depends_on = intent.depends_on;
      return written(intent, Settlement::Updated, recording);
    }
    recording.detail = "the update may have been made in part";
    recording.resource = after_unsure_update(state->second, intent, *shown);
    return written(intent, Settlement::Unsure, recording);
  }

  RecoveredIntent settle_delete(const Intent& intent) {
    auto shown = tools_.settler.read(intent.type, intent.provider_id);
    if (!shown) return open(intent, std::move(shown.error()));
    auto recording = recording_for(intent, "resource.recover");
    recording.intent = retirement(intent, intent.superseded);
    if (*shown || is_hidden(intent.address)) {
      recording.detail = *shown ? "it had not been deleted" : "it may not have been deleted";
      return written(intent, Settlement::Standing, recording);
    }
    recording.detail = "it had been deleted";
    recording.erase_resource = true;
    return written(intent, Settlement::Deleted, recording);
  }

  bool is_hidden(const ResourceAddress& address) const {
    const auto& context = tools_.context;
    const auto state = states_.find(address);
    return state != states_.end() &&
           may_be_hidden(state->second, context.schema, context.clock.wall_now());
  }

  RecoveredIntent settle_retire(Intent intent) {
    if (tools_.retiring == Retiring::No) return ended(intent, Settlement::InUse);
    if (is_referred_to(intent)) return ended(intent, Settlement::InUse);
    intent.phase = Phase::Sent;
    if (auto announced = tools_.journal.announce(intent); !announced) {
      return open(intent, std::move(announced.error()));
    }
    for (const auto& each : intent.superseded) {
      auto removed = tools_.settler.remove(each.type, each.provider_id);
      if (removed.ending != Ending::Done) return open(intent, std::move(*removed.error));
    }
    return written(intent, Settlement::Deleted, recording_for(intent, "resource.retire"));
  }

  /// By what was superseded as well and has not gone yet; and by what depends on the address, as
  /// recorded and as the provider shows it: a dependent whose update failed is recorded as it
  /// should be, and still uses the old one.
  bool is_referred_to(const Intent& intent) {
    const auto depends = [&](const std::vector<ResourceAddress>& dependencies) {
      return std::find(dependencies.begin(), dependencies.end(), intent.address) !=
             dependencies.end();
    };
    for (const auto& [address, superseded] : superseded_) {
      if (address != intent.address &&
          std::any_of(superseded.begin(), superseded.end(),
                      [&](const Superseded& each) { return depends(each.depends_on); })) {
        return true;
      }
    }
    const auto own = states_.find(intent.address);
    std::vector<std::string> traces;
    for (const auto& each : intent.superseded) {
      const auto more = traces_of(each, own == states_.end() ? Json() : own->second.attributes);
      traces.insert(traces.end(), more.begin(), more.end());
    }
    const auto& dependents = dependents_[intent.address];
    return std::any_of(dependents.begin(), dependents.end(), [&](const ResourceAddress& address) {
      const auto found = states_.find(address);
      if (found == states_.end() || !depends(found->second.depends_on)) return false;
      const auto& state = found->second;
      if (mentions(state.inputs, traces)) return true;
      const auto shown = tools_.settler.read(state.type, state.provider_id);
      return !shown || (*shown && mentions((*shown)->inputs, traces));
    });
  }

  /// Only ever added to: whether it still is a dependent is asked of its state.
  void note_dependents(const ResourceState& state) {
    for (const auto& dependency : state.depends_on) dependents_[dependency].insert(state.address);
  }

  static std::optional<Intent> retirement(Intent intent, std::vector<Superseded> superseded) {
    if (superseded.empty()) return std::nullopt;
    intent.verb = Verb::Retire;
    intent.phase = Phase::Intent;
    intent.inputs = intent.before = Json();
    intent.superseded = std::move(superseded);
    return intent;
  }

  static Recording recording_for(const Intent& intent, std::string action) {
    Recording recording;
    recording.address = intent.address;
    recording.action = std::move(action);
    recording.plan_digest = intent.plan_digest;
    return recording;
  }

  RecoveredIntent written(const Intent& intent, Settlement settlement, const Recording& recording) {
    if (auto recorded = tools_.journal.record(recording); !recorded) {
      return open(intent, std::move(recorded.error()));
    }
    superseded_[intent.address] =
        recording.intent ? recording.intent->superseded : std::vector<Superseded>();
    if (recording.resource) {
      note_dependents(*recording.resource);
      states_[intent.address] = *recording.resource;
    } else if (recording.erase_resource) {
      states_.erase(intent.address);
    }
    return ended(intent, settlement);
  }

  static RecoveredIntent ended(const Intent& intent, Settlement settlement) {
    return {intent.address, intent.verb, settlement, std::nullopt};
  }

  static RecoveredIntent open(const Intent& intent, Error error) {
    return {intent.address, intent.verb, Settlement::Open,
            std::move(error).in("settling what was begun on " + intent.address.str())};
  }

  const RecoveryTools& tools_;
  std::map<ResourceAddress, ResourceState> states_;
  std::map<ResourceAddress, std::vector<Superseded>> superseded_;
  std::map<ResourceAddress, std::set<ResourceAddress>> dependents_;
};

}  // namespace

bool RecoveryReport::settled() const noexcept {
  return std::none_of(intents.begin(), intents.end(), [](const RecoveredIntent& intent) {
    return intent.settlement == Settlement::Open;
  });
}

Result<RecoveryReport> recover_intents(const RecoveryTools& tools, const std::string& environment) {
  std::vector<ResourceState> states;
  auto intents = in_transaction(tools.context.store, Access::Read,
                                [&](Transaction& transaction) -> Result<std::vector<Intent>> {
                                  auto open = load_intents(transaction, environment);
                                  if (!open || open->empty()) return open;
                                  auto loaded = load_resources(transaction, environment);
                                  if (!loaded) return fail(std::move(loaded.error()));
                                  states = *std::move(loaded);
                                  return open;
                                });
  if (!intents) return fail(std::move(intents.error()).in("reading the journal"));
  Recovery recovery(tools, std::move(states), *intents);
  RecoveryReport report;
  report.intents.resize(intents->size());
  std::vector<std::size_t> open(intents->size());
  std::iota(open.begin(), open.end(), 0U);
  // What is in use may be so by something that is removed after it: again, while that gets on.
  for (auto before = open.size() + 1; open.size() < before;) {
    before = open.size();
    std::vector<std::size_t> in_use;
    for (const auto i : open) {
      auto& settled = report.intents[i];
      settled = recovery.settle((*intents)[i]);
      if (settled.error && is_lease_lost(*settled.error)) return fail(*std::move(settled.error));
      if (settled.settlement == Settlement::InUse) in_use.push_back(i);
    }
    open = std::move(in_use);
  }
  return report;
}

Result<RecoveryReport> recover(const ApplyContext& context, const std::string& boundary,
                               const Fence& fence, std::stop_token stop) {
  auto ours = in_transaction(context.store, Access::Write, [&](Transaction& transaction) {
    return renew_lease(transaction, fence, context.clock.wall_now());
  });
  if (!ours) return fail(std::move(ours.error()).in("recovering " + fence.environment));
  LeaseKeeper keeper(context.store, context.clock, fence, {.threads = context.threads});
  const SendingWithin lease(keeper.term());
  const EitherStop waiting(std::move(stop), keeper.lost());
  JournalWriter journal(context, fence);
  Settler settler(context.provider, context.schema, context.clock, boundary, keeper,
                  waiting.token());
  return recover_intents({context, journal, settler, Retiring::Yes}, fence.environment);
}

std::string_view to_string(Settlement settlement) noexcept {
  switch (settlement) {
    case Settlement::Adopted:
      return "adopted";
    case Settlement::Absent:
      return "absent";
    case Settlement::Updated:
      return "updated";
    case Settlement::Unsure:
      return "unsure";
    case Settlement::Deleted:
      return "deleted";
    case Settlement::Standing:
      return "standing";
    case Settlement::InUse:
      return "in-use";
    case Settlement::Open:
      return "open";
  }
  return "";
}

}  // namespace bailey
