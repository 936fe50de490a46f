#include "orchestrator/serve/engine/lease_credential.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/engine/credential_access.hpp"
#include "orchestrator/serve/engine/hold_grant.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/with_lease.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::chrono::minutes kLentTime{10};

struct Opened {
  BundlePointer bundle;
  CredentialAccess access;
};

// The environment for somebody who holds the power there.
Result<Opened> open_with(Engine& engine, const Request& request, const std::string& environment,
                         Power power) {
  auto bundle = engine.bundle();
  if (!bundle) return fail(std::move(bundle.error()));
  auto found = find_environment(**bundle, environment);
  if (!found) return fail(std::move(found.error()));
  if (auto may = require(**bundle, **found, request.caller, power); !may) {
    return fail(std::move(may.error()));
  }
  auto access = credential_access(engine, **bundle, **found);
  if (!access) return fail(std::move(access.error()));
  return Opened{*std::move(bundle), *std::move(access)};
}

Status is_role_of(const Bundle& bundle, const Environment& environment, const std::string& role) {
  const auto& roles = bundle.templates.at(environment.template_name).roles;
  const bool emergency = role == kBreakGlassRole && environment.break_glass;
  if (!roles.contains(role) && !emergency) {
    std::vector<std::string> names;
    for (const auto& [name, each] : roles) names.push_back(name);
    return fail(
        Error(ErrorKind::NotFound, fmt::format("{} has no role \"{}\"", environment.name, role))
            .with_hint("It has " + enumerate(names) + "."));
  }
  return {};
}

// Held by a binding, or by a grant, with which the credential ends.
Result<LeaseRequest> wanted_lease(Engine& engine, const Request& request, const Bundle& bundle,
                                  const Environment& environment, const std::string& role,
                                  std::chrono::seconds ttl) {
  LeaseRequest wanted{role, to_string(request.caller.subject), ttl};
  if (roles_of(bundle, environment, request.caller.subject).contains(role)) return wanted;
  auto held = held_grant(engine, request, environment.name, role);
  if (!held) return fail(std::move(held.error()));
  wanted.ttl = std::min(ttl, held->left);
  wanted.grant = held->grant.id;
  wanted.guard = [&engine, request, held = *std::move(held)](Transaction& transaction,
                                                             const CredentialId& credential) {
    return note_use(engine, transaction, request, held, credential);
  };
  return wanted;
}

// Stamping comes by with changes, and an emergency does not wait for one.
Status ensure_emergency_role(Engine& engine, const CredentialAccess& access,
                             const std::string& environment, std::stop_token stop) {
  const std::string role(kBreakGlassRole);
  auto known = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return transaction.get(Collection::Identity, environment + "/" + role);
  });
  if (!known) return fail(std::move(known.error()));
  if (*known && !string_member((*known)->body, "id").empty()) return {};
  return with_lease(
      engine, environment, "credentials", stop, [&](const Fence& fence, std::stop_token ended) {
        FencedStore store(engine.store(), fence);
        return stamp_role(access.tools(engine, store), access.scope, role, Actor{}, ended);
      });
}

Actor actor_of(const Request& request) {
  return {to_string(request.caller.subject), request.caller.proof, request.id};
}

// The first role, by name, that can only look.
std::optional<std::string> reading_role(const Template& spec) {
  for (const auto& [name, role] : spec.roles) {
    const bool only_looks = !role.powers.empty() && !role.grants.empty() &&
                            std::all_of(role.powers.begin(), role.powers.end(), [](Power power) {
                              return power == Power::Read || power == Power::Audit;
                            });
    if (only_looks) return name;
  }
  return std::nullopt;
}

}  // namespace

Result<HandedOut> lease_credential(Engine& engine, const Request& request,
                                   const std::string& environment, const std::string& role,
                                   std::chrono::seconds ttl, std::stop_token stop) {
  const auto target = "environment:" + environment;
  return audited(engine, request, "credential.lease", target, [&]() -> Result<HandedOut> {
    auto bundle = engine.bundle();
    if (!bundle) return fail(std::move(bundle.error()));
    auto found = find_environment(**bundle, environment);
    if (!found) return fail(std::move(found.error()));
    if (auto known = is_role_of(**bundle, **found, role); !known) {
      return fail(std::move(known.error()));
    }
    auto wanted = wanted_lease(engine, request, **bundle, **found, role, ttl);
    if (!wanted) return fail(std::move(wanted.error()));
    auto access = credential_access(engine, **bundle, **found);
    if (!access) return fail(std::move(access.error()));
    if (role == kBreakGlassRole && access->stamped) {
      auto ready = ensure_emergency_role(engine, *access, environment, stop);
      if (!ready) return fail(std::move(ready.error()));
    }
    auto leased =
        lease_role(access->tools(engine), access->scope, *wanted, actor_of(request), stop);
    if (!leased) return fail(std::move(leased.error()));
    auto variables = access->provider->tool_environment(leased->material);
    if (!variables) return fail(std::move(variables.error()));
    return HandedOut{std::move(leased->lease), *std::move(variables)};
  });
}

Status revoke_one_lease(Engine& engine, const Request& request, const std::string& environment,
                        const LeaseId& lease, std::stop_token stop) {
  const auto target = "lease:" + lease.str();
  return audited(engine, request, "credential.revoke", target, [&]() -> Status {
    auto listing = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
      return list_credentials(transaction, environment);
    });
    if (!listing) return fail(std::move(listing.error()));
    const bool own =
        std::any_of(listing->leases.begin(), listing->leases.end(), [&](const Lease& each) {
          return each.id == lease && each.holder == to_string(request.caller.subject);
        });
    auto bundle = engine.bundle();
    if (!bundle) return fail(std::move(bundle.error()));
    auto found = find_environment(**bundle, environment);
    if (!found) return fail(std::move(found.error()));
    if (!own) {
      auto may = require(**bundle, **found, request.caller, Power::Administer);
      if (!may) return may;
    }
    auto access = credential_access(engine, **bundle, **found);
    if (!access) return fail(std::move(access.error()));
    return revoke_lease(access->tools(engine), access->scope, lease, actor_of(request), stop);
  });
}

Status revoke_credentials(Engine& engine, const Request& request, const std::string& environment,
                          const std::string& role, std::stop_token stop) {
  const auto target = "environment:" + environment;
  return audited(engine, request, "credential.revoke", target, [&]() -> Status {
    auto opened = open_with(engine, request, environment, Power::Administer);
    if (!opened) return fail(std::move(opened.error()));
    const auto tools = opened->access.tools(engine);
    const auto actor = actor_of(request);
    return role.empty() ? revoke_all(tools, opened->access.scope, actor, stop)
                        : revoke_role(tools, opened->access.scope, role, actor, stop);
  });
}

Status rotate_credentials(Engine& engine, const Request& request, const std::string& environment,
                          std::stop_token stop) {
  const auto target = "environment:" + environment;
  return audited(engine, request, "credential.rotate", target, [&]() -> Status {
    auto opened = open_with(engine, request, environment, Power::Administer);
    if (!opened) return fail(std::move(opened.error()));
    // Rotating is for whoever has the environment's lease, as stamping and stripping are.
    return with_lease(engine, environment, "credentials", stop,
                      [&](const Fence& fence, std::stop_token ended) {
                        FencedStore store(engine.store(), fence);
                        return renew_credentials(opened->access.tools(engine, store),
                                                 opened->access.scope, actor_of(request), ended);
                      });
  });
}

Result<Json> list_environment_credentials(Engine& engine, const Request& request,
                                          const std::string& environment) {
  return audited_read(engine, request, "credential.list", "environment:" + environment, [&] {
    return in_transaction(engine.store(), Access::Read,
                          [&](Transaction& transaction) -> Result<Json> {
                            auto bundle = engine.bundle(transaction);
                            if (!bundle) return fail(std::move(bundle.error()));
                            auto found = find_environment(**bundle, environment);
                            if (!found) return fail(std::move(found.error()));
                            auto may = require(**bundle, **found, request.caller, Power::Read);
                            if (!may) return fail(std::move(may.error()));
                            auto listing = list_credentials(transaction, environment);
                            if (!listing) return fail(std::move(listing.error()));
                            Json answer{{"credentials", Json::array()}, {"leases", Json::array()}};
                            for (const auto& each : listing->credentials) {
                              answer["credentials"].push_back(to_json(each));
                            }
                            for (const auto& each : listing->leases)
                              answer["leases"].push_back(to_json(each));
                            return answer;
                          });
  });
}

Status stamp_environment(Engine& engine, const Bundle& bundle, const Environment& environment,
                         const Fence& fence, std::stop_token stop) {
  auto access = credential_access(engine, bundle, environment);
  if (!access) return fail(std::move(access.error()));
  FencedStore store(engine.store(), fence);
  return stamp_credentials(access->tools(engine, store), access->scope, Actor{}, stop);
}

Status strip_environment(Engine& engine, const Bundle& bundle, const Environment& environment,
                         const Fence& fence, std::stop_token stop) {
  auto access = credential_access(engine, bundle, environment);
  if (!access) return fail(std::move(access.error()));
  FencedStore store(engine.store(), fence);
  return strip_credentials(access->tools(engine, store), access->scope, Actor{}, stop);
}

Result<LentCredential> lend_read_credential(Engine& engine, const Bundle& bundle,
                                            const Environment& environment, std::stop_token stop) {
  LentCredential lent;
  const auto role = reading_role(bundle.templates.at(environment.template_name));
  if (!role) return lent;
  auto access = credential_access(engine, bundle, environment);
  if (!access) return fail(std::move(access.error()));
  if (!access->stamped) return lent;
  auto leased =
      lease_role(access->tools(engine), access->scope, {*role, "bailey", kLentTime}, Actor{}, stop);
  if (!leased) return fail(std::move(leased.error()));
  auto variables = access->provider->tool_environment(leased->material);
  if (!variables) return fail(std::move(variables.error()));
  lent.lease = std::move(leased->lease);
  lent.variables = *std::move(variables);
  return lent;
}

void return_read_credential(Engine& engine, const Bundle& bundle, const Environment& environment,
                            const LentCredential& lent) {
  if (!lent.lease) return;
  auto access = credential_access(engine, bundle, environment);
  if (!access) return;
  // What cannot be revoked now is listed as revoking and ends by itself.
  [[maybe_unused]] const auto revoked =
      revoke_lease(access->tools(engine), access->scope, lent.lease->id, Actor{}, {});
}

}  // namespace bailey
