#include "orchestrator/serve/engine/review_grant.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/review_statement.hpp"
#include "orchestrator/promote/evidence/signed_statement.hpp"
#include "orchestrator/serve/engine/grant_records.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/show_grants.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::chrono::minutes kNonceTime{15};
constexpr std::size_t kMaxConclusion = 2000;

bool is_among(const std::vector<std::string>& people, const std::string& person) {
  return std::find(people.begin(), people.end(), person) != people.end();
}

bool has_signed(const Grant& grant, const std::string& person) {
  return std::any_of(grant.reviews.begin(), grant.reviews.end(),
                     [&](const GrantReview& review) { return review.reviewer == person; });
}

// Nobody reviews what they did or let happen.
bool had_a_part(const Grant& grant, const std::string& person) {
  return grant.terms.holder == Subject{SubjectKind::Person, person} ||
         is_among(grant.agreed, person);
}

tl::unexpected<Error> refused(const char* code, std::string message, std::string hint) {
  return fail(
      Error(ErrorKind::Refused, std::move(message)).with_hint(std::move(hint)).with_code(code));
}

std::string who_can(const Bundle& bundle, const Grant& grant) {
  const auto people = reviewers_of(bundle, grant);
  return people.empty() ? "Nobody can now: the administrators have to bring people into " +
                              to_string(grant.terms.review->from) + "."
                        : "These people can: " + enumerate(people, "or") + ".";
}

Status takes_reviews(const Grant& grant) {
  const auto id = grant.id.str();
  if (!grant.terms.review) {
    return fail(Error(ErrorKind::FailedPrecondition, id + " asks for no review")
                    .with_hint("Only an emergency is reviewed."));
  }
  if (!grant.owes_review()) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("{} was reviewed at {}", id, grant.reviewed_at));
  }
  if (grant.state == GrantState::Closed) return {};
  return fail(
      Error(ErrorKind::FailedPrecondition, id + " is still " + std::string(to_string(grant.state)) +
                                               ": what is reviewed is what was done, all of it")
          .with_hint("End it first:\n    bailey grant revoke " + id)
          .with_code("review.too-early"));
}

Status may_review(const Bundle& bundle, const Grant& grant, const Caller& caller) {
  const auto& person = caller.subject.name;
  if (caller.subject.kind != SubjectKind::Person) {
    return refused("gate.not-a-person", "only a person can review", who_can(bundle, grant));
  }
  if (had_a_part(grant, person)) {
    return refused(
        "review.not-independent",
        fmt::format("{} {} {} and cannot review it", person,
                    grant.terms.holder.name == person ? "had" : "agreed to", grant.id.str()),
        who_can(bundle, grant));
  }
  if (!bundle.directory.has(caller.subject) ||
      !bundle.directory.contains({grant.terms.review->from}, caller.subject)) {
    return fail(Error(ErrorKind::PermissionDenied,
                      fmt::format("{} is not of {}, who review {}", person,
                                  to_string(grant.terms.review->from), grant.id.str()))
                    .with_hint(who_can(bundle, grant))
                    .with_code("review.not-among"));
  }
  if (has_signed(grant, person)) {
    return refused("review.twice", person + " has signed the review already",
                   who_can(bundle, grant));
  }
  if (enrolled_keys(bundle.directory, caller.subject).empty()) {
    return refused("gate.no-key", "the Directory has no key for " + person,
                   "A review is signed with the reviewer's own SSH key: add its public half to the "
                   "Directory.");
  }
  return {};
}

struct Handed {
  BundlePointer bundle;
  Grant grant;
};

Result<Handed> open_for_review(Engine& engine, Transaction& transaction, const Request& request,
                               const GrantId& id) {
  auto grant = load_grant(transaction, id);
  if (!grant) return fail(std::move(grant.error()));
  auto bundle = engine.bundle(transaction);
  if (!bundle) return fail(std::move(bundle.error()));
  if (auto takes = takes_reviews(*grant); !takes) return fail(std::move(takes.error()));
  if (auto may = may_review(**bundle, *grant, request.caller); !may) {
    return fail(std::move(may.error()));
  }
  return Handed{*std::move(bundle), *std::move(grant)};
}

std::string nonce_key(const std::string& nonce) {
  return "review/" + nonce;
}

Status use_nonce(Engine& engine, Transaction& transaction, const Request& request,
                 const std::string& nonce, const std::string& payload) {
  auto record = transaction.get(Collection::Nonce, nonce_key(nonce));
  if (!record) return fail(std::move(record.error()));
  const auto body = *record ? (*record)->body : Json();
  const auto expires = parse_time(string_member(body, "expires"));
  const bool fits = string_member(body, "reviewer") == to_string(request.caller.subject) &&
                    string_member(body, "payload") == digest_of(std::string_view(payload)) &&
                    expires && *expires > engine.clock().wall_now();
  if (!fits) {
    return refused("review.unknown-nonce",
                   "this statement was not handed out to you, was used already, or is too old",
                   "Ask for a new one: run the command again.");
  }
  auto erased = transaction.erase(Collection::Nonce, nonce_key(nonce));
  if (!erased) return fail(std::move(erased.error()));
  return {};
}

struct SignedReview {
  ReviewStatement statement;
  std::string payload;
  std::string fingerprint;
  Json envelope;
};

Result<SignedReview> read_signed(const Directory& directory, const Subject& reviewer,
                                 const Json& value) {
  auto envelope = dsse_envelope_from_json(value);
  if (!envelope) return fail(std::move(envelope.error()).in("reading the envelope"));
  auto verified = verify_envelope(*envelope, kInTotoPayload, enrolled_keys(directory, reviewer));
  if (!verified) return fail(std::move(verified.error()).in("verifying the review's signature"));
  auto statement = parse_statement(verified->payload);
  if (!statement) return fail(std::move(statement.error()));
  auto review = review_from_statement(*statement);
  if (!review) return fail(std::move(review.error()));
  return SignedReview{*std::move(review), std::move(verified->payload),
                      verified->fingerprints.front(), to_json(*envelope)};
}

// Those that hold today: signed by a key that the reviewer still has, about the grant as it is, by
// somebody who may.
int holding_reviews(const Bundle& bundle, const Grant& grant) {
  int holding = 0;
  for (const auto& review : grant.reviews) {
    const Subject reviewer{SubjectKind::Person, review.reviewer};
    if (had_a_part(grant, review.reviewer) || !bundle.directory.has(reviewer) ||
        !bundle.directory.contains({grant.terms.review->from}, reviewer)) {
      continue;
    }
    const auto opened = read_signed(bundle.directory, reviewer, review.envelope);
    if (!opened) continue;
    auto expected = review_of(grant);
    expected.reviewer = review.reviewer;
    expected.issued_at = opened->statement.issued_at;
    expected.nonce = opened->statement.nonce;
    if (review_matches(opened->statement, expected)) ++holding;
  }
  return holding;
}

Result<Json> take_in(Engine& engine, Transaction& transaction, const Request& request,
                     const GrantId& id, const Json& envelope) {
  auto handed = open_for_review(engine, transaction, request, id);
  if (!handed) return fail(std::move(handed.error()));
  auto& grant = handed->grant;
  auto read = read_signed(handed->bundle->directory, request.caller.subject, envelope);
  if (!read) return fail(std::move(read.error()));
  const auto& review = read->statement;
  if (auto used = use_nonce(engine, transaction, request, review.nonce, read->payload); !used) {
    return fail(std::move(used.error()));
  }
  auto expected = review_of(grant);
  expected.reviewer = request.caller.subject.name;
  expected.issued_at = review.issued_at;
  expected.nonce = review.nonce;
  if (auto same = review_matches(review, expected); !same) return fail(std::move(same.error()));
  grant.reviews.push_back(
      {review.reviewer, engine.now(), review.conclusion, std::move(read->envelope)});
  const int have = holding_reviews(*handed->bundle, grant);
  const bool enough = have >= std::max(grant.terms.review->count, 1);
  if (enough) grant.reviewed_at = engine.now();
  if (auto saved = save(transaction, grant); !saved) return fail(std::move(saved.error()));
  auto entry =
      entry_for(engine, request, grant_action(grant.terms, "review"), "grant:" + grant.id.str(),
                fmt::format("{} of {} have reviewed it; signed with {}{}", have,
                            grant.terms.review->count, read->fingerprint,
                            enough ? "; " + grant.environment + " is free again" : std::string()));
  entry.digests = {{"grant", review.grant_digest},
                   {"statement", digest_of(std::string_view(read->payload))}};
  auto index = append(transaction, entry);
  if (!index) return fail(std::move(index.error()));
  return grant_json(engine, transaction, grant, {});
}

}  // namespace

std::vector<std::string> reviewers_of(const Bundle& bundle, const Grant& grant) {
  std::vector<std::string> people;
  if (!grant.terms.review) return people;
  for (const auto& person : bundle.directory.people_in({grant.terms.review->from})) {
    const Subject subject{SubjectKind::Person, person};
    if (had_a_part(grant, person) || has_signed(grant, person)) continue;
    if (!enrolled_keys(bundle.directory, subject).empty()) people.push_back(person);
  }
  return people;
}

Result<std::vector<OwedReview>> owed_reviews(Transaction& transaction, const Bundle& bundle,
                                             const Environment& environment) {
  std::vector<OwedReview> owed;
  if (environment.environment_class == EnvironmentClass::Sandbox) return owed;
  auto grants = live_grants(transaction, environment.name);
  if (!grants) return fail(std::move(grants.error()));
  std::sort(grants->begin(), grants->end(),
            [](const Grant& left, const Grant& right) { return left.opened_at < right.opened_at; });
  for (const auto& grant : *grants) {
    if (!grant.owes_review() || !grant.terms.review) continue;
    owed.push_back({grant.id.str(), to_string(grant.terms.holder), grant.terms.incident,
                    grant.opened_at, grant.state != GrantState::Closed,
                    to_string(grant.terms.review->from), holding_reviews(bundle, grant),
                    grant.terms.review->count, grant.review_due, grant.overdue,
                    reviewers_of(bundle, grant)});
  }
  return owed;
}

Json owed_json(const std::vector<OwedReview>& owed) {
  Json list = Json::array();
  for (const auto& each : owed) {
    list.push_back({{"grant", each.grant},
                    {"holder", each.holder},
                    {"incident", each.incident},
                    {"since", each.since},
                    {"open", each.open},
                    {"from", each.from},
                    {"have", each.have},
                    {"count", each.count},
                    {"due", each.due.empty() ? Json() : Json(each.due)},
                    {"overdue", each.overdue},
                    {"who_can_unblock", each.reviewers}});
  }
  return list;
}

Result<Json> prepare_review(Engine& engine, const Request& request, const GrantId& id,
                            const std::string& conclusion) {
  return audited(engine, request, "grant.review", "grant:" + id.str(), [&] {
    return in_transaction(
        engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Json> {
          if (utf8_length(conclusion) > kMaxConclusion || trim(conclusion).empty()) {
            return fail(ErrorKind::InvalidArgument,
                        "say what came of looking at it, in at most 2000 characters");
          }
          auto handed = open_for_review(engine, transaction, request, id);
          if (!handed) return fail(std::move(handed.error()));
          auto review = review_of(handed->grant);
          review.conclusion = conclusion;
          review.reviewer = request.caller.subject.name;
          review.issued_at = engine.now();
          review.nonce = base64url(engine.random().bytes(16));
          const auto statement = to_statement(review);
          const auto payload = payload_of(statement);
          auto stored =
              transaction.put(Collection::Nonce, nonce_key(review.nonce),
                              {{"reviewer", to_string(request.caller.subject)},
                               {"payload", digest_of(std::string_view(payload))},
                               {"expires", format_time(engine.clock().wall_now() + kNonceTime)}},
                              kAbsent);
          if (!stored) return fail(std::move(stored.error()));
          return Json{{"statement", to_json(statement)},
                      {"payload", payload},
                      {"payload_type", kInTotoPayload},
                      {"subject", review_subject(handed->grant)}};
        });
  });
}

Result<Json> submit_review(Engine& engine, const Request& request, const GrantId& id,
                           const Json& envelope) {
  return audited(engine, request, "grant.review", "grant:" + id.str(), [&] {
    return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
      return take_in(engine, transaction, request, id, envelope);
    });
  });
}

}  // namespace bailey
