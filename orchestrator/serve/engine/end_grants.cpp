#include "orchestrator/serve/engine/end_grants.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/credential/credentials.hpp"
#include "orchestrator/serve/engine/credential_access.hpp"
#include "orchestrator/serve/engine/grant_records.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/show_grants.hpp"
#include "orchestrator/serve/engine/standing_bundle.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bailey {

namespace {

// From here on nobody may use it, whatever the provider says.
Status begin_end(Engine& engine, Transaction& transaction, Grant grant, AuditEntry entry,
                 const std::string& why) {
  grant.state = GrantState::Closing;
  grant.ended_at = engine.now();
  grant.ended_because = why;
  entry.action = grant_action(grant.terms, "end");
  entry.target = "grant:" + grant.id.str();
  entry.detail = fmt::format("{} has {} of {} no more: {}", to_string(grant.terms.holder),
                             grant.terms.role, grant.environment, why);
  auto index = append(transaction, entry);
  if (!index) return fail(std::move(index.error()));
  grant.entries.push_back(*index);
  return save(transaction, grant);
}

// The entry that closes it: nothing of it lives any more.
Status close(Engine& engine, const GrantId& id, WallTime steady_now) {
  return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
    auto grant = load_grant(transaction, id);
    if (!grant) return fail(std::move(grant.error()));
    if (grant->state != GrantState::Closing) return {};
    grant->state = GrantState::Closed;
    auto text = fmt::format("{} of {} in {}: {} credentials were taken, none of them lives",
                            grant->terms.role, to_string(grant->terms.holder), grant->environment,
                            grant->uses.size());
    if (grant->owes_review()) {
      grant->review_due = format_time(steady_now + grant->terms.review_within);
      text += "; to be reviewed by " + grant->review_due;
    }
    auto index = append(transaction, own_entry(engine, grant_action(grant->terms, "close"),
                                               "grant:" + id.str(), text));
    if (!index) return fail(std::move(index.error()));
    grant->entries.push_back(*index);
    return save(transaction, *grant);
  });
}

Status shut_out(Engine& engine, const Grant& grant, const Actor& actor, std::stop_token stop) {
  auto bundle = standing_bundle(engine);
  if (!bundle) return fail(std::move(bundle.error()));
  auto environment = find_environment(**bundle, grant.environment);
  if (!environment) return fail(std::move(environment.error()));
  auto access = credential_access(engine, **bundle, **environment);
  if (!access) return fail(std::move(access.error()));
  return revoke_of_grant(access->tools(engine), access->scope, grant.id, actor, stop);
}

Status finish_end(Engine& engine, const Grant& grant, const Actor& actor, std::stop_token stop) {
  auto moment = steady_moment(engine);
  if (!moment) return fail(std::move(moment.error()));
  if (auto gone = shut_out(engine, grant, actor, stop); !gone) {
    return fail(std::move(gone.error()).in("ending " + grant.id.str()));
  }
  return close(engine, grant.id, moment->now);
}

bool review_is_late(const Grant& grant, WallTime now) {
  if (grant.state != GrantState::Closed || !grant.owes_review() || grant.overdue) return false;
  const auto due = parse_time(grant.review_due);
  return !due || *due <= now;
}

Status tell_late(Engine& engine, Transaction& transaction, Grant grant) {
  grant.overdue = true;
  auto entry =
      own_entry(engine, grant_action(grant.terms, "overdue"), "grant:" + grant.id.str(),
                fmt::format("{} of {} had to be reviewed by {}; {} stays frozen", grant.terms.role,
                            to_string(grant.terms.holder), grant.review_due, grant.environment));
  entry.outcome = Outcome::Failed;
  auto index = append(transaction, entry);
  if (!index) return fail(std::move(index.error()));
  return save(transaction, grant);
}

// What has to be written before anything is done at the provider.
Status note_due(Engine& engine, const std::string& environment, const SteadyMoment& moment) {
  return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
    auto grants = live_grants(transaction, environment);
    if (!grants) return fail(std::move(grants.error()));
    for (auto& grant : *grants) {
      if (review_is_late(grant, moment.now)) {
        if (auto told = tell_late(engine, transaction, grant); !told) return told;
      }
      if (grant.state != GrantState::Open) continue;
      auto why = why_over(engine, transaction, grant, moment);
      if (!why) return fail(std::move(why.error()));
      if (!*why) continue;
      auto ended =
          begin_end(engine, transaction, std::move(grant), own_entry(engine, {}, {}), **why);
      if (!ended) return ended;
    }
    return {};
  });
}

Status may_end(const Bundle& bundle, const Grant& grant, const Caller& caller) {
  const bool agreed = caller.subject.kind == SubjectKind::Person &&
                      std::find(grant.agreed.begin(), grant.agreed.end(), caller.subject.name) !=
                          grant.agreed.end();
  if (grant.terms.holder == caller.subject || agreed || is_administrator(bundle, caller.subject)) {
    return {};
  }
  const auto* environment = bundle.environment(grant.environment);
  if (environment != nullptr) return require(bundle, *environment, caller, Power::Administer);
  return require_administrator(bundle, caller);
}

}  // namespace

Result<Json> revoke_grant(Engine& engine, const Request& request, const GrantId& id,
                          std::stop_token stop) {
  const auto target = "grant:" + id.str();
  auto ending = audited(engine, request, "grant.revoke", target, [&]() -> Result<Grant> {
    return in_transaction(
        engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Grant> {
          auto grant = load_grant(transaction, id);
          if (!grant) return fail(std::move(grant.error()));
          auto bundle = engine.bundle(transaction);
          if (!bundle) return fail(std::move(bundle.error()));
          if (auto may = may_end(**bundle, *grant, request.caller); !may) {
            return fail(std::move(may.error()));
          }
          if (grant->state == GrantState::Closed) {
            return fail(
                ErrorKind::FailedPrecondition,
                fmt::format("{} has ended already: {}", grant->id.str(), grant->ended_because));
          }
          if (grant->state == GrantState::Closing) return grant;
          auto ended = begin_end(engine, transaction, *grant, entry_for(engine, request, {}, {}),
                                 "revoked by " + to_string(request.caller.subject));
          if (!ended) return fail(std::move(ended.error()));
          return grant;
        });
  });
  if (!ending) return fail(std::move(ending.error()));
  // It is over in any case; what the provider does not do now, it is asked for again.
  const Actor actor{to_string(request.caller.subject), request.caller.proof, request.id};
  auto gone = finish_end(engine, *ending, actor, stop);
  if (!gone) {
    [[maybe_unused]] const auto noted =
        logged(engine,
               own_entry(engine, grant_action(ending->terms, "close"), "grant:" + ending->id.str()),
               gone.error());
  }
  return in_transaction(engine.store(), Access::Read,
                        [&](Transaction& transaction) -> Result<Json> {
                          auto grant = load_grant(transaction, ending->id);
                          if (!grant) return fail(std::move(grant.error()));
                          return grant_json(engine, transaction, *grant, {});
                        });
}

Result<std::vector<std::string>> environments_with_due_grants(Engine& engine) {
  using Names = std::vector<std::string>;
  auto moment = steady_moment(engine);
  if (!moment) return fail(std::move(moment.error()));
  return in_transaction(
      engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Names> {
        auto grants = live_grants(transaction, "");
        if (!grants) return fail(std::move(grants.error()));
        std::set<std::string> due;
        for (const auto& grant : *grants) {
          bool now = grant.state == GrantState::Closing || review_is_late(grant, moment->now);
          if (grant.state == GrantState::Open) {
            auto why = why_over(engine, transaction, grant, *moment);
            if (!why) return fail(std::move(why.error()));
            now = why->has_value();
          }
          if (now) due.insert(grant.environment);
        }
        return Names(due.begin(), due.end());
      });
}

Status settle_grants(Engine& engine, const std::string& environment, std::stop_token stop) {
  auto moment = steady_moment(engine);
  if (!moment) return fail(std::move(moment.error()));
  if (auto noted = note_due(engine, environment, *moment); !noted) return noted;
  auto grants = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return live_grants(transaction, environment);
  });
  if (!grants) return fail(std::move(grants.error()));
  Status first;
  for (const auto& grant : *grants) {
    if (grant.state != GrantState::Closing) continue;
    auto ended = finish_end(engine, grant, Actor{}, stop);
    if (!ended && first) first = std::move(ended);
  }
  return first;
}

}  // namespace bailey
