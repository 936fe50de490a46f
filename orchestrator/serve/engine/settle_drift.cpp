#include "orchestrator/serve/engine/settle_drift.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/plan/drift.hpp"
#include "orchestrator/serve/engine/check_drift.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace bailey {

namespace {

constexpr std::chrono::hours kLongestIgnore{24 * 90};

bool is_ours(const DriftFinding& finding) {
  return finding.kind != DriftKind::Unmanaged && finding.kind != DriftKind::Foreign;
}

tl::unexpected<Error> refuse(const char* code, std::string message, std::string hint) {
  return fail(
      Error(ErrorKind::Refused, std::move(message)).with_hint(std::move(hint)).with_code(code));
}

// What each kind of finding lets be decided about it.
Status check_action(DriftAction action, const DriftFinding& finding) {
  const auto about = describe(finding);
  switch (action) {
    case DriftAction::Restore:
      if (is_ours(finding)) return {};
      return refuse("drift.not-ours", about + ": nothing was there to restore",
                    "Remove it by hand, declare it, or ignore it.");
    case DriftAction::Accept:
      if (finding.kind == DriftKind::Changed) return {};
      return refuse("drift.not-a-field", about + ": only the value of a field can be accepted",
                    is_ours(finding) ? "Change the specs to what stands and apply, or restore it."
                                     : "Declare it in the template, remove it by hand, or ignore "
                                       "it.");
    case DriftAction::Ignore:
      if (finding.kind == DriftKind::Changed || !is_ours(finding)) return {};
      return refuse("drift.not-a-field", about + ": the next plan settles it in any case",
                    "Restore it, or change the specs to what stands and apply.");
  }
  return {};
}

Status check_wanted(const DriftRequest& wanted) {
  if (wanted.findings.empty()) {
    return fail(ErrorKind::InvalidArgument, "say which findings: their ids");
  }
  if (wanted.action != DriftAction::Ignore) return {};
  if (wanted.reason.empty()) {
    return fail(ErrorKind::InvalidArgument, "say why it is ignored: that is kept");
  }
  if (wanted.duration <= std::chrono::seconds(0) || wanted.duration > kLongestIgnore) {
    return fail(ErrorKind::InvalidArgument, "say for how long it is ignored: 90 days at most");
  }
  return {};
}

Result<std::vector<DriftDecision>> decisions_about(Engine& engine, const DriftRequest& wanted,
                                                   const DriftReport& report) {
  std::vector<DriftDecision> decisions;
  for (const auto& id : std::set<std::string>(wanted.findings.begin(), wanted.findings.end())) {
    const auto found = std::find_if(report.findings.begin(), report.findings.end(),
                                    [&](const auto& finding) { return finding.id == id; });
    if (found == report.findings.end()) {
      return fail(Error(ErrorKind::NotFound,
                        fmt::format("there is no finding \"{}\" in {} now", id, wanted.environment))
                      .with_hint("See those there are:\n    bailey drift " + wanted.environment)
                      .with_code("drift.unknown"));
    }
    if (auto fine = check_action(wanted.action, *found); !fine) {
      return fail(std::move(fine.error()));
    }
    DriftDecision decision{wanted.action, *found, wanted.reason, {}};
    if (wanted.action == DriftAction::Ignore) {
      decision.until = format_time(engine.clock().wall_now() + wanted.duration);
    }
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

std::vector<DriftFinding> findings_for(const std::vector<DriftDecision>& decisions,
                                       DriftAction action) {
  std::vector<DriftFinding> findings;
  for (const auto& decision : decisions) {
    if (decision.action == action) findings.push_back(decision.finding);
  }
  return findings;
}

// What was last applied here as a whole.
Result<BundlePointer> applied_bundle(Engine& engine, const std::string& environment) {
  return in_transaction(
      engine.store(), Access::Read, [&](Transaction& transaction) -> Result<BundlePointer> {
        auto applied = find_setting(transaction, "applied/" + environment);
        if (!applied) return fail(std::move(applied.error()));
        const auto digest = string_member(*applied, "bundle");
        if (!digest.empty()) {
          auto bundle = engine.bundle(transaction, digest);
          if (!bundle || (*bundle)->environment(environment) != nullptr) return bundle;
        }
        return fail(Error(ErrorKind::FailedPrecondition,
                          "nothing is known to have been applied in " + environment)
                        .with_hint("Apply the specs: the plan shows what was changed outside.")
                        .with_code("drift.never-applied"));
      });
}

Result<Plan> plan_restoring(Engine& engine, PlanTarget target,
                            const std::vector<DriftFinding>& findings, std::stop_token stop) {
  auto applied = applied_bundle(engine, target.environment.name);
  if (!applied) return fail(std::move(applied.error()));
  target.as_in = applied->get();
  std::set<ResourceAddress> addresses;
  for (const auto& finding : findings) {
    if (auto address = ResourceAddress::parse(finding.address)) addresses.insert(*address);
  }
  target.targets.assign(addresses.begin(), addresses.end());
  return plan_environment(engine, target, stop);
}

Status check_spec_agrees(const Plan& plan, const DriftFinding& finding) {
  for (const auto& operation : plan.operations) {
    if (operation.address.str() != finding.address) continue;
    const auto& changed = operation.changed_fields;
    const bool differs = operation.action == Action::Delete ||
                         std::find(changed.begin(), changed.end(), finding.field) != changed.end();
    if (!differs) return {};
    return refuse("drift.spec-says-otherwise",
                  fmt::format("{}: the specs want another value", describe(finding)),
                  "Change the specs to what the provider shows and apply them, then accept; or "
                  "restore it.");
  }
  return {};
}

Operation record_of(const ResourceState& state) {
  Operation operation;
  operation.address = state.address;
  operation.type = state.type;
  operation.action = Action::Record;
  operation.reason = Reason::DriftAccepted;
  operation.before = state.inputs;
  operation.after = state.inputs;
  operation.depends_on = state.depends_on;
  operation.provider_id = state.provider_id;
  operation.generation = state.generation;
  operation.protect = state.protect;
  return operation;
}

// Of the plan that would be made now only what says that the specs agree is used.
Result<Plan> plan_accepting(Engine& engine, const PlanTarget& target,
                            const std::vector<DriftFinding>& findings, std::stop_token stop) {
  auto plan = plan_environment(engine, target, stop);
  if (!plan) return plan;
  auto states = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return resources_of(transaction, target.environment.name);
  });
  if (!states) return fail(std::move(states.error()));
  std::map<ResourceAddress, Operation> records;
  for (const auto& finding : findings) {
    if (auto agrees = check_spec_agrees(*plan, finding); !agrees) {
      return fail(std::move(agrees.error()));
    }
    for (const auto& state : *states) {
      if (state.address.str() != finding.address) continue;
      auto& operation = records.try_emplace(state.address, record_of(state)).first->second;
      operation.after = with_field(*std::move(operation.after), finding.field, finding.after);
      operation.changed_fields.push_back(finding.field);
    }
  }
  plan->operations.clear();
  for (auto& [address, operation] : records) plan->operations.push_back(std::move(operation));
  return plan;
}

}  // namespace

Result<std::optional<Plan>> plan_drift(Engine& engine, const std::string& environment,
                                       std::vector<DriftDecision> decisions, std::stop_token stop) {
  auto report = look_for_drift(engine, environment, stop);
  if (!report) return fail(std::move(report.error()));
  std::erase_if(decisions, [&](const DriftDecision& decision) {
    const auto& all = report->findings;
    const bool lapsed = decision.action == DriftAction::Ignore && decision.until <= engine.now();
    return lapsed || std::none_of(all.begin(), all.end(), [&](const auto& finding) {
             return finding.id == decision.finding.id;
           });
  });
  if (decisions.empty()) return std::optional<Plan>();
  auto bundle = engine.bundle();
  if (!bundle) return fail(std::move(bundle.error()));
  auto found = find_environment(**bundle, environment);
  if (!found) return fail(std::move(found.error()));

  PlanTarget target{**bundle, **found};
  target.leave = findings_for(decisions, DriftAction::Ignore);
  target.all_drift = target.leave.empty();
  const auto restored = findings_for(decisions, DriftAction::Restore);
  auto plan = restored.empty() ? plan_accepting(engine, target,
                                                findings_for(decisions, DriftAction::Accept), stop)
                               : plan_restoring(engine, target, restored, stop);
  if (!plan) return fail(std::move(plan.error()));
  plan->deferred.clear();
  plan->drift = std::move(decisions);
  seal(*plan);
  return std::optional<Plan>(*std::move(plan));
}

Result<Change> settle_drift(Engine& engine, const Request& request, const DriftRequest& wanted,
                            std::stop_token stop) {
  const auto target = "environment:" + wanted.environment;
  const auto action = fmt::format("drift.{}", to_string(wanted.action));
  return audited(engine, request, action, target, [&]() -> Result<Change> {
    if (auto fine = check_wanted(wanted); !fine) return fail(std::move(fine.error()));
    auto bundle = engine.bundle();
    if (!bundle) return fail(std::move(bundle.error()));
    auto found = find_environment(**bundle, wanted.environment);
    if (!found) return fail(std::move(found.error()));
    auto may = require(**bundle, **found, request.caller, Power::Request);
    if (!may) return fail(std::move(may.error()));
    auto report = look_for_drift(engine, wanted.environment, stop);
    if (!report) return fail(std::move(report.error()));
    auto decisions = decisions_about(engine, wanted, *report);
    if (!decisions) return fail(std::move(decisions.error()));
    auto plan = plan_drift(engine, wanted.environment, *std::move(decisions), stop);
    if (!plan) return fail(std::move(plan.error()));
    if (!*plan) {
      return fail(Error(ErrorKind::NotFound, "the findings have gone meanwhile")
                      .with_code("drift.unknown"));
    }
    return open_change(engine, request,
                       {ChangeKind::Drift, **std::move(plan), (*bundle)->digest, {}});
  });
}

Status record_drift_decisions(Transaction& transaction, const Change& change) {
  auto known = find_drift_report(transaction, change.environment);
  if (!known) return fail(std::move(known.error()));
  if (!*known || (*known)->environment_uid != change.environment_uid.str()) return {};
  auto& report = **known;
  for (const auto& decision : change.plan.drift) {
    std::erase_if(report.ignored, [&](const DriftDecision& earlier) {
      return earlier.finding.id == decision.finding.id;
    });
    if (decision.action == DriftAction::Ignore) report.ignored.push_back(decision);
  }
  report.looked_at.clear();
  return save(transaction, report);
}

}  // namespace bailey
