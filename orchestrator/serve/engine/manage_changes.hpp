#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

struct ChangeFilter {
  std::string environment;  ///< Empty: all.
  std::string state;        ///< Empty: all.
};

/// Changes of environments in which the caller holds `read`, newest first:
/// `[{"id","environment","kind","state","requester","created_at","summary"}]`.
[[nodiscard]] Result<nlohmann::json> list_changes(Engine& engine, const Request& request,
                                                  const ChangeFilter& filter);

/// `{"id","environment","kind","state","plan_digest","policy_digest","requester","authors",
/// "artifacts","gate":[{"condition","met","detail","who_can_unblock"}],"blocked_by","approvals","history",
/// "outcome","failures","receipt","waits_for_people"}`, `failures` as failures_of() says. The gate
/// is judged as it stands now; for a finished change it is empty.
[[nodiscard]] Result<nlohmann::json> show_change(Engine& engine, const Request& request,
                                                 const ChangeId& id);

/// The plan of a change, whole.
[[nodiscard]] Result<Plan> plan_of_change(Engine& engine, const Request& request,
                                          const ChangeId& id);

/// The approvals of a change with their envelopes and the people's public keys, for verification by
/// anybody: `[{"approver","decision","envelope","keys":[line]}]`.
[[nodiscard]] Result<nlohmann::json> export_approvals(Engine& engine, const Request& request,
                                                      const ChangeId& id);

/// By its requester, or a holder of `deploy`; only while it waits.
[[nodiscard]] Result<Change> cancel_change(Engine& engine, const Request& request,
                                           const ChangeId& id);

/// The receipt with its proof in the log as of now, for a holder of `read` in its environment.
[[nodiscard]] Result<nlohmann::json> show_receipt(Engine& engine, const Request& request,
                                                  const std::string& digest);

/// `[{"name","project","class","status","serial","artifacts","uid","receipt","ttl",
/// "owner","ends_at","seconds_left","declared","left","frozen","drifted"}]`, where
/// the caller holds `read`; `frozen` is null or the reviews that are owed.
[[nodiscard]] Result<nlohmann::json> list_environments(Engine& engine, const Request& request);
/// As one of the list, and `resources`, `roles`, `outputs`, `verified`.
[[nodiscard]] Result<nlohmann::json> show_environment(Engine& engine, const Request& request,
                                                      const std::string& name);

}  // namespace bailey
