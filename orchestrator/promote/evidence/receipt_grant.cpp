#include "orchestrator/promote/evidence/receipt_grant.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/model/grant.hpp"

#include <fmt/format.h>

#include <set>

namespace bailey {

namespace {

tl::unexpected<Error> wrong(std::string why) {
  return fail(ErrorKind::Refused, std::move(why));
}

const Json& environment_in(const Json& policy, const std::string& name) {
  static const Json kNone;
  for (const auto& document : member(policy, "documents")) {
    if (string_member(document, "kind") == "Environment" &&
        string_member(document, "name") == name) {
      return member(document, "spec");
    }
  }
  return kNone;
}

std::vector<Subject> subjects(const Json& list) {
  std::vector<Subject> out;
  if (!list.is_array()) return out;
  for (const auto& item : list) {
    const auto subject = item.is_string() ? parse_subject(item.get<std::string>()) : std::nullopt;
    if (subject) out.push_back(*subject);
  }
  return out;
}

/// What the spec says about such a grant.
struct Offer {
  std::vector<Subject> to;
  std::set<std::string> agree;  ///< Who may agree to it, the asker aside.
  std::int64_t approvals = 1;
  std::chrono::seconds ttl{0};
};

Result<Offer> offer_for(const GrantTerms& terms, const Json& environment,
                        const ReceiptPolicy& read) {
  const bool emergency = terms.kind == GrantKind::BreakGlass;
  const auto& spec = emergency ? member(environment, "breakGlass")
                               : member(member(environment, "grantable"), terms.role);
  if (!spec.is_object()) return wrong("the spec offers no such grant");
  Offer offer;
  offer.to = subjects(member(spec, emergency ? "who" : "to"));
  offer.approvals = emergency ? BreakGlass().approvals : GrantableRole().approvals;
  if (const auto& count = member(spec, "approvals"); count.is_number_integer()) {
    offer.approvals = count.get<std::int64_t>();
  }
  const auto ttl = parse_duration(string_member(spec, "ttl"));
  if (!ttl) return wrong("the spec does not say for how long");
  offer.ttl = *ttl;
  if (emergency) {
    offer.agree = read.directory.people_in(offer.to);
    return offer;
  }
  for (const auto& [role, holders] : read.approvers) {
    for (const auto& holder : holders) {
      if (holder.kind == SubjectKind::Person) offer.agree.insert(holder.name);
    }
  }
  return offer;
}

}  // namespace

Result<std::string> check_grant(const Change& change, const Json& policy,
                                const ReceiptPolicy& read) {
  const auto terms = terms_of(change.plan);
  if (!terms) return fail(Error(terms.error()));
  if (terms->holder != change.requester) return wrong("somebody else asked for it");
  const auto offer = offer_for(*terms, environment_in(policy, change.environment), read);
  if (!offer) return fail(Error(offer.error()));
  if (!read.directory.contains(offer->to, terms->holder)) {
    return wrong(to_string(terms->holder) + " may not ask for it");
  }
  if (terms->ttl > offer->ttl) return wrong("it lasts longer than the spec allows");
  const auto* approvals =
      read.gate.size() == 1 && read.gate[0].approvals ? &*read.gate[0].approvals : nullptr;
  if (approvals == nullptr || approvals->rules.size() != 1) {
    return wrong("its gate is not made of one rule about who agrees");
  }
  const auto& rule = approvals->rules[0];
  if (rule.count < 1 || rule.count < offer->approvals) {
    return wrong("its gate asks for fewer people than the spec");
  }
  for (const auto& person : read.directory.people_in({rule.from})) {
    if (!offer->agree.contains(person)) {
      return wrong(person + " may agree by its gate and not by the spec");
    }
  }
  return fmt::format("{} for {}, as the spec offers it.", terms->role, to_string(terms->holder));
}

}  // namespace bailey
