#include "orchestrator/serve/engine/read_journal.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace bailey {

namespace {

// As recovery.hpp says it is done, by whoever holds the environment's lease next.
std::string_view settled_by(const Intent& intent) {
  if (intent.verb == Verb::Retire) return "deleting what was replaced";
  switch (intent.phase) {
    case Phase::Intent:
      return "nothing: it was not sent";
    case Phase::Observed:
      return "deleting what it made";
    case Phase::Sent:
      break;
  }
  switch (intent.verb) {
    case Verb::Create:
      return "looking for its marker at the provider";
    case Verb::Update:
      return "reading it back";
    case Verb::Delete:
      return "looking whether it is gone";
    case Verb::Retire:
      break;
  }
  return "";
}

Json intent_json(const Intent& intent) {
  return {{"address", intent.address.str()},
          {"type", intent.type},
          {"verb", to_string(intent.verb)},
          {"phase", to_string(intent.phase)},
          {"since", intent.time},
          {"provider_id", intent.provider_id},
          {"settled_by", settled_by(intent)}};
}

std::string started_at(const Change& change) {
  for (const auto& each : change.history) {
    if (each.state == ChangeState::Executing) return each.at;
  }
  return {};
}

Json operations_json(const Change& change) {
  std::map<std::string, std::string> types;
  for (const auto& operation : change.plan.operations) {
    types[operation.address.str()] = operation.type;
  }
  std::vector<Json> list;
  for (const auto& operation : member(change.outcome, "operations")) {
    list.push_back({{"address", member(operation, "address")},
                    {"type", types[string_member(operation, "address")]},
                    {"action", member(operation, "action")},
                    {"outcome", member(operation, "outcome")},
                    {"started_ms", member(operation, "started_ms")},
                    {"duration_ms", member(operation, "duration_ms")},
                    {"error", member(operation, "error")}});
  }
  // What was never started has no beginning and comes last.
  const auto rank = [](const Json& operation) {
    const auto& outcome = operation["outcome"];
    const bool never = outcome == "skipped" || outcome == "cancelled";
    return std::pair(never, operation["started_ms"].get<std::int64_t>());
  };
  std::stable_sort(list.begin(), list.end(),
                   [&](const Json& left, const Json& right) { return rank(left) < rank(right); });
  return list;
}

Json change_json(const Change& change) {
  const auto started = started_at(change);
  return {{"id", change.id.str()},
          {"environment", change.environment},
          {"kind", to_string(change.kind)},
          {"state", to_string(change.state)},
          {"started_at", started.empty() ? Json() : Json(started)},
          {"makespan_ms", member(change.outcome, "makespan_ms")},
          {"lower_bound_ms", member(change.outcome, "lower_bound_ms")},
          {"operations", operations_json(change)}};
}

bool was_executed(const Change& change) {
  return !started_at(change).empty() && change.kind != ChangeKind::Policy;
}

// Environments that the caller may read, as the filter names them.
Result<std::vector<std::string>> readable(Engine& engine, Transaction& transaction,
                                          const Request& request, const std::string& named) {
  auto bundle = engine.bundle(transaction);
  if (!bundle) return fail(std::move(bundle.error()));
  std::vector<std::string> names;
  if (!named.empty()) {
    auto environment = find_environment(**bundle, named);
    if (!environment) return fail(std::move(environment.error()));
    auto may = require(**bundle, **environment, request.caller, Power::Read);
    if (!may) return fail(std::move(may.error()));
    return std::vector{named};
  }
  for (const auto& [name, environment] : (*bundle)->environments) {
    if (require(**bundle, environment, request.caller, Power::Read)) names.push_back(name);
  }
  return names;
}

Result<std::vector<Change>> changes_in(Transaction& transaction,
                                       const std::vector<std::string>& environments,
                                       const JournalFilter& filter) {
  auto changes = all_changes(transaction);
  if (!changes) return changes;
  std::reverse(changes->begin(), changes->end());
  std::erase_if(*changes, [&](const Change& change) {
    const bool wanted = std::find(environments.begin(), environments.end(), change.environment) !=
                        environments.end();
    return !wanted || !was_executed(change) ||
           (!filter.change.str().empty() && change.id != filter.change);
  });
  if (changes->size() > filter.changes) changes->resize(filter.changes);
  return changes;
}

}  // namespace

Result<Json> read_journal(Engine& engine, const Request& request, const JournalFilter& filter) {
  const auto target = filter.environment.empty() ? "journal" : "environment:" + filter.environment;
  return audited_read(engine, request, "journal.read", target, [&] {
    return in_transaction(
        engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Json> {
          auto named = filter.environment;
          if (!filter.change.str().empty()) {
            auto change = load_change(transaction, filter.change);
            if (!change) return fail(std::move(change.error()));
            named = change->environment;
          }
          auto environments = readable(engine, transaction, request, named);
          if (!environments) return fail(std::move(environments.error()));
          Json intents = Json::array();
          for (const auto& name : *environments) {
            auto open = load_intents(transaction, name);
            if (!open) return fail(std::move(open.error()));
            for (const auto& intent : *open) intents.push_back(intent_json(intent));
          }
          auto changes = changes_in(transaction, *environments, filter);
          if (!changes) return fail(std::move(changes.error()));
          Json list = Json::array();
          for (const auto& change : *changes) list.push_back(change_json(change));
          return Json{{"intents", std::move(intents)}, {"changes", std::move(list)}};
        });
  });
}

}  // namespace bailey
