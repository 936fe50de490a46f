#include "orchestrator/declare/duties/satisfiability.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace bailey::duties {

namespace {

/// One part of a case: which of the scarce people it takes away. People who take nobody away are
/// one choice, whatever their number.
struct Choice {
  std::vector<Node> who;  ///< Empty: somebody else.
  Nodes takes;
  Nodes alone;  ///< People who stand behind all of `who`.
};

std::size_t overlap(const Nodes& left, const Nodes& right) {
  std::size_t count = 0;
  for (const auto node : left.size() < right.size() ? left : right) {
    if (holds(left.size() < right.size() ? right : left, node)) ++count;
  }
  return count;
}

class Question {
 public:
  Question(Standings& standings, const Environment& environment, const Gate& gate)
      : standings_(standings), graph_(standings.graph()), environment_(environment), gate_(gate) {}

  Satisfiability answer() {
    find_subjects();
    find_scarce();
    Satisfiability answer;
    const bool by_operator = environment_.execute == Execution::ByOperator;
    if (conditions_.empty() && !by_operator) return answer;
    const auto requesters = choices(*requesters_);
    const auto executors = choices(executors_);
    const auto authors = author_choices(executors);
    answer.no_executor = by_operator && executors_.empty();
    answer.possible = false;
    std::vector<bool> asked(requesters.size());
    const Choice* stuck_author = nullptr;
    for (const auto& author : authors) {
      bool passed = false;
      for (std::size_t r = 0; r < requesters.size() && !passed; ++r) {
        passed = !answer.no_executor && passes_with(author, requesters[r], executors);
        if (passed) asked[r] = true;
      }
      answer.possible = answer.possible || passed;
      if (passed) continue;
      if (stuck_author == nullptr) stuck_author = &author;
      answer.stuck_authors.insert(answer.stuck_authors.end(), author.who.begin(), author.who.end());
    }
    if (!answer.possible) {
      answer.stuck_authors.clear();
      answer.no_independent_executor =
          std::any_of(authors.begin(), authors.end(), [&](const Choice& author) {
            return std::any_of(requesters.begin(), requesters.end(),
                               [&](const Choice& each) { return passes(author, each, Choice()); });
          });
      note_case(answer, *stuck_author, requesters.front(), executors.front());
      return answer;
    }
    if (stuck_author != nullptr) note_case(answer, *stuck_author, Choice(), Choice());
    for (std::size_t r = 0; r < requesters.size(); ++r) {
      const auto passing = [&](const Choice& author) {
        return passes_with(author, requesters[r], executors);
      };
      if (asked[r] || std::any_of(authors.begin(), authors.end(), passing)) continue;
      const auto& who = requesters[r].who;
      answer.stuck_requesters.insert(answer.stuck_requesters.end(), who.begin(), who.end());
    }
    std::sort(answer.stuck_requesters.begin(), answer.stuck_requesters.end());
    return answer;
  }

 private:
  void find_subjects() {
    const auto project = standings_.bundle().projects.find(environment_.project);
    authors_ =
        graph_.members(project == standings_.bundle().projects.end() ? std::vector<Subject>()
                                                                     : project->second.authors);
    requesters_ = standings_.bound(environment_, Power::Request);
    // A service that nobody controls executes nothing: nobody would answer for it.
    if (environment_.execute != Execution::ByOperator) return;
    for (const auto node : *standings_.bound(environment_, Power::Deploy)) {
      if (graph_.is_person(node) || !graph_.behind(node)->empty()) executors_.push_back(node);
    }
  }

  [[nodiscard]] Nodes::const_iterator end_of_people(const Nodes& nodes) const {
    return std::partition_point(nodes.begin(), nodes.end(),
                                [&](Node node) { return graph_.is_person(node); });
  }

  [[nodiscard]] std::size_t most_taken(const Nodes& subjects, const Nodes& eligible) const {
    const auto services = end_of_people(subjects);
    std::size_t most = services == subjects.begin() ? 0 : 1;
    for (auto node = services; node != subjects.end(); ++node) {
      most = std::max(most, overlap(*graph_.behind(*node), eligible));
    }
    return most;
  }

  // Who has more people than all slots of its condition and all who may fall away can be filled
  // last, whatever the others take: only the rest has to be looked at.
  void find_scarce() {
    for (const auto& condition : gate_) {
      const auto* approvals = std::get_if<ApprovalsCondition>(&condition);
      if (approvals == nullptr) continue;
      std::size_t slots = 0;
      for (const auto& rule : approvals->rules) slots += static_cast<std::size_t>(rule.count);
      std::vector<QuorumRule> scarce;
      for (const auto& rule : approvals->rules) {
        auto eligible = eligible_for(standings_, environment_, rule);
        const auto taken =
            1 + most_taken(*requesters_, eligible) + most_taken(executors_, eligible);
        if (eligible.size() >= slots + taken) continue;
        QuorumRule quorum{to_string(rule.from), rule.count, {}};
        for (const auto person : eligible) quorum.eligible.insert(graph_.subject(person).name);
        scarce.push_back(std::move(quorum));
        scarce_.insert(scarce_.end(), eligible.begin(), eligible.end());
      }
      if (!scarce.empty()) conditions_.push_back(std::move(scarce));
    }
    std::sort(scarce_.begin(), scarce_.end());
    scarce_.erase(std::unique(scarce_.begin(), scarce_.end()), scarce_.end());
  }

  // Those that take fewest come first.
  [[nodiscard]] std::vector<Choice> choices(const Nodes& subjects) const {
    std::vector<Choice> found;
    const auto services = end_of_people(subjects);
    const Nodes people(common(scarce_, subjects));
    const auto others = static_cast<std::size_t>(services - subjects.begin()) - people.size();
    if (others > 0) {
      Choice plain;
      // Of two different people, neither stands behind the other.
      if (others == 1) {
        std::set_difference(subjects.begin(), services, people.begin(), people.end(),
                            std::back_inserter(plain.alone));
        plain.who = plain.alone;
      }
      found.push_back(std::move(plain));
    }
    for (const auto person : people) found.push_back({{person}, {person}, {person}});
    for (auto service = services; service != subjects.end(); ++service) {
      const auto behind = graph_.behind(*service);
      found.push_back({{*service}, common(*behind, scarce_), *behind});
    }
    if (found.empty()) found.emplace_back();
    std::stable_sort(found.begin(), found.end(), [](const Choice& left, const Choice& right) {
      return left.takes.size() < right.takes.size();
    });
    return found;
  }

  // An author counts by name only who is scarce or stands behind an executor.
  [[nodiscard]] std::vector<Choice> author_choices(const std::vector<Choice>& executors) const {
    Nodes named = scarce_;
    for (const auto& executor : executors) {
      named.insert(named.end(), executor.alone.begin(), executor.alone.end());
    }
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
    named = common(named, *authors_);
    std::vector<Choice> found;
    const auto people = static_cast<std::size_t>(end_of_people(*authors_) - authors_->begin());
    if (people == 0 || people > named.size()) found.emplace_back();
    for (const auto author : named) {
      found.push_back({{author}, holds(scarce_, author) ? Nodes{author} : Nodes{}, {}});
    }
    return found;
  }

  [[nodiscard]] bool passes_with(const Choice& author, const Choice& requester,
                                 const std::vector<Choice>& executors) const {
    return std::any_of(executors.begin(), executors.end(), [&](const Choice& executor) {
      // The author executes nothing of their own.
      if (!author.who.empty() && holds(executor.alone, author.who.front())) return false;
      return passes(author, requester, executor);
    });
  }

  [[nodiscard]] bool passes(const Choice& author, const Choice& requester,
                            const Choice& executor) const {
    if (conditions_.empty()) return true;
    std::set<std::string> agreed;
    for (const auto person : scarce_) {
      if (holds(author.takes, person) || holds(requester.takes, person) ||
          holds(executor.takes, person)) {
        continue;
      }
      agreed.insert(graph_.subject(person).name);
    }
    return std::all_of(conditions_.begin(), conditions_.end(),
                       [&](const auto& condition) { return match_quorum(condition, agreed).met; });
  }

  static void note_case(Satisfiability& answer, const Choice& author, const Choice& requester,
                        const Choice& executor) {
    if (!author.who.empty()) answer.author = author.who.front();
    if (!requester.who.empty()) answer.requester = requester.who.front();
    if (!executor.who.empty()) answer.executor = executor.who.front();
  }

  Standings& standings_;
  const SubjectGraph& graph_;
  const Environment& environment_;
  const Gate& gate_;
  std::shared_ptr<const Nodes> authors_;
  std::shared_ptr<const Nodes> requesters_;
  Nodes executors_;
  Nodes scarce_;
  std::vector<std::vector<QuorumRule>> conditions_;
};

}  // namespace

Nodes eligible_for(Standings& standings, const Environment& environment, const ApprovalRule& rule) {
  return common(*standings.graph().members({rule.from}), *standings.approvers(environment));
}

Satisfiability can_be_met(Standings& standings, const Environment& environment, const Gate& gate) {
  return Question(standings, environment, gate).answer();
}

}  // namespace bailey::duties
