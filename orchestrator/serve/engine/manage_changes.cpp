#include "orchestrator/serve/engine/manage_changes.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/spec/expand.hpp"
#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/provision/plan/plan_view.hpp"
#include "orchestrator/serve/engine/change_failures.hpp"
#include "orchestrator/serve/engine/check_drift.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/read_audit.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/sandboxes.hpp"
#include "orchestrator/serve/engine/standing_bundle.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

// Policy changes are everybody's business: whoever may read anything may read them.
Status may_read(const Bench& bench, const Request& request) {
  if (bench.environment->name == kOrganizationEnvironment) {
    return require_somewhere(*bench.bundle, request.caller, Power::Read);
  }
  return require(*bench.bundle, *bench.environment, request.caller, Power::Read);
}

struct Opened {
  Change change;
  Bench bench;
};

Result<Opened> open(Engine& engine, Transaction& transaction, const Request& request,
                    const ChangeId& id) {
  auto change = load_change(transaction, id);
  if (!change) return fail(std::move(change.error()));
  auto bench = bench_for(engine, transaction, *change);
  if (!bench) return fail(std::move(bench.error()));
  if (auto may = may_read(*bench, request); !may) return fail(std::move(may.error()));
  return Opened{*std::move(change), *std::move(bench)};
}

template <class Body>
auto read_change(Engine& engine, const Request& request, const ChangeId& id, Body&& body)
    -> decltype(body(std::declval<Transaction&>(), std::declval<Opened&>())) {
  return audited_read(engine, request, "change.read", "change:" + id.str(), [&] {
    return in_transaction(
        engine.store(), Access::Read,
        [&](Transaction& transaction) -> decltype(body(transaction, std::declval<Opened&>())) {
          auto opened = open(engine, transaction, request, id);
          if (!opened) return fail(std::move(opened.error()));
          return body(transaction, *opened);
        });
  });
}

Json authors_json(const std::vector<Author>& authors) {
  Json list = Json::array();
  for (const auto& author : authors) {
    list.push_back({{"email", author.email},
                    {"person", author.person.empty() ? Json() : Json(author.person)}});
  }
  return list;
}

Json approval_summary(const Approval& approval) {
  return {{"approver", approval.approver},     {"decision", to_string(approval.decision)},
          {"reason", approval.reason},         {"issued_at", approval.issued_at},
          {"expires_at", approval.expires_at}, {"key", approval.key_fingerprint}};
}

Json history_json(const Change& change) {
  Json list = Json::array();
  for (const auto& each : change.history) {
    list.push_back({{"state", to_string(each.state)}, {"at", each.at}, {"detail", each.detail}});
  }
  return list;
}

/// One environment as it is declared and as it stands.
struct Shown {
  const Environment& environment;
  EnvironmentState state;
  std::optional<DriftReport> drift;
  bool declared = true;
  WallTime steady_now;
  std::string now;
};

Json environment_json(const Shown& shown) {
  const auto& environment = shown.environment;
  const auto& state = shown.state;
  Json ttl;
  if (environment.ttl) ttl = format_duration(*environment.ttl);
  Json owner;
  if (environment.owner) owner = *environment.owner;
  Json ends_at;
  Json time_left;
  if (const auto end = end_of(environment, state)) {
    ends_at = format_time(*end);
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(*end - shown.steady_now);
    time_left = std::max<std::int64_t>(0, left.count());
  }
  return {{"name", environment.name},
          {"project", environment.project},
          {"class", to_string(environment.environment_class)},
          {"account", environment.account},
          {"template", environment.template_name},
          {"status", to_string(state.status)},
          {"serial", state.serial},
          {"artifacts", state.artifacts},
          {"uid", state.uid.str()},
          {"boundary", state.boundary},
          {"receipt", state.receipt.empty() ? Json() : Json(state.receipt)},
          {"ttl", std::move(ttl)},
          {"owner", std::move(owner)},
          {"ends_at", std::move(ends_at)},
          {"seconds_left", std::move(time_left)},
          {"declared", shown.declared},
          {"left", state.left},
          {"drifted", shown.drift ? Json(shown.drift->open(shown.now)) : Json()}};
}

Json outputs_of(const Bundle& bundle, const Environment& environment,
                const std::vector<ResourceState>& resources) {
  Json outputs = Json::object();
  const auto lookup = [&](const ResourceReference& reference) -> std::optional<Json> {
    for (const auto& resource : resources) {
      if (resource.address.resource != reference.resource ||
          resource.address.index != reference.index) {
        continue;
      }
      if (reference.attribute.empty()) return Json(resource.provider_id);
      const auto& value = member(resource.attributes, reference.attribute);
      return value.is_null() ? std::optional<Json>() : std::optional<Json>(value);
    }
    return std::nullopt;
  };
  for (const auto& [name, text] : bundle.templates.at(environment.template_name).outputs) {
    auto value = resolve_references(Json(text), lookup);
    outputs[name] = value ? *std::move(value) : Json();
  }
  return outputs;
}

// What was looked at before this life of the environment is about another one.
Result<Shown> shown_of(Engine& engine, Transaction& transaction, const Environment& environment,
                       WallTime steady_now) {
  auto accepted = engine.bundle(transaction);
  if (!accepted) return fail(std::move(accepted.error()));
  auto state = find_environment_state(transaction, environment.name);
  if (!state) return fail(std::move(state.error()));
  auto drift = find_drift_report(transaction, environment.name);
  if (!drift) return fail(std::move(drift.error()));
  Shown shown{environment, {},          {}, (*accepted)->environment(environment.name) != nullptr,
              steady_now,  engine.now()};
  shown.state.name = environment.name;
  if (*state) shown.state = **std::move(state);
  if (*drift && (*drift)->environment_uid == shown.state.uid.str()) shown.drift = *std::move(drift);
  return shown;
}

bool is_there(const EnvironmentState& state) {
  return state.status != EnvironmentStatus::Absent && state.status != EnvironmentStatus::Destroyed;
}

// What is being executed there now: it goes first, and ends nothing that waits behind it.
Result<std::vector<Json>> queue_of(Transaction& transaction, const Change& change) {
  auto others = open_changes(transaction, change.environment);
  if (!others) return fail(std::move(others.error()));
  std::vector<Json> queue;
  for (const auto& other : *others) {
    if (other.state != ChangeState::Executing && other.state != ChangeState::Verifying) continue;
    queue.push_back({{"condition", "queue"},
                     {"met", false},
                     {"detail", fmt::format("{} is being executed since {}.", other.id.str(),
                                            other.history.back().at)},
                     {"who_can_unblock", Json::array()}});
  }
  return queue;
}

}  // namespace

Result<Json> list_changes(Engine& engine, const Request& request, const ChangeFilter& filter) {
  return in_transaction(
      engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Json> {
        auto changes = all_changes(transaction);
        if (!changes) return fail(std::move(changes.error()));
        Json list = Json::array();
        for (auto change = changes->rbegin(); change != changes->rend(); ++change) {
          if (!filter.environment.empty() && change->environment != filter.environment) continue;
          if (!filter.state.empty() && to_string(change->state) != filter.state) continue;
          const auto bench = bench_for(engine, transaction, *change);
          if (!bench || !may_read(*bench, request)) continue;
          list.push_back({{"id", change->id.str()},
                          {"environment", change->environment},
                          {"kind", to_string(change->kind)},
                          {"state", to_string(change->state)},
                          {"requester", to_string(change->requester)},
                          {"created_at", change->created_at},
                          {"summary", plan_summary(change->plan)}});
        }
        return list;
      });
}

Result<Json> show_change(Engine& engine, const Request& request, const ChangeId& id) {
  return read_change(
      engine, request, id, [&](Transaction& transaction, Opened& opened) -> Result<Json> {
        const auto& change = opened.change;
        Json gate = Json::array();
        bool waits_for_people = false;
        if (!change.finished() && change.state != ChangeState::Executing &&
            change.state != ChangeState::Verifying) {
          const auto checks =
              engine.checks().get(change.id, change.plan.digest, engine.clock().monotonic_now());
          auto judged =
              judge(engine, transaction, opened.bench, change, checks.value_or(CheckOutcomes()));
          if (!judged) return fail(std::move(judged.error()));
          gate = gate_json(judged->result);
          auto queue = queue_of(transaction, change);
          if (!queue) return fail(std::move(queue.error()));
          for (auto& each : *queue) gate.push_back(std::move(each));
          waits_for_people =
              std::any_of(judged->result.conditions.begin(), judged->result.conditions.end(),
                          [](const auto& each) { return !each.met && each.waits_for_people; });
        }
        auto approvals = approvals_of(transaction, change.id);
        if (!approvals) return fail(std::move(approvals.error()));
        Json given = Json::array();
        for (const auto& approval : *approvals) given.push_back(approval_summary(approval));
        return Json{{"id", change.id.str()},
                    {"environment", change.environment},
                    {"kind", to_string(change.kind)},
                    {"state", to_string(change.state)},
                    {"plan_digest", change.plan.digest},
                    {"policy_digest", change.plan.policy_digest},
                    {"requester", to_string(change.requester)},
                    {"authors", authors_json(change.authors)},
                    {"artifacts", change.plan.artifacts},
                    {"gate", std::move(gate)},
                    {"approvals", std::move(given)},
                    {"waits_for_people", waits_for_people},
                    {"summary", plan_summary(change.plan)},
                    {"created_at", change.created_at},
                    {"executor", change.executor ? Json(to_string(*change.executor)) : Json()},
                    {"history", history_json(change)},
                    {"outcome", change.outcome},
                    {"failures", failures_of(change)},
                    {"receipt", change.receipt.empty() ? Json() : Json(change.receipt)}};
      });
}

Result<Plan> plan_of_change(Engine& engine, const Request& request, const ChangeId& id) {
  return read_change(engine, request, id, [](Transaction&, Opened& opened) -> Result<Plan> {
    return std::move(opened.change.plan);
  });
}

Result<Json> export_approvals(Engine& engine, const Request& request, const ChangeId& id) {
  return read_change(
      engine, request, id, [](Transaction& transaction, Opened& opened) -> Result<Json> {
        auto approvals = approvals_of(transaction, opened.change.id);
        if (!approvals) return fail(std::move(approvals.error()));
        Json list = Json::array();
        for (const auto& approval : *approvals) {
          const auto& people = opened.bench.bundle->directory.people;
          const auto person = people.find(approval.approver);
          list.push_back({{"approver", approval.approver},
                          {"decision", to_string(approval.decision)},
                          {"envelope", approval.envelope},
                          {"keys", person == people.end() ? std::vector<std::string>()
                                                          : person->second.keys}});
        }
        return list;
      });
}

Result<Change> cancel_change(Engine& engine, const Request& request, const ChangeId& id) {
  const auto target = "change:" + id.str();
  return audited(engine, request, "change.cancel", target, [&] {
    return in_transaction(
        engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Change> {
          auto opened = open(engine, transaction, request, id);
          if (!opened) return fail(std::move(opened.error()));
          auto& change = opened->change;
          if (change.requester != request.caller.subject) {
            auto may = require(*opened->bench.bundle, *opened->bench.environment, request.caller,
                               Power::Deploy);
            if (!may) return fail(std::move(may.error()));
          }
          if (change.state != ChangeState::Waiting && change.state != ChangeState::Approved) {
            return fail(ErrorKind::FailedPrecondition,
                        fmt::format("{} is {} and can no longer be cancelled", id.str(),
                                    to_string(change.state)));
          }
          step(change, ChangeState::Cancelled, engine.now(),
               "by " + to_string(request.caller.subject));
          if (auto saved = save(transaction, change); !saved) return fail(std::move(saved.error()));
          auto index = append(transaction, entry_for(engine, request, "change.cancel", target));
          if (!index) return fail(std::move(index.error()));
          return std::move(change);
        });
  });
}

Result<Json> show_receipt(Engine& engine, const Request& request, const std::string& digest) {
  auto checkpoint = publish_checkpoint(engine);
  if (!checkpoint) return fail(std::move(checkpoint.error()));
  return audited_read(engine, request, "receipt.read", "receipt:" + digest, [&] {
    return in_transaction(
        engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Json> {
          auto record = transaction.get(Collection::Receipt, digest);
          if (!record) return fail(std::move(record.error()));
          if (!*record) return fail(ErrorKind::NotFound, "there is no receipt " + digest);
          const auto& body = (*record)->body;
          auto bench = bench_for(engine, transaction, string_member(body, "environment"));
          if (!bench) return fail(std::move(bench.error()));
          if (auto may = may_read(*bench, request); !may) return fail(std::move(may.error()));
          auto proof =
              prove_entry(transaction, member(body, "index").get<std::uint64_t>(), *checkpoint);
          if (!proof) return fail(std::move(proof.error()));
          return with_log(member(body, "receipt"), *proof);
        });
  });
}

Result<Json> list_environments(Engine& engine, const Request& request) {
  auto steady_now = engine.steady_time().now();
  if (!steady_now) return fail(std::move(steady_now.error()));
  return in_transaction(engine.store(), Access::Read,
                        [&](Transaction& transaction) -> Result<Json> {
                          auto bundle = standing_bundle(engine, transaction);
                          if (!bundle) return fail(std::move(bundle.error()));
                          Json list = Json::array();
                          for (const auto& [name, environment] : (*bundle)->environments) {
                            if (!require(**bundle, environment, request.caller, Power::Read))
                              continue;
                            auto shown = shown_of(engine, transaction, environment, *steady_now);
                            if (!shown) return fail(std::move(shown.error()));
                            if (shown->declared || is_there(shown->state))
                              list.push_back(environment_json(*shown));
                          }
                          return list;
                        });
}

Result<Json> show_environment(Engine& engine, const Request& request, const std::string& name) {
  auto steady_now = engine.steady_time().now();
  if (!steady_now) return fail(std::move(steady_now.error()));
  return audited_read(engine, request, "environment.read", "environment:" + name, [&] {
    return in_transaction(
        engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Json> {
          auto bundle = standing_bundle(engine, transaction);
          if (!bundle) return fail(std::move(bundle.error()));
          auto environment = find_environment(**bundle, name);
          if (!environment) return fail(std::move(environment.error()));
          auto may = require(**bundle, **environment, request.caller, Power::Read);
          if (!may) return fail(std::move(may.error()));
          auto shown = shown_of(engine, transaction, **environment, *steady_now);
          if (!shown) return fail(std::move(shown.error()));
          auto resources = resources_of(transaction, name);
          if (!resources) return fail(std::move(resources.error()));
          Json answer = environment_json(*shown);
          answer["drift"] = shown->drift ? drift_json(*shown->drift, shown->now) : Json();
          answer["resources"] = Json::array();
          for (const auto& resource : *resources) {
            answer["resources"].push_back({{"address", resource.address.str()},
                                           {"type", resource.type},
                                           {"provider_id", resource.provider_id},
                                           {"attributes", resource.attributes}});
          }
          answer["bindings"] = Json::object();
          for (const auto& [role, holders] : (*environment)->bindings) {
            Json names = Json::array();
            for (const auto& holder : holders) names.push_back(to_string(holder));
            answer["bindings"][role] = std::move(names);
          }
          answer["outputs"] = outputs_of(**bundle, **environment, *resources);
          auto verified = transaction.list(Collection::Verified,
                                           {.prefix = name + "/", .after = {}, .limit = 0});
          if (!verified) return fail(std::move(verified.error()));
          answer["verified"] = Json::array();
          for (const auto& record : *verified) answer["verified"].push_back(record.body);
          return answer;
        });
  });
}

}  // namespace bailey
