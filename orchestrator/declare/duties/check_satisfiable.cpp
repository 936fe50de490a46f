#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/duties/report.hpp"
#include "orchestrator/declare/duties/satisfiability.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey::duties {

namespace {

constexpr const char* kUnsatisfiable = "policy.unsatisfiable";
constexpr const char* kForSome = "policy.unsatisfiable-for-some";

std::string count_of_people(int count) {
  return count == 1 ? "1 person" : fmt::format("{} people", count);
}

/// Says of everybody whom a rule asks why they do not count.
class RuleWords {
 public:
  RuleWords(Standings& standings, const Environment& environment, const Satisfiability& answer)
      : standings_(standings),
        graph_(standings.graph()),
        environment_(environment),
        answer_(answer) {}

  /// Empty when the rule has enough people of its own.
  [[nodiscard]] std::string lacking(const ApprovalRule& rule) {
    const auto members = graph_.members({rule.from});
    const auto eligible = eligible_for(standings_, environment_, rule);
    const auto holders = standings_.bound(environment_, Power::Approve);
    std::vector<std::string> out;
    Nodes able;
    Nodes without_key;
    Nodes without_power;
    for (const auto node : *members) {
      if (!graph_.is_person(node)) continue;
      if (!holds(*holders, node)) {
        without_power.push_back(node);
      } else if (!graph_.has_key(node)) {
        without_key.push_back(node);
      } else {
        able.push_back(node);
        auto part = part_of(node);
        if (!part.empty()) out.push_back(fmt::format("{} {}", graph_.subject(node).name, part));
      }
    }
    if (static_cast<int>(able.size() - out.size()) >= rule.count) return {};
    std::vector<std::string> parts;
    if (!able.empty()) {
      parts.push_back(fmt::format("only {} can give it", some_names(graph_, able)));
    }
    constexpr std::size_t kMost = 5;
    if (out.size() > kMost) out.resize(kMost);
    parts.insert(parts.end(), out.begin(), out.end());
    if (!without_key.empty()) {
      parts.push_back(fmt::format("{} {} no key", some_names(graph_, without_key),
                                  without_key.size() == 1 ? "has" : "have"));
    }
    if (!without_power.empty()) {
      parts.push_back(fmt::format("{} {} not hold \"approve\" in {}",
                                  some_names(graph_, without_power),
                                  without_power.size() == 1 ? "does" : "do", environment_.name));
    }
    if (parts.empty()) parts.emplace_back("nobody is in it");
    return fmt::format("It needs {} of {}: {}.", rule.count, to_string(rule.from),
                       join(parts, "; "));
  }

 private:
  [[nodiscard]] std::string part_of(Node person) const {
    if (answer_.author == person) return only_author() ? "is the only author" : "is the author";
    const auto stands_behind = [&](const std::optional<Node>& subject) {
      return subject && holds(*graph_.behind(*subject), person);
    };
    if (stands_behind(answer_.requester)) return "asks for the change";
    if (stands_behind(answer_.executor)) return "executes it";
    return {};
  }

  [[nodiscard]] bool only_author() const {
    const auto project = standings_.bundle().projects.find(environment_.project);
    if (project == standings_.bundle().projects.end()) return false;
    const auto authors = graph_.members(project->second.authors);
    return std::count_if(authors->begin(), authors->end(),
                         [&](Node node) { return graph_.is_person(node); }) == 1;
  }

  Standings& standings_;
  const SubjectGraph& graph_;
  const Environment& environment_;
  const Satisfiability& answer_;
};

class GateFindings {
 public:
  GateFindings(Standings& standings, Diagnostics& diagnostics, const Environment& environment)
      : standings_(standings), diagnostics_(diagnostics), environment_(environment) {}

  void run() {
    check(environment_.gate, "/gate", "the gate");
    if (environment_.rollback.gate) {
      check(*environment_.rollback.gate, "/rollback/gate", "the gate of its rollbacks");
    }
    check_grants();
    if (environment_.break_glass) check_break_glass(*environment_.break_glass);
  }

 private:
  void add(Severity severity, const char* code, std::string detail, const std::string& pointer) {
    diagnostics_.add({severity,
                      code,
                      severity == Severity::Error ? "Nobody can ever pass" : "Some can never pass",
                      std::move(detail),
                      standings_.places().at("Environment", environment_.name, pointer),
                      {},
                      {}});
  }

  void check(const Gate& gate, const std::string& pointer, const char* what) {
    const auto answer = can_be_met(standings_, environment_, gate);
    if (answer.possible && answer.stuck_authors.empty() && answer.stuck_requesters.empty()) return;
    const auto [reason, place] = why(gate, pointer, answer);
    if (!answer.possible) {
      add(Severity::Error, kUnsatisfiable,
          fmt::format("No change can ever pass {} of {}. {}{}", what, environment_.name, reason,
                      way_out(answer)),
          place);
      return;
    }
    const auto& graph = standings_.graph();
    if (!answer.stuck_authors.empty()) {
      add(Severity::Warning, kForSome,
          fmt::format("What {} {} can never pass {} of {}. {}",
                      some_names(graph, answer.stuck_authors),
                      answer.stuck_authors.size() == 1 ? "writes" : "write", what,
                      environment_.name, reason),
          place);
    }
    if (!answer.stuck_requesters.empty()) {
      add(Severity::Warning, kForSome,
          fmt::format("What {} {} for can never pass {} of {}: too few others can approve it.",
                      some_subjects(answer.stuck_requesters),
                      answer.stuck_requesters.size() == 1 ? "asks" : "ask", what,
                      environment_.name),
          place);
    }
  }

  [[nodiscard]] std::string some_subjects(const Nodes& nodes) const {
    std::vector<std::string> names;
    for (const auto node : nodes) {
      if (names.size() == 5) {
        names.push_back(fmt::format("{} more", nodes.size() - 5));
        break;
      }
      names.push_back(to_string(standings_.graph().subject(node)));
    }
    return enumerate(names);
  }

  static std::string way_out(const Satisfiability& answer) {
    if (answer.no_executor || answer.no_independent_executor) {
      return " Bind somebody else to a role with \"deploy\".";
    }
    return " Add people, give them keys, or bind them to a role with \"approve\".";
  }

  /// The rules that lack people, and where the first of them stands.
  std::pair<std::string, std::string> why(const Gate& gate, const std::string& pointer,
                                          const Satisfiability& answer) {
    if (answer.no_executor) {
      return {fmt::format("An operator must execute it, and nobody holds \"deploy\" in {}.",
                          environment_.name),
              "/execute"};
    }
    if (answer.no_independent_executor) {
      return {
          "Whoever could execute it stands behind the one who wrote it, or would be needed to "
          "approve it.",
          "/execute"};
    }
    RuleWords words(standings_, environment_, answer);
    std::vector<std::string> reasons;
    std::string place;
    std::string first;
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const auto* approvals = std::get_if<ApprovalsCondition>(&gate[i]);
      if (approvals == nullptr) continue;
      for (std::size_t k = 0; k < approvals->rules.size(); ++k) {
        auto here = fmt::format("{}/{}/approvals/rules/{}", pointer, i, k);
        if (first.empty()) first = here;
        auto reason = words.lacking(approvals->rules[k]);
        if (reason.empty()) continue;
        if (place.empty()) place = std::move(here);
        reasons.push_back(std::move(reason));
      }
    }
    if (reasons.empty()) {
      reasons.emplace_back(
          "Each rule has people, but all rules together need more different people than are left.");
    }
    return {join(reasons, " "), place.empty() ? first : place};
  }

  // What nobody could get, or only some of those who may ask.
  void check_asked(const std::string& what, const std::vector<Subject>& askers, const Nodes& agree,
                   int needed, const std::string& pointer) {
    Nodes stuck;
    for (const auto person : *standings_.graph().members(askers)) {
      if (!standings_.graph().is_person(person)) continue;
      const auto others = static_cast<int>(agree.size()) - (holds(agree, person) ? 1 : 0);
      if (others < needed) stuck.push_back(person);
    }
    if (stuck.empty()) return;
    const auto& graph = standings_.graph();
    add(Severity::Warning, kForSome,
        fmt::format("{} can never get {}: {} {} agree, and there {} {}.", some_names(graph, stuck),
                    what, count_of_people(needed), needed == 1 ? "other must" : "others must",
                    agree.size() == 1 ? "is" : "are",
                    agree.empty() ? "nobody who can" : "only " + some_names(graph, agree)),
        pointer);
  }

  void check_grants() {
    for (const auto& [role, grant] : environment_.grantable) {
      check_asked(fmt::format("the role {} in {}", role, environment_.name), grant.to,
                  *standings_.approvers(environment_), grant.approvals, "/grantable/" + role);
    }
  }

  void check_break_glass(const BreakGlass& glass) {
    const auto keyed = [&](const std::vector<Subject>& subjects) {
      Nodes people;
      for (const auto node : *standings_.graph().members(subjects)) {
        if (standings_.graph().is_person(node) && standings_.graph().has_key(node)) {
          people.push_back(node);
        }
      }
      return people;
    };
    check_asked("the glass of " + environment_.name + " broken", glass.who, keyed(glass.who),
                glass.approvals, "/breakGlass");
    check_asked("their use of the glass of " + environment_.name + " reviewed", glass.who,
                keyed({glass.review.from}), glass.review.count, "/breakGlass/review");
  }

  Standings& standings_;
  Diagnostics& diagnostics_;
  const Environment& environment_;
};

void check_administrators(Standings& standings, Diagnostics& diagnostics) {
  const auto& organization = standings.bundle().organization;
  if (!organization) return;
  const auto& graph = standings.graph();
  Nodes able;
  Nodes without_key;
  for (const auto node : *graph.members(organization->administrators)) {
    if (graph.is_person(node)) (graph.has_key(node) ? able : without_key).push_back(node);
  }
  if (static_cast<int>(able.size()) >= organization->approvals) return;
  std::vector<std::string> parts;
  parts.push_back(able.empty() ? "nobody can sign" : some_names(graph, able) + " can");
  if (!without_key.empty()) {
    parts.push_back(fmt::format("{} {} no key", some_names(graph, without_key),
                                without_key.size() == 1 ? "has" : "have"));
  }
  diagnostics.add(
      {Severity::Error,
       kUnsatisfiable,
       "Nobody can ever pass",
       fmt::format("What decides could never change: {} administrators must agree, and "
                   "{}.",
                   organization->approvals, join(parts, "; ")),
       standings.places().at("Organization", organization->name, "/administrators/approvals"),
       {},
       {}});
}

}  // namespace

void check_satisfiable(Standings& standings, Diagnostics& diagnostics) {
  check_administrators(standings, diagnostics);
  for (const auto& [name, environment] : standings.bundle().environments) {
    GateFindings(standings, diagnostics, environment).run();
  }
}

}  // namespace bailey::duties
