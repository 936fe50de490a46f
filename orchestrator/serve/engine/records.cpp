#include "orchestrator/serve/engine/records.hpp"

#include "orchestrator/base/json.hpp"

#include <algorithm>

namespace bailey {

namespace {

template <class T, class FromJson>
Result<std::optional<T>> find(Transaction& transaction, Collection collection,
                              const std::string& key, FromJson from_json) {
  auto record = transaction.get(collection, key);
  if (!record) return fail(std::move(record.error()).in("reading " + key));
  if (!*record) return std::optional<T>();
  Result<T> value = from_json((*record)->body);
  if (!value) return fail(std::move(value.error()).in("reading " + key));
  return std::optional<T>(*std::move(value));
}

template <class T, class FromJson>
Result<std::vector<T>> list(Transaction& transaction, Collection collection,
                            const std::string& prefix, FromJson from_json) {
  auto records = transaction.list(collection, {.prefix = prefix, .after = {}, .limit = 0});
  if (!records) return fail(std::move(records.error()).in("listing " + prefix));
  std::vector<T> values;
  values.reserve(records->size());
  for (const auto& record : *records) {
    Result<T> value = from_json(record.body);
    if (!value) return fail(std::move(value.error()).in("reading " + record.key));
    values.push_back(*std::move(value));
  }
  return values;
}

Status put(Transaction& transaction, Collection collection, const std::string& key,
           const Json& body) {
  auto written = transaction.put(collection, key, body);
  if (!written) return fail(std::move(written.error()).in("writing " + key));
  return {};
}

template <class T>
void sort_by_age(std::vector<T>& changes) {
  std::stable_sort(changes.begin(), changes.end(), [](const auto& left, const auto& right) {
    return left.created_at < right.created_at;
  });
}

}  // namespace

Result<std::optional<EnvironmentState>> find_environment_state(Transaction& transaction,
                                                               const std::string& environment) {
  return find<EnvironmentState>(transaction, Collection::Environment, environment,
                                environment_state_from_json);
}

Status save(Transaction& transaction, const EnvironmentState& state) {
  return put(transaction, Collection::Environment, state.name, to_json(state));
}

Result<std::vector<ResourceState>> resources_of(Transaction& transaction,
                                                const std::string& environment) {
  return list<ResourceState>(transaction, Collection::Resource, environment + "/",
                             resource_state_from_json);
}

Result<Change> load_change(Transaction& transaction, const ChangeId& id) {
  auto change = find<Change>(transaction, Collection::Change, id.str(), change_from_json);
  if (!change) return fail(std::move(change.error()));
  if (!*change) {
    return fail(Error(ErrorKind::NotFound, "there is no change \"" + id.str() + "\"")
                    .with_hint("See the changes there are:\n    bailey change list"));
  }
  return **std::move(change);
}

Result<std::vector<Change>> all_changes(Transaction& transaction) {
  auto changes = list<Change>(transaction, Collection::Change, "", change_from_json);
  if (changes) sort_by_age(*changes);
  return changes;
}

Result<std::vector<OpenChange>> list_open_changes(Transaction& transaction) {
  auto records = transaction.list(Collection::OpenChange, {});
  if (!records) return fail(std::move(records.error()).in("listing the open changes"));
  std::vector<OpenChange> open;
  open.reserve(records->size());
  for (const auto& record : *records) {
    open.push_back({ChangeId(record.key), string_member(record.body, "environment"),
                    string_member(record.body, "created_at"),
                    member(record.body, "failed_destroy") == Json(true)});
  }
  sort_by_age(open);
  return open;
}

Result<std::vector<Change>> open_changes(Transaction& transaction, const std::string& environment) {
  auto open = list_open_changes(transaction);
  if (!open) return fail(std::move(open.error()));
  std::vector<Change> changes;
  for (const auto& each : *open) {
    if (each.environment != environment || each.failed_destroy) continue;
    auto change = load_change(transaction, each.id);
    if (!change) return fail(std::move(change.error()));
    changes.push_back(*std::move(change));
  }
  return changes;
}

Status save(Transaction& transaction, const Change& change) {
  const auto key = change.id.str();
  auto written = put(transaction, Collection::Change, key, to_json(change));
  if (!written) return written;
  const bool failed_destroy =
      change.kind == ChangeKind::Destroy && change.state == ChangeState::Failed;
  if (!change.finished() || failed_destroy) {
    return put(transaction, Collection::OpenChange, key,
               {{"environment", change.environment},
                {"created_at", change.created_at},
                {"failed_destroy", failed_destroy}});
  }
  auto erased = transaction.erase(Collection::OpenChange, key);
  if (!erased) return fail(std::move(erased.error()).in("writing " + key));
  return {};
}

Result<std::vector<Approval>> approvals_of(Transaction& transaction, const ChangeId& change) {
  return list<Approval>(transaction, Collection::Approval, change.str() + "/", approval_from_json);
}

Status save(Transaction& transaction, const Approval& approval) {
  return put(transaction, Collection::Approval, approval.change.str() + "/" + approval.id.str(),
             to_json(approval));
}

Result<std::optional<VerifiedItem>> find_verified(Transaction& transaction,
                                                  const std::string& environment,
                                                  const std::string& digest) {
  return find<VerifiedItem>(transaction, Collection::Verified, environment + "/" + digest,
                            verified_item_from_json);
}

Status save(Transaction& transaction, const VerifiedItem& item) {
  return put(transaction, Collection::Verified, item.environment + "/" + item.digest,
             to_json(item));
}

Result<std::optional<DriftReport>> find_drift_report(Transaction& transaction,
                                                     const std::string& environment) {
  return find<DriftReport>(transaction, Collection::Drift, environment, drift_report_from_json);
}

Status save(Transaction& transaction, const DriftReport& report) {
  return put(transaction, Collection::Drift, report.environment, to_json(report));
}

Result<Json> find_setting(Transaction& transaction, const std::string& name) {
  auto record = transaction.get(Collection::Setting, name);
  if (!record) return fail(std::move(record.error()).in("reading the setting " + name));
  return *record ? (*record)->body : Json();
}

}  // namespace bailey
