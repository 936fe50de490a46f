#include "orchestrator/serve/engine/plan_environment.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/spec/bundle_reader.hpp"
#include "orchestrator/declare/spec/expand.hpp"
#include "orchestrator/provision/plan/planner.hpp"
#include "orchestrator/provision/plan/refresh.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

struct Recorded {
  EnvironmentState state;
  std::vector<ResourceState> resources;
};

Result<Recorded> recorded(Engine& engine, const std::string& environment) {
  return in_transaction(engine.store(), Access::Read,
                        [&](Transaction& transaction) -> Result<Recorded> {
                          auto state = find_environment_state(transaction, environment);
                          if (!state) return fail(std::move(state.error()));
                          auto resources = resources_of(transaction, environment);
                          if (!resources) return fail(std::move(resources.error()));
                          Recorded found{{}, *std::move(resources)};
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

}  // namespace

Result<Plan> plan_environment(Engine& engine, const PlanTarget& target, std::stop_token stop) {
  const auto& name = target.environment.name;
  const auto frame = "planning " + name;
  auto now = recorded(engine, name);
  if (!now) return fail(std::move(now.error()).in(frame));
  auto provider = engine.provider(target.bundle, target.environment);
  if (!provider) return fail(std::move(provider.error()).in(frame));

  auto artifacts = now->state.artifacts;
  for (const auto& [slot, reference] : target.artifacts) artifacts[slot] = reference;
  const auto& schema = engine.schema(target.bundle, target.environment);
  const RefreshRequest look{now->state.uid, now->state.boundary, schema, engine.clock().wall_now()};
  auto refreshed = refresh(**provider, look, now->resources, stop);
  if (!refreshed) return fail(std::move(refreshed.error()).in(frame));
  const auto desired = expand(target.bundle, target.environment, artifacts);
  auto plan = make_plan({target.kind, desired, now->state, now->resources, *refreshed, schema,
                         digest_of(policy_of(target.bundle, target.environment)),
                         template_digest_of(target.bundle, target.environment.template_name),
                         std::move(artifacts)});
  if (!plan) return fail(std::move(plan.error()).in(frame));
  return plan;
}

Result<Json> plan_sources(Engine& engine, const Request& request, const BundleSources& sources,
                          const std::string& only, std::stop_token stop) {
  return audited_read(engine, request, "bundle.plan", "organization", [&]() -> Result<Json> {
    Diagnostics diagnostics;
    const auto bundle = read_bundle(sources, engine.schemas(), diagnostics);
    Json answer = to_json(diagnostics);
    answer["plans"] = Json::array();
    if (!bundle) return answer;
    auto accepted = engine.bundle();
    if (!accepted) return fail(std::move(accepted.error()));
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
      auto plan = plan_environment(engine, {*bundle, environment}, stop);
      if (!plan) return fail(std::move(plan.error()));
      answer["plans"].push_back(to_json(*plan));
    }
    return answer;
  });
}

}  // namespace bailey
