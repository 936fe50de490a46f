#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace bailey {

/// The nodes of a dependency cycle in order; the first one depends on the second, the last on the
/// first.
struct Cycle {
  std::vector<std::string> nodes;
  bool operator==(const Cycle&) const = default;
};

/// The numbers of the nodes of a cycle, in the same order.
struct NumberCycle {
  std::vector<std::size_t> nodes;
  bool operator==(const NumberCycle&) const = default;
};

/// Nodes from 0, each with those it depends on. Dependencies first, and the lowest number of those
/// that could come next; or a cycle when there is one.
[[nodiscard]] std::variant<std::vector<std::size_t>, NumberCycle> topological_order(
    const std::vector<std::vector<std::size_t>>& dependencies);

/// A directed graph of names, where an edge says "depends on". All answers are ordered by name and
/// independent of the order of insertion. Adding takes O(log n); ordering is linear.
class Digraph {
 public:
  void add_node(const std::string& node);
  /// `node` depends on `dependency`; both are added when absent.
  void add_edge(const std::string& node, const std::string& dependency);
  [[nodiscard]] const std::set<std::string>& dependencies_of(const std::string& node) const;
  [[nodiscard]] const std::set<std::string>& dependents_of(const std::string& node) const;
  [[nodiscard]] std::size_t size() const noexcept { return dependencies_.size(); }
  /// Dependencies first, or a cycle when there is one.
  [[nodiscard]] std::variant<std::vector<std::string>, Cycle> topological_order() const;

 private:
  std::map<std::string, std::set<std::string>> dependencies_;
  std::map<std::string, std::set<std::string>> dependents_;
};

}  // namespace bailey
