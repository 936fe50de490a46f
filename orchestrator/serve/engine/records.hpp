#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/model/drift.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// Typed reading and writing of what the collections hold. `find_` gives nothing when it is absent,
/// `load_` fails with NotFound; both fail with Protocol when the record cannot be read.

[[nodiscard]] Result<std::optional<EnvironmentState>> find_environment_state(
    Transaction& transaction, const std::string& environment);
[[nodiscard]] Status save(Transaction& transaction, const EnvironmentState& state);

/// Resources of one environment, by address.
[[nodiscard]] Result<std::vector<ResourceState>> resources_of(Transaction& transaction,
                                                              const std::string& environment);

[[nodiscard]] Result<Change> load_change(Transaction& transaction, const ChangeId& id);
/// Oldest first.
[[nodiscard]] Result<std::vector<Change>> all_changes(Transaction& transaction);
/// A change that is not over, without the plan that it carries: one that has not finished, or a
/// destroy that has failed, since what it left may still be carried on.
struct OpenChange {
  ChangeId id;
  std::string environment;
  std::string created_at;
  bool failed_destroy = false;
};
/// Oldest first. Reads nothing else: a server keeps every change that there ever was.
[[nodiscard]] Result<std::vector<OpenChange>> list_open_changes(Transaction& transaction);
/// Changes of one environment that have not finished, oldest first.
[[nodiscard]] Result<std::vector<Change>> open_changes(Transaction& transaction,
                                                       const std::string& environment);
[[nodiscard]] Status save(Transaction& transaction, const Change& change);

[[nodiscard]] Result<std::vector<Approval>> approvals_of(Transaction& transaction,
                                                         const ChangeId& change);
[[nodiscard]] Status save(Transaction& transaction, const Approval& approval);

[[nodiscard]] Result<std::optional<VerifiedItem>> find_verified(Transaction& transaction,
                                                                const std::string& environment,
                                                                const std::string& digest);
[[nodiscard]] Status save(Transaction& transaction, const VerifiedItem& item);

[[nodiscard]] Result<std::optional<DriftReport>> find_drift_report(Transaction& transaction,
                                                                   const std::string& environment);
[[nodiscard]] Status save(Transaction& transaction, const DriftReport& report);

/// The body of a setting, or null.
[[nodiscard]] Result<nlohmann::json> find_setting(Transaction& transaction,
                                                  const std::string& name);

}  // namespace bailey
