#pragma once

#include "orchestrator/model/directory.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace bailey::duties {

/// A person, service or group of a Directory. People come first, by name, so that a smaller number
/// is an earlier name.
using Node = std::uint32_t;
/// Sorted, each once.
using Nodes = std::vector<Node>;

inline constexpr std::uint32_t kNone = UINT32_MAX;

/// Where a search begins: a subject that holds something of itself.
struct Source {
  Node node = 0;
  std::uint32_t cost = 0;    ///< Steps of the proof before the subject comes in.
  std::uint32_t origin = 0;  ///< Of the caller's: why it holds it.
};

/// Somebody who comes to hold it, and through whom.
struct Found {
  Node node = 0;
  std::uint32_t from = kNone;  ///< Index of who holds it before, or none: a source.
  std::uint32_t entry = 0;     ///< Which entry of that one's list names `node`.
  std::uint32_t origin = 0;
  std::uint32_t cost = 0;
};

struct Reach {
  std::vector<Found> found;                            ///< By cost.
  std::vector<std::pair<Node, std::uint32_t>> people;  ///< Person to index; sorted.

  /// Index of a person, or none.
  [[nodiscard]] std::uint32_t of(Node person) const;
};

/// A Directory as a graph: from a group to its members, and from a service to who controls it.
/// Every search costs what it finds, whatever the Directory's size.
class SubjectGraph {
 public:
  struct Edge {
    Node to;
    std::uint32_t entry;
  };

  explicit SubjectGraph(const Directory& directory);

  [[nodiscard]] std::optional<Node> find(const Subject& subject) const;
  [[nodiscard]] const Subject& subject(Node node) const { return subjects_[node]; }
  [[nodiscard]] std::size_t size() const noexcept { return subjects_.size(); }
  [[nodiscard]] bool is_person(Node node) const noexcept { return node < people_; }
  [[nodiscard]] bool has_key(Node person) const { return keys_[person]; }
  [[nodiscard]] const std::vector<Edge>& below(Node node) const { return below_[node]; }

  /// Everybody who comes to hold what the sources hold, each by the fewest steps.
  [[nodiscard]] Reach reach(const std::vector<Source>& sources) const;
  /// The people and services that subjects stand for, groups followed.
  [[nodiscard]] std::shared_ptr<const Nodes> members(const std::vector<Subject>& subjects) const;
  /// The people who can make a person or service act.
  [[nodiscard]] std::shared_ptr<const Nodes> behind(Node node) const;

 private:
  std::vector<Subject> subjects_;
  std::map<Subject, Node> nodes_;
  std::vector<std::vector<Edge>> below_;
  std::vector<bool> keys_;
  std::vector<Node> same_as_;  ///< Of a group that holds one group and no more: that one, followed.
  Node people_ = 0;

  // A search marks what it has seen with its own number, so that nothing has to be cleared.
  mutable std::vector<std::uint32_t> seen_;
  mutable std::uint32_t search_ = 0;
  mutable std::map<Nodes, std::shared_ptr<const Nodes>> members_;
  mutable std::map<Node, std::shared_ptr<const Nodes>> behind_;
};

/// What is in both. Both are sorted.
[[nodiscard]] Nodes common(const Nodes& left, const Nodes& right);
[[nodiscard]] bool holds(const Nodes& nodes, Node node);

}  // namespace bailey::duties
