#include "orchestrator/serve/engine/grant_records.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/engine/grant_gate.hpp"
#include "orchestrator/serve/engine/records.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

// Sorts before every name of an environment.
constexpr std::string_view kSettled = "@settled/";
constexpr std::string_view kBeyondSettled = "@settled0";

std::string live_key(const std::string& environment, const GrantId& id) {
  return environment + "/" + id.str();
}

std::string settled_key(const std::string& environment, const GrantId& id) {
  return std::string(kSettled) + live_key(environment, id);
}

Result<std::vector<Grant>> list(Transaction& transaction, const ListOptions& options) {
  auto records = transaction.list(Collection::Grant, options);
  if (!records) return fail(std::move(records.error()).in("listing grants"));
  std::vector<Grant> grants;
  for (const auto& record : *records) {
    auto grant = grant_from_json(record.body);
    if (!grant) return fail(std::move(grant.error()).in("reading " + record.key));
    grants.push_back(*std::move(grant));
  }
  return grants;
}

std::string prefix_for(const std::string& environment) {
  return environment.empty() ? std::string() : environment + "/";
}

}  // namespace

Result<Grant> load_grant(Transaction& transaction, const GrantId& id) {
  const auto& text = id.str();
  const auto missing = [&] {
    return fail(Error(ErrorKind::NotFound, "there is no grant \"" + text + "\"")
                    .with_hint("See the grants there are:\n    bailey grant list"));
  };
  const auto dash = text.find('-');
  if (dash == std::string::npos) return missing();
  const ChangeId change_id("chg" + text.substr(dash));
  auto change = transaction.get(Collection::Change, change_id.str());
  if (!change) return fail(std::move(change.error()));
  if (!*change) return missing();
  const auto environment = string_member((*change)->body, "environment");
  const auto grant_id = grant_of_change(change_id);
  for (const auto& key : {live_key(environment, grant_id), settled_key(environment, grant_id)}) {
    auto record = transaction.get(Collection::Grant, key);
    if (!record) return fail(std::move(record.error()));
    if (!*record) continue;
    auto grant = grant_from_json((*record)->body);
    if (!grant) return fail(std::move(grant.error()).in("reading " + key));
    return grant;
  }
  if (string_member((*change)->body, "kind") != to_string(ChangeKind::Grant)) return missing();
  return fail(Error(ErrorKind::FailedPrecondition,
                    fmt::format("{} was never opened: its change {} is {}", grant_id.str(),
                                change_id.str(), string_member((*change)->body, "state")))
                  .with_hint("Whoever asked for it can take it back while it waits:\n    bailey "
                             "change cancel " +
                             change_id.str()));
}

Result<std::vector<Grant>> live_grants(Transaction& transaction, const std::string& environment) {
  return list(
      transaction,
      {.prefix = prefix_for(environment), .after = std::string(kBeyondSettled), .limit = 0});
}

Result<std::vector<Grant>> settled_grants(Transaction& transaction,
                                          const std::string& environment) {
  return list(transaction,
              {.prefix = std::string(kSettled) + prefix_for(environment), .after = {}, .limit = 0});
}

Status save(Transaction& transaction, const Grant& grant) {
  const auto live = live_key(grant.environment, grant.id);
  const auto key = grant.settled() ? settled_key(grant.environment, grant.id) : live;
  auto written = transaction.put(Collection::Grant, key, to_json(grant));
  if (!written) return fail(std::move(written.error()).in("writing " + key));
  if (!grant.settled()) return {};
  auto erased = transaction.erase(Collection::Grant, live);
  if (!erased) return fail(std::move(erased.error()).in("writing " + key));
  return {};
}

Result<SteadyMoment> steady_moment(Engine& engine) {
  auto now = engine.steady_time().now();
  if (!now) return fail(std::move(now.error()));
  auto doubts = engine.steady_time().doubts();
  if (!doubts) return fail(std::move(doubts.error()));
  return SteadyMoment{*now, *doubts};
}

Result<std::optional<std::string>> why_over(Engine& engine, Transaction& transaction,
                                            const Grant& grant, const SteadyMoment& moment) {
  using Why = std::optional<std::string>;
  if (grant.state != GrantState::Open) return Why(grant.ended_because);
  const auto ends = parse_time(grant.ends_at);
  if (!ends || *ends <= moment.now) return Why("its time is over");
  if (grant.doubts != moment.doubts) {
    return Why("the clock was set back while nobody ran, and how long that was is not known");
  }
  auto state = find_environment_state(transaction, grant.environment);
  if (!state) return fail(std::move(state.error()));
  if (!*state || (*state)->uid != grant.environment_uid ||
      (*state)->status == EnvironmentStatus::Destroyed) {
    return Why("the environment that it was for is gone");
  }
  auto bundle = engine.bundle(transaction);
  if (!bundle) return fail(std::move(bundle.error()));
  const auto* environment = (*bundle)->environment(grant.environment);
  if (environment == nullptr) return Why("its environment is no longer declared");
  if (auto offered = is_offered(**bundle, *environment, grant.terms); !offered) {
    return Why(offered.error().message());
  }
  return Why();
}

std::string grant_action(const GrantTerms& terms, std::string_view verb) {
  return fmt::format("{}.{}", terms.kind == GrantKind::BreakGlass ? "break-glass" : "grant", verb);
}

}  // namespace bailey
