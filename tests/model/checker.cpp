#include "tests/model/checker.hpp"

#include "orchestrator/model/rights.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/identity/powers.hpp"
#include "tests/model/expectations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace bailey::model_check {

namespace {

constexpr std::uint8_t kMostWrites = 2;
constexpr std::uint8_t kMostTicks = 2;
const WallTime kBegin = *parse_time("2026-03-04T00:00:00Z");
constexpr std::chrono::hours kTick{9};

Subject subject_of(std::uint8_t who) {
  if (who == kCi) return {SubjectKind::Service, "ci"};
  return {SubjectKind::Person, kPeople[who]};
}

const char* name_of(std::uint8_t who) {
  if (who == kBailey) return "Bailey";
  return who == kCi ? "ci" : kPeople[who];
}

std::string address_of(std::size_t person) {
  return std::string(kPeople[person]) + "@acme.example";
}

std::vector<Author> authors_of_build(const Build& build) {
  std::vector<Author> authors;
  for (std::size_t i = 0; i < kPeople.size(); ++i) {
    if ((build.authors >> i & 1) != 0) authors.push_back({address_of(i), ""});
  }
  return authors;
}

std::string digest_of_build(const Build& build) {
  return fmt::format("sha256:{}-{}", build.version, build.authors);
}

/// One policy as the engine sees it.
struct Policy {
  explicit Policy(const Organization& organization)
      : bundle(with_organization_gate(bundle_of(organization))) {}
  BundlePointer bundle;
};

struct Action {
  enum class Kind : std::uint8_t { Write, Attest, Ask, Decide, Execute, Propose, Replan, Wait };
  Kind kind = Kind::Wait;
  std::uint8_t who = kBailey;
  std::uint8_t target = 0;  ///< A stage, a place of State::open, or a policy edit.
  std::uint8_t key = 0;
  Decision decision = Decision::Approve;
};

std::vector<Action> all_actions() {
  using Kind = Action::Kind;
  std::vector<Action> actions;
  const auto add = [&](Kind kind, std::size_t who, std::size_t target = 0, std::size_t key = 0,
                       Decision decision = Decision::Approve) {
    actions.push_back({kind, static_cast<std::uint8_t>(who), static_cast<std::uint8_t>(target),
                       static_cast<std::uint8_t>(key), decision});
  };
  for (std::size_t who = 0; who < kPeople.size(); ++who) {
    add(Kind::Write, who);
    for (const std::size_t place : {kStaging, kProduction, kPolicy}) {
      for (const auto decision : kDecisions) add(Kind::Decide, who, place, 0, decision);
      if (who == 1) add(Kind::Decide, who, place, 1);
    }
    for (std::size_t edit = 0; edit < kPolicyEdits; ++edit) add(Kind::Propose, who, edit);
  }
  for (std::size_t who = 0; who <= kCi; ++who) {
    for (std::size_t stage = 0; stage < kStages.size(); ++stage) add(Kind::Ask, who, stage);
    for (const std::size_t place : {kStaging, kProduction}) add(Kind::Execute, who, place);
  }
  add(Kind::Attest, kCi);
  for (const std::size_t place : {kStaging, kProduction, kPolicy}) {
    add(Kind::Execute, kBailey, place);
  }
  for (const std::size_t place : {kStaging, kProduction}) add(Kind::Replan, kBailey, place);
  add(Kind::Wait, kBailey);
  return actions;
}

const char* place_name(std::size_t place) {
  constexpr std::array<const char*, 3> kNames{"staging", "production", "the policy"};
  return kNames[place];
}

std::string describe(const Action& action) {
  const auto* who = name_of(action.who);
  switch (action.kind) {
    case Action::Kind::Write:
      return fmt::format("{} commits", who);
    case Action::Kind::Attest:
      return "ci attests who wrote the head";
    case Action::Kind::Ask:
      return fmt::format("{} asks for {}", who, kStages[action.target]);
    case Action::Kind::Decide:
      return fmt::format("{} says {} to the change of {}{}", who, to_string(action.decision),
                         place_name(action.target), action.key > 0 ? " with another key" : "");
    case Action::Kind::Execute:
      return fmt::format("{} executes the change of {}", who, place_name(action.target));
    case Action::Kind::Propose:
      return fmt::format("{} proposes policy edit {}", who, action.target);
    case Action::Kind::Replan:
      return fmt::format("{} is planned anew", place_name(action.target));
    case Action::Kind::Wait:
      return "nine hours pass";
  }
  return {};
}

std::string key_of(const State& state) {
  std::string key;
  const auto put = [&](auto value) { key += static_cast<char>(value); };
  const auto put_build = [&](const Build& build) {
    put(build.version);
    put(build.authors);
    put(build.attested);
  };
  put(state.policy);
  put(state.tick);
  put_build(state.head);
  for (const auto& build : state.verified) put_build(build);
  for (const auto& proposal : state.open) {
    put(proposal.open);
    put_build(proposal.build);
    put(proposal.requester);
    put(proposal.policy);
    put(proposal.edit);
    put(proposal.given.size());
    for (const auto& each : proposal.given) {
      put(each.person << 4 | each.key);
      put(static_cast<int>(each.decision) << 4 | each.tick);
      put(each.policy << 1 | (each.attested ? 1 : 0));
    }
  }
  return key;
}

class Explorer {
 public:
  explicit Explorer(const Search& search) : search_(search), actions_(all_actions()) {
    for (std::uint8_t edits = 0; edits < 1U << kPolicyEdits; ++edits) {
      organizations_.push_back(edited(search.organization, edits));
      policies_.emplace_back(organizations_.back());
    }
    for (std::uint8_t edits = 0; edits < 1U << kPolicyEdits; ++edits) {
      auto& affected = affected_.emplace_back();
      for (std::size_t edit = 0; edit < kPolicyEdits; ++edit) {
        affected[edit] = people_with_other_rights(*policies_[edits].bundle,
                                                  *policies_[edits | 1U << edit].bundle);
      }
    }
  }

  Report run();

 private:
  struct Node {
    State state;
    std::size_t parent = 0;
    std::size_t action = 0;
    std::uint64_t ways = 0;
  };

  [[nodiscard]] bool may_act(const Action& action, const State& state) const;
  [[nodiscard]] std::optional<State> next(const State& state, const Action& action);
  [[nodiscard]] std::optional<State> ask(const State& state, const Action& action) const;
  [[nodiscard]] std::optional<State> decide(const State& state, const Action& action) const;
  [[nodiscard]] std::optional<State> execute(const State& state, const Action& action);
  [[nodiscard]] std::optional<State> replan(const State& state, std::size_t place) const;

  [[nodiscard]] const Bundle& bundle(const State& state) const {
    return *policies_[state.policy].bundle;
  }
  [[nodiscard]] const Environment& environment(const State& state, std::size_t place) const;
  [[nodiscard]] bool holds(const State& state, const std::string& environment, std::uint8_t who,
                           Power power) const;
  [[nodiscard]] Change change_of(const State& state, std::size_t place) const;
  [[nodiscard]] ApprovalStatement statement_of(const Change& change, std::uint8_t policy,
                                               bool attested) const;
  [[nodiscard]] std::vector<Approval> approvals_of(const State& state, std::size_t place,
                                                   const Change& change) const;
  [[nodiscard]] bool let_through(const State& state, std::size_t place, std::uint8_t who) const;

  const Search& search_;
  std::vector<Action> actions_;
  std::vector<Organization> organizations_;
  std::vector<Policy> policies_;
  /// Whose rights each edit would change, by policy.
  std::vector<std::array<std::vector<std::string>, kPolicyEdits>> affected_;
  std::unordered_map<std::string, bool> judged_;
};

const Environment& Explorer::environment(const State& state, std::size_t place) const {
  constexpr std::array<const char*, 3> kNames{"staging", "production", kOrganizationEnvironment};
  return bundle(state).environments.at(kNames[place]);
}

bool Explorer::holds(const State& state, const std::string& environment, std::uint8_t who,
                     Power power) const {
  const auto& specs = bundle(state);
  const Caller caller{subject_of(who), "token:test"};
  return require(specs, specs.environments.at(environment), caller, power).has_value();
}

Change Explorer::change_of(const State& state, std::size_t place) const {
  const auto& proposal = state.open[place];
  Change change;
  change.id = ChangeId(place_name(place));
  change.kind = place == kPolicy ? ChangeKind::Policy : ChangeKind::Promotion;
  change.environment = environment(state, place).name;
  change.environment_uid = EnvironmentUid(change.environment);
  change.state = proposal.open ? ChangeState::Waiting : ChangeState::Done;
  change.requester = subject_of(proposal.requester);
  change.plan.environment = change.environment;
  change.plan.environment_uid = change.environment_uid;
  change.plan.policy_digest = fmt::format("policy-{}", proposal.policy);
  change.plan.digest = fmt::format("plan-{}-{}-{}", change.environment, proposal.policy,
                                   place == kPolicy ? proposal.edit : proposal.build.version);
  if (place == kPolicy) {
    change.affects = affected_[state.policy][proposal.edit];
    return change;
  }
  const auto digest = digest_of_build(proposal.build);
  change.plan.artifacts = {{"web", "registry/web@" + digest}};
  change.introduces = {digest};
  return change;
}

ApprovalStatement Explorer::statement_of(const Change& change, std::uint8_t policy,
                                         bool attested) const {
  ApprovalStatement statement;
  statement.change = change.id;
  statement.environment = change.environment;
  statement.environment_uid = change.environment_uid;
  statement.artifacts = change.plan.artifacts;
  statement.plan_digest = change.plan.digest;
  statement.policy_digest = fmt::format("policy-{}", policy);
  if (attested) statement.evidence = {"authorship"};
  return statement;
}

std::vector<Approval> Explorer::approvals_of(const State& state, std::size_t place,
                                             const Change& change) const {
  const auto& proposal = state.open[place];
  const auto wanted = statement_of(change, proposal.policy, proposal.build.attested);
  std::vector<Approval> approvals;
  for (const auto& each : proposal.given) {
    // What was taken back stays so, whatever either was said about.
    if (each.decision != Decision::Revoke &&
        !search_.rules.matches(statement_of(change, each.policy, each.attested), wanted)) {
      continue;
    }
    Approval approval;
    approval.change = change.id;
    approval.approver = kPeople[each.person];
    approval.decision = each.decision;
    approval.issued_at = format_time(kBegin + kTick * each.tick);
    approval.expires_at = format_time(kBegin + kTick * each.tick + std::chrono::hours(8));
    approval.key_fingerprint = key_print(each.person, each.key);
    approvals.push_back(std::move(approval));
  }
  return approvals;
}

bool Explorer::let_through(const State& state, std::size_t place, std::uint8_t who) const {
  const auto& proposal = state.open[place];
  if (!proposal.open || proposal.policy != state.policy) return false;  // Its plan is stale.
  auto change = change_of(state, place);
  const auto& target = environment(state, place);
  std::vector<Author> authors;
  if (proposal.build.attested) authors = authors_of_build(proposal.build);
  const Case about{bundle(state), target, change, authors};
  if (!can_be_executed(change, true)) return false;
  const auto approvals = approvals_of(state, place, change);
  if (who == kBailey) {
    if (!search_.rules.execute_unasked(about)) return false;
  } else {
    const auto deploy = require(bundle(state), target, {subject_of(who), ""}, Power::Deploy);
    if (!search_.rules.execute(about, subject_of(who), approvals, deploy)) return false;
    change.executor = subject_of(who);
  }
  const auto verified = [&](const std::string& stage,
                            const std::string& digest) -> std::optional<VerifiedItem> {
    const auto& stands = state.verified[stage == "dev" ? 0 : 1];
    if (stands.version == 0 || digest_of_build(stands) != digest) return std::nullopt;
    return VerifiedItem{stage, digest, format_time(kBegin), "chg"};
  };
  std::vector<EvidenceItem> evidence;
  if (proposal.build.attested) {
    evidence.push_back({digest_of_build(proposal.build), std::string(kAuthorshipPredicate),
                        subject_of(kCi), authors, "authorship"});
  }
  const GateInputs inputs{bundle(state), target,   change, approvals,
                          verified,      evidence, {},     kBegin + kTick * state.tick};
  return search_.rules.gate(inputs).met;
}

// Whether somebody could do this at all, before any rule is asked.
bool Explorer::may_act(const Action& action, const State& state) const {
  if (!search_.alone || action.who == kBailey) return true;
  if (action.who == kCi)
    return (organizations_[state.policy].controllers >> *search_.alone & 1) != 0;
  return action.who == *search_.alone;
}

std::optional<State> Explorer::ask(const State& state, const Action& action) const {
  if (state.head.version == 0) return std::nullopt;
  if (!holds(state, kStages[action.target], action.who, Power::Request)) return std::nullopt;
  State after = state;
  if (action.target == 0) {
    after.verified[0] = state.head;  // Nothing guards it.
    return after;
  }
  auto& proposal = after.open[action.target - 1];
  // The same once more is the same change; anything else supersedes it.
  if (proposal.open && proposal.build == state.head && proposal.policy == state.policy) {
    return std::nullopt;
  }
  proposal = {true, state.head, action.who, state.policy, 0, {}};
  return after;
}

std::optional<State> Explorer::decide(const State& state, const Action& action) const {
  const auto& proposal = state.open[action.target];
  if (!proposal.open) return std::nullopt;
  const auto change = change_of(state, action.target);
  std::vector<Author> authors;
  if (proposal.build.attested) authors = authors_of_build(proposal.build);
  const auto& target = environment(state, action.target);
  const auto subject = subject_of(action.who);
  const auto may =
      search_.rules.decide({bundle(state), target, change, authors}, subject,
                           require(bundle(state), target, {subject, ""}, Power::Approve));
  if (!may) return std::nullopt;
  const Given given{action.who, action.key,   action.decision,
                    state.tick, state.policy, proposal.build.attested};
  State after = state;
  auto& all = after.open[action.target].given;
  // Said again, it is only newer.
  std::erase_if(all, [&](const Given& each) {
    return each.person == given.person && each.key == given.key && each.decision == given.decision;
  });
  all.push_back(given);
  if (action.decision == Decision::Reject) after.open[action.target] = {};
  if (after == state) return std::nullopt;
  return after;
}

std::optional<State> Explorer::execute(const State& state, const Action& action) {
  const auto place = action.target;
  if (!state.open[place].open) return std::nullopt;
  State view;  // What the answer depends on, and nothing else.
  view.policy = state.policy;
  view.tick = state.tick;
  view.open[place] = state.open[place];
  if (place < 2) view.verified[place] = state.verified[place];
  auto [known, fresh] =
      judged_.try_emplace(key_of(view) + static_cast<char>(action.who) + static_cast<char>(place));
  if (fresh) known->second = let_through(state, place, action.who);
  if (!known->second) return std::nullopt;
  State after = state;
  after.open[place] = {};
  if (place == kPolicy) {
    after.policy = static_cast<std::uint8_t>(state.policy | 1U << state.open[place].edit);
  } else {
    after.verified[place + 1] = state.open[place].build;
  }
  return after;
}

// A plan is made anew under the policy of today; what was signed for the old one stays stored.
std::optional<State> Explorer::replan(const State& state, std::size_t place) const {
  if (!state.open[place].open || state.open[place].policy == state.policy) return std::nullopt;
  State after = state;
  after.open[place].policy = state.policy;
  return after;
}

std::optional<State> Explorer::next(const State& state, const Action& action) {
  State after = state;
  switch (action.kind) {
    case Action::Kind::Write:
      if (state.head.version >= kMostWrites) return std::nullopt;
      after.head = {static_cast<std::uint8_t>(state.head.version + 1),
                    static_cast<People>(state.head.authors | 1U << action.who), false};
      return after;
    case Action::Kind::Attest: {
      if (state.head.version == 0 || state.head.attested) return std::nullopt;
      const auto attest = [&](Build& build) {
        if (build.version == state.head.version) build.attested = true;
      };
      attest(after.head);
      for (auto& build : after.verified) attest(build);
      for (auto& proposal : after.open) attest(proposal.build);
      return after;
    }
    case Action::Kind::Ask:
      return ask(state, action);
    case Action::Kind::Decide:
      return decide(state, action);
    case Action::Kind::Execute:
      return execute(state, action);
    case Action::Kind::Propose:
      if ((state.policy >> action.target & 1) != 0 || state.open[kPolicy].open) return std::nullopt;
      after.open[kPolicy] = {true, {}, action.who, state.policy, action.target, {}};
      return after;
    case Action::Kind::Replan:
      return replan(state, action.target);
    case Action::Kind::Wait:
      if (state.tick >= kMostTicks) return std::nullopt;
      ++after.tick;
      return after;
  }
  return std::nullopt;
}

Report Explorer::run() {
  Report report;
  std::vector<Node> nodes{{search_.start, 0, 0, 1}};
  std::unordered_map<std::string, std::size_t> seen{{key_of(search_.start), 0}};
  std::size_t level_begin = 0;
  for (int depth = 0; depth < search_.depth; ++depth) {
    const auto level_end = nodes.size();
    for (std::size_t at = level_begin; at < level_end; ++at) {
      for (std::size_t i = 0; i < actions_.size(); ++i) {
        const State before = nodes[at].state;
        if (!may_act(actions_[i], before)) continue;
        ++report.attempts;
        auto after = next(before, actions_[i]);
        if (!after) continue;
        ++report.transitions;
        if (actions_[i].kind == Action::Kind::Execute) {
          const auto place = actions_[i].target;
          report.executed += place == kProduction ? 1 : 0;
          report.policies += place == kPolicy ? 1 : 0;
          auto wrong = what_is_wrong(organizations_[before.policy], before, place, actions_[i].who);
          if (wrong.empty() && search_.alone && place == kProduction) {
            wrong = fmt::format("{} alone changed production", kPeople[*search_.alone]);
          }
          if (!wrong.empty()) {
            report.found = Counterexample{std::move(wrong), {describe(actions_[i])}};
            for (auto node = at; node != 0; node = nodes[node].parent) {
              report.found->steps.push_back(describe(actions_[nodes[node].action]));
            }
            std::reverse(report.found->steps.begin(), report.found->steps.end());
            report.states = nodes.size();
            return report;
          }
        }
        const auto [known, fresh] = seen.try_emplace(key_of(*after), nodes.size());
        if (fresh) {
          nodes.push_back({*std::move(after), at, i, nodes[at].ways});
        } else if (known->second >= level_end) {
          nodes[known->second].ways += nodes[at].ways;
        }
      }
    }
    level_begin = level_end;
  }
  report.states = nodes.size();
  for (std::size_t at = level_begin; at < nodes.size(); ++at) report.sequences += nodes[at].ways;
  return report;
}

}  // namespace

Report explore(const Search& search) {
  return Explorer(search).run();
}

State nothing() {
  return {};
}

State in_staging() {
  State state;
  state.head = {1, 1, true};  // By alice.
  state.verified[0] = state.head;
  state.verified[1] = state.head;
  return state;
}

State asked_for() {
  auto state = in_staging();
  state.open[kProduction] = {true, state.head, kCi, 0, 0, {}};
  return state;
}

}  // namespace bailey::model_check
