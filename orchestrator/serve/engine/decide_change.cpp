#include "orchestrator/serve/engine/decide_change.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/model/standing.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::chrono::minutes kNonceTime{15};
constexpr std::size_t kMaxReason = 1000;

bool takes_decisions(const Change& change) {
  return change.state == ChangeState::Waiting || change.state == ChangeState::Approved;
}

// Nobody decides on a change that they wrote or asked for.
Status stands_apart(const Bench& bench, const Change& change, const std::vector<Author>& authors,
                    const std::string& person) {
  const auto involved =
      involved_people(bench.bundle->directory, authors, change.requester, change.executor);
  if (!involved.contains(person)) return {};
  const bool author = std::any_of(authors.begin(), authors.end(), [&](const Author& each) {
    return each.person == person || bench.bundle->directory.person_by_email(each.email) == person;
  });
  const char* part = author ? "is an author of" : "stands behind the requester or executor of";
  std::vector<std::string> others;
  for (const auto& [role, holders] : bench.environment->bindings) {
    const auto& roles = bench.bundle->templates.at(bench.environment->template_name).roles;
    const auto found = roles.find(role);
    if (found == roles.end() || !found->second.powers.contains(Power::Approve)) continue;
    for (const auto& name : bench.bundle->directory.people_in(holders)) {
      if (!involved.contains(name)) others.push_back(name);
    }
  }
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  return fail(Error(ErrorKind::Refused,
                    fmt::format("{} {} {} and cannot decide on it", person, part, change.id.str()))
                  .with_hint(others.empty() ? "Nobody else can approve it either."
                                            : "These people can: " + enumerate(others, "or") + ".")
                  .with_code("gate.not-independent"));
}

Status may_decide(const Bench& bench, const Change& change, const std::vector<Author>& authors,
                  const Caller& caller) {
  if (caller.subject.kind != SubjectKind::Person) {
    return fail(Error(ErrorKind::Refused, "only a person can decide on a change")
                    .with_code("gate.not-a-person"));
  }
  if (!takes_decisions(change)) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("{} is {} and takes no decision any more", change.id.str(),
                            to_string(change.state)));
  }
  if (auto apart = stands_apart(bench, change, authors, caller.subject.name); !apart) return apart;
  auto holds = require(*bench.bundle, *bench.environment, caller, Power::Approve);
  if (!holds) return holds;
  if (enrolled_keys(bench.bundle->directory, caller.subject).empty()) {
    return fail(Error(ErrorKind::Refused, "the Directory has no key for " + caller.subject.name)
                    .with_hint("An approval is signed with the approver's own SSH key: add its "
                               "public half to the Directory.")
                    .with_code("gate.no-key"));
  }
  return {};
}

std::chrono::seconds time_to_expire(const Environment& environment) {
  std::chrono::seconds shortest = std::chrono::hours(72);
  for (const auto& condition : environment.gate) {
    if (const auto* approvals = std::get_if<ApprovalsCondition>(&condition)) {
      shortest = std::min(shortest, approvals->expire);
    }
  }
  return shortest;
}

std::string acting_role(const Bench& bench, const Subject& subject) {
  const auto& roles = bench.bundle->templates.at(bench.environment->template_name).roles;
  for (const auto& name : roles_of(*bench.bundle, *bench.environment, subject)) {
    const auto role = roles.find(name);
    if (role != roles.end() && role->second.powers.contains(Power::Approve)) return name;
  }
  return {};
}

struct Handed {
  Bench bench;
  Change change;
};

Result<Handed> open_for_decision(Engine& engine, Transaction& transaction, const Request& request,
                                 const ChangeId& id) {
  auto change = load_change(transaction, id);
  if (!change) return fail(std::move(change.error()));
  auto bench = bench_for(engine, transaction, change->environment);
  if (!bench) return fail(std::move(bench.error()));
  auto authors = known_authors(transaction, *bench->bundle, *change);
  if (!authors) return fail(std::move(authors.error()));
  if (auto may = may_decide(*bench, *change, *authors, request.caller); !may) {
    return fail(std::move(may.error()));
  }
  return Handed{*std::move(bench), *std::move(change)};
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
  if (auto used = use_nonce(engine, transaction, request, *signed_one, verified->payload); !used) {
    return fail(std::move(used.error()));
  }
  auto expected = expected_approval(engine, transaction, handed->bench, handed->change);
  if (!expected) return fail(std::move(expected.error()));
  expected->acting_role = acting_role(handed->bench, request.caller.subject);
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
  if (approval.decision == Decision::Reject) {
    step(handed->change, ChangeState::Rejected, engine.now(), "by " + approval.approver);
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

Result<Json> prepare_decision(Engine& engine, const Request& request, const ChangeId& id,
                              Decision decision, const std::string& reason) {
  const auto action = fmt::format("change.{}", to_string(decision));
  return audited(engine, request, action, "change:" + id.str(), [&] {
    return in_transaction(
        engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Json> {
          if (utf8_length(reason) > kMaxReason) {
            return fail(ErrorKind::InvalidArgument, "a reason has at most 1000 characters");
          }
          auto handed = open_for_decision(engine, transaction, request, id);
          if (!handed) return fail(std::move(handed.error()));
          auto statement = expected_approval(engine, transaction, handed->bench, handed->change);
          if (!statement) return fail(std::move(statement.error()));
          const auto now = engine.clock().wall_now();
          statement->decision = decision;
          statement->reason = reason;
          statement->acting_role = acting_role(handed->bench, request.caller.subject);
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
          return Json{{"statement", to_json(whole)},
                      {"payload", payload},
                      {"payload_type", kInTotoPayload},
                      {"plan", to_json(handed->change.plan)}};
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
