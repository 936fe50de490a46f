#include "orchestrator/model/quorum.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bailey {

namespace {

/// Maximum bipartite matching by augmenting paths (Kuhn). A rule is one node with `count` places
/// rather than `count` nodes, so that the cost does not depend on how many a rule asks for.
class Matching {
 public:
  Matching(const std::vector<QuorumRule>& rules, const std::set<std::string>& agreed)
      : rules_(rules), filled_(rules.size()) {
    for (const auto& person : agreed) {
      std::set<std::size_t> visited;
      place(person, visited);
    }
  }

  [[nodiscard]] const std::set<std::string>& filled(std::size_t rule) const {
    return filled_[rule];
  }
  [[nodiscard]] int missing(std::size_t rule) const {
    return std::max(0, rules_[rule].count - static_cast<int>(filled_[rule].size()));
  }

  /// The rules out of which somebody could be moved, step by step, into an open place of `rule`,
  /// and `rule` itself.
  [[nodiscard]] std::set<std::size_t> feeding(std::size_t rule) const {
    std::set<std::size_t> found{rule};
    std::vector<std::size_t> open{rule};
    while (!open.empty()) {
      const auto here = open.back();
      open.pop_back();
      for (std::size_t other = 0; other < rules_.size(); ++other) {
        if (found.contains(other) || !lends(other, here)) continue;
        found.insert(other);
        open.push_back(other);
      }
    }
    return found;
  }

 private:
  [[nodiscard]] bool lends(std::size_t from, std::size_t to) const {
    return std::any_of(filled_[from].begin(), filled_[from].end(),
                       [&](const auto& person) { return rules_[to].eligible.contains(person); });
  }

  bool place(const std::string& person, std::set<std::size_t>& visited) {
    for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
      if (!rules_[rule].eligible.contains(person) || !visited.insert(rule).second) continue;
      if (missing(rule) > 0) {
        filled_[rule].insert(person);
        return true;
      }
      const auto sitting = filled_[rule];
      for (const auto& other : sitting) {
        if (!place(other, visited)) continue;
        filled_[rule].erase(other);
        filled_[rule].insert(person);
        return true;
      }
    }
    return false;
  }

  const std::vector<QuorumRule>& rules_;
  std::vector<std::set<std::string>> filled_;
};

std::vector<std::string> united(std::vector<std::string> left, std::vector<std::string> right) {
  if (left.empty()) return right;
  std::vector<std::string> all;
  std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(all));
  return all;
}

}  // namespace

QuorumResult match_quorum(const std::vector<QuorumRule>& rules,
                          const std::set<std::string>& agreed) {
  const Matching matching(rules, agreed);
  QuorumResult result;
  result.met = !rules.empty();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& people = matching.filled(i);
    RuleFilling filling{
        rules[i].name, rules[i].count, {people.begin(), people.end()}, matching.missing(i), {}};
    if (filling.missing > 0) {
      for (const auto feeding : matching.feeding(i)) {
        const auto& eligible = rules[feeding].eligible;
        std::vector<std::string> more;
        std::set_difference(eligible.begin(), eligible.end(), agreed.begin(), agreed.end(),
                            std::back_inserter(more));
        filling.could_fill = united(std::move(filling.could_fill), std::move(more));
      }
    }
    if (filling.missing > 0 || rules[i].count < 1) result.met = false;
    result.rules.push_back(std::move(filling));
  }
  return result;
}

}  // namespace bailey
