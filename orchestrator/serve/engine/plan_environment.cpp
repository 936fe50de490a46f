#include "orchestrator/serve/engine/plan_environment.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/spec/bundle_reader.hpp"
#include "orchestrator/declare/spec/expand.hpp"
#include "orchestrator/provision/plan/drift.hpp"
#include "orchestrator/provision/plan/planner.hpp"
#include "orchestrator/provision/plan/refresh.hpp"
#include "orchestrator/serve/engine/copy_artifacts.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

struct Recorded {
  EnvironmentState state;
  std::vector<ResourceState> resources;
  DriftReport drift;
};

Result<Recorded> recorded(Engine& engine, const std::string& environment) {
  return in_transaction(engine.store(), Access::Read,
                        [&](Transaction& transaction) -> Result<Recorded> {
                          auto state = find_environment_state(transaction, environment);
                          if (!state) return fail(std::move(state.error()));
                          auto resources = resources_of(transaction, environment);
                          if (!resources) return fail(std::move(resources.error()));
                          auto drift = find_drift_report(transaction, environment);
                          if (!drift) return fail(std::move(drift.error()));
                          Recorded found{{}, *std::move(resources), {}};
                          if (*drift) found.drift = **std::move(drift);
                          found.state.name = environment;
                          if (*state) found.state = **std::move(state);
                          return found;
                        });
}

// An account says by which program its credential is read and whom it is sent to: to open one that
// nobody has accepted would let whoever may look at a plan run programs here.
Status check_account(const Bundle& accepted, const Bundle& proposed,
                     const Environment& environment) {
  const auto& name = environment.account;
  const auto* known = accepted.environment(environment.name);
  const auto& document = accepted.document("Account", name);
  const bool same = !document.is_null() && document == proposed.document("Account", name);
  if (same && (known == nullptr || known->account == name)) return {};
  return fail(Error(ErrorKind::FailedPrecondition,
                    fmt::format("{} would use the account {} in a way that is not accepted yet",
                                environment.name, name))
                  .with_hint("Propose the specs first; the administrators approve the account:\n"
                             "    bailey apply PATH")
                  .with_code("plan.account-not-accepted"));
}

// What somebody decided to leave as it is at the provider is no reason for a plan to touch it.
void leave_ignored(Engine& engine, const Recorded& now, const ProviderSchema& schema,
                   Refreshed& refreshed) {
  if (now.drift.ignored.empty() || now.drift.environment_uid != now.state.uid.str()) return;
  auto findings = find_drift(refreshed, now.resources, schema);
  std::erase_if(findings, [&](const DriftFinding& finding) {
    return now.drift.ignores(finding, engine.now()) == nullptr;
  });
  leave_alone(refreshed, now.resources, findings);
}

}  // namespace

Result<std::vector<ResourceAddress>> check_targets(const Bundle& bundle, PlanScope& scope) {
  std::vector<ResourceAddress> targets;
  for (const auto& text : scope.targets) {
    auto address = ResourceAddress::parse(text);
    if (!address) {
      return fail(Error(ErrorKind::InvalidArgument,
                        fmt::format("\"{}\" is not the address of a resource", text))
                      .with_hint("Such as payments-dev/web or payments-dev/web[0].")
                      .with_code("plan.bad-target"));
    }
    if (!scope.only.empty() && scope.only != address->environment) {
      return fail(Error(ErrorKind::InvalidArgument, "targets are of one environment at a time")
                      .with_code("plan.bad-target"));
    }
    scope.only = address->environment;
    targets.push_back(*std::move(address));
  }
  if (targets.empty()) return targets;
  auto environment = find_environment(bundle, scope.only);
  if (!environment) return fail(std::move(environment.error()));
  if ((*environment)->environment_class <= EnvironmentClass::Development) return targets;
  return fail(
      Error(ErrorKind::Refused,
            fmt::format("{} is of class {}, and what is verified and promoted is a whole: a part "
                        "of it is not planned",
                        scope.only, to_string((*environment)->environment_class)))
          .with_hint("Targets are for sandboxes and development. Plan all of it.")
          .with_code("plan.target-refused"));
}

Result<Plan> plan_environment(Engine& engine, const PlanTarget& target, std::stop_token stop) {
  const auto& name = target.environment.name;
  const auto frame = "planning " + name;
  auto now = recorded(engine, name);
  if (!now) return fail(std::move(now.error()).in(frame));
  auto provider = engine.provider(target.bundle, target.environment);
  if (!provider) return fail(std::move(provider.error()).in(frame));

  auto artifacts = target.no_others ? decltype(target.artifacts)() : now->state.artifacts;
  for (const auto& [slot, reference] : target.artifacts) artifacts[slot] = reference;
  if (target.kind == PlanKind::Apply) {
    artifacts = in_own_repositories(target.environment, std::move(artifacts));
  }
  const auto& schema = engine.schema(target.bundle, target.environment);
  const RefreshRequest look{now->state.uid, now->state.boundary, schema, engine.clock().wall_now()};
  auto refreshed = refresh(**provider, look, now->resources, stop);
  if (!refreshed) return fail(std::move(refreshed.error()).in(frame));
  if (!target.all_drift) leave_ignored(engine, *now, schema, *refreshed);
  leave_alone(*refreshed, now->resources, target.leave);
  const auto& wanted = target.as_in == nullptr ? target.bundle : *target.as_in;
  const auto desired = expand(wanted, *wanted.environment(name), artifacts);
  auto plan = make_plan({target.kind, desired, now->state, now->resources, *refreshed, schema,
                         digest_of(policy_of(target.bundle, target.environment)),
                         template_digest_of(wanted, wanted.environment(name)->template_name),
                         std::move(artifacts), target.targets});
  if (!plan) return fail(std::move(plan.error()).in(frame));
  return plan;
}

Result<Json> plan_sources(Engine& engine, const Request& request, const BundleSources& sources,
                          const PlanScope& scope, std::stop_token stop) {
  return audited_read(engine, request, "bundle.plan", "organization", [&]() -> Result<Json> {
    Diagnostics diagnostics;
    const auto bundle = read_bundle(sources, engine.schemas(), diagnostics);
    Json answer = to_json(diagnostics);
    answer["plans"] = Json::array();
    if (!bundle) return answer;
    auto accepted = engine.bundle();
    if (!accepted) return fail(std::move(accepted.error()));
    auto meant = scope;
    const auto targets = check_targets(*bundle, meant);
    if (!targets) return fail(targets.error());
    const auto& only = meant.only;
    if (!only.empty()) {
      auto found = find_environment(*bundle, only);
      if (!found) return fail(std::move(found.error()));
    }
    for (const auto& [name, environment] : bundle->environments) {
      if (!only.empty() && name != only) continue;
      // Who may look is decided by what is accepted, not by what is proposed.
      const auto* known = (*accepted)->environment(name);
      auto allowed = known != nullptr
                         ? require(**accepted, *known, request.caller, Power::Read)
                         : require_somewhere(**accepted, request.caller, Power::Request);
      if (!allowed) {
        if (only.empty()) continue;
        return fail(std::move(allowed.error()));
      }
      if (auto open = check_account(**accepted, *bundle, environment); !open) {
        return fail(std::move(open.error()));
      }
      auto plan =
          plan_environment(engine, {*bundle, environment, PlanKind::Apply, {}, *targets}, stop);
      if (!plan) return fail(std::move(plan.error()));
      answer["plans"].push_back(to_json(*plan));
    }
    return answer;
  });
}

}  // namespace bailey
