#include "orchestrator/record/audit/merkle.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "tests/support/vectors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

namespace bailey {
namespace {

// Stores what an append closes, as a database would.
class Nodes {
 public:
  void append(const Sha256& leaf) {
    const auto closed = nodes_closed_by(size_, leaf, lookup());
    ASSERT_TRUE(closed.has_value());
    nodes_[{0, size_}] = leaf;
    for (const auto& [id, hash] : *closed) nodes_[id] = hash;
    ++size_;
  }
  [[nodiscard]] NodeLookup lookup() const {
    return [this](const NodeId& id) -> Result<Sha256> {
      const auto found = nodes_.find(id);
      if (found == nodes_.end()) return fail(ErrorKind::NotFound, "no such node");
      return found->second;
    };
  }

 private:
  std::uint64_t size_ = 0;
  std::map<NodeId, Sha256> nodes_;
};

// The definition of RFC 6962 section 2.1, word for word.
Sha256 root_by_definition(const std::vector<Sha256>& leaves) {
  if (leaves.empty()) return empty_root();
  if (leaves.size() == 1) return leaves[0];
  std::size_t half = 1;
  while (half * 2 < leaves.size()) half *= 2;
  const auto middle = leaves.begin() + static_cast<std::ptrdiff_t>(half);
  return node_hash(root_by_definition({leaves.begin(), middle}),
                   root_by_definition({middle, leaves.end()}));
}

std::vector<Sha256> some_leaves(std::size_t count) {
  std::vector<Sha256> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash("leaf " + std::to_string(i)));
  return leaves;
}

// Some probes hold none, or one of another length, which equals nothing but itself.
std::optional<Sha256> hash_of(const Json& value) {
  const auto bytes = from_base64(value.is_string() ? value.get<std::string>() : std::string());
  Sha256 hash{};
  if (!bytes || bytes->empty()) return std::nullopt;
  if (bytes->size() != hash.size()) return sha256(*bytes);
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return hash;
}

std::optional<std::vector<Sha256>> proof_of(const Json& probe) {
  std::vector<Sha256> proof;
  for (const auto& item : member(probe, "proof")) {
    const auto hash = hash_of(item);
    if (!hash) return std::nullopt;
    proof.push_back(*hash);
  }
  return proof;
}

std::vector<std::pair<std::string, Json>> probes_in(const std::filesystem::path& folder) {
  std::vector<std::pair<std::string, Json>> probes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const auto text = read_file(entry.path());
    probes.emplace_back(entry.path().string(), parse_json(*text).value());
  }
  return probes;
}

TEST(Merkle, HashesAsTheRfcSays) {
  BAILEY_VECTORS_OR_SKIP(folder);
  const auto vectors = parse_json(*read_file(folder / "small/rfc6962-hashes.json")).value();
  EXPECT_EQ(hex(empty_root()), string_member(vectors, "empty_root"));
  EXPECT_EQ(hex(leaf_hash("")), string_member(vectors, "empty_leaf"));
  EXPECT_EQ(hex(leaf_hash("L123456")), string_member(vectors, "leaf_L123456"));
  std::string input = "\1N123N456";
  EXPECT_EQ(hex(sha256(input)), string_member(vectors, "node_N123_N456"));
}

TEST(Merkle, AgreesWithEveryInclusionProbe) {
  BAILEY_VECTORS_OR_SKIP(folder);
  const auto probes = probes_in(folder / "merkle/inclusion");
  EXPECT_EQ(probes.size(), 98U);
  for (const auto& [name, probe] : probes) {
    const auto leaf = hash_of(member(probe, "leafHash"));
    const auto root = hash_of(member(probe, "root"));
    const auto proof = proof_of(probe);
    const bool holds =
        leaf && root && proof &&
        verify_inclusion(member(probe, "leafIdx").get<std::uint64_t>(),
                         member(probe, "treeSize").get<std::uint64_t>(), *leaf, *proof, *root);
    EXPECT_EQ(holds, !member(probe, "wantErr").get<bool>()) << name;
  }
}

TEST(Merkle, AgreesWithEveryConsistencyProbe) {
  BAILEY_VECTORS_OR_SKIP(folder);
  const auto probes = probes_in(folder / "merkle/consistency");
  EXPECT_EQ(probes.size(), 98U);
  for (const auto& [name, probe] : probes) {
    const auto root1 = hash_of(member(probe, "root1"));
    const auto root2 = hash_of(member(probe, "root2"));
    const auto proof = proof_of(probe);
    const bool holds =
        root1 && root2 && proof &&
        verify_consistency(member(probe, "size1").get<std::uint64_t>(),
                           member(probe, "size2").get<std::uint64_t>(), *root1, *root2, *proof);
    EXPECT_EQ(holds, !member(probe, "wantErr").get<bool>()) << name;
  }
}

TEST(Merkle, RootsFollowTheDefinition) {
  const auto leaves = some_leaves(130);
  Nodes nodes;
  MerkleTree tree;
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    const std::vector<Sha256> part(leaves.begin(),
                                   leaves.begin() + static_cast<std::ptrdiff_t>(size));
    const auto expected = root_by_definition(part);
    ASSERT_EQ(tree.root(), expected) << size;
    ASSERT_EQ(merkle_root(size, nodes.lookup()).value(), expected) << size;
    if (size == leaves.size()) break;
    tree.append(leaves[size]);
    nodes.append(leaves[size]);
  }
}

TEST(Merkle, EveryInclusionProofHoldsAndNoChangedOneDoes) {
  const auto leaves = some_leaves(66);
  Nodes nodes;
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    nodes.append(leaves[size - 1]);
    const auto root = merkle_root(size, nodes.lookup()).value();
    for (std::uint64_t index = 0; index < size; ++index) {
      auto proof = merkle_inclusion_proof(index, size, nodes.lookup()).value();
      ASSERT_TRUE(verify_inclusion(index, size, leaves[index], proof, root));
      ASSERT_FALSE(verify_inclusion(index + 1, size, leaves[index], proof, root));
      for (auto& hash : proof) {
        hash[7] ^= 1;
        ASSERT_FALSE(verify_inclusion(index, size, leaves[index], proof, root));
        hash[7] ^= 1;
      }
      proof.push_back(root);
      ASSERT_FALSE(verify_inclusion(index, size, leaves[index], proof, root));
    }
  }
}

TEST(Merkle, EveryConsistencyProofHoldsAndNoChangedOneDoes) {
  const auto leaves = some_leaves(66);
  Nodes nodes;
  std::vector<Sha256> roots{empty_root()};
  for (std::uint64_t to = 1; to <= leaves.size(); ++to) {
    nodes.append(leaves[to - 1]);
    roots.push_back(merkle_root(to, nodes.lookup()).value());
    for (std::uint64_t from = 1; from <= to; ++from) {
      auto proof = merkle_consistency_proof(from, to, nodes.lookup()).value();
      ASSERT_TRUE(verify_consistency(from, to, roots[from], roots[to], proof));
      ASSERT_FALSE(verify_consistency(from, to, roots[from - 1], roots[to], proof));
      for (auto& hash : proof) {
        hash[31] ^= 0x80;
        ASSERT_FALSE(verify_consistency(from, to, roots[from], roots[to], proof));
        hash[31] ^= 0x80;
      }
    }
  }
}

TEST(Merkle, RefusesProofsOutsideTheTree) {
  const NodeLookup none = [](const NodeId&) -> Result<Sha256> {
    return fail(ErrorKind::Io, "must not be asked");
  };
  EXPECT_EQ(merkle_inclusion_proof(0, 0, none).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(merkle_inclusion_proof(3, 3, none).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(merkle_consistency_proof(4, 3, none).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(merkle_consistency_proof(0, 3, none).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_TRUE(merkle_consistency_proof(0, 0, none).value().empty());
}

TEST(Merkle, PassesOnWhatTheLookupFailedWith) {
  const NodeLookup broken = [](const NodeId&) -> Result<Sha256> {
    return fail(ErrorKind::Io, "disk");
  };
  EXPECT_EQ(merkle_root(3, broken).error().kind(), ErrorKind::Io);
  EXPECT_EQ(merkle_inclusion_proof(1, 3, broken).error().kind(), ErrorKind::Io);
  EXPECT_EQ(merkle_consistency_proof(2, 3, broken).error().kind(), ErrorKind::Io);
  EXPECT_EQ(nodes_closed_by(1, {}, broken).error().kind(), ErrorKind::Io);
}

}  // namespace
}  // namespace bailey
