#include "orchestrator/base/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace bailey {
namespace {

using Edges = std::vector<std::pair<std::string, std::string>>;
using Names = std::vector<std::string>;

Digraph make_graph(const Edges& edges) {
  Digraph graph;
  for (const auto& [node, dependency] : edges) graph.add_edge(node, dependency);
  return graph;
}

TEST(Digraph, PutsDependenciesFirstAndTiesByName) {
  const auto order =
      make_graph({{"web", "net"}, {"web", "group"}, {"db", "net"}}).topological_order();
  EXPECT_EQ(std::get<Names>(order), (Names{"group", "net", "db", "web"}));
}

TEST(Digraph, OrderDoesNotDependOnInsertionOrder) {
  Edges edges;
  std::mt19937 random(20240917);
  for (int i = 0; i < 60; ++i) {
    const int from = 1 + static_cast<int>(random() % 29);
    edges.emplace_back("n" + std::to_string(from),
                       "n" + std::to_string(random() % static_cast<unsigned>(from)));
  }
  const auto expected = std::get<Names>(make_graph(edges).topological_order());
  for (int round = 0; round < 50; ++round) {
    std::shuffle(edges.begin(), edges.end(), random);
    const auto order = std::get<Names>(make_graph(edges).topological_order());
    ASSERT_EQ(order, expected) << "round " << round;
    for (const auto& [node, dependency] : edges) {
      const auto at = [&](const std::string& name) {
        return std::find(order.begin(), order.end(), name);
      };
      ASSERT_LT(at(dependency) - order.begin(), at(node) - order.begin());
    }
  }
}

TEST(Digraph, NamesOneCycleAndNothingThatOnlyLeadsToIt) {
  Edges edges = {{"start", "a"}, {"a", "b"}, {"b", "c"}, {"c", "a"}, {"c", "leaf"}, {"x", "start"}};
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(edges.begin(), edges.end(), random);
    const auto order = make_graph(edges).topological_order();
    ASSERT_TRUE(std::holds_alternative<Cycle>(order));
    EXPECT_EQ(std::get<Cycle>(order).nodes, (Names{"a", "b", "c"})) << "round " << round;
  }
}

TEST(Digraph, FindsTheCycleOfANodeWithItself) {
  const auto order = make_graph({{"b", "a"}, {"a", "a"}}).topological_order();
  ASSERT_TRUE(std::holds_alternative<Cycle>(order));
  EXPECT_EQ(std::get<Cycle>(order).nodes, Names{"a"});
}

TEST(Digraph, HasNothingToSayAboutNothing) {
  Digraph graph;
  EXPECT_TRUE(std::get<Names>(graph.topological_order()).empty());
  EXPECT_TRUE(graph.dependencies_of("absent").empty());
  graph.add_node("only");
  graph.add_node("only");
  EXPECT_EQ(graph.size(), 1U);
  EXPECT_EQ(std::get<Names>(graph.topological_order()), Names{"only"});
}

TEST(Digraph, OrdersALongChain) {
  Digraph graph;
  const auto name = [](int i) { return "n" + std::to_string(1'000'000 + i); };
  for (int i = 1; i < 5000; ++i) graph.add_edge(name(i - 1), name(i));
  const auto order = std::get<Names>(graph.topological_order());
  ASSERT_EQ(order.size(), 5000U);
  EXPECT_EQ(order.front(), name(4999));
  EXPECT_EQ(order.back(), name(0));
}

}  // namespace
}  // namespace bailey
