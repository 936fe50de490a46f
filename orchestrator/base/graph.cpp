#include "orchestrator/base/graph.hpp"

#include <algorithm>

namespace bailey {

namespace {

const std::set<std::string>& neighbours(const std::map<std::string, std::set<std::string>>& edges,
                                        const std::string& node) {
  static const std::set<std::string> kNone;
  const auto found = edges.find(node);
  return found == edges.end() ? kNone : found->second;
}

}  // namespace

void Digraph::add_node(const std::string& node) {
  dependencies_.try_emplace(node);
  dependents_.try_emplace(node);
}

void Digraph::add_edge(const std::string& node, const std::string& dependency) {
  add_node(node);
  add_node(dependency);
  dependencies_[node].insert(dependency);
  dependents_[dependency].insert(node);
}

const std::set<std::string>& Digraph::dependencies_of(const std::string& node) const {
  return neighbours(dependencies_, node);
}

const std::set<std::string>& Digraph::dependents_of(const std::string& node) const {
  return neighbours(dependents_, node);
}

std::variant<std::vector<std::string>, Cycle> Digraph::topological_order() const {
  std::map<std::string, std::size_t> open;
  std::set<std::string> ready;
  for (const auto& [node, dependencies] : dependencies_) {
    open[node] = dependencies.size();
    if (dependencies.empty()) ready.insert(node);
  }
  std::vector<std::string> order;
  order.reserve(dependencies_.size());
  while (!ready.empty()) {
    auto node = ready.extract(ready.begin()).value();
    for (const auto& dependent : dependents_of(node)) {
      if (--open[dependent] == 0) ready.insert(dependent);
    }
    open.erase(node);
    order.push_back(std::move(node));
  }
  if (open.empty()) return order;

  // Every node left has an open dependency, so walking along them must come back to a node.
  std::vector<std::string> walk{open.begin()->first};
  for (;;) {
    const auto& next = dependencies_of(walk.back());
    const auto step = std::find_if(next.begin(), next.end(),
                                   [&](const auto& node) { return open.contains(node); });
    const auto seen = std::find(walk.begin(), walk.end(), *step);
    if (seen != walk.end()) return Cycle{{seen, walk.end()}};
    walk.push_back(*step);
  }
}

}  // namespace bailey
