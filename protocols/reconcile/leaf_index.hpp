// A Merkle tree together with the items that it was made of, ordered by leaf: for whoever would
// otherwise have to read a whole partition to list one leaf.
//
// Invariants:
// 1. tree() is the tree of exactly the items that are in.
// 2. list() costs the items that it lists and one search a range.
//
// The price is a copy of every key: some 30 bytes and the key, an item. A store that can be read
// quickly can do without, by listing leaves with one scan of the partition for all ranges.
//
// Not here: persistence.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/packed_map.hpp"
#include "protocols/reconcile/merkle_tree.hpp"

namespace rejoin::reconcile {

class LeafIndex {
 public:
  explicit LeafIndex(const MerkleShape& shape) : tree_(shape) {}

  void put(std::string_view key, const Fingerprint& fingerprint);
  void erase(std::string_view key);  // nothing when it is absent
  void clear();

  [[nodiscard]] const MerkleTree& tree() const { return tree_; }
  // Appends the items of these leaves. The ranges ascend and are disjoint.
  void list(std::span<const LeafRange> ranges, std::vector<Item>& out) const;

 private:
  PackedMap items_;  // fingerprints, by leaf and key
  MerkleTree tree_;
};

}  // namespace rejoin::reconcile
