#include "orchestrator/promote/gate/gate_evaluator.hpp"

#include "orchestrator/base/lookup.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/model/grant.hpp"
#include "orchestrator/model/own_subjects.hpp"
#include "orchestrator/model/quorum.hpp"
#include "orchestrator/model/standing.hpp"
#include "orchestrator/promote/evidence/statement.hpp"
#include "orchestrator/promote/gate/approvers.hpp"
#include "orchestrator/promote/gate/duty_rules.hpp"
#include "orchestrator/promote/gate/window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bailey {

namespace {

std::string digest_in(const std::string& reference) {
  const auto at = reference.rfind('@');
  return at == std::string::npos ? std::string() : reference.substr(at + 1);
}

std::string short_digest(const std::string& digest) {
  return digest.substr(0, 19);
}

std::vector<std::string> names(const std::vector<Subject>& subjects) {
  std::vector<std::string> out;
  for (const auto& subject : subjects) out.push_back(to_string(subject));
  return out;
}

ConditionResult standing(bool met, std::string detail) {
  ConditionResult result;
  result.met = met;
  result.detail = std::move(detail);
  return result;
}

/// One evaluation: each method judges one kind of condition.
class Evaluation {
 public:
  explicit Evaluation(const GateInputs& inputs) : inputs_(inputs), approvers_(inputs) {}

  GateResult run() {
    GateResult result;
    for (std::size_t i = 0; i < inputs_.environment.gate.size(); ++i) {
      const auto& condition = inputs_.environment.gate[i];
      auto judged = std::visit([&](const auto& each) { return judge(each, i); }, condition);
      judged.condition = kind_of(condition);
      if (!judged.met && !judged.since && !std::holds_alternative<CheckCondition>(condition)) {
        // People are waited for from the beginning; what a program said before is not kept.
        judged.since = parse_time(inputs_.change.created_at);
      }
      result.conditions.push_back(std::move(judged));
    }
    if (!(goes_back() && goes_back_by_itself())) result.conditions.push_back(judge_freezes());
    if (auto duties = judge_duties(); !duties.met) result.conditions.push_back(std::move(duties));
    judge_reviews(result.conditions);
    const auto all_met = [&] {
      return std::all_of(result.conditions.begin(), result.conditions.end(),
                         [](const ConditionResult& each) { return each.met; });
    };
    if (all_met()) {
      if (auto floor = judge_floor(); !floor.met) {
        floor.since = parse_time(inputs_.change.created_at);
        result.conditions.push_back(std::move(floor));
      }
    }
    result.rejected = !approvers_.rejected_by().empty();
    result.met = all_met() && !result.rejected;
    return result;
  }

 private:
  /// The digests that `stage` has to have verified: a template's only where it is used there.
  [[nodiscard]] std::vector<std::string> wanted_in(const Environment& stage) const {
    std::vector<std::string> wanted;
    for (const auto& digest : inputs_.change.introduces) {
      const bool is_template = digest == inputs_.change.plan.template_digest;
      if (is_template && stage.template_name != inputs_.environment.template_name) continue;
      wanted.push_back(digest);
    }
    return wanted;
  }

  [[nodiscard]] std::optional<VerifiedItem> verified(const std::string& stage,
                                                     const std::string& digest) const {
    if (!inputs_.verified) return std::nullopt;
    auto item = inputs_.verified(stage, digest);
    // A store that answers with another item answers nothing.
    if (!item || item->environment != stage || item->digest != digest) return std::nullopt;
    return item;
  }

  ConditionResult unknown_stage(const std::string& stage) const {
    return standing(false, fmt::format("There is no environment \"{}\".", stage));
  }

  ConditionResult judge(const VerifiedCondition& condition, std::size_t) const {
    const auto* stage = inputs_.bundle.environment(condition.in);
    if (stage == nullptr) return unknown_stage(condition.in);
    std::vector<std::string> missing;
    const auto wanted = wanted_in(*stage);
    for (const auto& digest : wanted) {
      if (!verified(condition.in, digest)) missing.push_back(short_digest(digest));
    }
    if (!missing.empty()) {
      auto result = standing(
          false, fmt::format("Not verified in {} yet: {}.", condition.in, enumerate(missing)));
      const auto people = people_holding(inputs_.bundle, *stage, Power::Request);
      result.who_can_unblock.assign(people.begin(), people.end());
      return result;
    }
    if (wanted.empty()) {
      return standing(true,
                      fmt::format("The change introduces nothing that {} runs.", condition.in));
    }
    return standing(true, fmt::format("Verified in {}.", condition.in));
  }

  ConditionResult judge(const SoakCondition& condition, std::size_t) const {
    const auto* stage = inputs_.bundle.environment(condition.in);
    if (stage == nullptr) return unknown_stage(condition.in);
    std::optional<WallTime> opens;
    std::optional<WallTime> began;
    for (const auto& digest : wanted_in(*stage)) {
      const auto item = verified(condition.in, digest);
      const auto since = item ? parse_time(item->since) : std::nullopt;
      if (!since) {
        return standing(false,
                        fmt::format("{} is not verified in {} yet, so its time has not begun.",
                                    short_digest(digest), condition.in));
      }
      began = std::max(began.value_or(*since), *since);
      opens = *began + condition.duration;
    }
    if (!opens) {
      return standing(true,
                      fmt::format("The change introduces nothing that {} runs.", condition.in));
    }
    if (*opens <= inputs_.now) {
      return standing(true, fmt::format("In {} for {} or longer.", condition.in,
                                        format_duration(condition.duration)));
    }
    auto result =
        standing(false, fmt::format("Has to run in {} for {}: until {}.", condition.in,
                                    format_duration(condition.duration), format_time(*opens)));
    result.opens_at = opens;
    result.since = began;
    return result;
  }

  template <class Among>
  static std::vector<QuorumRule> rules_of(const ApprovalsCondition& condition, Among among) {
    std::vector<QuorumRule> rules;
    for (const auto& rule : condition.rules) {
      rules.push_back({to_string(rule.from), rule.count, among(rule.from)});
    }
    return rules;
  }

  /// Whether all who may could fill the rules together. Of each rule as many people are looked at
  /// as there are places in all: more could not make a difference.
  static bool can_be_met(const std::vector<QuorumRule>& rules) {
    std::size_t places = 0;
    for (const auto& rule : rules) places += static_cast<std::size_t>(std::max(rule.count, 0));
    std::vector<QuorumRule> shorter;
    std::set<std::string> all;
    for (const auto& rule : rules) {
      const auto many = static_cast<std::ptrdiff_t>(std::min(rule.eligible.size(), places));
      const auto end = std::next(rule.eligible.begin(), many);
      shorter.push_back({rule.name, rule.count, {rule.eligible.begin(), end}});
      all.insert(rule.eligible.begin(), end);
    }
    return match_quorum(shorter, all).met;
  }

  ConditionResult judge(const ApprovalsCondition& condition, std::size_t) const {
    if (condition.rules.empty()) {
      return standing(false, "No rule says who approves, so nobody can.");
    }
    const auto agreed = approvers_.agreed(condition.expire);
    const auto filled = match_quorum(
        rules_of(condition, [&](const Subject& from) { return approvers_.among(agreed, from); }),
        agreed);
    if (filled.met) return standing(true, describe(filled));
    // Only now it matters who else there is.
    const auto rules =
        rules_of(condition, [&](const Subject& from) { return approvers_.eligible_in(from); });
    const auto quorum = match_quorum(rules, agreed);
    auto result = standing(false, describe(quorum));
    for (const auto& rule : quorum.rules) {
      auto& could = result.who_can_unblock;
      const auto middle = could.insert(could.end(), rule.could_fill.begin(), rule.could_fill.end());
      std::inplace_merge(could.begin(), middle, could.end());
      could.erase(std::unique(could.begin(), could.end()), could.end());
    }
    result.waits_for_people = can_be_met(rules);
    if (!result.waits_for_people) result.detail += " Too few people may approve this change.";
    return result;
  }

  static std::string describe(const QuorumResult& quorum) {
    std::vector<std::string> parts;
    for (const auto& rule : quorum.rules) parts.push_back(describe(rule));
    return join(parts, "; ") + ".";
  }

  static std::string describe(const RuleFilling& rule) {
    const auto have = rule.filled_by.size();
    auto text = fmt::format("{} of {} from {}", have, rule.count, rule.rule);
    if (have > 0) text += fmt::format(" ({})", enumerate(rule.filled_by));
    return text;
  }

  [[nodiscard]] bool proven(const EvidenceCondition& condition, const std::string& digest) const {
    return std::any_of(
        inputs_.evidence.begin(), inputs_.evidence.end(), [&](const EvidenceItem& item) {
          return item.subject_digest == digest && item.predicate_type == condition.predicate_type &&
                 inputs_.bundle.directory.contains(condition.signed_by, item.signer);
        });
  }

  ConditionResult judge(const EvidenceCondition& condition, std::size_t) const {
    if (inputs_.change.plan.artifacts.empty()) {
      return standing(true, "The change has no artifacts, so there is nothing to prove.");
    }
    std::vector<std::string> missing;
    for (const auto& [slot, reference] : inputs_.change.plan.artifacts) {
      if (!proven(condition, digest_in(reference))) missing.push_back(slot);
    }
    if (missing.empty()) {
      return standing(true,
                      fmt::format("{} is there for every artifact.", condition.predicate_type));
    }
    auto result = standing(
        false, fmt::format("{} is missing for {}, signed by {}.", condition.predicate_type,
                           enumerate(missing), enumerate(names(condition.signed_by), "or")));
    result.who_can_unblock = names(condition.signed_by);
    return result;
  }

  ConditionResult judge(const CheckCondition& condition, std::size_t index) const {
    const auto name = condition.command.empty() ? std::string("The check") : condition.command[0];
    const auto* outcome = find_value(inputs_.checks, index);
    if (outcome == nullptr) return standing(false, name + " has not answered yet.");
    const auto& [passed, detail] = *outcome;
    auto text = fmt::format("{} {}{}{}.", name, passed ? "passed" : "did not pass",
                            detail.empty() ? "" : ": ", detail);
    return standing(passed, std::move(text));
  }

  ConditionResult judge(const WindowCondition& condition, std::size_t) const {
    const auto state = window_at(condition, inputs_.now);
    if (!state.known) {
      return standing(false,
                      fmt::format("The window cannot be told: zone \"{}\".", condition.zone));
    }
    if (state.open) return standing(true, "The window is open.");
    auto result = standing(false, "The window is shut.");
    result.opens_at = state.opens_at;
    result.since = state.shut_since;
    if (state.opens_at) {
      result.detail = fmt::format("The window is shut until {}.", format_time(*state.opens_at));
    }
    return result;
  }

  [[nodiscard]] bool covers(const Freeze& freeze) const {
    // A freeze that names nothing leaves nothing out.
    return (freeze.classes.empty() && freeze.environments.empty()) ||
           freeze.classes.contains(inputs_.environment.environment_class) ||
           freeze.environments.contains(inputs_.environment.name);
  }

  ConditionResult judge_freezes() const {
    auto result = standing(true, "No freeze is on.");
    result.condition = "freeze";
    for (const auto& [name, freeze] : inputs_.bundle.freezes) {
      if (!covers(freeze) || inputs_.now < freeze.from || inputs_.now >= freeze.to) continue;
      if (!result.met && freeze.to <= *result.opens_at) continue;
      result.met = false;
      result.opens_at = freeze.to;
      result.since = freeze.from;
      result.detail = fmt::format("Frozen by \"{}\" until {}{}{}.", name, format_time(freeze.to),
                                  freeze.reason.empty() ? "" : ": ", freeze.reason);
    }
    return result;
  }

  // Whoever breaks the glass again while a review is owed owes one more.
  void judge_reviews(std::vector<ConditionResult>& conditions) const {
    if (is_break_glass(inputs_.change)) return;
    for (const auto& owed : inputs_.owed_reviews) {
      auto result = standing(false, describe(owed));
      result.condition = "review";
      result.who_can_unblock = owed.reviewers;
      result.waits_for_people = true;
      conditions.push_back(std::move(result));
    }
  }

  static std::string describe(const OwedReview& owed) {
    auto text = fmt::format("Frozen since {}, when {} broke the glass for {} ({}).", owed.since,
                            owed.holder, owed.incident, owed.grant);
    if (owed.open) text += " The emergency access has not ended yet.";
    text +=
        fmt::format(" {} of {} from {} have signed the review", owed.have, owed.count, owed.from);
    if (owed.overdue) {
      text += fmt::format(", which is late: it was due at {}", owed.due);
    } else if (!owed.due.empty()) {
      text += fmt::format(", due at {}", owed.due);
    }
    text += ".";
    if (owed.reviewers.empty()) text += " Nobody can sign it as things are.";
    return text;
  }

  template <class Kind>
  [[nodiscard]] bool asks_for() const {
    const auto& gate = inputs_.environment.gate;
    return std::any_of(gate.begin(), gate.end(), [](const Condition& condition) {
      return std::holds_alternative<Kind>(condition);
    });
  }

  [[nodiscard]] bool asks_for_authorship() const {
    const auto& gate = inputs_.environment.gate;
    return std::any_of(gate.begin(), gate.end(), [](const Condition& condition) {
      const auto* evidence = std::get_if<EvidenceCondition>(&condition);
      return evidence != nullptr && evidence->predicate_type == kAuthorshipPredicate;
    });
  }

  /// The longest validity that the gate itself allows; the approval's own end holds in any case.
  [[nodiscard]] std::chrono::seconds longest_validity() const {
    std::chrono::seconds longest{0};
    for (const auto& condition : inputs_.environment.gate) {
      if (const auto* approvals = std::get_if<ApprovalsCondition>(&condition)) {
        longest = std::max(longest, approvals->expire);
      }
    }
    return longest;
  }

  /// What a duty of the bundle keeps apart, nobody does in one change.
  ConditionResult judge_duties() const {
    auto result = standing(true, "No duty is broken.");
    result.condition = "duty";
    // What decides is changed by administrators, whom no duty about environments names.
    if (inputs_.bundle.duties.exclusive.empty() || inputs_.change.kind == ChangeKind::Policy) {
      return result;
    }
    const auto people =
        people_of_change(inputs_.bundle.directory, inputs_.change, all_authors(inputs_),
                         approvers_.agreed(longest_validity()));
    std::vector<std::string> broken;
    for (const auto& each : broken_duties(inputs_.bundle, inputs_.environment, people)) {
      broken.push_back(fmt::format("{} {}, which the duty \"{}\" keeps apart", each.person,
                                   enumerate(each.parts), each.duty));
    }
    if (broken.empty()) return result;
    result.met = false;
    result.detail = join(broken, "; ") + ".";
    return result;
  }

  [[nodiscard]] bool goes_back_by_itself() const {
    return inputs_.environment.rollback.on_failed_verification &&
           inputs_.change.requester == rollback_subject();
  }
  /// By a gate that the spec declares for it; by the environment's own gate it is like any other.
  [[nodiscard]] bool goes_back() const {
    return inputs_.change.kind == ChangeKind::Rollback && !inputs_.change.rolls_back_to.empty() &&
           (inputs_.environment.rollback.gate || goes_back_by_itself());
  }

  /// Defence in depth: validation refuses a spec below the floor, and this refuses its changes.
  ConditionResult judge_floor() const {
    const auto environment_class = inputs_.environment.environment_class;
    auto result = standing(true, "As the class demands.");
    result.condition = "floor";
    const auto refuse = [&](std::string detail) {
      result.met = false;
      result.detail = fmt::format("The class {} demands {}.", to_string(environment_class), detail);
    };
    // By a grant nothing comes in; who gets it must not be alone, wherever it is.
    if (inputs_.change.kind == ChangeKind::Grant) {
      if (approvers_.agreed(longest_validity()).empty()) refuse("that somebody else agrees");
      return result;
    }
    if (environment_class < EnvironmentClass::Test) return result;
    // What a rollback leads to has passed the whole gate before, as its receipt shows.
    const bool back = goes_back();
    if (back && goes_back_by_itself()) return result;
    if (!back && !asks_for<VerifiedCondition>()) refuse("a `verified` condition");
    if (environment_class < EnvironmentClass::Staging) return result;
    const std::size_t needed = environment_class == EnvironmentClass::Production && !back ? 2 : 1;
    const auto agreed = approvers_.agreed(longest_validity());
    if (agreed.size() < needed) {
      refuse(needed == 1 ? std::string("an approval")
                         : fmt::format("approvals by {} different people", needed));
      result.waits_for_people = asks_for<ApprovalsCondition>();
      std::set_difference(approvers_.eligible().begin(), approvers_.eligible().end(),
                          agreed.begin(), agreed.end(), std::back_inserter(result.who_can_unblock));
    }
    if (environment_class == EnvironmentClass::Production && !back && !asks_for_authorship()) {
      refuse("evidence of authorship");
    }
    return result;
  }

  const GateInputs& inputs_;
  Approvers approvers_;
};

}  // namespace

bool GateResult::waits_for_people_only() const noexcept {
  return !met && !rejected &&
         std::all_of(conditions.begin(), conditions.end(),
                     [](const ConditionResult& each) { return each.met || each.waits_for_people; });
}

GateResult evaluate_gate(const GateInputs& inputs) {
  return Evaluation(inputs).run();
}

}  // namespace bailey
