#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/error.hpp"

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace bailey {

/// RFC 6962 section 2.1: the hash of a leaf, of an inner node, of a tree without leaves.
[[nodiscard]] Sha256 leaf_hash(std::string_view body);
[[nodiscard]] Sha256 node_hash(const Sha256& left, const Sha256& right);
[[nodiscard]] Sha256 empty_root();

/// A complete subtree: the 2^level leaves from index * 2^level on.
struct NodeId {
  unsigned level = 0;
  std::uint64_t index = 0;
  auto operator<=>(const NodeId&) const = default;
};

/// Gives the hash of a complete subtree that lies within the tree that is asked about.
using NodeLookup = std::function<Result<Sha256>(const NodeId&)>;

/// Root over the first `size` leaves. Looks up O(log size) nodes; fails only as the lookup does.
[[nodiscard]] Result<Sha256> merkle_root(std::uint64_t size, const NodeLookup& lookup);

/// RFC 6962 section 2.1.1. InvalidArgument unless index < size.
[[nodiscard]] Result<std::vector<Sha256>> merkle_inclusion_proof(std::uint64_t index,
                                                                 std::uint64_t size,
                                                                 const NodeLookup& lookup);

/// RFC 6962 section 2.1.2. InvalidArgument unless from <= to, and for 0 < to from an empty tree,
/// where there is nothing to be consistent with.
[[nodiscard]] Result<std::vector<Sha256>> merkle_consistency_proof(std::uint64_t from,
                                                                   std::uint64_t to,
                                                                   const NodeLookup& lookup);

/// RFC 9162 section 2.1.3.2. A proof that does not hold is a Protocol error.
[[nodiscard]] Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Sha256& leaf,
                                      const std::vector<Sha256>& proof, const Sha256& root);

/// RFC 9162 section 2.1.4.2. A proof that does not hold is a Protocol error, and so is one that
/// starts from an empty tree.
[[nodiscard]] Status verify_consistency(std::uint64_t from, std::uint64_t to,
                                        const Sha256& from_root, const Sha256& to_root,
                                        const std::vector<Sha256>& proof);

/// A tree that grows leaf by leaf and remembers no more than its right edge: O(log size) memory.
class MerkleTree {
 public:
  void append(const Sha256& leaf);
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] Sha256 root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Sha256> edge_;  ///< Roots of the complete subtrees, the largest first.
};

/// The complete subtrees that a leaf closes when it becomes number `index`, the smallest first,
/// the leaf itself left out. `lookup` gives the ones to the left.
[[nodiscard]] Result<std::vector<std::pair<NodeId, Sha256>>> nodes_closed_by(
    std::uint64_t index, const Sha256& leaf, const NodeLookup& lookup);

}  // namespace bailey
