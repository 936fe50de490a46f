#include "orchestrator/serve/engine/show_grants.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/engine/grant_records.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/review_grant.hpp"
#include "orchestrator/serve/engine/standing_bundle.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json review_json(const Bundle& bundle, const Grant& grant) {
  if (!grant.terms.review) return {};
  Json given = Json::array();
  for (const auto& review : grant.reviews) {
    given.push_back({{"reviewer", review.reviewer},
                     {"at", review.at},
                     {"conclusion", review.conclusion},
                     {"envelope", review.envelope}});
  }
  return {{"from", to_string(grant.terms.review->from)},
          {"count", grant.terms.review->count},
          {"within_seconds", grant.terms.review_within.count()},
          {"due_at", or_null(grant.review_due)},
          {"overdue", grant.overdue},
          {"signed", std::move(given)},
          {"who_can_sign",
           grant.owes_review() ? reviewers_of(bundle, grant) : std::vector<std::string>()},
          {"reviewed_at", or_null(grant.reviewed_at)}};
}

Json shown(const Bundle& bundle, const Grant& grant, std::optional<WallTime> steady_now) {
  Json uses = Json::array();
  for (const auto& use : grant.uses) {
    uses.push_back({{"at", use.at}, {"credential", use.credential.str()}, {"entry", use.entry}});
  }
  Json left;
  if (const auto ends = parse_time(grant.ends_at);
      ends && steady_now && grant.state == GrantState::Open) {
    left = std::max<std::int64_t>(
        0, std::chrono::floor<std::chrono::seconds>(*ends - *steady_now).count());
  }
  return {{"id", grant.id.str()},
          {"kind", to_string(grant.terms.kind)},
          {"environment", grant.environment},
          {"environment_uid", grant.environment_uid.str()},
          {"role", grant.terms.role},
          {"holder", to_string(grant.terms.holder)},
          {"state", to_string(grant.state)},
          {"reason", grant.terms.reason},
          {"incident", or_null(grant.terms.incident)},
          {"change", grant.change.str()},
          {"agreed", grant.agreed},
          {"ttl_seconds", grant.terms.ttl.count()},
          {"opened_at", or_null(grant.opened_at)},
          {"ends_at", or_null(grant.ends_at)},
          {"seconds_left", std::move(left)},
          {"ended_at", or_null(grant.ended_at)},
          {"ended_because", or_null(grant.ended_because)},
          {"uses", std::move(uses)},
          {"entries", grant.entries},
          {"digest", grant.opened_at.empty() ? Json() : Json(grant_digest_of(grant))},
          {"review", review_json(bundle, grant)}};
}

// A request that waits, told like the grant that it may become.
std::optional<Grant> requested(const Change& change) {
  auto terms = change.kind == ChangeKind::Grant ? terms_of(change.plan)
                                                : Result<GrantTerms>(fail(ErrorKind::NotFound, ""));
  if (!terms) return std::nullopt;
  Grant grant;
  grant.id = grant_of_change(change.id);
  grant.change = change.id;
  grant.environment = change.environment;
  grant.environment_uid = change.environment_uid;
  grant.terms = *std::move(terms);
  return grant;
}

Status add_waiting(Transaction& transaction, const Bundle& bundle, const Caller& caller,
                   const std::string& environment, Json& list) {
  auto open = list_open_changes(transaction);
  if (!open) return fail(std::move(open.error()));
  for (auto each = open->rbegin(); each != open->rend(); ++each) {
    if (!environment.empty() && each->environment != environment) continue;
    auto change = load_change(transaction, each->id);
    if (!change) return fail(std::move(change.error()));
    const auto grant = requested(*change);
    if (!grant || change->finished() || !may_see(bundle, *grant, caller)) continue;
    auto item = shown(bundle, *grant, {});
    item["state"] = "waiting";
    list.push_back(std::move(item));
  }
  return {};
}

}  // namespace

bool may_see(const Bundle& bundle, const Grant& grant, const Caller& caller) {
  const auto& directory = bundle.directory;
  const auto& me = caller.subject;
  if (grant.terms.holder == me || is_administrator(bundle, me)) return true;
  if (grant.terms.review && directory.contains({grant.terms.review->from}, me)) return true;
  const auto* environment = bundle.environment(grant.environment);
  if (environment == nullptr) return false;
  if (require(bundle, *environment, caller, Power::Read)) return true;
  if (environment->break_glass && directory.contains(environment->break_glass->who, me)) {
    return true;
  }
  const auto grantable = environment->grantable.find(grant.terms.role);
  return grantable != environment->grantable.end() && directory.contains(grantable->second.to, me);
}

Result<Json> grant_json(Engine& engine, Transaction& transaction, const Grant& grant,
                        std::optional<WallTime> steady_now) {
  auto bundle = engine.bundle(transaction);
  if (!bundle) return fail(std::move(bundle.error()));
  return shown(**bundle, grant, steady_now);
}

Result<Json> list_grants(Engine& engine, const Request& request, const std::string& environment,
                         Settled settled) {
  auto moment = steady_moment(engine);
  if (!moment) return fail(std::move(moment.error()));
  return in_transaction(
      engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Json> {
        auto bundle = standing_bundle(engine, transaction);
        if (!bundle) return fail(std::move(bundle.error()));
        if (!environment.empty()) {
          auto found = find_environment(**bundle, environment);
          if (!found) return fail(std::move(found.error()));
        }
        Json list = Json::array();
        auto waiting = add_waiting(transaction, **bundle, request.caller, environment, list);
        if (!waiting) return fail(std::move(waiting.error()));
        auto grants = live_grants(transaction, environment);
        if (!grants) return fail(std::move(grants.error()));
        if (settled == Settled::With) {
          auto past = settled_grants(transaction, environment);
          if (!past) return fail(std::move(past.error()));
          grants->insert(grants->end(), past->begin(), past->end());
        }
        std::sort(grants->begin(), grants->end(), [](const Grant& left, const Grant& right) {
          return left.opened_at > right.opened_at;
        });
        for (const auto& grant : *grants) {
          if (!may_see(**bundle, grant, request.caller)) continue;
          list.push_back(shown(**bundle, grant, moment->now));
        }
        return list;
      });
}

Result<Json> show_grant(Engine& engine, const Request& request, const GrantId& id) {
  auto moment = steady_moment(engine);
  if (!moment) return fail(std::move(moment.error()));
  return audited_read(engine, request, "grant.read", "grant:" + id.str(), [&] {
    return in_transaction(
        engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Json> {
          auto bundle = standing_bundle(engine, transaction);
          if (!bundle) return fail(std::move(bundle.error()));
          auto grant = load_grant(transaction, id);
          if (!grant) return fail(std::move(grant.error()));
          if (!may_see(**bundle, *grant, request.caller)) {
            return fail(Error(ErrorKind::PermissionDenied,
                              fmt::format("{} has no part in {}", to_string(request.caller.subject),
                                          grant->id.str()))
                            .with_code("identity.power-missing"));
          }
          return shown(**bundle, *grant, moment->now);
        });
  });
}

}  // namespace bailey
