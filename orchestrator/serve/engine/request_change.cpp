#include "orchestrator/serve/engine/request_change.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/duties/prove_duties.hpp"
#include "orchestrator/declare/spec/bundle_reader.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/serve/engine/bundle_record.hpp"
#include "orchestrator/serve/engine/collect_evidence.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/log_in.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "orchestrator/serve/engine/policy_change.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/request_grant.hpp"
#include "orchestrator/serve/engine/roll_back.hpp"
#include "orchestrator/serve/engine/root_of_trust.hpp"
#include "orchestrator/serve/engine/settle_drift.hpp"
#include "orchestrator/serve/engine/standing_bundle.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bailey {

namespace {

// Those who wrote the specs count as authors until the environment stands as the bundle says: also
// those of bundles that were accepted in between and not applied here.
Result<std::vector<std::string>> spec_authors(Transaction& transaction,
                                              const std::string& environment,
                                              const std::string& bundle_digest) {
  auto applied = find_setting(transaction, "applied/" + environment);
  if (!applied) return fail(std::move(applied.error()));
  const auto stands = string_member(*applied, "bundle");
  std::set<std::string> authors;
  std::set<std::string> seen{stands};
  std::vector<std::string> open{bundle_digest};
  while (!open.empty()) {
    const auto digest = std::move(open.back());
    open.pop_back();
    if (!seen.insert(digest).second) continue;
    auto origin = bundle_origin(transaction, digest);
    if (!origin) return fail(std::move(origin.error()));
    authors.insert(origin->authors.begin(), origin->authors.end());
    auto before = bundles_before(transaction, digest);
    if (!before) return fail(std::move(before.error()));
    open.insert(open.end(), before->begin(), before->end());
  }
  return std::vector<std::string>(authors.begin(), authors.end());
}

// Whoever makes a bundle the accepted one answers for all of it, whatever authors are named.
BundleOrigin with_proposer(const Bundle& accepted, const Request& request, BundleOrigin origin) {
  const auto person = accepted.directory.people.find(request.caller.subject.name);
  if (request.caller.subject.kind == SubjectKind::Person &&
      person != accepted.directory.people.end()) {
    origin.authors.push_back(person->second.email);
  }
  return origin;
}

Result<std::vector<std::string>> spec_authors(Engine& engine, const std::string& environment,
                                              const std::string& bundle_digest) {
  return in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return spec_authors(transaction, environment, bundle_digest);
  });
}

Status store_and_accept(Engine& engine, Transaction& transaction, const Request& request,
                        const Bundle& bundle, const BundleSources& sources,
                        const BundleOrigin& origin) {
  auto stored = store_bundle(transaction, bundle, sources, origin);
  if (!stored) return stored;
  return accept_bundle(engine, transaction, entry_for(engine, request, "bundle.accept", ""),
                       bundle.digest);
}

Result<std::optional<EnvironmentState>> read_state(Engine& engine, const std::string& environment) {
  return in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return find_environment_state(transaction, environment);
  });
}

// Where the last change failed or did a part, or the record is made anew, nothing may be left to do
// but to verify.
bool is_unverified(const EnvironmentState& state) {
  return state.status == EnvironmentStatus::Failed || state.status == EnvironmentStatus::Imported ||
         state.status == EnvironmentStatus::Partial;
}

bool is_unverified(Engine& engine, const std::string& environment) {
  const auto state = read_state(engine, environment);
  return state && *state && is_unverified(**state);
}

bool artifacts_stand(Engine& engine, const std::string& environment, const Plan& plan) {
  const auto state = read_state(engine, environment);
  return state && *state && (*state)->artifacts == plan.artifacts && !is_unverified(**state);
}

bool stands_as_declared(Engine& engine, const Bundle& bundle, const Environment& environment,
                        std::stop_token stop) {
  const auto plan = plan_environment(engine, {bundle, environment}, stop);
  return plan && plan->empty() && !is_unverified(engine, environment.name);
}

// One environment of an accepted bundle: opens a change when it differs.
Status apply_environment(Engine& engine, const Request& request, const Bundle& bundle,
                         const Environment& environment,
                         const std::vector<ResourceAddress>& targets, std::stop_token stop,
                         Json& answer) {
  auto plan = plan_environment(engine, {bundle, environment, PlanKind::Apply, {}, targets}, stop);
  if (!plan) return fail(std::move(plan.error()));
  if (plan->empty() && (!targets.empty() || !is_unverified(engine, environment.name))) {
    answer["unchanged"].push_back(environment.name);
    return {};
  }
  auto authors = spec_authors(engine, environment.name, bundle.digest);
  if (!authors) return fail(std::move(authors.error()));
  auto change = open_change(
      engine, request, {ChangeKind::Apply, *std::move(plan), bundle.digest, *std::move(authors)});
  if (!change) return fail(std::move(change.error()));
  answer["changes"].push_back(change->id.str());
  return {};
}

Status check_artifact(Engine& engine, const Bundle& bundle, const Project& project,
                      const Template& used, const std::string& name, const std::string& text,
                      std::stop_token stop) {
  auto reference = parse_artifact_reference(text);
  if (!reference) return fail(std::move(reference.error()));
  const auto repository = project.repositories.find(name);
  if (repository == project.repositories.end()) {
    return fail(Error(ErrorKind::Refused,
                      fmt::format("project {} has no artifact \"{}\"", project.name, name))
                    .with_code("artifact.unknown"));
  }
  if (repository->second != reference->name()) {
    return fail(Error(ErrorKind::Refused,
                      fmt::format("artifact \"{}\" of project {} comes from {}, not from {}", name,
                                  project.name, repository->second, reference->name()))
                    .with_code("artifact.foreign-repository"));
  }
  if (std::find(used.artifacts.begin(), used.artifacts.end(), name) == used.artifacts.end()) {
    return fail(Error(ErrorKind::Refused,
                      fmt::format("template {} has no slot for artifact \"{}\"", used.name, name))
                    .with_code("artifact.no-slot"));
  }
  return look_up_artifact(engine, bundle, project.name, name, *reference, false, stop);
}

Result<std::optional<Change>> open_destroy(Engine& engine, const Request& request,
                                           const Bundle& bundle, const Environment& environment,
                                           std::stop_token stop) {
  auto state = read_state(engine, environment.name);
  if (!state) return fail(std::move(state.error()));
  if (!*state || (*state)->status == EnvironmentStatus::Destroyed ||
      (*state)->status == EnvironmentStatus::Absent) {
    return std::optional<Change>();
  }
  auto plan = plan_environment(engine, {bundle, environment, PlanKind::Destroy}, stop);
  if (!plan) return fail(std::move(plan.error()));
  auto change =
      open_change(engine, request, {ChangeKind::Destroy, *std::move(plan), bundle.digest, {}});
  if (!change) return fail(std::move(change.error()));
  return std::optional<Change>(*std::move(change));
}

// What stands and is no longer declared is taken down, through the gate that it had.
Status destroy_removed(Engine& engine, const Request& request, const Bundle& declared,
                       std::stop_token stop, Json& answer) {
  auto standing = standing_bundle(engine);
  if (!standing) return fail(std::move(standing.error()));
  for (const auto& [name, environment] : (*standing)->environments) {
    if (declared.environment(name) != nullptr) continue;
    auto may = require(**standing, environment, request.caller, Power::Request);
    auto change = may ? open_destroy(engine, request, **standing, environment, stop)
                      : Result<std::optional<Change>>(fail(std::move(may.error())));
    if (!change) {
      answer["refused"].push_back({{"environment", name}, {"reason", change.error().render()}});
    } else if (*change) {
      answer["changes"].push_back((*change)->id.str());
    }
  }
  return {};
}

Result<BundlePointer> bundle_with_power(Engine& engine, const Request& request,
                                        const std::string& environment, Power power) {
  auto bundle = engine.bundle();
  if (!bundle) return bundle;
  auto found = find_environment(**bundle, environment);
  if (!found) return fail(std::move(found.error()));
  if (auto allowed = require(**bundle, **found, request.caller, power); !allowed) {
    return fail(std::move(allowed.error()));
  }
  return bundle;
}

// The same request as things stand now; nothing when there is nothing left of it.
Result<std::optional<Plan>> plan_again(Engine& engine, const Change& change, const Bundle& bundle,
                                       std::stop_token stop) {
  const auto* environment = bundle.environment(change.environment);
  if (environment == nullptr) return std::optional<Plan>();
  if (change.kind == ChangeKind::Drift) {
    return plan_drift(engine, change.environment, change.plan.drift, stop);
  }
  if (change.kind == ChangeKind::Rollback) return plan_rollback(engine, change, stop);
  auto plan = plan_environment(
      engine, {bundle, *environment, change.plan.kind, change.brings, change.plan.targets}, stop);
  if (!plan) return fail(std::move(plan.error()));
  return std::optional<Plan>(*std::move(plan));
}

// A policy counts for the changes that are opened after it: what was asked for under another one
// has to be asked for again, whether it would be easier to let in now or harder.
Result<Change> end_if_policy_changed(Engine& engine, Change change) {
  auto differs =
      in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) -> Result<bool> {
        auto bench = bench_for(engine, transaction, change);
        if (!bench) {
          if (bench.error().kind() == ErrorKind::NotFound) return false;
          return fail(std::move(bench.error()));
        }
        return digest_of(policy_of(*bench->bundle, *bench->environment)) !=
               change.plan.policy_digest;
      });
  if (!differs) return fail(std::move(differs.error()));
  if (!*differs) return change;
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Change> {
        auto now = load_change(transaction, change.id);
        if (!now || now->state != change.state) return now;
        step(*now, ChangeState::Superseded, engine.now(),
             "what decides here has changed since it was asked for: ask again");
        if (auto saved = save(transaction, *now); !saved) return fail(std::move(saved.error()));
        auto index =
            append(transaction, own_entry(engine, "change.supersede", "change:" + now->id.str(),
                                          "what decides has changed"));
        if (!index) return fail(std::move(index.error()));
        return now;
      });
}

}  // namespace

Result<Json> accept_first_bundle(Engine& engine, const Request& request,
                                 const BundleSources& sources, const BundleOrigin& origin) {
  return audited(engine, request, "bundle.init", "organization", [&]() -> Result<Json> {
    if (request.caller.subject != bootstrap_subject() || request.caller.proof.empty()) {
      return fail(Error(ErrorKind::PermissionDenied,
                        "the first bundle is accepted from the holder "
                        "of the server's bootstrap token alone")
                      .with_hint("It lies in the file bootstrap-token of the server's data folder.")
                      .with_code("bundle.bootstrap-only"));
    }
    Diagnostics diagnostics;
    BundlePlaces places;
    const auto bundle = read_bundle(sources, engine.schemas(), diagnostics, &places);
    if (bundle) check_policy(*bundle, places, diagnostics);
    Json answer = to_json(diagnostics);
    answer["digest"] = bundle ? Json(bundle->digest) : Json();
    answer["change"] = nullptr;
    if (!bundle || diagnostics.has_errors()) return answer;
    if (!bundle->organization) {
      return fail(Error(ErrorKind::InvalidArgument,
                        "the first bundle has no Organization: nobody could ever change it")
                      .with_code("bundle.no-organization"));
    }
    auto done =
        in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
          auto setting = find_setting(transaction, "bundle");
          if (!setting) return fail(std::move(setting.error()));
          if (!setting->is_null()) {
            return fail(ErrorKind::Conflict, "this server has accepted its first bundle already");
          }
          auto accepted = store_and_accept(engine, transaction, request, *bundle, sources, origin);
          if (!accepted) return accepted;
          auto token = revoke_token(transaction, request.caller.proof.substr(6));
          if (!token) return fail(std::move(token.error()).in("using up the bootstrap token"));
          auto change = ask_to_confirm(engine, transaction, request, *bundle);
          if (!change) return fail(std::move(change.error()));
          answer["change"] = change->id.str();
          return {};
        });
    if (!done) return fail(std::move(done.error()));
    return answer;
  });
}

Result<Json> apply_bundle(Engine& engine, const Request& request, const ApplyRequest& apply,
                          std::stop_token stop) {
  return audited(engine, request, "bundle.apply", "organization", [&]() -> Result<Json> {
    Diagnostics diagnostics;
    BundlePlaces places;
    const auto bundle = read_bundle(apply.sources, engine.schemas(), diagnostics, &places);
    Json answer = to_json(diagnostics);
    answer.update({{"digest", nullptr},
                   {"accepted", false},
                   {"changes", Json::array()},
                   {"unchanged", Json::array()},
                   {"refused", Json::array()}});
    if (!bundle) return answer;
    answer["digest"] = bundle->digest;
    auto accepted = engine.bundle();
    if (!accepted) return fail(std::move(accepted.error()));
    if (auto may = require_somewhere(**accepted, request.caller, Power::Request); !may) {
      return fail(std::move(may.error()));
    }
    const auto origin = with_proposer(**accepted, request, apply.origin);
    if (policy_digest_of(*bundle) != policy_digest_of(**accepted)) {
      check_policy(*bundle, places, diagnostics);
      answer.update(to_json(diagnostics));
      if (diagnostics.has_errors()) return answer;
      auto change = propose_policy(engine, request, **accepted, *bundle, apply.sources, origin);
      if (!change) return fail(std::move(change.error()));
      answer["changes"].push_back(change->id.str());
      return answer;
    }
    PlanScope scope{apply.only, apply.targets};
    const auto targets = check_targets(*bundle, scope);
    if (!targets) return fail(targets.error());
    if (!scope.only.empty()) {
      auto found = find_environment(*bundle, scope.only);
      if (!found) return fail(std::move(found.error()));
    }
    auto stored =
        in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
          // What decides may have changed since it was compared: it is never taken back this way.
          auto newest = engine.bundle(transaction);
          if (!newest) return fail(std::move(newest.error()));
          if (policy_digest_of(*bundle) != policy_digest_of(**newest)) {
            return fail(Error(ErrorKind::Conflict, "what decides has changed in the meantime")
                            .with_hint("Run the command again.")
                            .with_code("bundle.moved"));
          }
          return store_and_accept(engine, transaction, request, *bundle, apply.sources, origin);
        });
    if (!stored) return fail(std::move(stored.error()));
    answer["accepted"] = true;
    for (const auto& [name, environment] : bundle->environments) {
      if (!scope.only.empty() && name != scope.only) continue;
      auto may = require(*bundle, environment, request.caller, Power::Request);
      auto done =
          may ? apply_environment(engine, request, *bundle, environment, *targets, stop, answer)
              : may;
      if (done) continue;
      // Somebody else's environment that stands as declared is no business of this caller.
      if (!may && scope.only.empty() && stands_as_declared(engine, *bundle, environment, stop)) {
        continue;
      }
      if (!scope.only.empty()) return fail(std::move(done.error()));
      answer["refused"].push_back({{"environment", name}, {"reason", done.error().render()}});
    }
    if (!scope.only.empty()) return answer;
    auto removed = destroy_removed(engine, request, *bundle, stop, answer);
    if (!removed) return fail(std::move(removed.error()));
    return answer;
  });
}

Result<Json> accepted_bundle(Engine& engine) {
  return in_transaction(engine.store(), Access::Read,
                        [&](Transaction& transaction) -> Result<Json> {
                          auto bundle = engine.bundle(transaction);
                          if (!bundle) return fail(std::move(bundle.error()));
                          auto origin = bundle_origin(transaction, (*bundle)->digest);
                          if (!origin) return fail(std::move(origin.error()));
                          return Json{{"digest", (*bundle)->digest}, {"commit", origin->commit}};
                        });
}

Result<std::optional<Change>> request_promotion(Engine& engine, const Request& request,
                                                const PromotionRequest& promotion,
                                                std::stop_token stop) {
  const auto target = "environment:" + promotion.to;
  return audited(engine, request, "change.promote", target, [&]() -> Result<std::optional<Change>> {
    auto bundle = bundle_with_power(engine, request, promotion.to, Power::Request);
    if (!bundle) return fail(std::move(bundle.error()));
    const auto& environment = *(*bundle)->environment(promotion.to);
    if (environment.project != promotion.project) {
      return fail(
          Error(ErrorKind::Refused, fmt::format("{} belongs to project {}, not to {}", promotion.to,
                                                environment.project, promotion.project))
              .with_code("promotion.foreign-project"));
    }
    const auto& project = (*bundle)->projects.at(environment.project);
    const auto& used = (*bundle)->templates.at(environment.template_name);
    if (promotion.artifacts.empty()) {
      return fail(ErrorKind::InvalidArgument, "a promotion names at least one artifact");
    }
    for (const auto& [name, reference] : promotion.artifacts) {
      auto fine = check_artifact(engine, **bundle, project, used, name, reference, stop);
      if (!fine) return fail(std::move(fine.error()));
    }
    auto plan = plan_environment(
        engine, {**bundle, environment, PlanKind::Apply, promotion.artifacts}, stop);
    if (!plan) return fail(std::move(plan.error()));
    if (plan->empty() && artifacts_stand(engine, promotion.to, *plan)) {
      return std::optional<Change>();
    }
    auto authors = spec_authors(engine, promotion.to, (*bundle)->digest);
    if (!authors) return fail(std::move(authors.error()));
    auto change = open_change(engine, request,
                              {ChangeKind::Promotion, *std::move(plan), (*bundle)->digest,
                               *std::move(authors), promotion.artifacts});
    if (!change) return fail(std::move(change.error()));
    return std::optional<Change>(*std::move(change));
  });
}

Result<std::optional<Change>> request_destroy(Engine& engine, const Request& request,
                                              const std::string& environment,
                                              std::stop_token stop) {
  const auto target = "environment:" + environment;
  return audited(engine, request, "change.destroy", target, [&]() -> Result<std::optional<Change>> {
    auto bundle = standing_bundle(engine);
    if (!bundle) return fail(std::move(bundle.error()));
    auto found = find_environment(**bundle, environment);
    if (!found) return fail(std::move(found.error()));
    auto may = require(**bundle, **found, request.caller, Power::Request);
    if (!may) return fail(std::move(may.error()));
    return open_destroy(engine, request, **bundle, **found, stop);
  });
}

Result<Change> replan_if_stale(Engine& engine, Change change, std::stop_token stop) {
  if (change.kind == ChangeKind::Policy) return replan_policy(engine, std::move(change));
  auto decided = end_if_policy_changed(engine, std::move(change));
  if (!decided || decided->finished()) return decided;
  change = *std::move(decided);
  if (change.kind == ChangeKind::Grant) return replan_grant(engine, std::move(change));
  // What is no longer declared can still be taken down, and nothing else.
  auto bundle = change.kind == ChangeKind::Destroy ? standing_bundle(engine) : engine.bundle();
  if (!bundle) return fail(std::move(bundle.error()));
  const auto* environment = (*bundle)->environment(change.environment);
  auto state = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return find_environment_state(transaction, change.environment);
  });
  if (!state) return fail(std::move(state.error()));
  const bool current = environment != nullptr && *state &&
                       (*state)->serial == change.plan.state_serial &&
                       change.bundle_digest == (*bundle)->digest;
  if (current) return change;

  auto plan = plan_again(engine, change, **bundle, stop);
  if (!plan) return fail(std::move(plan.error()));
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Change> {
        auto now = load_change(transaction, change.id);
        if (!now || now->state != change.state) return now;
        const bool unverified = *state && is_unverified(**state);
        const bool nothing_left = !*plan || ((*plan)->empty() && change.kind == ChangeKind::Apply &&
                                             (!unverified || (*plan)->partial()));
        if (nothing_left) {
          step(*now, ChangeState::Superseded, engine.now(), "nothing is left to do");
        } else {
          auto authors = spec_authors(transaction, change.environment, (*bundle)->digest);
          if (!authors) return fail(std::move(authors.error()));
          now->plan = **std::move(plan);
          now->bundle_digest = (*bundle)->digest;
          now->introduces = introduced_by(now->plan);
          const std::set<std::string> addresses(authors->begin(), authors->end());
          for (auto& author : authors_of(addresses, (*bundle)->directory)) {
            if (std::find(now->authors.begin(), now->authors.end(), author) == now->authors.end()) {
              now->authors.push_back(std::move(author));
            }
          }
        }
        if (auto saved = save(transaction, *now); !saved) return fail(std::move(saved.error()));
        auto entry = own_entry(engine, nothing_left ? "change.supersede" : "change.replan",
                               "change:" + now->id.str());
        entry.digests = {{"plan", now->plan.digest}};
        auto index = append(transaction, entry);
        if (!index) return fail(std::move(index.error()));
        return now;
      });
}

}  // namespace bailey
