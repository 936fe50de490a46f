#include "orchestrator/serve/engine/finish_change.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/roll_back.hpp"
#include "orchestrator/serve/engine/settle_drift.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

std::string judgement_key(const Change& change) {
  return "judgement/" + change.id.str();
}

std::vector<Json> list_of(const Json& body, const char* name) {
  std::vector<Json> items;
  for (const auto& item : member(body, name)) items.push_back(item);
  return items;
}

Result<Json> receipt_for(Transaction& transaction, const Change& change,
                         const std::vector<Json>& verification, const std::string& now) {
  auto kept = find_setting(transaction, judgement_key(change));
  if (!kept) return fail(std::move(kept.error()));
  ReceiptContent content;
  content.change = change;
  if (const auto known = parse_environment_class(string_member(*kept, "class"))) {
    content.environment_class = *known;
  }
  content.executed_at = string_member(*kept, "at");
  content.finished_at = now;
  content.evidence = list_of(*kept, "evidence");
  content.gate = member(*kept, "gate");
  content.policy = member(*kept, "policy");
  content.approvals = list_of(*kept, "approvals");
  content.verification = verification;
  content.outcome = change.outcome;
  return make_receipt(content);
}

// What waits for an environment that is gone was planned, asked for and approved for that one.
Status supersede_others(Engine& engine, Transaction& transaction, const Change& destroyed) {
  auto others = open_changes(transaction, destroyed.environment);
  if (!others) return fail(std::move(others.error()));
  for (auto& other : *others) {
    if (other.id == destroyed.id) continue;
    step(other, ChangeState::Superseded, engine.now(), "by " + destroyed.id.str());
    if (auto saved = save(transaction, other); !saved) return saved;
    auto index =
        append(transaction, own_entry(engine, "change.supersede", "change:" + other.id.str(),
                                      "by " + destroyed.id.str()));
    if (!index) return fail(std::move(index.error()));
  }
  return {};
}

Status update_environment(Transaction& transaction, const Change& change,
                          const std::function<void(EnvironmentState&)>& edit) {
  auto state = find_environment_state(transaction, change.environment);
  if (!state) return fail(std::move(state.error()));
  if (!*state) return fail(ErrorKind::Internal, "an environment with a change has no record");
  edit(**state);
  return save(transaction, **state);
}

// How long something has run here verified counts from its first verification, for as long as it
// stays; what went away and comes back starts anew.
Status mark_verified(Engine& engine, Transaction& transaction, const Change& change,
                     const std::vector<std::string>& stood_before) {
  for (const auto& digest : change.introduces) {
    auto item = find_verified(transaction, change.environment, digest);
    if (!item) return fail(std::move(item.error()));
    const bool stayed =
        std::find(stood_before.begin(), stood_before.end(), digest) != stood_before.end();
    if (*item && stayed) continue;
    auto saved =
        save(transaction, VerifiedItem{change.environment, digest, engine.now(), change.id.str()});
    if (!saved) return saved;
  }
  return {};
}

enum class Settled : std::uint8_t { Failed, Unverified, Verified };

// A part says nothing about the whole: what stood verified is what it was, and a targeted change
// leaves the environment to a whole one.
Status settle_part(Transaction& transaction, const Change& change, Settled settled) {
  auto updated = update_environment(transaction, change, [&](EnvironmentState& state) {
    if (settled == Settled::Failed) {
      state.status = EnvironmentStatus::Failed;
    } else if (change.kind != ChangeKind::Drift) {
      state.status = EnvironmentStatus::Partial;
    }
  });
  if (!updated || change.kind != ChangeKind::Drift) return updated;
  return record_drift_decisions(transaction, change);
}

// Where nothing is run to verify, nothing is verified.
Status settle_environment(Engine& engine, Transaction& transaction, const Change& change,
                          Settled settled) {
  if (change.plan.partial()) return settle_part(transaction, change, settled);
  std::vector<std::string> stood_before;
  auto updated = update_environment(transaction, change, [&](EnvironmentState& state) {
    for (const auto& [slot, reference] : state.artifacts) {
      stood_before.push_back(digest_in(reference));
    }
    stood_before.push_back(state.template_digest);
    if (state.artifacts != change.plan.artifacts ||
        state.template_digest != change.plan.template_digest) {
      ++state.serial;
    }
    state.artifacts = change.plan.artifacts;
    state.template_digest = change.plan.template_digest;
    state.status =
        settled == Settled::Failed ? EnvironmentStatus::Failed : EnvironmentStatus::Ready;
  });
  if (!updated) return updated;
  auto stands_by = Result<std::string>(change.bundle_digest);
  if (change.kind == ChangeKind::Rollback) {
    stands_by = bundle_of_release(transaction, change.rolls_back_to);
    if (!stands_by) return fail(std::move(stands_by.error()));
  }
  auto written = transaction.put(Collection::Setting, "applied/" + change.environment,
                                 {{"bundle", *stands_by}, {"change", change.id.str()}});
  if (!written) return fail(std::move(written.error()));
  if (settled != Settled::Verified) return {};
  return mark_verified(engine, transaction, change, stood_before);
}

VerificationStatement statement_of(Engine& engine, const Change& change,
                                   const std::vector<VerificationResult>& results) {
  VerificationStatement statement;
  statement.environment = change.environment;
  statement.environment_uid = change.environment_uid;
  statement.change = change.id;
  statement.plan_digest = change.plan.digest;
  statement.verified_at = engine.now();
  statement.results = results;
  statement.digests = change.introduces;
  return statement;
}

}  // namespace

Status keep_judgement(Engine& engine, Transaction& transaction, const Bench& bench,
                      const Change& change, const Judgement& judgement) {
  Json approvals = Json::array();
  for (const auto& approval : judgement.approvals) approvals.push_back(approval.envelope);
  auto written = transaction.put(Collection::Setting, judgement_key(change),
                                 {{"at", engine.now()},
                                  {"class", to_string(bench.environment->environment_class)},
                                  {"gate", judgement.record},
                                  {"evidence", judgement.evidence},
                                  {"approvals", std::move(approvals)},
                                  {"policy", policy_of(*bench.bundle, *bench.environment)}});
  if (!written) return fail(std::move(written.error()).in("keeping what the gate was judged by"));
  return {};
}

Result<Change> finish_change(Engine& engine, Claim& claim,
                             const std::function<Status(Transaction&)>& also,
                             const std::vector<Json>& verification) {
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Change> {
        auto change = claim.change;
        if (auto held = check_fence(transaction, claim.fence); !held) {
          return fail(std::move(held.error()));
        }
        if (auto done = also(transaction); !done) return fail(std::move(done.error()));
        step(change, ChangeState::Done, engine.now());
        auto receipt = receipt_for(transaction, change, verification, engine.now());
        if (!receipt) return fail(std::move(receipt.error()));
        change.receipt = receipt_digest_of(*receipt);
        auto entry = own_entry(engine, "change.done", "change:" + change.id.str(),
                               fmt::format("{} of {}", to_string(change.kind), change.environment));
        entry.digests = {{"plan", change.plan.digest}, {"receipt", change.receipt}};
        auto index = append(transaction, entry);
        if (!index) return fail(std::move(index.error()));
        auto written = transaction.put(Collection::Receipt, change.receipt,
                                       {{"receipt", *std::move(receipt)},
                                        {"index", *index},
                                        {"environment", change.environment},
                                        {"change", change.id.str()}});
        if (!written) return fail(std::move(written.error()));
        if (change.kind != ChangeKind::Policy) {
          auto updated = update_environment(transaction, change, [&](EnvironmentState& state) {
            state.receipt = change.receipt;
          });
          if (!updated) return fail(std::move(updated.error()));
        }
        if (auto saved = save(transaction, change); !saved) return fail(std::move(saved.error()));
        if (auto noted = note_release(engine, transaction, change); !noted) {
          return fail(std::move(noted.error()));
        }
        if (auto released = release_lease(transaction, claim.fence); !released) {
          return fail(std::move(released.error()));
        }
        return change;
      });
}

Result<Change> finish_applied(Engine& engine, Claim& claim, const Bench& bench,
                              const std::vector<VerificationResult>& results) {
  const auto statement = statement_of(engine, claim.change, results);
  if (statement.passed()) {
    return finish_change(engine, claim,
                         [&](Transaction& transaction) {
                           return settle_environment(
                               engine, transaction, claim.change,
                               results.empty() ? Settled::Unverified : Settled::Verified);
                         },
                         {to_json(to_statement(statement))});
  }
  std::string detail = "verification failed";
  for (const auto& result : results) {
    if (result.exit_code == 0) continue;
    detail += fmt::format(": \"{}\" ended with {}: {}", join(result.command, " "), result.exit_code,
                          result.detail);
    break;
  }
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Change> {
        auto change = claim.change;
        if (auto held = check_fence(transaction, claim.fence); !held) {
          return fail(std::move(held.error()));
        }
        auto settled = settle_environment(engine, transaction, change, Settled::Failed);
        if (!settled) return fail(std::move(settled.error()));
        step(change, ChangeState::Failed, engine.now(), detail);
        if (auto saved = save(transaction, change); !saved) return fail(std::move(saved.error()));
        if (auto noted = note_rollback(transaction, *bench.environment, change); !noted) {
          return fail(std::move(noted.error()));
        }
        auto entry = own_entry(engine, "change.verify", "change:" + change.id.str(), detail);
        entry.outcome = Outcome::Failed;
        auto index = append(transaction, entry);
        if (!index) return fail(std::move(index.error()));
        if (auto released = release_lease(transaction, claim.fence); !released) {
          return fail(std::move(released.error()));
        }
        return change;
      });
}

Result<Change> finish_destroyed(Engine& engine, Claim& claim) {
  return finish_change(engine, claim, [&](Transaction& transaction) -> Status {
    if (auto ended = supersede_others(engine, transaction, claim.change); !ended) return ended;
    return update_environment(transaction, claim.change, [](EnvironmentState& state) {
      state.status = EnvironmentStatus::Destroyed;
      state.boundary.clear();
      state.artifacts.clear();
      state.template_digest.clear();
      state.left.clear();
      ++state.serial;
    });
  });
}

Result<Change> fail_change(Engine& engine, Claim& claim, const Error& reason, std::stop_token stop,
                           const std::vector<std::string>& left) {
  if (reason.code() == kStoreFailed) return fail(reason);
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Change> {
        auto change = claim.change;
        if (auto held = check_fence(transaction, claim.fence); !held) {
          return fail(std::move(held.error()));
        }
        if (!stop.stop_requested()) {
          constexpr std::size_t kMaxDetail = 2000;
          const auto detail = utf8_substr(reason.render(), 0, kMaxDetail);
          step(change, ChangeState::Failed, engine.now(), detail);
          if (auto saved = save(transaction, change); !saved) {
            return fail(std::move(saved.error()));
          }
          auto entry = own_entry(engine, "change.fail", "change:" + change.id.str(), detail);
          entry.outcome = Outcome::Failed;
          auto index = append(transaction, entry);
          if (!index) return fail(std::move(index.error()));
          const bool destroying = change.kind == ChangeKind::Destroy;
          auto updated = update_environment(transaction, change, [&](EnvironmentState& state) {
            state.status = destroying ? EnvironmentStatus::Destroying : EnvironmentStatus::Failed;
            state.left = left;
            if (destroying && left.empty()) state.left = {reason.message()};
          });
          if (!updated) return fail(std::move(updated.error()));
        }
        if (auto released = release_lease(transaction, claim.fence); !released) {
          return fail(std::move(released.error()));
        }
        return change;
      });
}

}  // namespace bailey
