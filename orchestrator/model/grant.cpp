#include "orchestrator/model/grant.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/digest.hpp"
#include "orchestrator/model/json_reader.hpp"

#include <algorithm>

namespace bailey {

namespace {

using Json = nlohmann::json;

constexpr const char* kOperationType = "grant";

bool given(GrantKind kind, Power power) {
  switch (power) {
    case Power::Read:
    case Power::Operate:
      return true;
    case Power::Request:
    case Power::Audit:
      return kind == GrantKind::Access;
    case Power::Approve:
    case Power::Deploy:
    case Power::Administer:
    case Power::BreakGlass:
      return false;
  }
  return false;
}

Json to_json(const GrantUse& use) {
  return {{"at", use.at}, {"credential", use.credential.str()}, {"entry", use.entry}};
}

Json to_json(const GrantReview& review) {
  return {{"reviewer", review.reviewer},
          {"at", review.at},
          {"conclusion", review.conclusion},
          {"envelope", review.envelope}};
}

Result<GrantUse> use_from_json(const Json& value) {
  GrantUse use;
  JsonReader reader(value, "a use of a grant");
  reader.read("at", use.at);
  reader.read("credential", use.credential);
  reader.read("entry", use.entry);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return use;
}

Result<GrantReview> review_from_json(const Json& value) {
  GrantReview review;
  JsonReader reader(value, "a review of a grant");
  reader.read("reviewer", review.reviewer);
  reader.read("at", review.at);
  reader.read("conclusion", review.conclusion);
  reader.read("envelope", review.envelope);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return review;
}

Result<std::uint64_t> number_from_json(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  return fail(ErrorKind::Protocol, "an index in the log is a number");
}

void read_review(JsonReader& reader, GrantTerms& terms) {
  const auto& value = reader.at("review");
  if (value.is_null()) return;
  ApprovalRule rule;
  JsonReader inner(value, "review");
  inner.read_text("from", rule.from, parse_subject);
  inner.read("count", rule.count);
  inner.read_text("within", terms.review_within, parse_duration);
  if (auto read = inner.finish(); !read) return reader.adopt("review", std::move(read.error()));
  terms.review = std::move(rule);
}

void read_powers(JsonReader& reader, GrantTerms& terms) {
  std::vector<std::string> names;
  reader.read("powers", names);
  for (const auto& name : names) {
    const auto power = parse_power(name);
    if (!power) return reader.refuse("powers", "holds a word that is not known");
    terms.powers.insert(*power);
  }
}

}  // namespace

bool GrantTerms::operator==(const GrantTerms& other) const {
  return bailey::to_json(*this) == bailey::to_json(other);
}

bool Grant::owes_review() const noexcept {
  return terms.kind == GrantKind::BreakGlass && reviewed_at.empty();
}

bool Grant::settled() const noexcept {
  return state == GrantState::Closed && !owes_review();
}

std::set<Power> powers_by_grant(GrantKind kind, const Role& role) {
  if (kind == GrantKind::BreakGlass) return {Power::Read, Power::Operate};
  std::set<Power> powers;
  for (const auto power : role.powers) {
    if (given(kind, power)) powers.insert(power);
  }
  return powers;
}

Role break_glass_role(const Template& spec) {
  Role role{{Power::Read, Power::Operate}, {}};
  if (const auto own = spec.roles.find(std::string(kBreakGlassRole)); own != spec.roles.end()) {
    role.grants = own->second.grants;
    return role;
  }
  std::set<std::string> grants;
  for (const auto& [name, each] : spec.roles) {
    if (each.powers.contains(Power::Operate)) grants.insert(each.grants.begin(), each.grants.end());
  }
  role.grants.assign(grants.begin(), grants.end());
  return role;
}

GrantId grant_of_change(const ChangeId& change) {
  const auto& text = change.str();
  return GrantId("grt" + text.substr(std::min(text.find('-'), text.size())));
}

Operation grant_operation(const std::string& environment, const GrantTerms& terms) {
  Operation operation;
  operation.address = {environment, std::string(to_string(terms.kind)), std::nullopt};
  operation.type = kOperationType;
  operation.action = Action::Create;
  operation.reason = Reason::NotInState;
  operation.after = to_json(terms);
  return operation;
}

Result<GrantTerms> terms_of(const Plan& plan) {
  const bool alone = plan.operations.size() == 1 && plan.artifacts.empty() &&
                     plan.deferred.empty() && !plan.partial();
  if (!alone || plan.operations[0].type != kOperationType || !plan.operations[0].after) {
    return fail(ErrorKind::Protocol, "the plan gives no grant, or more than one");
  }
  auto terms = grant_terms_from_json(*plan.operations[0].after);
  if (!terms) return fail(std::move(terms.error()));
  if (plan.operations[0] != grant_operation(plan.environment, *terms)) {
    return fail(ErrorKind::Protocol, "the plan of a grant says more than its terms");
  }
  return terms;
}

bool is_break_glass(const Change& change) {
  if (change.kind != ChangeKind::Grant) return false;
  const auto terms = terms_of(change.plan);
  return terms && terms->kind == GrantKind::BreakGlass;
}

Json review_subject(const Grant& grant) {
  auto subject = to_json(grant);
  for (const char* later : {"reviews", "reviewed_at", "overdue"}) subject.erase(later);
  return subject;
}

std::string grant_digest_of(const Grant& grant) {
  return digest_of(review_subject(grant));
}

std::string_view to_string(GrantKind kind) noexcept {
  switch (kind) {
    case GrantKind::Access:
      return "access";
    case GrantKind::BreakGlass:
      return "break-glass";
  }
  return "";
}

std::string_view to_string(GrantState state) noexcept {
  switch (state) {
    case GrantState::Open:
      return "open";
    case GrantState::Closing:
      return "closing";
    case GrantState::Closed:
      return "closed";
  }
  return "";
}

Json to_json(const GrantTerms& terms) {
  Json powers = Json::array();
  for (const auto power : terms.powers) powers.push_back(to_string(power));
  Json review;
  if (terms.review) {
    review = {{"from", to_string(terms.review->from)},
              {"count", terms.review->count},
              {"within", format_duration(terms.review_within)}};
  }
  return {{"kind", to_string(terms.kind)},
          {"role", terms.role},
          {"holder", to_string(terms.holder)},
          {"powers", std::move(powers)},
          {"grants", terms.provider_grants},
          {"ttl", format_duration(terms.ttl)},
          {"reason", terms.reason},
          {"incident", terms.incident},
          {"review", std::move(review)}};
}

Result<GrantTerms> grant_terms_from_json(const Json& value) {
  GrantTerms terms;
  JsonReader reader(value, "the terms of a grant");
  reader.read_word("kind", {GrantKind::Access, GrantKind::BreakGlass}, terms.kind);
  reader.read("role", terms.role);
  reader.read_text("holder", terms.holder, parse_subject);
  read_powers(reader, terms);
  reader.read("grants", terms.provider_grants);
  reader.read_text("ttl", terms.ttl, parse_duration);
  reader.read("reason", terms.reason);
  reader.read("incident", terms.incident);
  read_review(reader, terms);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return terms;
}

Json to_json(const Grant& grant) {
  Json uses = Json::array();
  for (const auto& use : grant.uses) uses.push_back(to_json(use));
  Json reviews = Json::array();
  for (const auto& review : grant.reviews) reviews.push_back(to_json(review));
  return {{"id", grant.id.str()},
          {"change", grant.change.str()},
          {"environment", grant.environment},
          {"environment_uid", grant.environment_uid.str()},
          {"terms", to_json(grant.terms)},
          {"agreed", grant.agreed},
          {"state", to_string(grant.state)},
          {"opened_at", grant.opened_at},
          {"ends_at", grant.ends_at},
          {"doubts", grant.doubts},
          {"ended_at", grant.ended_at},
          {"ended_because", grant.ended_because},
          {"uses", std::move(uses)},
          {"entries", grant.entries},
          {"reviews", std::move(reviews)},
          {"review_due", grant.review_due},
          {"reviewed_at", grant.reviewed_at},
          {"overdue", grant.overdue}};
}

Result<Grant> grant_from_json(const Json& value) {
  Grant grant;
  JsonReader reader(value, "a grant");
  reader.read("id", grant.id);
  reader.read("change", grant.change);
  reader.read("environment", grant.environment);
  reader.read("environment_uid", grant.environment_uid);
  if (auto terms = grant_terms_from_json(reader.at("terms"))) {
    grant.terms = *std::move(terms);
  } else {
    reader.adopt("terms", std::move(terms.error()));
  }
  reader.read("agreed", grant.agreed);
  reader.read_word("state", {GrantState::Open, GrantState::Closing, GrantState::Closed},
                   grant.state);
  reader.read("opened_at", grant.opened_at);
  reader.read("ends_at", grant.ends_at);
  reader.read("doubts", grant.doubts);
  reader.read("ended_at", grant.ended_at);
  reader.read("ended_because", grant.ended_because);
  reader.read_list("uses", grant.uses, use_from_json);
  reader.read_list("entries", grant.entries, number_from_json);
  reader.read_list("reviews", grant.reviews, review_from_json);
  reader.read("review_due", grant.review_due);
  reader.read("reviewed_at", grant.reviewed_at);
  reader.read("overdue", grant.overdue);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return grant;
}

}  // namespace bailey
