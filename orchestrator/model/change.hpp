#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/ids.hpp"
#include "orchestrator/model/plan.hpp"
#include "orchestrator/model/subject.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

enum class ChangeState : std::uint8_t {
  Planned,
  Waiting,
  Approved,
  Executing,
  Verifying,
  Done,
  Rejected,
  Expired,
  Superseded,
  Cancelled,
  Failed,
  RolledBack,
};

enum class ChangeKind : std::uint8_t {
  Apply,
  Promotion,
  Destroy,
  Policy,
  Drift,     ///< Decides about findings of drift; introduces nothing.
  Rollback,  ///< Back to a release that has a receipt.
  Grant,     ///< Gives somebody a role for a while; nothing else changes.
};

/// Somebody who wrote part of a change. `person` is empty for an author who is not in the
/// Directory: recorded, and able to approve nothing.
struct Author {
  std::string email;
  std::string person;
  auto operator<=>(const Author&) const = default;
};

struct StateStep {
  ChangeState state = ChangeState::Planned;
  std::string at;      ///< RFC 3339.
  std::string detail;  ///< Why, in one line; empty when plain.
  bool operator==(const StateStep&) const = default;
};

/// A plan, its artifacts and its requester, on their way through the environment's gate.
struct Change {
  ChangeId id;
  ChangeKind kind = ChangeKind::Apply;
  std::string environment;
  EnvironmentUid environment_uid;
  ChangeState state = ChangeState::Planned;
  Plan plan;
  std::string bundle_digest;  ///< The accepted bundle it was planned from.
  Subject requester;
  std::vector<Author> authors;
  std::vector<std::string> introduces;  ///< Digests that are new here: artifacts, template.
  std::string rolls_back_to;            ///< Digest of a receipt, of a rollback; else empty.
  /// What a promotion was asked for, slot to `repository@sha256:...`; the plan has all that will
  /// run.
  std::map<std::string, std::string> brings;
  /// People whose own rights a policy change changes: they approve nothing of it. Sorted.
  std::vector<std::string> affects;
  std::optional<Subject> executor;
  std::string created_at;
  std::vector<StateStep> history;  ///< Oldest first; the last is `state`.
  nlohmann::json outcome;          ///< Per operation results once executed; null before.
  std::string receipt;             ///< Digest, once done.

  [[nodiscard]] bool finished() const noexcept;
};

/// The newest decision of a person on a change is the one that stands. Revoke takes back their own
/// approval and ends nothing.
enum class Decision : std::uint8_t { Approve, Reject, Revoke };

/// Every kind and every decision, for readers.
inline constexpr auto kChangeKinds = {
    ChangeKind::Apply, ChangeKind::Promotion, ChangeKind::Destroy, ChangeKind::Policy,
    ChangeKind::Drift, ChangeKind::Rollback,  ChangeKind::Grant};
inline constexpr auto kDecisions = {Decision::Approve, Decision::Reject, Decision::Revoke};

/// A signed decision on one change, as stored. The envelope is the proof; the other fields are read
/// out of it once it has been verified.
struct Approval {
  ApprovalId id;
  ChangeId change;
  std::string approver;  ///< A person.
  Decision decision = Decision::Approve;
  std::string reason;
  std::string issued_at;
  std::string expires_at;
  std::string key_fingerprint;  ///< `SHA256:...` as ssh-keygen -l prints it.
  nlohmann::json envelope;      ///< DSSE.
};

[[nodiscard]] std::string_view to_string(ChangeState state) noexcept;
[[nodiscard]] std::string_view to_string(ChangeKind kind) noexcept;
[[nodiscard]] std::string_view to_string(Decision decision) noexcept;
[[nodiscard]] nlohmann::json to_json(const Change& change);
[[nodiscard]] nlohmann::json to_json(const Approval& approval);
[[nodiscard]] Result<Change> change_from_json(const nlohmann::json& value);
[[nodiscard]] Result<Approval> approval_from_json(const nlohmann::json& value);

}  // namespace bailey
