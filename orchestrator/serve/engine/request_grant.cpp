#include "orchestrator/serve/engine/request_grant.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/engine/finish_change.hpp"
#include "orchestrator/serve/engine/grant_records.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/records.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::chrono::hours kRequestLife{24};

// The environment of that uid stands.
Result<EnvironmentUid> standing_uid(Transaction& transaction, const std::string& environment) {
  auto state = find_environment_state(transaction, environment);
  if (!state) return fail(std::move(state.error()));
  const bool stands = *state && (*state)->status != EnvironmentStatus::Absent &&
                      (*state)->status != EnvironmentStatus::Destroying &&
                      (*state)->status != EnvironmentStatus::Destroyed;
  if (stands) return (*state)->uid;
  return fail(
      Error(ErrorKind::FailedPrecondition,
            fmt::format("{} does not stand: there is nothing to have a role in", environment))
          .with_code("grant.nothing-stands"));
}

Result<std::optional<Change>> same_ask(Transaction& transaction, const Change& change) {
  auto open = open_changes(transaction, change.environment);
  if (!open) return fail(std::move(open.error()));
  for (auto& other : *open) {
    if (other.kind == change.kind && other.requester == change.requester &&
        other.plan.digest == change.plan.digest) {
      return std::optional<Change>(std::move(other));
    }
  }
  return std::optional<Change>();
}

std::string about(const GrantTerms& terms) {
  auto text = fmt::format("{} for {}", terms.role, format_duration(terms.ttl));
  if (!terms.incident.empty()) text += "; incident " + terms.incident;
  return text + ": " + terms.reason;
}

Status log_request(Engine& engine, Transaction& transaction, const Request& request,
                   const Change& change, const GrantTerms& terms) {
  auto opened = entry_for(engine, request, "change.open", "change:" + change.id.str(),
                          fmt::format("{} of {}", to_string(change.kind), change.environment));
  opened.digests = {{"plan", change.plan.digest}, {"bundle", change.bundle_digest}};
  if (auto index = append(transaction, opened); !index) return fail(std::move(index.error()));
  auto asked = entry_for(engine, request, grant_action(terms, "request"),
                         "environment:" + change.environment, about(terms));
  asked.digests = {{"plan", change.plan.digest}};
  if (auto index = append(transaction, asked); !index) return fail(std::move(index.error()));
  return {};
}

Result<Change> open_request(Engine& engine, Transaction& transaction, const Request& request,
                            const GrantAsk& ask) {
  auto bundle = engine.bundle(transaction);
  if (!bundle) return fail(std::move(bundle.error()));
  auto environment = find_environment(**bundle, ask.environment);
  if (!environment) return fail(std::move(environment.error()));
  auto terms = terms_for(**bundle, **environment, request.caller.subject, ask);
  if (!terms) return fail(std::move(terms.error()));
  auto uid = standing_uid(transaction, ask.environment);
  if (!uid) return fail(std::move(uid.error()));
  Change change;
  change.id = ChangeId(new_id(engine.random(), "chg"));
  change.kind = ChangeKind::Grant;
  change.environment = ask.environment;
  change.environment_uid = *uid;
  change.plan = grant_plan(**bundle, **environment, *uid, *terms);
  change.bundle_digest = (*bundle)->digest;
  change.requester = request.caller.subject;
  change.created_at = engine.now();
  if (auto met = can_be_met(**bundle, change); !met) return fail(std::move(met.error()));
  auto same = same_ask(transaction, change);
  if (!same) return fail(std::move(same.error()));
  if (*same) return **std::move(same);
  step(change, ChangeState::Planned, change.created_at);
  step(change, ChangeState::Waiting, change.created_at);
  if (auto saved = save(transaction, change); !saved) return fail(std::move(saved.error()));
  auto logged = log_request(engine, transaction, request, change, *terms);
  if (!logged) return fail(std::move(logged.error()));
  return change;
}

// Why a waiting request is over, and as what it ends.
struct End {
  ChangeState state = ChangeState::Superseded;
  std::string why;
};

/// The plan as it has to be today; or the end.
struct Today {
  std::optional<Plan> plan;
  std::string bundle_digest;
  End end;
};

Result<Today> plan_today(Engine& engine, Transaction& transaction, const Change& change) {
  const auto created = parse_time(change.created_at);
  if (!created || *created + kRequestLife <= engine.clock().wall_now()) {
    return Today{{}, {}, {ChangeState::Expired, "nobody let it in for a day"}};
  }
  auto bundle = engine.bundle(transaction);
  if (!bundle) return fail(std::move(bundle.error()));
  const auto* environment = (*bundle)->environment(change.environment);
  if (environment == nullptr) {
    return Today{{}, {}, {ChangeState::Superseded, "its environment is no longer declared"}};
  }
  auto uid = standing_uid(transaction, change.environment);
  if (!uid || *uid != change.environment_uid) {
    return Today{{}, {}, {ChangeState::Superseded, "the environment that it was for is gone"}};
  }
  if (change.bundle_digest == (*bundle)->digest)
    return Today{change.plan, change.bundle_digest, {}};
  auto asked = terms_of(change.plan);
  if (!asked) return fail(std::move(asked.error()));
  auto terms = terms_for(
      **bundle, *environment, asked->holder,
      {asked->kind, change.environment, asked->role, asked->ttl, asked->reason, asked->incident});
  if (!terms) return Today{{}, {}, {ChangeState::Superseded, terms.error().message()}};
  return Today{grant_plan(**bundle, *environment, *uid, *terms), (*bundle)->digest, {}};
}

bool unchanged(const Today& today, const Change& change) {
  return today.plan && today.plan->digest == change.plan.digest &&
         today.bundle_digest == change.bundle_digest;
}

// Everybody who signed a yes, whether or not it was needed: none of them reviews it.
Result<std::vector<std::string>> people_who_agreed(Transaction& transaction, const ChangeId& id) {
  auto approvals = approvals_of(transaction, id);
  if (!approvals) return fail(std::move(approvals.error()));
  std::vector<std::string> people;
  for (const auto& approval : *approvals) {
    if (approval.decision == Decision::Approve) people.push_back(approval.approver);
  }
  std::sort(people.begin(), people.end());
  people.erase(std::unique(people.begin(), people.end()), people.end());
  return people;
}

Status open_grant(Engine& engine, Transaction& transaction, const Change& change,
                  const SteadyMoment& moment) {
  if (auto current = check_grant_is_current(engine, transaction, change); !current) return current;
  auto terms = terms_of(change.plan);
  if (!terms) return fail(std::move(terms.error()));
  auto agreed = people_who_agreed(transaction, change.id);
  if (!agreed) return fail(std::move(agreed.error()));
  Grant grant;
  grant.id = grant_of_change(change.id);
  grant.change = change.id;
  grant.environment = change.environment;
  grant.environment_uid = change.environment_uid;
  grant.terms = *std::move(terms);
  grant.agreed = *std::move(agreed);
  grant.opened_at = engine.now();
  grant.ends_at = format_time(moment.now + grant.terms.ttl);
  grant.doubts = moment.doubts;
  auto entry = own_entry(
      engine, grant_action(grant.terms, "open"), "grant:" + grant.id.str(),
      fmt::format("{} has {} in {} until {}; {} agreed", to_string(grant.terms.holder),
                  about(grant.terms), grant.environment, grant.ends_at, enumerate(grant.agreed)));
  entry.digests = {{"plan", change.plan.digest}};
  auto index = append(transaction, entry);
  if (!index) return fail(std::move(index.error()));
  grant.entries.push_back(*index);
  return save(transaction, grant);
}

}  // namespace

Result<Change> request_grant(Engine& engine, const Request& request, const GrantAsk& ask) {
  const char* action = ask.kind == GrantKind::BreakGlass ? "break-glass.request" : "grant.request";
  return audited(engine, request, action, "environment:" + ask.environment, [&] {
    return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
      return open_request(engine, transaction, request, ask);
    });
  });
}

Result<Change> replan_grant(Engine& engine, Change change) {
  auto today = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return plan_today(engine, transaction, change);
  });
  if (!today) return fail(std::move(today.error()));
  if (unchanged(*today, change)) return change;
  return in_transaction(engine.store(), Access::Write,
                        [&](Transaction& transaction) -> Result<Change> {
                          auto now = load_change(transaction, change.id);
                          if (!now || now->state != change.state) return now;
                          auto again = plan_today(engine, transaction, *now);
                          if (!again) return fail(std::move(again.error()));
                          if (unchanged(*again, *now)) return now;
                          const bool over = !again->plan;
                          if (over) {
                            step(*now, again->end.state, engine.now(), again->end.why);
                          } else {
                            now->plan = *std::move(again->plan);
                            now->bundle_digest = again->bundle_digest;
                          }
                          if (auto saved = save(transaction, *now); !saved)
                            return fail(std::move(saved.error()));
                          auto entry = own_entry(engine, over ? "change.end" : "change.replan",
                                                 "change:" + now->id.str(), again->end.why);
                          entry.digests = {{"plan", now->plan.digest}};
                          auto index = append(transaction, entry);
                          if (!index) return fail(std::move(index.error()));
                          return now;
                        });
}

Status check_grant_is_current(Engine& engine, Transaction& transaction, const Change& change) {
  auto today = plan_today(engine, transaction, change);
  if (!today) return fail(std::move(today.error()));
  if (!today->plan) {
    return fail(Error(ErrorKind::Refused, today->end.why).with_code("grant.over"));
  }
  if (today->plan->digest == change.plan.digest) return {};
  return fail(Error(ErrorKind::Conflict, "what decides has changed since this was asked for")
                  .with_code("plan.stale"));
}

Result<Change> run_grant(Engine& engine, Claim& claim) {
  auto moment = steady_moment(engine);
  if (!moment) return fail(std::move(moment.error()));
  auto opened = finish_change(engine, claim, [&](Transaction& transaction) {
    return open_grant(engine, transaction, claim.change, *moment);
  });
  if (opened) return opened;
  // What could not be opened now is asked for anew: nobody waits for a grant that may come later.
  return fail_change(engine, claim, opened.error(), {});
}

}  // namespace bailey
