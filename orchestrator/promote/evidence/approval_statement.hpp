#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/change.hpp"
#include "orchestrator/model/vocabulary.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// What an approver signs (`urn:bailey:approval:v1`). `decision`, `reason` and `checkpoint` are the
/// approver's own; everything else is bound: it must be what the server expects, or the approval is
/// for something else.
struct ApprovalStatement {
  Decision decision = Decision::Approve;
  std::string reason;
  std::optional<std::string> checkpoint;  ///< The log's head as the approver had verified it.

  ChangeId change;
  std::string change_digest;
  std::string environment;
  EnvironmentUid environment_uid;
  EnvironmentClass environment_class = EnvironmentClass::Production;
  std::string plan_digest;
  std::string spec_digest;
  std::string policy_digest;
  std::uint64_t state_serial = 0;
  std::string gate_digest;
  std::string acting_role;                       ///< The role that gives the approver the power.
  std::vector<std::string> evidence;             ///< Digests of envelopes, sorted.
  std::map<std::string, std::string> artifacts;  ///< Slot to `repository@sha256:...`.
  std::string template_digest;
  std::string approver;              ///< A person.
  std::vector<std::string> authors;  ///< E-mail addresses (names without), sorted.
  std::string requester;             ///< Subject.
  std::string issued_at;             ///< RFC 3339.
  std::string not_before;
  std::string expires_at;
  std::string nonce;  ///< Issued by the server, good once.
  bool operator==(const ApprovalStatement&) const = default;
};

/// Digest over what a change asks for: id, environment uid, kind, plan digest, artifacts, requester
/// and authors. Its state and history are no part of it.
[[nodiscard]] std::string change_digest_of(const Change& change);
/// Digest over the gate of an environment as the spec writes it.
[[nodiscard]] std::string gate_digest_of(const Bundle& bundle, const Environment& environment);

/// Everything that the change and the bundle decide; `evidence` are digest_of() the envelopes
/// that the approver is shown. Left to the caller: decision, reason, checkpoint, acting_role,
/// approver, the times and the nonce.
[[nodiscard]] ApprovalStatement approval_for(const Change& change, const Bundle& bundle,
                                             const Environment& environment,
                                             std::vector<std::string> evidence);

/// The same where only the gate's digest is at hand.
[[nodiscard]] ApprovalStatement approval_for(const Change& change,
                                             EnvironmentClass environment_class,
                                             std::string gate_digest,
                                             std::vector<std::string> evidence);

/// Subjects are the artifacts and the plan.
[[nodiscard]] Statement to_statement(const ApprovalStatement& approval);
/// Refuses another predicate type, a missing member, and subjects that are not exactly the
/// artifacts and the plan of the predicate.
[[nodiscard]] Result<ApprovalStatement> approval_from_statement(const Statement& statement);

/// Compares every bound field. Refused with `approval.mismatch`; the message names the first field
/// that differs.
[[nodiscard]] Status approval_matches(const ApprovalStatement& signed_one,
                                      const ApprovalStatement& expected);

}  // namespace bailey
