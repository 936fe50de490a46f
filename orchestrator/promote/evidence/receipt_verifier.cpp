#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/lookup.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/model/own_subjects.hpp"
#include "orchestrator/model/quorum.hpp"
#include "orchestrator/model/standing.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/predicates.hpp"
#include "orchestrator/promote/evidence/receipt_grant.hpp"
#include "orchestrator/promote/evidence/receipt_reader.hpp"
#include "orchestrator/promote/evidence/signed_evidence.hpp"
#include "orchestrator/promote/evidence/signed_statement.hpp"
#include "orchestrator/promote/evidence/verification.hpp"
#include "orchestrator/record/audit/checkpoint.hpp"
#include "orchestrator/record/audit/merkle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bailey {

namespace {

/// An approval whose signature, bindings and time hold.
struct GoodApproval {
  std::string person;
  Decision decision = Decision::Approve;
  WallTime issued_at;
};

tl::unexpected<Error> wrong(std::string why) {
  return fail(ErrorKind::Refused, std::move(why));
}

std::string digest_in(const std::string& reference) {
  const auto at = reference.rfind('@');
  return at == std::string::npos ? std::string() : reference.substr(at + 1);
}

/// Runs every check, also after one has failed, so that the report tells all.
class Verifier {
 public:
  Verifier(const ReadReceipt& receipt, const ReceiptPolicy& policy)
      : receipt_(receipt), policy_(policy) {}

  void run(std::vector<ReceiptCheck>& checks) {
    const auto add = [&](const char* name, const Result<std::string>& result) {
      checks.push_back({name, result.has_value(), result ? *result : result.error().render()});
    };
    add("policy", check_policy());
    add("change", check_change());
    add("gate", check_gate());
    if (receipt_.change.kind == ChangeKind::Grant) {
      add("grant", check_grant(receipt_.change, receipt_.policy, policy_));
    }
    add("evidence", check_evidence());
    for (const auto& envelope : receipt_.approvals) add("approval", check_approval(envelope));
    add("quorum", check_quorum());
    add("executor", check_executor());
    add("verification", check_verification());
  }

 private:
  Result<std::string> check_policy() const {
    if (digest_of(receipt_.policy) != receipt_.change.plan.policy_digest) {
      return wrong("the policy is not the one that the plan was made under");
    }
    if (policy_.environment_class != receipt_.environment_class) {
      return wrong("the environment is of another class in the policy");
    }
    return "It is the policy that the plan names.";
  }

  Result<std::string> check_change() const {
    const auto& change = receipt_.change;
    if (change.plan.environment != change.environment ||
        change.plan.environment_uid != change.environment_uid) {
      return wrong("the plan is for another environment");
    }
    if (receipt_.artifacts != change.plan.artifacts) return wrong("the plan has other artifacts");
    for (const auto& digest : change.introduces) {
      const auto& artifacts = change.plan.artifacts;
      const bool known = digest == change.plan.template_digest ||
                         std::any_of(artifacts.begin(), artifacts.end(), [&](const auto& each) {
                           return digest_in(each.second) == digest;
                         });
      if (!known) return wrong("the change introduces what is not in its plan");
    }
    return "Plan, environment and artifacts belong together.";
  }

  [[nodiscard]] bool was_verified(const std::string& stage, std::chrono::seconds soak) const {
    return std::all_of(receipt_.change.introduces.begin(), receipt_.change.introduces.end(),
                       [&](const std::string& digest) {
                         // Whether the stage uses the same template is in no document of this
                         // environment's policy.
                         if (digest == receipt_.change.plan.template_digest) return true;
                         return std::any_of(receipt_.verified.begin(), receipt_.verified.end(),
                                            [&](const RecordedVerification& item) {
                                              return item.environment == stage &&
                                                     item.digest == digest &&
                                                     item.since + soak <= receipt_.evaluated_at;
                                            });
                       });
  }

  Result<std::string> check_gate() const {
    if (!receipt_.gate_met || receipt_.rejected) return wrong("the gate did not let it through");
    if (receipt_.executed_at < receipt_.evaluated_at) {
      return wrong("it was executed before the gate had been judged");
    }
    if (receipt_.conditions.size() < policy_.gate.size()) {
      return wrong("not every condition of the gate was judged");
    }
    for (std::size_t i = 0; i < receipt_.conditions.size(); ++i) {
      const auto& recorded = receipt_.conditions[i];
      if (!recorded.met) return wrong(fmt::format("\"{}\" was not met", recorded.condition));
      if (i < policy_.gate.size() && recorded.condition != policy_.gate[i].kind) {
        return wrong("the conditions judged are not those of the gate");
      }
    }
    for (const auto& condition : policy_.gate) {
      if (condition.verified && !was_verified(condition.verified->in, {})) {
        return wrong("something was not verified in the stage before");
      }
      if (condition.soak && !was_verified(condition.soak->in, condition.soak->duration)) {
        return wrong("something had not run long enough in the stage before");
      }
    }
    return fmt::format("All {} conditions were met.", receipt_.conditions.size());
  }

  /// Also who came to be known as an author after the change was opened counts as one.
  void add_authors(const Statement& statement) {
    const auto authorship = authorship_from_statement(statement);
    if (!authorship) return;
    for (auto& author : authors_of(authorship->people(), policy_.directory)) {
      authors_.push_back(std::move(author));
    }
  }

  [[nodiscard]] bool proven(const EvidenceCondition& condition, const std::string& digest) const {
    return std::any_of(evidence_.begin(), evidence_.end(), [&](const SignedEvidence& item) {
      return item.statement.predicate_type == condition.predicate_type &&
             is_about(item.statement, digest) &&
             std::any_of(item.signers.begin(), item.signers.end(), [&](const EnrolledKey& signer) {
               return policy_.directory.contains(condition.signed_by, signer.owner);
             });
    });
  }

  Result<std::string> check_evidence() {
    const auto keys = enrolled_keys(policy_.directory);
    for (const auto& value : receipt_.evidence) {
      auto read = open_evidence(value, keys);
      if (!read) return fail(std::move(read.error()));
      if (auto stands = check_predicate(read->statement); !stands) {
        return fail(std::move(stands.error()));
      }
      add_authors(read->statement);
      evidence_.push_back(*std::move(read));
    }
    for (const auto& condition : policy_.gate) {
      if (!condition.evidence) continue;
      for (const auto& [slot, reference] : receipt_.artifacts) {
        if (!proven(*condition.evidence, digest_in(reference))) {
          return wrong(
              fmt::format("{} is missing for {}", condition.evidence->predicate_type, slot));
        }
      }
    }
    return fmt::format("{} statements, each signed by who may.", evidence_.size());
  }

  [[nodiscard]] ApprovalStatement expected(const ApprovalStatement& signed_one) const {
    std::vector<std::string> evidence;
    for (const auto& envelope : receipt_.evidence) evidence.push_back(digest_of(envelope));
    auto wanted = approval_for(receipt_.change, receipt_.environment_class, policy_.gate_digest,
                               std::move(evidence));
    // What the server handed out for this one approval is known from the approval alone.
    wanted.approver = signed_one.approver;
    wanted.acting_role = signed_one.acting_role;
    wanted.issued_at = signed_one.issued_at;
    wanted.not_before = signed_one.not_before;
    wanted.expires_at = signed_one.expires_at;
    wanted.nonce = signed_one.nonce;
    return wanted;
  }

  Result<std::string> check_approval(const Json& value) {
    const auto opened = open_approval(value, policy_.directory);
    if (!opened) return fail(opened.error());
    const auto& approval = opened->approval;
    if (auto same = approval_matches(approval, expected(approval)); !same) {
      return fail(std::move(same.error()));
    }
    if (approval.nonce.empty() || !nonces_.insert(approval.nonce).second) {
      return wrong("its nonce was used before");
    }
    const auto* holders = find_value(policy_.approvers, approval.acting_role);
    if (holders == nullptr || !holders->contains(Subject{SubjectKind::Person, approval.approver})) {
      return fmt::format("Not counted: {} does not hold the role it was given in.",
                         approval.approver);
    }
    return count(approval);
  }

  /// An approval that had ended is part of the story, and counts for nothing.
  std::string count(const ApprovalStatement& approval) {
    const auto issued = parse_time(approval.issued_at);
    const auto from = parse_time(approval.not_before);
    const auto until = parse_time(approval.expires_at);
    const auto now = receipt_.evaluated_at;
    if (!issued || !from || !until || now < *issued || now < *from || now >= *until) {
      return fmt::format("Not counted: that by {} was not valid at the time.", approval.approver);
    }
    approvals_.push_back({approval.approver, approval.decision, *issued});
    return fmt::format("{} by {}.", to_string(approval.decision), approval.approver);
  }

  [[nodiscard]] std::set<std::string> eligible() const {
    std::set<std::string> people;
    const auto& change = receipt_.change;
    auto authors = change.authors;
    authors.insert(authors.end(), authors_.begin(), authors_.end());
    auto involved = involved_people(policy_.directory, authors, change.requester, change.executor);
    involved.insert(change.affects.begin(), change.affects.end());
    for (const auto& [role, holders] : policy_.approvers) {
      for (const auto& holder : holders) {
        if (holder.kind == SubjectKind::Person && !involved.contains(holder.name)) {
          people.insert(holder.name);
        }
      }
    }
    return people;
  }

  [[nodiscard]] bool taken_back(const GoodApproval& approval) const {
    return std::any_of(approvals_.begin(), approvals_.end(), [&](const GoodApproval& other) {
      return other.decision == Decision::Revoke && other.person == approval.person &&
             other.issued_at >= approval.issued_at;
    });
  }

  [[nodiscard]] std::set<std::string> agreed(const std::set<std::string>& among,
                                             std::chrono::seconds expire) const {
    std::set<std::string> people;
    for (const auto& approval : approvals_) {
      if (approval.decision == Decision::Approve && among.contains(approval.person) &&
          !taken_back(approval) && receipt_.evaluated_at < approval.issued_at + expire) {
        people.insert(approval.person);
      }
    }
    return people;
  }

  /// A rollback leads to what has passed the whole gate before; by a grant nothing comes in.
  [[nodiscard]] std::size_t approvals_demanded() const {
    if (receipt_.change.kind == ChangeKind::Grant) return 1;
    if (receipt_.environment_class < EnvironmentClass::Staging) return 0;
    if (receipt_.change.kind == ChangeKind::Rollback) {
      const bool automatic = receipt_.change.requester == rollback_subject();
      if (automatic && policy_.rolls_back_by_itself) return 0;
      if (policy_.has_rollback_gate) return 1;
    }
    return receipt_.environment_class == EnvironmentClass::Production ? 2 : 1;
  }

  Result<std::string> check_quorum() const {
    const auto among = eligible();
    std::chrono::seconds longest{0};
    std::size_t rules_met = 0;
    for (const auto& approval : approvals_) {
      if (approval.decision == Decision::Reject && among.contains(approval.person)) {
        return wrong(fmt::format("{} had rejected it", approval.person));
      }
    }
    for (const auto& condition : policy_.gate) {
      if (!condition.approvals) continue;
      longest = std::max(longest, condition.approvals->expire);
      std::vector<QuorumRule> rules;
      for (const auto& rule : condition.approvals->rules) {
        auto people = policy_.directory.people_in({rule.from});
        std::erase_if(people, [&](const std::string& each) { return !among.contains(each); });
        rules.push_back({to_string(rule.from), rule.count, {people.begin(), people.end()}});
      }
      if (!match_quorum(rules, agreed(among, condition.approvals->expire)).met) {
        return wrong("too few people approved it who were neither author, requester nor executor");
      }
      rules_met += rules.size();
    }
    const auto floor = approvals_demanded();
    const auto people = agreed(among, longest);
    if (people.size() < floor) return wrong("fewer people approved it than the class demands");
    return fmt::format("{} rules filled by {} people.", rules_met, people.size());
  }

  Result<std::string> check_executor() const {
    const auto& change = receipt_.change;
    if (!change.executor) {
      if (policy_.by_operator) return wrong("an operator has to execute it, and none is named");
      return "Bailey executed it.";
    }
    if (policy_.by_operator && !policy_.deployers.contains(*change.executor)) {
      return wrong("who executed it may not deploy");
    }
    const auto behind = people_behind(policy_.directory, *change.executor);
    auto authors = change.authors;
    authors.insert(authors.end(), authors_.begin(), authors_.end());
    for (const auto& person : involved_people(policy_.directory, authors, {}, {})) {
      if (policy_.by_operator && behind.contains(person)) return wrong("an author executed it");
    }
    return fmt::format("{} executed it.", to_string(*change.executor));
  }

  Result<std::string> check_verification() const {
    if (policy_.verifies && receipt_.change.kind != ChangeKind::Destroy &&
        receipt_.verification.empty()) {
      return wrong("the environment has to be verified, and no result is here");
    }
    for (const auto& value : receipt_.verification) {
      const auto statement = statement_from_json(value);
      if (!statement) return fail(statement.error());
      const auto read = verification_from_statement(*statement);
      if (!read) return fail(read.error());
      const auto& change = receipt_.change;
      if (read->environment != change.environment ||
          read->environment_uid != change.environment_uid || read->change != change.id ||
          read->plan_digest != change.plan.digest) {
        return wrong("a verification is of something else");
      }
      if (!read->passed()) return wrong("a verification did not pass");
    }
    return fmt::format("{} verifications passed.", receipt_.verification.size());
  }

  const ReadReceipt& receipt_;
  const ReceiptPolicy& policy_;
  std::vector<SignedEvidence> evidence_;
  std::vector<Author> authors_;  ///< As the evidence names them.
  std::vector<GoodApproval> approvals_;
  std::set<std::string> nonces_;
};

Result<Checkpoint> checkpoint_of(const ReceiptLog& log, const std::optional<NoteVerifier>& key) {
  if (key) return open_checkpoint(log.checkpoint, *key);
  const auto end = log.checkpoint.rfind("\n\n");
  if (end == std::string::npos) return wrong("the checkpoint carries no signature");
  return parse_checkpoint(std::string_view(log.checkpoint).substr(0, end + 1));
}

Result<std::string> check_log(const ReadReceipt& receipt, const std::optional<NoteVerifier>& key) {
  if (!receipt.log) return wrong("the receipt does not say where it is in the log");
  const auto checkpoint = checkpoint_of(*receipt.log, key);
  if (!checkpoint) return fail(checkpoint.error());
  const auto entry = parse_json(receipt.log->entry);
  if (!entry) return fail(entry.error());
  if (string_member(member(*entry, "digests"), "receipt") != receipt.digest) {
    return wrong("the entry in the log is about another receipt");
  }
  std::vector<Sha256> proof;
  for (const auto& hash : receipt.log->proof) {
    Sha256& out = proof.emplace_back();
    std::copy(hash.begin(), hash.end(), out.begin());
  }
  auto included = verify_inclusion(receipt.log->index, checkpoint->size,
                                   leaf_hash(receipt.log->entry), proof, checkpoint->root);
  if (!included) return fail(std::move(included.error()));
  auto text = fmt::format("Entry {} of {}.", receipt.log->index, checkpoint->origin);
  if (!key) text += " No key of the log was given: nobody vouches for its head.";
  return text;
}

}  // namespace

Result<ReceiptReport> verify_receipt(const Json& receipt,
                                     const std::optional<std::string>& log_key) {
  std::optional<NoteVerifier> key;
  if (log_key) {
    auto parsed = NoteVerifier::parse(*log_key);
    if (!parsed) return fail(std::move(parsed.error()).in("reading the key of the log"));
    key = *std::move(parsed);
  }
  const auto read = read_receipt(receipt);
  if (!read) return fail(Error(read.error()).in("reading the receipt"));
  ReceiptReport report;
  report.digest = read->digest;
  report.change = read->change.id.str();
  report.environment = read->change.environment;
  const bool whole = receipt_digest_of(receipt) == read->digest;
  report.checks.push_back({"digest", whole,
                           whole ? "The receipt is as it was written."
                                 : "The receipt was altered after it was written."});
  report.checks.push_back({"plan", true, "The plan has the digest that it states."});
  if (const auto policy = read_policy(read->policy, read->change.environment)) {
    Verifier(*read, *policy).run(report.checks);
  } else {
    report.checks.push_back({"policy", false, policy.error().render()});
  }
  const auto log = check_log(*read, key);
  report.checks.push_back({"log", log.has_value(), log ? *log : log.error().render()});
  report.ok = std::all_of(report.checks.begin(), report.checks.end(),
                          [](const ReceiptCheck& check) { return check.ok; });
  return report;
}

}  // namespace bailey
