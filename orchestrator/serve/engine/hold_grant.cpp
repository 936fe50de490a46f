#include "orchestrator/serve/engine/hold_grant.hpp"

#include "orchestrator/serve/engine/records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace bailey {

namespace {

tl::unexpected<Error> over(const Grant& grant, const std::string& why) {
  return fail(Error(ErrorKind::PermissionDenied, fmt::format("{} is over: {}", grant.id.str(), why))
                  .with_hint("What is still needed has to be asked for again.")
                  .with_code("grant.over"));
}

tl::unexpected<Error> not_held(const Request& request, const std::string& environment,
                               const std::string& role) {
  return fail(Error(ErrorKind::PermissionDenied,
                    fmt::format("{} does not hold the role \"{}\" in {}",
                                to_string(request.caller.subject), role, environment))
                  .with_hint("Roles are held through the bindings of the environment, or for a "
                             "while:\n    bailey grant request " +
                             environment + " --role " + role + " --reason ...")
                  .with_code("identity.role-missing"));
}

std::chrono::seconds left_of(const Grant& grant, WallTime now) {
  const auto ends = parse_time(grant.ends_at);
  return ends ? std::chrono::floor<std::chrono::seconds>(*ends - now) : std::chrono::seconds(0);
}

}  // namespace

Result<Caller> with_grants(Engine& engine, Caller caller) {
  auto moment = steady_moment(engine);
  if (!moment) return fail(std::move(moment.error()));
  return in_transaction(
      engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Caller> {
        auto grants = live_grants(transaction, "");
        if (!grants) return fail(std::move(grants.error()));
        for (const auto& grant : *grants) {
          if (grant.terms.holder != caller.subject || grant.state != GrantState::Open) continue;
          auto why = why_over(engine, transaction, grant, *moment);
          if (!why) return fail(std::move(why.error()));
          if (*why) continue;
          caller.granted[grant.environment].insert(grant.terms.powers.begin(),
                                                   grant.terms.powers.end());
        }
        return std::move(caller);
      });
}

Result<HeldGrant> held_grant(Engine& engine, const Request& request, const std::string& environment,
                             const std::string& role) {
  auto moment = steady_moment(engine);
  if (!moment) return fail(std::move(moment.error()));
  return in_transaction(
      engine.store(), Access::Read, [&](Transaction& transaction) -> Result<HeldGrant> {
        auto grants = live_grants(transaction, environment);
        if (!grants) return fail(std::move(grants.error()));
        std::optional<HeldGrant> held;
        std::optional<std::pair<Grant, std::string>> ended;
        for (auto& grant : *grants) {
          if (grant.terms.holder != request.caller.subject || grant.terms.role != role) continue;
          auto why = why_over(engine, transaction, grant, *moment);
          if (!why) return fail(std::move(why.error()));
          const auto left = left_of(grant, moment->now);
          if (!*why && left < std::chrono::seconds(1)) *why = "its time is over";
          if (*why) {
            ended.emplace(std::move(grant), **std::move(why));
          } else if (!held || held->left < left) {
            held = HeldGrant{std::move(grant), *moment, left};
          }
        }
        if (held) return *std::move(held);
        if (ended) return over(ended->first, ended->second);
        return not_held(request, environment, role);
      });
}

Status note_use(Engine& engine, Transaction& transaction, const Request& request,
                const HeldGrant& held, const CredentialId& credential) {
  const auto& id = held.grant.id;
  auto grant = load_grant(transaction, id);
  if (!grant) return fail(std::move(grant.error()));
  auto why = why_over(engine, transaction, *grant, held.moment);
  if (!why) return fail(std::move(why.error()));
  if (*why) return over(*grant, **why);
  auto entry = entry_for(
      engine, request, grant_action(grant->terms, "use"), "grant:" + id.str(),
      fmt::format("{} for {} in {}", credential.str(), grant->terms.role, grant->environment));
  auto index = append(transaction, entry);
  if (!index) return fail(std::move(index.error()));
  grant->uses.push_back({entry.time, credential, *index});
  return save(transaction, *grant);
}

}  // namespace bailey
