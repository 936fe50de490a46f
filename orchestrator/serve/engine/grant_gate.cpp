#include "orchestrator/serve/engine/grant_gate.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/model/standing.hpp"
#include "orchestrator/promote/gate/gate_evaluator.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace bailey {

namespace {

constexpr std::size_t kMaxReason = 1000;
constexpr std::size_t kMaxIncident = 200;
// So old may an approval of a grant be: whoever asks is in a hurry.
constexpr std::chrono::hours kApprovalLife{8};
// Groups that no spec can name.
constexpr const char* kApprovers = "@approvers";
constexpr const char* kGlassBreakers = "@break-glass";

tl::unexpected<Error> refused(ErrorKind kind, const char* code, std::string message,
                              std::string hint) {
  return fail(Error(kind, std::move(message)).with_hint(std::move(hint)).with_code(code));
}

const Template& template_of(const Bundle& bundle, const Environment& environment) {
  return bundle.templates.at(environment.template_name);
}

Status is_offered_access(const Bundle& bundle, const Environment& environment,
                         const GrantTerms& terms) {
  const auto grantable = environment.grantable.find(terms.role);
  if (grantable == environment.grantable.end() ||
      !template_of(bundle, environment).roles.contains(terms.role)) {
    std::vector<std::string> names;
    for (const auto& [name, each] : environment.grantable) names.push_back(name);
    return refused(
        ErrorKind::Refused, "grant.not-grantable",
        fmt::format("{} gives nobody the role \"{}\" on request", environment.name, terms.role),
        names.empty() ? "No role of it is \"grantable\"."
                      : "It has " + enumerate(names) + " to give.");
  }
  if (bundle.directory.has(terms.holder) &&
      bundle.directory.contains(grantable->second.to, terms.holder)) {
    return {};
  }
  std::vector<std::string> to;
  for (const auto& subject : grantable->second.to) to.push_back(to_string(subject));
  return refused(ErrorKind::PermissionDenied, "grant.not-offered",
                 fmt::format("{} may not ask for the role \"{}\" of {}", to_string(terms.holder),
                             terms.role, environment.name),
                 "It is for " + enumerate(to, "or") + ".");
}

Status is_offered_glass(const Bundle& bundle, const Environment& environment,
                        const GrantTerms& terms) {
  if (!environment.break_glass) {
    return refused(ErrorKind::FailedPrecondition, "break-glass.none",
                   environment.name + " has no glass to break",
                   "An environment that has says \"breakGlass\" in its spec.");
  }
  const auto& who = environment.break_glass->who;
  const bool person = terms.holder.kind == SubjectKind::Person;
  if (person && bundle.directory.has(terms.holder) &&
      bundle.directory.contains(who, terms.holder)) {
    return {};
  }
  std::vector<std::string> names;
  for (const auto& subject : who) names.push_back(to_string(subject));
  return refused(
      ErrorKind::PermissionDenied, "break-glass.not-among",
      fmt::format("{} may not break the glass of {}", to_string(terms.holder), environment.name),
      "People of " + enumerate(names, "or") + " may.");
}

Result<std::string> short_text(const std::string& text, const char* what, std::size_t most) {
  std::string trimmed(trim(text));
  if (trimmed.empty()) {
    return fail(ErrorKind::InvalidArgument, fmt::format("say {}: that is kept", what));
  }
  if (utf8_length(trimmed) > most) {
    return fail(ErrorKind::InvalidArgument, fmt::format("{}: at most {} characters", what, most));
  }
  return trimmed;
}

Status take_ttl(const Environment& environment, const GrantAsk& ask, std::chrono::seconds longest,
                GrantTerms& terms) {
  terms.ttl = ask.ttl.value_or(longest);
  if (terms.ttl <= std::chrono::seconds(0)) {
    return fail(ErrorKind::InvalidArgument, "a grant lasts for some time");
  }
  if (terms.ttl <= longest) return {};
  return refused(ErrorKind::Refused, "grant.too-long",
                 fmt::format("{} gives \"{}\" for {} at most", environment.name, terms.role,
                             format_duration(longest)),
                 "Ask for less; it can be asked for again.");
}

// As a document too, so that policy_of() and with it every receipt carries it.
Json* document_in(Bundle& bundle, std::string_view kind, std::string_view name) {
  for (auto& document : bundle.documents) {
    if (document.at("kind") == kind && (name.empty() || document.at("name") == name)) {
      return &document.at("spec");
    }
  }
  return nullptr;
}

void add_group(Bundle& bundle, const char* name, const std::vector<Subject>& members) {
  bundle.directory.groups[name] = members;
  Json names = Json::array();
  for (const auto& subject : members) names.push_back(to_string(subject));
  if (auto* directory = document_in(bundle, "Directory", "")) {
    (*directory)["groups"][name] = std::move(names);
  }
}

void set_gate(Bundle& bundle, Environment& environment, const char* group, int count) {
  ApprovalsCondition condition;
  condition.rules = {{Subject{SubjectKind::Group, group}, count}};
  condition.expire = kApprovalLife;
  environment.gate = {condition};
  environment.execute = Execution::OnApproval;
  environment.verify.clear();
  auto* spec = document_in(bundle, "Environment", environment.name);
  if (spec == nullptr) return;
  for (const char* other : {"execute", "verify", "rollback"}) spec->erase(other);
  const Json rule{{"from", fmt::format("group:{}", group)}, {"count", count}};
  (*spec)["gate"] = Json::array(
      {Json{{"approvals",
             {{"rules", Json::array({rule})}, {"expire", format_duration(condition.expire)}}}}});
}

// Only those who may break the glass decide about it.
void let_decide(Bundle& bundle, Environment& environment, const std::vector<Subject>& who) {
  auto& roles = bundle.templates.at(environment.template_name).roles;
  for (auto& [name, role] : roles) role.powers.erase(Power::Approve);
  const std::string own(kBreakGlassRole);
  roles[own] = Role{{Power::Read, Power::Approve}, {}};
  environment.bindings[own] = who;
  Json names = Json::array();
  for (const auto& subject : who) names.push_back(to_string(subject));
  if (auto* spec = document_in(bundle, "Environment", environment.name)) {
    (*spec)["bindings"][own] = std::move(names);
  }
  auto* spec = document_in(bundle, "Template", environment.template_name);
  if (spec == nullptr) return;
  Json written = Json::object();
  for (const auto& [name, role] : roles) {
    Json powers = Json::array();
    for (const auto power : role.powers) powers.push_back(to_string(power));
    written[name] = {{"powers", std::move(powers)}, {"grants", role.grants}};
  }
  (*spec)["roles"] = std::move(written);
}

}  // namespace

Status is_offered(const Bundle& bundle, const Environment& environment, const GrantTerms& terms) {
  return terms.kind == GrantKind::BreakGlass ? is_offered_glass(bundle, environment, terms)
                                             : is_offered_access(bundle, environment, terms);
}

Result<GrantTerms> terms_for(const Bundle& bundle, const Environment& environment,
                             const Subject& holder, const GrantAsk& ask) {
  const bool emergency = ask.kind == GrantKind::BreakGlass;
  GrantTerms terms;
  terms.kind = ask.kind;
  terms.role = emergency ? std::string(kBreakGlassRole) : ask.role;
  terms.holder = holder;
  if (auto offered = is_offered(bundle, environment, terms); !offered) {
    return fail(std::move(offered.error()));
  }
  auto reason = short_text(ask.reason, "why", kMaxReason);
  if (!reason) return fail(std::move(reason.error()));
  terms.reason = *std::move(reason);
  if (emergency) {
    auto incident = short_text(ask.incident, "for which incident", kMaxIncident);
    if (!incident) return fail(std::move(incident.error()));
    terms.incident = *std::move(incident);
    terms.review = environment.break_glass->review;
    terms.review_within = environment.break_glass->review_within;
  }
  const auto longest =
      emergency ? environment.break_glass->ttl : environment.grantable.at(ask.role).ttl;
  if (auto fits = take_ttl(environment, ask, longest, terms); !fits) {
    return fail(std::move(fits.error()));
  }
  const auto& spec = template_of(bundle, environment);
  const auto role = emergency ? break_glass_role(spec) : spec.roles.at(terms.role);
  terms.powers = powers_by_grant(terms.kind, role);
  terms.provider_grants = role.grants;
  return terms;
}

BundlePointer with_grant_gate(const Bundle& bundle, const std::string& name,
                              const GrantTerms& terms) {
  auto made = std::make_shared<Bundle>(bundle);
  auto& environment = made->environments.at(name);
  std::vector<Subject> agree;
  int count = 1;
  if (terms.kind == GrantKind::BreakGlass) {
    if (environment.break_glass) {
      agree = environment.break_glass->who;
      count = std::max(environment.break_glass->approvals, 1);
    }
    let_decide(*made, environment, agree);
    made->freezes.clear();
    add_group(*made, kGlassBreakers, agree);
    set_gate(*made, environment, kGlassBreakers, count);
    return made;
  }
  if (const auto grantable = environment.grantable.find(terms.role);
      grantable != environment.grantable.end()) {
    count = std::max(grantable->second.approvals, 1);
    for (const auto& person : people_holding(bundle, environment, Power::Approve)) {
      agree.push_back({SubjectKind::Person, person});
    }
  }
  add_group(*made, kApprovers, agree);
  set_gate(*made, environment, kApprovers, count);
  return made;
}

Plan grant_plan(const Bundle& bundle, const Environment& environment, const EnvironmentUid& uid,
                const GrantTerms& terms) {
  const auto bench = with_grant_gate(bundle, environment.name, terms);
  Plan plan;
  plan.environment = environment.name;
  plan.environment_uid = uid;
  plan.spec_digest = digest_of(to_json(terms));
  plan.policy_digest = digest_of(policy_of(*bench, bench->environments.at(environment.name)));
  plan.template_digest = template_digest_of(bundle, environment.template_name);
  plan.operations = {grant_operation(environment.name, terms)};
  seal(plan);
  return plan;
}

Status can_be_met(const Bundle& bundle, const Change& change) {
  const auto terms = terms_of(change.plan);
  if (!terms) return fail(Error(terms.error()));
  const auto bench = with_grant_gate(bundle, change.environment, *terms);
  const auto& environment = bench->environments.at(change.environment);
  const auto people = eligible_approvers({*bench, environment, change, {}, {}, {}, {}, {}});
  const auto& rule = std::get<ApprovalsCondition>(environment.gate.front()).rules.front();
  if (static_cast<int>(people.size()) < rule.count) {
    return refused(
        ErrorKind::Refused, "grant.too-few-people",
        fmt::format("{} of {} needs the agreement of {} people beside {}, and {} could give it",
                    terms->role, change.environment, rule.count, to_string(terms->holder),
                    people.empty() ? "nobody" : fmt::format("{}", people.size())),
        "The administrators can change who may: people with a key in the Directory.");
  }
  if (!terms->review) return {};
  auto reviewers = bundle.directory.people_in({terms->review->from});
  reviewers.erase(terms->holder.name);
  if (static_cast<int>(reviewers.size()) >= terms->review->count) return {};
  return refused(ErrorKind::Refused, "grant.too-few-people",
                 fmt::format("afterwards {} people of {} would have to review it, and there are {} "
                             "beside {}",
                             terms->review->count, to_string(terms->review->from), reviewers.size(),
                             to_string(terms->holder)),
                 "The administrators can change who reviews.");
}

}  // namespace bailey
