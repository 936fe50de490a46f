#pragma once

#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/gate/gate_evaluator.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace bailey {

/// The environment of a change to what decides. Not a name that a spec can have.
inline constexpr const char* kOrganizationEnvironment = "@organization";

/// What a change is judged by: the accepted bundle and the environment in it. For a policy change
/// the environment is one made up for it, whose gate asks for the administrators' approvals.
struct Bench {
  BundlePointer bundle;
  const Environment* environment = nullptr;
  bool removed = false;  ///< No longer declared: all that is left to do is to take it down.
};

[[nodiscard]] Result<Bench> bench_for(Engine& engine, Transaction& transaction,
                                      const std::string& environment);

/// The same for a change: what its kind brings in place of the environment's own gate is in it.
[[nodiscard]] Result<Bench> bench_for(Engine& engine, Transaction& transaction,
                                      const Change& change);

/// The accepted bundle with the made-up environment of policy changes in it.
[[nodiscard]] BundlePointer with_organization_gate(const Bundle& accepted);

using CheckOutcomes = std::map<std::size_t, CheckOutcome>;

/// What the programs of a gate last answered, by change; answers older than a minute are forgotten.
/// Thread-safe.
class CheckBoard {
 public:
  void put(const ChangeId& change, const std::string& plan_digest, CheckOutcomes outcomes,
           MonotonicTime now);
  /// Nothing when they have not run for this plan, or too long ago.
  [[nodiscard]] std::optional<CheckOutcomes> get(const ChangeId& change,
                                                 const std::string& plan_digest,
                                                 MonotonicTime now) const;

 private:
  struct Answers {
    std::string plan_digest;
    CheckOutcomes outcomes;
    MonotonicTime at;
  };
  mutable std::mutex mutex_;
  std::map<ChangeId, Answers> answers_;
};

/// A gate as it stands, and what it was judged by.
struct Judgement {
  GateResult result;
  std::vector<Approval> approvals;            ///< Those that hold today.
  std::vector<nlohmann::json> evidence;       ///< Envelopes whose signatures verify today.
  std::vector<std::string> evidence_digests;  ///< Of those, sorted.
  nlohmann::json record;                      ///< gate_record().
};

/// Judges a change by everything in the store: each approval's and each evidence's signature is
/// verified again with the keys of today, each approval compared with the change as it stands now.
[[nodiscard]] Result<Judgement> judge(Engine& engine, Transaction& transaction, const Bench& bench,
                                      const Change& change, const CheckOutcomes& checks);

/// The statement that an approver of this change signs, without what is the approver's own.
[[nodiscard]] Result<ApprovalStatement> expected_approval(Engine& engine, Transaction& transaction,
                                                          const Bench& bench, const Change& change);

/// The evidence about the artifacts of a change, signatures verified.
struct KnownEvidence {
  std::vector<EvidenceItem> items;
  std::vector<nlohmann::json> envelopes;
  std::vector<std::string> digests;  ///< Sorted.
};
[[nodiscard]] Result<KnownEvidence> evidence_for(
    Transaction& transaction, const Bundle& bundle,
    const std::map<std::string, std::string>& artifacts);

/// The authors of a change, with those whom only the evidence about its artifacts names: it may
/// have come later than the change.
[[nodiscard]] Result<std::vector<Author>> known_authors(Transaction& transaction,
                                                        const Bundle& bundle, const Change& change);

/// The digest part of `repository@sha256:...`.
[[nodiscard]] std::string digest_in(const std::string& reference);

}  // namespace bailey
