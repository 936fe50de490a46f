#include "orchestrator/serve/engine/sandboxes.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/engine/execute_change.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/request_change.hpp"
#include "orchestrator/serve/engine/standing_bundle.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::chrono::hours kLongestExtension{24 * 7};

Error refused(const char* code, std::string message, std::string hint) {
  return Error(ErrorKind::Refused, std::move(message)).with_hint(std::move(hint)).with_code(code);
}

Status check_extension(const Bundle& bundle, const Environment& environment,
                       const EnvironmentState& state, WallTime now, std::chrono::seconds ttl) {
  if (environment.environment_class != EnvironmentClass::Sandbox) {
    return fail(ErrorKind::FailedPrecondition, environment.name + " is no sandbox: it has no end");
  }
  const auto end = end_of(environment, state);
  if (!end || state.status == EnvironmentStatus::Destroying) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("{} is {}", environment.name, to_string(state.status)));
  }
  if (*end <= now) {
    return fail(ErrorKind::FailedPrecondition,
                environment.name + " has ended already and is being taken down");
  }
  const auto wanted = now + ttl;
  const auto& maximum = bundle.accounts.at(environment.account).limits.maximum_ttl;
  const auto made = parse_time(state.made_at);
  const auto latest = maximum && made ? *made + *maximum : now + kLongestExtension;
  if (wanted <= latest) return {};
  return fail(
      refused("sandbox.too-long",
              fmt::format("{} can live until {} at most", environment.name, format_time(latest)),
              maximum ? fmt::format("Sandboxes on the account {} live {} at most.",
                                    environment.account, format_duration(*maximum))
                      : "Extend it again later."));
}

// The destroy that was begun for this sandbox, whoever asked for it.
Result<std::optional<Change>> begun(Engine& engine, const std::string& environment) {
  return in_transaction(
      engine.store(), Access::Read, [&](Transaction& transaction) -> Result<std::optional<Change>> {
        auto state = find_environment_state(transaction, environment);
        if (!state) return fail(std::move(state.error()));
        auto open = list_open_changes(transaction);
        if (!open) return fail(std::move(open.error()));
        std::optional<Change> newest;
        for (const auto& each : *open) {
          if (!*state || each.environment != environment) continue;
          auto change = load_change(transaction, each.id);
          if (!change) return fail(std::move(change.error()));
          if (change->kind != ChangeKind::Destroy || change->environment_uid != (*state)->uid) {
            continue;
          }
          if (!change->finished() || may_resume(**state, *change)) newest = *std::move(change);
        }
        return newest;
      });
}

Result<Change> open(Engine& engine, const std::string& environment, std::stop_token stop) {
  auto bundle = standing_bundle(engine);
  if (!bundle) return fail(std::move(bundle.error()));
  auto found = find_environment(**bundle, environment);
  if (!found) return fail(std::move(found.error()));
  auto plan = plan_environment(engine, {**bundle, **found, PlanKind::Destroy}, stop);
  if (!plan) return fail(std::move(plan.error()));
  const Request request{{reaper_subject(), "self"}, {}};
  return open_change(engine, request,
                     {ChangeKind::Destroy, *std::move(plan), (*bundle)->digest, {}});
}

Result<Claim> claim_destroy(Engine& engine, const std::string& environment, std::stop_token stop) {
  auto change = begun(engine, environment);
  if (!change) return fail(std::move(change.error()));
  if (*change && (*change)->state != ChangeState::Waiting &&
      (*change)->state != ChangeState::Approved) {
    return reclaim_change(engine, (*change)->id);
  }
  auto current = *change ? replan_if_stale(engine, **std::move(change), stop)
                         : open(engine, environment, stop);
  if (current && current->finished()) current = open(engine, environment, stop);
  if (!current) return fail(std::move(current.error()));
  return claim_change(engine, current->id, std::nullopt, stop);
}

// Seen where the environment is; the log gets it when it is another one than before.
void keep_failure(Engine& engine, const std::string& environment, const Error& error) {
  [[maybe_unused]] const auto kept =
      in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
        auto state = find_environment_state(transaction, environment);
        if (!state) return fail(std::move(state.error()));
        if (!*state || (*state)->left == std::vector{error.message()}) return {};
        (*state)->left = {error.message()};
        if (auto saved = save(transaction, **state); !saved) return saved;
        auto entry =
            own_entry(engine, "sandbox.end", "environment:" + environment, error.message());
        entry.outcome = Outcome::Failed;
        auto index = append(transaction, entry);
        if (!index) return fail(std::move(index.error()));
        return {};
      });
}

}  // namespace

std::optional<WallTime> end_of(const Environment& environment, const EnvironmentState& state) {
  const bool stands =
      state.status != EnvironmentStatus::Absent && state.status != EnvironmentStatus::Destroyed;
  const auto made = parse_time(state.made_at);
  if (environment.environment_class != EnvironmentClass::Sandbox || !stands || !environment.ttl ||
      !made) {
    return std::nullopt;
  }
  const auto end = *made + *environment.ttl;
  return std::max(end, parse_time(state.extended_until).value_or(end));
}

Result<Json> extend_sandbox(Engine& engine, const Request& request, const std::string& environment,
                            std::chrono::seconds ttl) {
  const auto target = "environment:" + environment;
  return audited(engine, request, "sandbox.extend", target, [&]() -> Result<Json> {
    auto now = engine.steady_time().now();
    if (!now) return fail(std::move(now.error()));
    return in_transaction(
        engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Json> {
          auto bundle = engine.bundle(transaction);
          if (!bundle) return fail(std::move(bundle.error()));
          auto found = find_environment(**bundle, environment);
          if (!found) return fail(std::move(found.error()));
          auto may = require(**bundle, **found, request.caller, Power::Request);
          if (!may) return fail(std::move(may.error()));
          auto state = find_environment_state(transaction, environment);
          if (!state) return fail(std::move(state.error()));
          EnvironmentState stands = *state ? **std::move(state) : EnvironmentState{};
          if (auto fine = check_extension(**bundle, **found, stands, *now, ttl); !fine) {
            return fail(std::move(fine.error()));
          }
          stands.extended_until = std::max(stands.extended_until, format_time(*now + ttl));
          if (auto saved = save(transaction, stands); !saved) return fail(std::move(saved.error()));
          const auto ends_at = format_time(*end_of(**found, stands));
          auto index = append(transaction, entry_for(engine, request, "sandbox.extend", target,
                                                     "until " + ends_at));
          if (!index) return fail(std::move(index.error()));
          return Json{{"environment", environment}, {"ends_at", ends_at}};
        });
  });
}

Result<std::vector<std::string>> expired_sandboxes(Engine& engine) {
  auto now = engine.steady_time().now();
  if (!now) return fail(std::move(now.error()));
  return in_transaction(engine.store(), Access::Read,
                        [&](Transaction& transaction) -> Result<std::vector<std::string>> {
                          auto bundle = standing_bundle(engine, transaction);
                          if (!bundle) return fail(std::move(bundle.error()));
                          std::vector<std::string> expired;
                          for (const auto& [name, environment] : (*bundle)->environments) {
                            if (environment.environment_class != EnvironmentClass::Sandbox)
                              continue;
                            auto state = find_environment_state(transaction, name);
                            if (!state) return fail(std::move(state.error()));
                            const auto end = *state ? end_of(environment, **state) : std::nullopt;
                            if (end && *end <= *now) expired.push_back(name);
                          }
                          return expired;
                        });
}

Subject reaper_subject() {
  return {SubjectKind::Service, "@reaper"};
}

Status reap_sandbox(Engine& engine, const std::string& environment, std::stop_token stop) {
  auto claim = claim_destroy(engine, environment, stop);
  if (!claim) {
    if (!stop.stop_requested()) keep_failure(engine, environment, claim.error());
    return fail(std::move(claim.error()).in("ending the sandbox " + environment));
  }
  auto ended = run_change(engine, *std::move(claim), {}, stop);
  if (!ended) return fail(std::move(ended.error()).in("ending the sandbox " + environment));
  if (ended->state == ChangeState::Done) return {};
  return fail(ErrorKind::FailedPrecondition, ended->history.back().detail);
}

}  // namespace bailey
