#include "orchestrator/declare/duties/report.hpp"

#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace bailey::duties {

namespace {

constexpr std::size_t kMostPaths = 10;

using PathKey = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

struct SamePath {
  std::uint32_t cost = 0;
  Nodes people;
};

std::vector<SamePath> by_path(const Standings& standings, const std::vector<const Standing*>& parts,
                              const Nodes& people) {
  std::map<PathKey, SamePath> paths;
  for (const auto person : people) {
    PathKey key;
    std::uint32_t cost = 0;
    for (const auto* part : parts) {
      key.push_back(standings.path_of(*part, person));
      cost += part->reach.found[part->reach.of(person)].cost;
    }
    auto& path = paths[key];
    path.cost = cost;
    path.people.push_back(person);
  }
  std::vector<SamePath> sorted;
  for (auto& [key, path] : paths) sorted.push_back(std::move(path));
  std::stable_sort(sorted.begin(), sorted.end(), [](const SamePath& left, const SamePath& right) {
    return std::pair(left.cost, left.people.front()) < std::pair(right.cost, right.people.front());
  });
  return sorted;
}

}  // namespace

std::string some_names(const SubjectGraph& graph, const Nodes& people, std::size_t most) {
  std::vector<std::string> names;
  const auto shown = people.size() > most + 1 ? most : people.size();
  for (std::size_t i = 0; i < shown; ++i) names.push_back(graph.subject(people[i]).name);
  if (shown < people.size()) names.push_back(fmt::format("{} more", people.size() - shown));
  return enumerate(names);
}

Nodes people_of(const Reach& reach) {
  Nodes people;
  people.reserve(reach.people.size());
  for (const auto& [person, index] : reach.people) people.push_back(person);
  return people;
}

Nodes people_in_all(const std::vector<const Standing*>& parts) {
  if (parts.empty()) return {};
  const auto* smallest = *std::min_element(
      parts.begin(), parts.end(), [](const Standing* left, const Standing* right) {
        return left->reach.people.size() < right->reach.people.size();
      });
  Nodes people;
  for (const auto& [person, index] : smallest->reach.people) {
    const auto in = [&, who = person](const Standing* part) {
      return part->reach.of(who) != kNone;
    };
    if (std::all_of(parts.begin(), parts.end(), in)) people.push_back(person);
  }
  return people;
}

void report_paths(const Standings& standings, Diagnostics& diagnostics,
                  const std::vector<const Standing*>& parts, const Nodes& people,
                  const std::function<Diagnostic(const std::string& person,
                                                 const std::string& others)>& describe) {
  const auto paths = by_path(standings, parts, people);
  const auto& graph = standings.graph();
  for (std::size_t i = 0; i < std::min(paths.size(), kMostPaths); ++i) {
    const auto& path = paths[i];
    const Nodes rest(path.people.begin() + 1, path.people.end());
    auto others =
        rest.empty()
            ? std::string()
            : fmt::format(" So {} {} by the same path: {}.", rest.size() == 1 ? "does" : "do",
                          rest.size() == 1 ? std::string("one other")
                                           : fmt::format("{} others", rest.size()),
                          some_names(graph, rest));
    if (i + 1 == kMostPaths && paths.size() > kMostPaths) {
      others += fmt::format(" {} more paths lead others there.", paths.size() - kMostPaths);
    }
    const auto first = path.people.front();
    auto finding = describe(graph.subject(first).name, others);
    const auto end = std::exchange(finding.path, {});
    for (const auto* part : parts) {
      for (auto& step : standings.explain(*part, first)) finding.path.push_back(std::move(step));
    }
    finding.path.insert(finding.path.end(), end.begin(), end.end());
    diagnostics.add(std::move(finding));
  }
}

}  // namespace bailey::duties
