#include "orchestrator/serve/engine/probe_isolation.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/model/grant.hpp"
#include "orchestrator/serve/engine/credential_access.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::chrono::minutes kProbeLease{10};

struct Standing {
  const Environment* environment = nullptr;
  CredentialAccess access;
  ProbeTarget target;
};

std::string_view to_string(ProbeOutcome outcome) {
  switch (outcome) {
    case ProbeOutcome::Refused:
      return "refused";
    case ProbeOutcome::Allowed:
      return "allowed";
    case ProbeOutcome::Unknown:
      return "unknown";
  }
  return "unknown";
}

// The environments that stand, and what is in them.
Result<std::vector<Standing>> standing_environments(Engine& engine, const Bundle& bundle) {
  std::vector<Standing> standing;
  for (const auto& [name, environment] : bundle.environments) {
    auto access = credential_access(engine, bundle, environment);
    if (!access) return fail(std::move(access.error()).in("looking at " + name));
    if (access->scope.boundary.empty() || !access->stamped) continue;
    Standing item{&environment, *std::move(access), {}};
    item.target.boundary = item.access.scope.boundary;
    auto resources = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
      return resources_of(transaction, name);
    });
    if (!resources) return fail(std::move(resources.error()));
    for (const auto& resource : *resources) {
      item.target.things.push_back({resource.type, resource.provider_id});
    }
    standing.push_back(std::move(item));
  }
  return standing;
}

class Prober {
 public:
  Prober(Engine& engine, const Request& request, std::vector<Standing> standing,
         std::stop_token stop)
      : engine_(engine),
        actor_{bailey::to_string(request.caller.subject), request.caller.proof, request.id},
        standing_(std::move(standing)),
        stop_(std::move(stop)) {}

  Status probe_from(const Standing& own) {
    const auto tools = own.access.tools(engine_);
    for (const auto& [entry, spec] : own.access.scope.credentials) {
      auto material = read_standing_credential(tools, own.access.scope, entry, actor_);
      if (!material) return fail(std::move(material.error()));
      auto tried = try_all(own, "credential " + entry, *material);
      if (!tried) return tried;
    }
    for (const auto& [role, spec] : own.access.scope.roles) {
      if (spec.grants.empty()) continue;
      auto leased =
          lease_role(tools, own.access.scope, {role, actor_.name, kProbeLease}, actor_, stop_);
      // Until its first emergency an environment may have no identity for one.
      const bool never_made =
          role == kBreakGlassRole && !leased && leased.error().code() == "credential.not-stamped";
      if (never_made) continue;
      if (!leased) return fail(std::move(leased.error()));
      auto tried = try_all(own, "role " + role, leased->material);
      auto revoked = revoke_lease(tools, own.access.scope, leased->lease.id, actor_, stop_);
      if (!tried) return tried;
      if (!revoked) return revoked;
    }
    return {};
  }

  [[nodiscard]] const std::vector<Standing>& standing() const noexcept { return standing_; }
  [[nodiscard]] Json result() && {
    return {{"ok", refused_ == attempts_.size() && !attempts_.empty()},
            {"attempts", std::move(attempts_)}};
  }

 private:
  Status try_all(const Standing& own, const std::string& what, const Secret& material) {
    for (const auto& other : standing_) {
      if (other.environment == own.environment) continue;
      auto attempts = own.access.provider->probe(material, other.target, stop_);
      if (!attempts) {
        return fail(std::move(attempts.error())
                        .in(fmt::format("probing {} from {}", other.environment->name,
                                        own.environment->name)));
      }
      for (const auto& attempt : *attempts) {
        if (attempt.outcome == ProbeOutcome::Refused) ++refused_;
        attempts_.push_back({{"credential", own.environment->name + " " + what},
                             {"target", other.environment->name},
                             {"operation", attempt.operation},
                             {"outcome", to_string(attempt.outcome)},
                             {"detail", attempt.detail}});
      }
    }
    return {};
  }

  Engine& engine_;
  Actor actor_;
  std::vector<Standing> standing_;
  std::stop_token stop_;
  Json attempts_ = Json::array();
  std::size_t refused_ = 0;
};

Status may_probe(const Bundle& bundle, const Environment& environment, const Caller& caller) {
  if (require(bundle, environment, caller, Power::Administer)) return {};
  return require(bundle, environment, caller, Power::Audit);
}

}  // namespace

Result<Json> probe_isolation(Engine& engine, const Request& request, const std::string& only,
                             std::stop_token stop) {
  const auto target = only.empty() ? std::string("environments") : "environment:" + only;
  return audited(engine, request, "isolation.probe", target, [&]() -> Result<Json> {
    auto bundle = engine.bundle();
    if (!bundle) return fail(std::move(bundle.error()));
    if (!only.empty()) {
      auto found = find_environment(**bundle, only);
      if (!found) return fail(std::move(found.error()));
    }
    auto standing = standing_environments(engine, **bundle);
    if (!standing) return fail(std::move(standing.error()));
    Prober prober(engine, request, *std::move(standing), stop);
    for (const auto& own : prober.standing()) {
      if (!only.empty() && own.environment->name != only) continue;
      if (auto may = may_probe(**bundle, *own.environment, request.caller); !may) {
        return fail(std::move(may.error()));
      }
      if (auto probed = prober.probe_from(own); !probed) return fail(std::move(probed.error()));
    }
    auto result = std::move(prober).result();
    auto entry = entry_for(engine, request, "isolation.probe", target,
                           fmt::format("{} attempts, {}", result["attempts"].size(),
                                       result["ok"] == true ? "all refused" : "NOT all refused"));
    entry.digests["matrix"] = digest_of(result);
    if (result["ok"] != true) entry.outcome = Outcome::Failed;
    auto written = in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
      return append(transaction, entry);
    });
    if (!written) return fail(std::move(written.error()));
    return result;
  });
}

}  // namespace bailey
