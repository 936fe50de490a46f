#include "orchestrator/serve/engine/judge.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/lookup.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/predicates.hpp"
#include "orchestrator/promote/evidence/signed_evidence.hpp"
#include "orchestrator/promote/evidence/signed_statement.hpp"
#include "orchestrator/promote/evidence/statement.hpp"
#include "orchestrator/promote/gate/standing_decisions.hpp"
#include "orchestrator/serve/engine/collect_evidence.hpp"
#include "orchestrator/serve/engine/grant_gate.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/review_grant.hpp"
#include "orchestrator/serve/engine/roll_back.hpp"
#include "orchestrator/serve/engine/root_of_trust.hpp"
#include "orchestrator/serve/engine/standing_bundle.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::chrono::minutes kCheckAge{1};
constexpr const char* kAdministrators = "@administrators";

// Approvals that are what they claim: signed by a key that their approver has today, and about the
// change as it stands now.
Result<std::vector<Approval>> holding_approvals(Engine& engine, Transaction& transaction,
                                                const Bench& bench, const Change& change) {
  auto stored = approvals_of(transaction, change.id);
  if (!stored) return fail(std::move(stored.error()));
  auto expected = expected_approval(engine, transaction, bench, change);
  if (!expected) return fail(std::move(expected.error()));
  std::vector<Approval> holding;
  // What was taken back is gone, also where the revocation was about an earlier plan.
  for (auto& approval : standing_decisions(*std::move(stored))) {
    const auto opened = open_approval(approval.envelope, bench.bundle->directory);
    if (!opened || opened->approval.approver != approval.approver) continue;
    const auto& signed_one = opened->approval;
    // What is the approver's own was checked when the approval was taken in.
    auto wanted = *expected;
    wanted.decision = signed_one.decision;
    wanted.acting_role = signed_one.acting_role;
    wanted.approver = signed_one.approver;
    wanted.issued_at = signed_one.issued_at;
    wanted.not_before = signed_one.not_before;
    wanted.expires_at = signed_one.expires_at;
    wanted.nonce = signed_one.nonce;
    if (approval_matches(signed_one, wanted)) holding.push_back(std::move(approval));
  }
  return holding;
}

// Evidence that is missing may lie in a registry that did not answer, or be there and not count.
void tell_unread(Engine& engine, const Change& change, GateResult& result) {
  std::string told;
  for (const auto& [slot, reference] : change.plan.artifacts) {
    const auto problems =
        engine.evidence_board().get(digest_in(reference), engine.clock().monotonic_now());
    if (problems && !problems->empty()) {
      told += fmt::format(" Not counted for {}: {}.", slot, join(*problems, "; "));
    }
  }
  for (auto& condition : result.conditions) {
    if (condition.condition == "evidence" && !condition.met) condition.detail += told;
  }
}

}  // namespace

std::string digest_in(const std::string& reference) {
  const auto at = reference.rfind('@');
  return at == std::string::npos ? std::string() : reference.substr(at + 1);
}

BundlePointer with_organization_gate(const Bundle& accepted) {
  auto bundle = std::make_shared<Bundle>(accepted);
  const auto administrators =
      accepted.organization ? accepted.organization->administrators : std::vector<Subject>();
  const int approvals = accepted.organization ? accepted.organization->approvals : 0;
  bundle->directory.groups[kAdministrators] = administrators;

  Template roles;
  roles.name = kOrganizationEnvironment;
  roles.roles["administrator"] = Role{{Power::Read, Power::Approve}, {}};
  Environment environment;
  environment.name = kOrganizationEnvironment;
  environment.environment_class = EnvironmentClass::Development;
  environment.template_name = kOrganizationEnvironment;
  environment.bindings["administrator"] = administrators;
  ApprovalsCondition condition;
  condition.rules = {{Subject{SubjectKind::Group, kAdministrators}, std::max(approvals, 1)}};
  environment.gate = {condition};

  // As documents too, so that policy_of() and with it every receipt carries them.
  Json members = Json::array();
  for (const auto& subject : administrators) members.push_back(to_string(subject));
  const Json rule{{"from", fmt::format("group:{}", kAdministrators)},
                  {"count", condition.rules[0].count}};
  bundle->documents.push_back(
      {{"kind", "Environment"},
       {"name", kOrganizationEnvironment},
       {"spec",
        {{"class", "development"},
         {"template", kOrganizationEnvironment},
         {"bindings", {{"administrator", members}}},
         {"gate", Json::array({Json{{"approvals", {{"rules", Json::array({rule})}}}}})}}}});
  bundle->documents.push_back(
      {{"kind", "Template"},
       {"name", kOrganizationEnvironment},
       {"spec", {{"roles", {{"administrator", {{"powers", {"read", "approve"}}}}}}}}});
  for (auto& document : bundle->documents) {
    if (document.at("kind") == "Directory") document["spec"]["groups"][kAdministrators] = members;
  }
  bundle->templates[kOrganizationEnvironment] = std::move(roles);
  bundle->environments[kOrganizationEnvironment] = std::move(environment);
  return bundle;
}

Result<Bench> bench_for(Engine& engine, Transaction& transaction, const std::string& environment) {
  auto bundle = engine.bundle(transaction);
  if (!bundle) return fail(std::move(bundle.error()));
  const bool removed =
      environment != kOrganizationEnvironment && (*bundle)->environment(environment) == nullptr;
  if (removed) {
    bundle = standing_bundle(engine, transaction);
    if (!bundle) return fail(std::move(bundle.error()));
  }
  if (environment == kOrganizationEnvironment) *bundle = with_organization_gate(**bundle);
  auto found = find_environment(**bundle, environment);
  if (!found) return fail(std::move(found.error()));
  return Bench{*std::move(bundle), *found, removed};
}

Result<Bench> bench_for(Engine& engine, Transaction& transaction, const Change& change) {
  auto bench = bench_for(engine, transaction, change.environment);
  if (!bench) return bench;
  if (change.kind == ChangeKind::Rollback) {
    bench->bundle = with_rollback_gate(bench->bundle, change.environment, change.requester);
  } else if (change.kind == ChangeKind::Grant) {
    auto terms = terms_of(change.plan);
    if (!terms) return fail(std::move(terms.error()).in("reading " + change.id.str()));
    bench->bundle = with_grant_gate(*bench->bundle, change.environment, *terms);
  }
  bench->environment = bench->bundle->environment(change.environment);
  return bench;
}

void CheckBoard::put(const ChangeId& change, const std::string& plan_digest, CheckOutcomes outcomes,
                     MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(answers_, [&](const auto& item) { return now - item.second.at > kCheckAge; });
  answers_[change] = {plan_digest, std::move(outcomes), now};
}

std::optional<CheckOutcomes> CheckBoard::get(const ChangeId& change, const std::string& plan_digest,
                                             MonotonicTime now) const {
  const std::lock_guard lock(mutex_);
  const auto* found = find_value(answers_, change);
  if (found == nullptr || found->plan_digest != plan_digest || now - found->at > kCheckAge) {
    return std::nullopt;
  }
  return found->outcomes;
}

Result<KnownEvidence> evidence_for(Transaction& transaction, const Bundle& bundle,
                                   const std::map<std::string, std::string>& artifacts) {
  KnownEvidence known;
  const auto keys = enrolled_keys(bundle.directory);
  for (const auto& [slot, reference] : artifacts) {
    const auto digest = digest_in(reference);
    auto records =
        transaction.list(Collection::Evidence, {.prefix = digest + "/", .after = {}, .limit = 0});
    if (!records) return fail(std::move(records.error()).in("reading the evidence of " + digest));
    for (const auto& record : *records) {
      const auto opened = open_evidence(record.body, keys);
      if (!opened || !is_about(opened->statement, digest)) continue;
      if (!check_predicate(opened->statement)) continue;
      const auto envelope_digest = digest_of(record.body);
      std::vector<Author> authors;
      if (const auto authorship = authorship_from_statement(opened->statement)) {
        authors = authors_of(authorship->people(), bundle.directory);
      }
      for (const auto& signer : opened->signers) {
        known.items.push_back(
            {digest, opened->statement.predicate_type, signer.owner, authors, envelope_digest});
      }
      known.envelopes.push_back(record.body);
      known.digests.push_back(envelope_digest);
    }
  }
  std::sort(known.digests.begin(), known.digests.end());
  return known;
}

Result<std::vector<Author>> known_authors(Transaction& transaction, const Bundle& bundle,
                                          const Change& change) {
  auto known = evidence_for(transaction, bundle, change.plan.artifacts);
  if (!known) return fail(std::move(known.error()));
  auto authors = change.authors;
  for (const auto& item : known->items) {
    authors.insert(authors.end(), item.authors.begin(), item.authors.end());
  }
  return authors;
}

Result<ApprovalStatement> expected_approval(Engine&, Transaction& transaction, const Bench& bench,
                                            const Change& change) {
  auto known = evidence_for(transaction, *bench.bundle, change.plan.artifacts);
  if (!known) return fail(std::move(known.error()));
  return approval_for(change, *bench.bundle, *bench.environment, std::move(known->digests));
}

Result<Judgement> judge(Engine& engine, Transaction& transaction, const Bench& bench,
                        const Change& change, const CheckOutcomes& checks) {
  Judgement judgement;
  auto approvals = holding_approvals(engine, transaction, bench, change);
  if (!approvals) return fail(std::move(approvals.error()).in("judging " + change.id.str()));
  auto known = evidence_for(transaction, *bench.bundle, change.plan.artifacts);
  if (!known) return fail(std::move(known.error()).in("judging " + change.id.str()));
  auto owed = owed_reviews(transaction, *bench.bundle, *bench.environment);
  if (!owed) return fail(std::move(owed.error()).in("judging " + change.id.str()));

  std::optional<Error> failed;
  const GateInputs inputs{*bench.bundle,
                          *bench.environment,
                          change,
                          *approvals,
                          [&](const std::string& environment,
                              const std::string& digest) -> std::optional<VerifiedItem> {
                            auto item = find_verified(transaction, environment, digest);
                            if (item) return *std::move(item);
                            if (!failed) failed = std::move(item.error());
                            return std::nullopt;
                          },
                          std::move(known->items),
                          checks,
                          engine.clock().wall_now(),
                          *std::move(owed)};
  judgement.result = evaluate_gate(inputs);
  if (failed) return fail(*std::move(failed));
  tell_unread(engine, change, judgement.result);
  auto unconfirmed = unconfirmed_root(transaction, *bench.bundle, *bench.environment);
  if (!unconfirmed) return fail(std::move(unconfirmed.error()));
  if (*unconfirmed) {
    judgement.result.conditions.push_back(**std::move(unconfirmed));
    judgement.result.met = false;
  }
  judgement.record = gate_record(inputs, judgement.result);
  judgement.approvals = *std::move(approvals);
  judgement.evidence = std::move(known->envelopes);
  judgement.evidence_digests = std::move(known->digests);
  return judgement;
}

}  // namespace bailey
