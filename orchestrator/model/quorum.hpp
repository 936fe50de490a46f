#pragma once

#include <boost/container/flat_set.hpp>

#include <set>
#include <string>
#include <vector>

namespace bailey {

/// Names of people, sorted, next to each other in memory: there may be thousands.
using NameSet = boost::container::flat_set<std::string>;

/// `count` different people out of `eligible`.
struct QuorumRule {
  std::string name;
  int count = 1;
  NameSet eligible;
};

struct RuleFilling {
  std::string rule;
  int count = 1;
  std::vector<std::string> filled_by;  ///< Sorted; nobody is in two rules.
  int missing = 0;
  /// People who have not agreed yet and whose agreement would bring this rule nearer, be it by
  /// setting free somebody who then counts here. Sorted.
  std::vector<std::string> could_fill;
};

struct QuorumResult {
  bool met = false;
  std::vector<RuleFilling> rules;  ///< In the order given.
};

/// Gives people to rule slots so that as many slots as possible are filled: a maximum bipartite
/// matching, each person used once. `agreed` are those who said yes and may. No rule at all, or a
/// rule that asks for nobody, is never met; to rules that are there, adding one never makes a
/// refused set of people sufficient.
[[nodiscard]] QuorumResult match_quorum(const std::vector<QuorumRule>& rules,
                                        const std::set<std::string>& agreed);

}  // namespace bailey
