#include "orchestrator/serve/engine/decide_change.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/gate/decisions.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/read_audit.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

constexpr std::chrono::minutes kNonceTime{15};
constexpr std::size_t kMaxReason = 1000;

std::string role_of(const Bench& bench, const Subject& subject) {
  return acting_role(*bench.bundle, *bench.environment,
                     roles_of(*bench.bundle, *bench.environment, subject));
}

/// A change that somebody wants to say something about, and what they may say.
struct Handed {
  Bench bench;
  Change change;
  Status may_decide;
  Status may_revoke;

  [[nodiscard]] const Status& may(Decision decision) const {
    return decision == Decision::Revoke ? may_revoke : may_decide;
  }
};

Result<Handed> open_for_decision(Engine& engine, Transaction& transaction, const Request& request,
                                 const ChangeId& id) {
  auto change = load_change(transaction, id);
  if (!change) return fail(std::move(change.error()));
  auto bench = bench_for(engine, transaction, *change);
  if (!bench) return fail(std::move(bench.error()));
  auto authors = known_authors(transaction, *bench->bundle, *change);
  if (!authors) return fail(std::move(authors.error()));
  auto approvals = approvals_of(transaction, id);
  if (!approvals) return fail(std::move(approvals.error()));
  const auto holds = require(*bench->bundle, *bench->environment, request.caller, Power::Approve);
  const auto& who = request.caller.subject;
  const Case about{*bench->bundle, *bench->environment, *change, *std::move(authors)};
  auto decides = may_decide(about, who, holds);
  auto revokes = may_revoke(about, who, *approvals);
  return Handed{*std::move(bench), *std::move(change), std::move(decides), std::move(revokes)};
}

tl::unexpected<Error> unknown_nonce() {
  return fail(Error(ErrorKind::Refused,
                    "this statement was not handed out to you, was used "
                    "already, or is too old")
                  .with_hint("Ask for a new one: run the command again.")
                  .with_code("approval.unknown-nonce"));
}

Status use_nonce(Engine& engine, Transaction& transaction, const Request& request,
                 const ApprovalStatement& statement, const std::string& payload) {
  const auto key = "decision/" + statement.nonce;
  auto record = transaction.get(Collection::Nonce, key);
  if (!record) return fail(std::move(record.error()));
  if (!*record) return unknown_nonce();
  auto erased = transaction.erase(Collection::Nonce, key);
  if (!erased) return fail(std::move(erased.error()));
  const auto& body = (*record)->body;
  const auto expires = parse_time(string_member(body, "expires"));
  const bool fits = string_member(body, "approver") == to_string(request.caller.subject) &&
                    string_member(body, "payload") == digest_of(std::string_view(payload)) &&
                    expires && *expires > engine.clock().wall_now();
  return fits ? Status() : Status(unknown_nonce());
}

Result<Approval> take_in(Engine& engine, Transaction& transaction, const Request& request,
                         const ChangeId& id, const Json& envelope_json) {
  auto handed = open_for_decision(engine, transaction, request, id);
  if (!handed) return fail(std::move(handed.error()));
  if (!handed->may_decide && !handed->may_revoke)
    return fail(std::move(handed->may_decide.error()));
  auto envelope = dsse_envelope_from_json(envelope_json);
  if (!envelope) return fail(std::move(envelope.error()).in("reading the envelope"));
  auto verified =
      verify_envelope(*envelope, kInTotoPayload,
                      enrolled_keys(handed->bench.bundle->directory, request.caller.subject));
  if (!verified) return fail(std::move(verified.error()).in("verifying the approval's signature"));
  auto statement = parse_statement(verified->payload);
  if (!statement) return fail(std::move(statement.error()));
  auto signed_one = approval_from_statement(*statement);
  if (!signed_one) return fail(std::move(signed_one.error()));
  if (const auto& may = handed->may(signed_one->decision); !may) return fail(Error(may.error()));
  if (auto used = use_nonce(engine, transaction, request, *signed_one, verified->payload); !used) {
    return fail(std::move(used.error()));
  }
  auto expected = expected_approval(engine, transaction, handed->bench, handed->change);
  if (!expected) return fail(std::move(expected.error()));
  expected->acting_role = role_of(handed->bench, request.caller.subject);
  expected->approver = request.caller.subject.name;
  expected->issued_at = signed_one->issued_at;
  expected->not_before = signed_one->not_before;
  expected->expires_at = signed_one->expires_at;
  expected->nonce = signed_one->nonce;
  if (auto same = approval_matches(*signed_one, *expected); !same) {
    return fail(std::move(same.error())
                    .with_hint("The change has moved on since: look at it "
                               "again and sign anew."));
  }
  Approval approval;
  approval.id = ApprovalId(new_id(engine.random(), "apr"));
  approval.change = id;
  approval.approver = request.caller.subject.name;
  approval.decision = signed_one->decision;
  approval.reason = signed_one->reason;
  approval.issued_at = signed_one->issued_at;
  approval.expires_at = signed_one->expires_at;
  approval.key_fingerprint = verified->fingerprints.front();
  approval.envelope = to_json(*envelope);
  if (auto saved = save(transaction, approval); !saved) return fail(std::move(saved.error()));
  const bool let_in = handed->change.state == ChangeState::Approved;
  if (approval.decision == Decision::Reject || (approval.decision == Decision::Revoke && let_in)) {
    const bool ends = approval.decision == Decision::Reject;
    step(handed->change, ends ? ChangeState::Rejected : ChangeState::Waiting, engine.now(),
         (ends ? "by " : "taken back by ") + approval.approver);
    if (auto saved = save(transaction, handed->change); !saved) {
      return fail(std::move(saved.error()));
    }
  }
  auto entry = entry_for(engine, request, fmt::format("change.{}", to_string(approval.decision)),
                         "change:" + id.str(), "signed with " + approval.key_fingerprint);
  entry.digests = {{"plan", signed_one->plan_digest},
                   {"statement", digest_of(std::string_view(verified->payload))}};
  auto index = append(transaction, entry);
  if (!index) return fail(std::move(index.error()));
  return approval;
}

}  // namespace

Result<Json> prepare_decision(Engine& engine, const Request& request,
                              const DecisionRequest& wanted) {
  const auto& [id, decision, reason, checkpoint] = wanted;
  const auto action = fmt::format("change.{}", to_string(decision));
  return audited(engine, request, action, "change:" + id.str(), [&] {
    return in_transaction(
        engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Json> {
          if (utf8_length(reason) > kMaxReason) {
            return fail(ErrorKind::InvalidArgument, "a reason has at most 1000 characters");
          }
          auto handed = open_for_decision(engine, transaction, request, id);
          if (!handed) return fail(std::move(handed.error()));
          if (const auto& may = handed->may(decision); !may) return fail(Error(may.error()));
          auto statement = expected_approval(engine, transaction, handed->bench, handed->change);
          if (!statement) return fail(std::move(statement.error()));
          const auto now = engine.clock().wall_now();
          statement->decision = decision;
          statement->reason = reason;
          if (!checkpoint.empty()) {
            if (auto own = check_own_checkpoint(engine, transaction, checkpoint); !own) {
              return fail(std::move(own.error()));
            }
            statement->checkpoint = checkpoint;
          }
          statement->acting_role = role_of(handed->bench, request.caller.subject);
          statement->approver = request.caller.subject.name;
          statement->issued_at = format_time(now);
          statement->not_before = statement->issued_at;
          statement->expires_at = format_time(now + time_to_expire(*handed->bench.environment));
          statement->nonce = base64url(engine.random().bytes(16));
          const auto whole = to_statement(*statement);
          const auto payload = payload_of(whole);
          auto stored = transaction.put(Collection::Nonce, "decision/" + statement->nonce,
                                        {{"approver", to_string(request.caller.subject)},
                                         {"payload", digest_of(std::string_view(payload))},
                                         {"expires", format_time(now + kNonceTime)}},
                                        kAbsent);
          if (!stored) return fail(std::move(stored.error()));
          auto known =
              evidence_for(transaction, *handed->bench.bundle, handed->change.plan.artifacts);
          if (!known) return fail(std::move(known.error()));
          const auto& document =
              handed->bench.bundle->document("Environment", handed->change.environment);
          return Json{
              {"statement", to_json(whole)},      {"payload", payload},
              {"payload_type", kInTotoPayload},   {"plan", to_json(handed->change.plan)},
              {"gate", member(document, "gate")}, {"evidence", std::move(known->envelopes)}};
        });
  });
}

Result<Approval> submit_decision(Engine& engine, const Request& request, const ChangeId& id,
                                 const Json& envelope) {
  return audited(engine, request, "change.decide", "change:" + id.str(), [&] {
    return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
      return take_in(engine, transaction, request, id, envelope);
    });
  });
}

}  // namespace bailey
