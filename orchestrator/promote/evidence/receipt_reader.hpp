#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/model/change.hpp"
#include "orchestrator/model/directory.hpp"
#include "orchestrator/model/gate.hpp"
#include "orchestrator/promote/evidence/receipt.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey {

inline constexpr const char* kReceiptType = "urn:bailey:receipt:v1";

/// The recorded answer of one condition of the gate.
struct RecordedCondition {
  std::string condition;
  bool met = false;
};

/// Something that the gate was told to be verified.
struct RecordedVerification {
  std::string environment;
  std::string digest;
  WallTime since;
};

/// A receipt taken apart. That it can be read proves nothing about it.
struct ReadReceipt {
  Change change;
  EnvironmentClass environment_class = EnvironmentClass::Production;
  std::map<std::string, std::string> artifacts;
  std::vector<nlohmann::json> evidence;
  std::vector<nlohmann::json> approvals;
  std::vector<nlohmann::json> verification;
  nlohmann::json policy;
  WallTime evaluated_at;
  WallTime executed_at;
  bool gate_met = false;
  bool rejected = false;
  std::vector<RecordedCondition> conditions;
  std::vector<RecordedVerification> verified;
  std::optional<ReceiptLog> log;
  std::string digest;
};

/// Protocol for anything that make_receipt() and with_log() could not have written.
[[nodiscard]] Result<ReadReceipt> read_receipt(const nlohmann::json& value);

/// An approvals condition or an evidence condition, or the kind of another one, as a receipt's
/// policy holds it.
struct PolicyCondition {
  std::string kind;
  std::optional<VerifiedCondition> verified;
  std::optional<SoakCondition> soak;
  std::optional<ApprovalsCondition> approvals;
  std::optional<EvidenceCondition> evidence;
};

/// What a receipt's policy says about who decides. Read from the documents as they were written.
struct ReceiptPolicy {
  Directory directory;
  EnvironmentClass environment_class = EnvironmentClass::Production;
  bool by_operator = false;
  bool verifies = false;           ///< The environment has programs under `verify`.
  bool has_rollback_gate = false;  ///< Rollbacks go through a gate of their own.
  bool rolls_back_by_itself = false;
  std::string gate_digest;
  std::vector<PolicyCondition> gate;
  std::map<std::string, std::set<Subject>> approvers;  ///< Role with `approve` to who holds it.
  std::set<Subject> deployers;
};

[[nodiscard]] Result<ReceiptPolicy> read_policy(const nlohmann::json& policy,
                                                const std::string& environment);

}  // namespace bailey
