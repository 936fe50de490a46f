#include "orchestrator/serve/engine/policy_change.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/model/rights.hpp"
#include "orchestrator/model/standing.hpp"
#include "orchestrator/serve/engine/bundle_record.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/root_of_trust.hpp"
#include "orchestrator/serve/engine/standing_bundle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace bailey {

namespace {

using Documents = std::map<std::string, Json>;

Documents deciding(const Bundle& bundle) {
  Documents documents;
  for (const auto& document : deciding_documents(bundle)) {
    std::string kind = document.at("kind");
    std::transform(kind.begin(), kind.end(), kind.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    documents[kind + "." + document.at("name").get<std::string>()] = document.at("spec");
  }
  return documents;
}

void add(Plan& plan, const std::string& name, Action action, const Json* before,
         const Json* after) {
  Operation operation;
  operation.address = {kOrganizationEnvironment, name, std::nullopt};
  operation.type = "document";
  operation.action = action;
  operation.reason = action == Action::Create   ? Reason::NotInState
                     : action == Action::Delete ? Reason::NoLongerDeclared
                                                : Reason::FieldsChanged;
  if (before != nullptr) operation.before = *before;
  if (after != nullptr) operation.after = *after;
  if (before != nullptr && after != nullptr) {
    for (const auto& [field, value] : after->items()) {
      if (member(*before, field) != value) operation.changed_fields.push_back(field);
    }
    for (const auto& [field, value] : before->items()) {
      if (!after->contains(field)) operation.changed_fields.push_back(field);
    }
  }
  plan.operations.push_back(std::move(operation));
}

// Nobody approves a change of their own rights, nor one that they ask for; what no administrator is
// left to approve would wait for ever.
Status check_somebody_is_left(const Bundle& accepted, const Request& request,
                              const std::vector<std::string>& affects) {
  const auto& organization = *accepted.organization;
  const auto behind = people_behind(accepted.directory, request.caller.subject);
  std::vector<std::string> left;
  std::vector<std::string> own;
  for (const auto& name : accepted.directory.people_in(organization.administrators)) {
    if (std::binary_search(affects.begin(), affects.end(), name)) {
      own.push_back(name);
    } else if (!behind.contains(name)) {
      left.push_back(name);
    }
  }
  const auto needed = static_cast<std::size_t>(std::max(organization.approvals, 1));
  if (own.empty() || left.size() >= needed) return {};
  return fail(
      Error(ErrorKind::Refused,
            fmt::format("this changes the rights of {} administrators themselves ({}), and the {} "
                        "who are left cannot give {} approvals",
                        own.size(), enumerate(own), left.size(), needed))
          .with_hint("Nobody approves a change of their own rights. Propose it in parts, so that "
                     "for each enough of the others are left.")
          .with_code("policy.own-rights"));
}

// Nothing is left of what confirms the first bundle once another was signed.
Result<Plan> plan_now(bool root, const Bundle& accepted, const Bundle& proposed) {
  if (!root) return policy_plan(accepted, accepted, proposed);
  auto plan = plan_of_root(accepted, proposed);
  if (!plan) return fail(std::move(plan.error()));
  return plan->value_or(Plan{});
}

}  // namespace

Plan policy_plan(const Bundle& judge, const Bundle& accepted, const Bundle& proposed) {
  const auto bench = with_organization_gate(judge);
  Plan plan;
  plan.environment = kOrganizationEnvironment;
  plan.environment_uid = EnvironmentUid("organization");
  plan.spec_digest = proposed.digest;
  plan.policy_digest =
      digest_of(policy_of(*bench, bench->environments.at(kOrganizationEnvironment)));
  plan.template_digest = policy_digest_of(proposed);
  const auto old_ones = deciding(accepted);
  const auto new_ones = deciding(proposed);
  for (const auto& [name, spec] : old_ones) {
    const auto found = new_ones.find(name);
    if (found == new_ones.end()) {
      add(plan, name, Action::Delete, &spec, nullptr);
    } else if (found->second != spec) {
      add(plan, name, Action::Update, &spec, &found->second);
    }
  }
  for (const auto& [name, spec] : new_ones) {
    if (!old_ones.contains(name)) add(plan, name, Action::Create, nullptr, &spec);
  }
  std::sort(plan.operations.begin(), plan.operations.end(),
            [](const auto& left, const auto& right) { return left.address < right.address; });
  seal(plan);
  return plan;
}

Result<Change> propose_policy(Engine& engine, const Request& request, const Bundle& accepted,
                              const Bundle& proposed, const BundleSources& sources,
                              const BundleOrigin& origin) {
  if (!accepted.organization) {
    return fail(ErrorKind::Refused,
                "the accepted bundle has no Organization: nobody may change "
                "what decides");
  }
  if (!proposed.organization) {
    return fail(Error(ErrorKind::Refused,
                      "the bundle has no Organization: nobody could ever "
                      "change it again")
                    .with_code("bundle.no-organization"));
  }
  auto stored = in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return store_bundle(transaction, proposed, sources, origin);
  });
  if (!stored) return fail(std::move(stored.error()));
  auto affects = people_with_other_rights(accepted, proposed);
  if (auto left = check_somebody_is_left(accepted, request, affects); !left) {
    return fail(std::move(left.error()));
  }
  return open_change(engine, request,
                     {ChangeKind::Policy,
                      policy_plan(accepted, accepted, proposed),
                      proposed.digest,
                      origin.authors,
                      {},
                      std::move(affects)});
}

Result<Change> replan_policy(Engine& engine, Change change) {
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Change> {
        auto accepted = engine.bundle(transaction);
        if (!accepted) return fail(std::move(accepted.error()));
        auto proposed = engine.bundle(transaction, change.bundle_digest);
        if (!proposed) return fail(std::move(proposed.error()));
        auto root = confirms_root(transaction, change.id);
        if (!root) return fail(std::move(root.error()));
        auto plan = plan_now(*root, **accepted, **proposed);
        if (!plan) return fail(std::move(plan.error()));
        if (plan->digest == change.plan.digest) return change;
        auto now = load_change(transaction, change.id);
        if (!now || now->state != change.state) return now;
        if (plan->operations.empty()) {
          step(*now, ChangeState::Superseded, engine.now(), "nothing is left to change");
        } else {
          now->plan = *std::move(plan);
          now->introduces = introduced_by(now->plan);
          if (!*root) now->affects = people_with_other_rights(**accepted, **proposed);
        }
        if (auto saved = save(transaction, *now); !saved) return fail(std::move(saved.error()));
        auto index =
            append(transaction, own_entry(engine, "change.replan", "change:" + now->id.str()));
        if (!index) return fail(std::move(index.error()));
        return now;
      });
}

Status check_policy_is_current(Engine& engine, Transaction& transaction, const Change& change) {
  auto accepted = engine.bundle(transaction);
  if (!accepted) return fail(std::move(accepted.error()));
  auto proposed = engine.bundle(transaction, change.bundle_digest);
  if (!proposed) return fail(std::move(proposed.error()));
  auto root = confirms_root(transaction, change.id);
  if (!root) return fail(std::move(root.error()));
  auto plan = plan_now(*root, **accepted, **proposed);
  if (!plan) return fail(std::move(plan.error()));
  if (plan->digest == change.plan.digest) return {};
  return fail(Error(ErrorKind::Conflict, "another bundle was accepted since this was planned")
                  .with_code("plan.stale"));
}

Result<std::vector<std::string>> bundles_before(Transaction& transaction,
                                                const std::string& digest) {
  auto setting = find_setting(transaction, "accepted/" + digest);
  if (!setting) return fail(std::move(setting.error()));
  return strings_member(*setting, "before");
}

Status accept_bundle(Engine& engine, Transaction& transaction, AuditEntry entry,
                     const std::string& digest) {
  auto setting = find_setting(transaction, "bundle");
  if (!setting) return fail(std::move(setting.error()));
  const auto before = string_member(*setting, "digest");
  if (before == digest) return {};
  auto earlier = bundles_before(transaction, digest);
  if (!earlier) return fail(std::move(earlier.error()));
  if (!before.empty() && std::find(earlier->begin(), earlier->end(), before) == earlier->end()) {
    earlier->push_back(before);
  }
  if (!before.empty()) {
    auto old = engine.bundle(transaction, before);
    if (!old) return fail(std::move(old.error()));
    auto fresh = engine.bundle(transaction, digest);
    if (!fresh) return fail(std::move(fresh.error()));
    if (auto noted = note_removed(transaction, **old, **fresh); !noted) return noted;
  }
  auto chained = transaction.put(Collection::Setting, "accepted/" + digest, {{"before", *earlier}});
  if (!chained) return fail(std::move(chained.error()).in("accepting the bundle"));
  auto written = transaction.put(Collection::Setting, "bundle",
                                 {{"digest", digest}, {"accepted_at", engine.now()}});
  if (!written) return fail(std::move(written.error()).in("accepting the bundle"));
  entry.target = "organization";
  entry.digests["bundle"] = digest;
  auto index = append(transaction, entry);
  if (!index) return fail(std::move(index.error()));
  return {};
}

}  // namespace bailey
