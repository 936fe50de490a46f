#include "orchestrator/record/audit/merkle.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/base/encoding.hpp"

#include <fmt/format.h>

#include <bit>
#include <string>

namespace bailey {

namespace {

// The largest power of two smaller than `size`, which is at least 2: where RFC 6962 splits a tree.
std::uint64_t split_point(std::uint64_t size) {
  return std::bit_floor(size - 1);
}

// Root over the leaves [first, first + size). `first` is a multiple of the size rounded up to a
// power of two, so every complete part of it is a node.
Result<Sha256> range_root(std::uint64_t first, std::uint64_t size, const NodeLookup& lookup) {
  BAILEY_ASSERT(size > 0);
  if (std::has_single_bit(size)) {
    const auto level = static_cast<unsigned>(std::countr_zero(size));
    return lookup({level, first >> level});
  }
  const auto half = split_point(size);
  auto left = range_root(first, half, lookup);
  if (!left) return left;
  auto right = range_root(first + half, size - half, lookup);
  if (!right) return right;
  return node_hash(*left, *right);
}

Status add_range(std::vector<Sha256>& proof, std::uint64_t first, std::uint64_t size,
                 const NodeLookup& lookup) {
  auto root = range_root(first, size, lookup);
  if (!root) return fail(std::move(root.error()));
  proof.push_back(*root);
  return {};
}

// PATH(m, D[n]) of section 2.1.1.
Status add_path(std::vector<Sha256>& proof, std::uint64_t index, std::uint64_t first,
                std::uint64_t size, const NodeLookup& lookup) {
  if (size == 1) return {};
  const auto half = split_point(size);
  const bool left = index < half;
  auto below = left ? add_path(proof, index, first, half, lookup)
                    : add_path(proof, index - half, first + half, size - half, lookup);
  if (!below) return below;
  return left ? add_range(proof, first + half, size - half, lookup)
              : add_range(proof, first, half, lookup);
}

// SUBPROOF(m, D[n], b) of section 2.1.2; `known` is b: the reader has the root of this part.
Status add_subproof(std::vector<Sha256>& proof, std::uint64_t from, std::uint64_t first,
                    std::uint64_t size, bool known, const NodeLookup& lookup) {
  if (from == size) return known ? Status() : add_range(proof, first, size, lookup);
  const auto half = split_point(size);
  if (from <= half) {
    auto below = add_subproof(proof, from, first, half, known, lookup);
    return below ? add_range(proof, first + half, size - half, lookup) : below;
  }
  auto below = add_subproof(proof, from - half, first + half, size - half, false, lookup);
  return below ? add_range(proof, first, half, lookup) : below;
}

tl::unexpected<Error> no_proof(std::string why) {
  return fail(ErrorKind::Protocol, std::move(why));
}

}  // namespace

Sha256 leaf_hash(std::string_view body) {
  std::string input(1, '\0');
  input += body;
  return sha256(input);
}

Sha256 node_hash(const Sha256& left, const Sha256& right) {
  std::string input(1, '\1');
  input += bytes_of(left);
  input += bytes_of(right);
  return sha256(input);
}

Sha256 empty_root() {
  return sha256({});
}

Result<Sha256> merkle_root(std::uint64_t size, const NodeLookup& lookup) {
  if (size == 0) return empty_root();
  return range_root(0, size, lookup);
}

Result<std::vector<Sha256>> merkle_inclusion_proof(std::uint64_t index, std::uint64_t size,
                                                   const NodeLookup& lookup) {
  if (index >= size) {
    return fail(ErrorKind::InvalidArgument,
                fmt::format("a tree of {} leaves has no leaf {}", size, index));
  }
  std::vector<Sha256> proof;
  if (auto added = add_path(proof, index, 0, size, lookup); !added) {
    return fail(std::move(added.error()));
  }
  return proof;
}

Result<std::vector<Sha256>> merkle_consistency_proof(std::uint64_t from, std::uint64_t to,
                                                     const NodeLookup& lookup) {
  if (from > to || (from == 0 && to != 0)) {
    return fail(ErrorKind::InvalidArgument,
                fmt::format("no consistency proof leads from {} to {} leaves", from, to));
  }
  std::vector<Sha256> proof;
  if (from == to) return proof;
  if (auto added = add_subproof(proof, from, 0, to, true, lookup); !added) {
    return fail(std::move(added.error()));
  }
  return proof;
}

Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Sha256& leaf,
                        const std::vector<Sha256>& proof, const Sha256& root) {
  if (index >= size) return no_proof("the index lies beyond the tree");
  auto node = index;
  auto last = size - 1;
  auto hash = leaf;
  for (const auto& sibling : proof) {
    if (last == 0) return no_proof("the proof is too long");
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return no_proof("the proof is too short");
  if (hash != root) return no_proof("the proof leads to another root");
  return {};
}

Status verify_consistency(std::uint64_t from, std::uint64_t to, const Sha256& from_root,
                          const Sha256& to_root, const std::vector<Sha256>& proof) {
  if (from > to) return no_proof("the tree shrank");
  if (from == to) {
    if (!proof.empty()) return no_proof("the proof is too long");
    if (from_root != to_root) return no_proof("two roots for one size");
    if (from == 0 && from_root != empty_root()) return no_proof("an empty tree with a root");
    return {};
  }
  if (from == 0) return no_proof("an empty tree proves nothing");
  if (proof.empty()) return no_proof("the proof is too short");

  auto next = proof.begin();
  auto node = from - 1;
  auto last = to - 1;
  const auto shift = std::countr_one(node);
  node >>= shift;
  last >>= shift;
  // A complete old tree is itself the first node and is left out of the proof.
  auto old_hash = std::has_single_bit(from) ? from_root : *next++;
  auto new_hash = old_hash;
  for (; next != proof.end(); ++next) {
    if (last == 0) return no_proof("the proof is too long");
    if ((node & 1) != 0 || node == last) {
      old_hash = node_hash(*next, old_hash);
      new_hash = node_hash(*next, new_hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = node_hash(new_hash, *next);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return no_proof("the proof is too short");
  if (old_hash != from_root) return no_proof("the proof leads to another old root");
  if (new_hash != to_root) return no_proof("the proof leads to another new root");
  return {};
}

void MerkleTree::append(const Sha256& leaf) {
  auto hash = leaf;
  for (auto size = size_; (size & 1) != 0; size >>= 1) {
    hash = node_hash(edge_.back(), hash);
    edge_.pop_back();
  }
  edge_.push_back(hash);
  ++size_;
}

Sha256 MerkleTree::root() const {
  if (edge_.empty()) return empty_root();
  auto hash = edge_.back();
  for (auto left = std::next(edge_.rbegin()); left != edge_.rend(); ++left) {
    hash = node_hash(*left, hash);
  }
  return hash;
}

Result<std::vector<std::pair<NodeId, Sha256>>> nodes_closed_by(std::uint64_t index,
                                                               const Sha256& leaf,
                                                               const NodeLookup& lookup) {
  std::vector<std::pair<NodeId, Sha256>> closed;
  auto hash = leaf;
  for (unsigned level = 0; ((index >> level) & 1) != 0; ++level) {
    auto left = lookup({level, (index >> level) - 1});
    if (!left) return fail(std::move(left.error()));
    hash = node_hash(*left, hash);
    closed.emplace_back(NodeId{level + 1, index >> (level + 1)}, hash);
  }
  return closed;
}

}  // namespace bailey
