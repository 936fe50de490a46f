#include "orchestrator/serve/engine/root_of_trust.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/policy_change.hpp"
#include "orchestrator/serve/engine/records.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

// `{"change", "confirmed_by"}`: who was asked, and the change that answered.
constexpr const char* kRoot = "root";

}  // namespace

Result<Change> ask_to_confirm(Engine& engine, Transaction& transaction, const Request& request,
                              const Bundle& first) {
  auto plan = plan_of_root(first, first);
  if (!plan) return fail(std::move(plan.error()));
  auto change = open_change(engine, transaction, request,
                            {ChangeKind::Policy, **std::move(plan), first.digest, {}});
  if (!change) return fail(std::move(change.error()));
  auto written = transaction.put(Collection::Setting, kRoot,
                                 {{"change", change->id.str()}, {"confirmed_by", ""}});
  if (!written) return fail(std::move(written.error()));
  return change;
}

Result<bool> confirms_root(Transaction& transaction, const ChangeId& id) {
  auto root = find_setting(transaction, kRoot);
  if (!root) return fail(std::move(root.error()));
  return string_member(*root, "change") == id.str();
}

Result<std::optional<Plan>> plan_of_root(const Bundle& accepted, const Bundle& first) {
  if (policy_digest_of(accepted) != policy_digest_of(first)) return std::optional<Plan>();
  return std::optional<Plan>(policy_plan(accepted, Bundle{}, first));
}

Status note_confirmed(Transaction& transaction, const Change& done) {
  auto root = find_setting(transaction, kRoot);
  if (!root) return fail(std::move(root.error()));
  if (!root->is_object() || !string_member(*root, "confirmed_by").empty()) return {};
  (*root)["confirmed_by"] = done.id.str();
  auto written = transaction.put(Collection::Setting, kRoot, *root);
  if (!written) return fail(std::move(written.error()));
  return {};
}

Result<std::optional<ConditionResult>> unconfirmed_root(Transaction& transaction,
                                                        const Bundle& bundle,
                                                        const Environment& environment) {
  if (environment.environment_class < EnvironmentClass::Staging) {
    return std::optional<ConditionResult>();
  }
  auto root = find_setting(transaction, kRoot);
  if (!root) return fail(std::move(root.error()));
  if (!string_member(*root, "confirmed_by").empty()) return std::optional<ConditionResult>();
  ConditionResult result;
  result.condition = "root";
  result.detail = fmt::format(
      "The administrators have not confirmed the first bundle of this server yet: `bailey approve "
      "{}`.",
      string_member(*root, "change"));
  result.waits_for_people = true;
  if (bundle.organization) {
    const auto people = bundle.directory.people_in(bundle.organization->administrators);
    result.who_can_unblock.assign(people.begin(), people.end());
  }
  return std::optional<ConditionResult>(std::move(result));
}

}  // namespace bailey
