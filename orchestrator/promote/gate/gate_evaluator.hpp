#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/change.hpp"
#include "orchestrator/model/state.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey {

/// A statement about an artifact whose signature was verified.
struct EvidenceItem {
  std::string subject_digest;
  std::string predicate_type;
  Subject signer;
  std::vector<Author> authors;  ///< Of authorship statements; else empty.
  std::string envelope_digest;
};

struct CheckOutcome {
  bool passed = false;
  std::string detail;  ///< One line for people.
};

/// Somebody broke the glass of the environment, and the review that this asks for is not complete:
/// until it is, ordinary changes wait.
struct OwedReview {
  std::string grant;
  std::string holder;  ///< Subject.
  std::string incident;
  std::string since;  ///< RFC 3339.
  bool open = false;  ///< The emergency access has not ended yet.
  std::string from;   ///< Subject: who reviews.
  int have = 0;
  int count = 1;
  std::string due;  ///< RFC 3339; empty while it is open.
  bool overdue = false;
  std::vector<std::string> reviewers;  ///< Whose review would count now.
};

using VerifiedLookup = std::function<std::optional<VerifiedItem>(const std::string& environment,
                                                                 const std::string& digest)>;

/// Everything that a gate is judged by. The caller has verified the signatures of approvals and
/// evidence and matched each approval's statement to the change as it stands now; who the signers
/// are today, and whether they may, is judged here.
struct GateInputs {
  const Bundle& bundle;
  const Environment& environment;
  const Change& change;
  std::vector<Approval> approvals;
  VerifiedLookup verified;
  std::vector<EvidenceItem> evidence;
  std::map<std::size_t, CheckOutcome> checks;  ///< By the condition's index in the gate.
  WallTime now;
  std::vector<OwedReview> owed_reviews = {};
};

/// One condition as it stands. `detail` and `who_can_unblock` are for people.
struct ConditionResult {
  /// kind_of() the condition, or `freeze`, `duty`, `review` or `floor`.
  std::string condition;
  bool met = false;
  std::string detail;
  std::vector<std::string> who_can_unblock;  ///< People and services; empty: nobody, or time alone.
  bool waits_for_people = false;             ///< An approval, or a review, is what is missing.
  std::optional<WallTime> opens_at;          ///< When time alone will have met it.
  std::optional<WallTime> since;             ///< Not met since; nothing where it cannot be told.
};

struct GateResult {
  bool met = false;  ///< Every condition is, and nobody who may has rejected the change.
  bool rejected = false;
  std::vector<ConditionResult> conditions;  ///< In the order of the gate, then the implicit ones.

  /// Everything that is not met waits for approvals.
  [[nodiscard]] bool waits_for_people_only() const noexcept;
};

/// Judges a change. Pure: the same inputs, the same answer. Whatever is absent counts against the
/// change. Four conditions stand in no spec: `freeze` is always listed; `duty` only when somebody
/// does in this change what an exclusive duty keeps apart; `review`, for each review of an
/// emergency that is owed, except to another emergency; and `floor` only when the gate's own
/// conditions would let through what the class forbids. The floor of a grant is the same in every
/// class: somebody else's approval.
[[nodiscard]] GateResult evaluate_gate(const GateInputs& inputs);

/// The people whose approval would count here: in the Directory today, holding `approve` in the
/// environment, with a key, and neither author nor requester nor executor of the change.
[[nodiscard]] std::set<std::string> eligible_approvers(const GateInputs& inputs);

/// `[{"condition", "met", "detail", "who_can_unblock"}]`.
[[nodiscard]] nlohmann::json gate_json(const GateResult& result);

/// Result and inputs together, for the receipt: `{"evaluated_at", "met", "rejected", "conditions",
/// "inputs": {"approvals", "evidence", "verified", "checks"}}`.
[[nodiscard]] nlohmann::json gate_record(const GateInputs& inputs, const GateResult& result);

}  // namespace bailey
