#include "orchestrator/base/graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <string_view>

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
  std::vector<const std::string*> names;
  std::map<std::string_view, std::size_t> numbers;
  for (const auto& [node, dependencies] : dependencies_) {
    numbers.emplace(node, names.size());
    names.push_back(&node);
  }
  std::vector<std::vector<std::size_t>> edges(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const auto& dependency : dependencies_of(*names[i])) {
      edges[i].push_back(numbers.at(dependency));
    }
  }
  const auto named = [&](const std::vector<std::size_t>& nodes) {
    std::vector<std::string> out;
    out.reserve(nodes.size());
    for (const auto node : nodes) out.push_back(*names[node]);
    return out;
  };
  const auto order = bailey::topological_order(edges);
  if (const auto* cycle = std::get_if<NumberCycle>(&order)) return Cycle{named(cycle->nodes)};
  return named(std::get<0>(order));
}

std::variant<std::vector<std::size_t>, NumberCycle> topological_order(
    const std::vector<std::vector<std::size_t>>& dependencies) {
  const auto size = dependencies.size();
  std::vector<std::vector<std::size_t>> dependents(size);
  std::vector<std::size_t> open(size);
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < size; ++i) {
    open[i] = dependencies[i].size();
    for (const auto dependency : dependencies[i]) dependents[dependency].push_back(i);
    if (open[i] == 0) ready.push(i);
  }
  std::vector<std::size_t> order;
  order.reserve(size);
  while (!ready.empty()) {
    const auto node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const auto dependent : dependents[node]) {
      if (--open[dependent] == 0) ready.push(dependent);
    }
  }
  if (order.size() == size) return order;

  // Every node left has an open dependency, so walking along them must come back to a node.
  const auto is_open = [&](std::size_t node) { return open[node] > 0; };
  std::size_t first = 0;
  while (!is_open(first)) ++first;
  std::vector<std::size_t> walk{first};
  std::vector<std::size_t> place(size, size);  // Of a node in the walk.
  for (;;) {
    place[walk.back()] = walk.size() - 1;
    const auto& next = dependencies[walk.back()];
    const auto step = *std::find_if(next.begin(), next.end(), is_open);
    if (place[step] < size) {
      return NumberCycle{{walk.begin() + static_cast<std::ptrdiff_t>(place[step]), walk.end()}};
    }
    walk.push_back(step);
  }
}

}  // namespace bailey
