#include "orchestrator/declare/duties/subject_graph.hpp"

#include <algorithm>
#include <iterator>

namespace bailey::duties {

std::uint32_t Reach::of(Node person) const {
  const auto at = std::lower_bound(people.begin(), people.end(), std::pair{person, 0U});
  return at == people.end() || at->first != person ? kNone : at->second;
}

SubjectGraph::SubjectGraph(const Directory& directory) {
  const auto add = [&](SubjectKind kind, const auto& named) {
    for (const auto& [name, value] : named) {
      nodes_.emplace(Subject{kind, name}, static_cast<Node>(subjects_.size()));
      subjects_.push_back({kind, name});
    }
  };
  add(SubjectKind::Person, directory.people);
  people_ = static_cast<Node>(subjects_.size());
  add(SubjectKind::Service, directory.services);
  add(SubjectKind::Group, directory.groups);
  below_.resize(subjects_.size());
  seen_.resize(subjects_.size());
  for (const auto& [name, person] : directory.people) keys_.push_back(!person.keys.empty());
  const auto connect = [&](const Subject& from, const std::vector<Subject>& list) {
    auto& edges = below_[nodes_.at(from)];
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto to = find(list[i]);
      if (to) edges.push_back({*to, static_cast<std::uint32_t>(i)});
    }
  };
  for (const auto& [name, service] : directory.services) {
    connect({SubjectKind::Service, name}, service.controlled_by);
  }
  for (const auto& [name, members] : directory.groups) {
    connect({SubjectKind::Group, name}, members);
  }
  for (Node node = 0; node < subjects_.size(); ++node) {
    auto at = node;
    // Groups in a circle are refused by validation; here they end after as many steps as there are.
    for (std::size_t steps = 0; steps < subjects_.size(); ++steps) {
      if (subjects_[at].kind != SubjectKind::Group || below_[at].size() != 1) break;
      const auto next = below_[at].front().to;
      if (subjects_[next].kind != SubjectKind::Group) break;
      at = next < node ? same_as_[next] : next;
    }
    same_as_.push_back(at);
  }
}

std::optional<Node> SubjectGraph::find(const Subject& subject) const {
  const auto found = nodes_.find(subject);
  return found == nodes_.end() ? std::nullopt : std::optional(found->second);
}

Reach SubjectGraph::reach(const std::vector<Source>& sources) const {
  ++search_;
  Reach reach;
  // One queue for each cost: every edge is one step, and few costs differ.
  std::vector<std::vector<Found>> open;
  const auto push = [&](const Found& found) {
    if (open.size() <= found.cost) open.resize(found.cost + 1);
    open[found.cost].push_back(found);
  };
  for (const auto& source : sources) {
    push({source.node, kNone, 0, source.origin, source.cost});
  }
  for (std::size_t cost = 0; cost < open.size(); ++cost) {
    for (std::size_t i = 0; i < open[cost].size(); ++i) {
      const auto found = open[cost][i];
      if (seen_[found.node] == search_) continue;
      seen_[found.node] = search_;
      const auto index = static_cast<std::uint32_t>(reach.found.size());
      reach.found.push_back(found);
      if (is_person(found.node)) reach.people.emplace_back(found.node, index);
      for (const auto& edge : below_[found.node]) {
        if (seen_[edge.to] == search_) continue;
        push({edge.to, index, edge.entry, found.origin, found.cost + 1});
      }
    }
  }
  if (!std::is_sorted(reach.people.begin(), reach.people.end())) {
    std::sort(reach.people.begin(), reach.people.end());
  }
  return reach;
}

std::shared_ptr<const Nodes> SubjectGraph::members(const std::vector<Subject>& subjects) const {
  Nodes open;
  for (const auto& subject : subjects) {
    if (const auto node = find(subject)) open.push_back(same_as_[*node]);
  }
  std::sort(open.begin(), open.end());
  open.erase(std::unique(open.begin(), open.end()), open.end());
  auto& known = members_[open];
  if (known) return known;
  ++search_;
  Nodes found;
  while (!open.empty()) {
    const auto node = open.back();
    open.pop_back();
    if (seen_[node] == search_) continue;
    seen_[node] = search_;
    if (subjects_[node].kind != SubjectKind::Group) {
      found.push_back(node);
      continue;
    }
    for (const auto& edge : below_[node]) open.push_back(edge.to);
  }
  std::sort(found.begin(), found.end());
  known = std::make_shared<const Nodes>(std::move(found));
  return known;
}

std::shared_ptr<const Nodes> SubjectGraph::behind(Node node) const {
  auto& known = behind_[node];
  if (known) return known;
  Nodes people;
  for (const auto& [person, index] : reach({{node}}).people) people.push_back(person);
  known = std::make_shared<const Nodes>(std::move(people));
  return known;
}

Nodes common(const Nodes& left, const Nodes& right) {
  Nodes both;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(),
                        std::back_inserter(both));
  return both;
}

bool holds(const Nodes& nodes, Node node) {
  return std::binary_search(nodes.begin(), nodes.end(), node);
}

}  // namespace bailey::duties
