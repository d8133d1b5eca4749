// A Merkle tree of what one replica holds of one partition: `fanout` children a node, `depth`
// levels below the root, a key in the leaf that a hash of it names.
//
// Invariants:
// 1. Trees of one shape are equal (every node's digest) when the items are, whatever came and went
//    before, and otherwise differ in every node on the way to an item that differs (but for
//    accidents of 1 in 2^128).
// 2. The digest of a node is the sum of the hashes of all items below it (SetDigest), at every
//    level. So one change is one addition in each of depth + 1 nodes, no node waits for another,
//    and digests are never out of date: there is nothing to batch, to mark dirty or to rebuild. A
//    hash over the children would want all children of each node on the path read and hashed again
//    (fanout times as much memory traffic), or the same later. See bench/README.md for figures.
// 3. Only nodes with items below them are held: memory is 32 to 40 bytes for each of them,
//    at most min(items * depth, all), and does not depend on how deep an empty tree is. It shrinks
//    in clear() only.
// 4. Nothing is ever iterated in the order of the table, so that its layout shows nowhere.
//
// Not here: the items themselves (leaf_index.hpp), and persistence: a tree is rebuilt from the
// store after a restart, at the price of one update an item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/fields.hpp"
#include "protocols/reconcile/items.hpp"

namespace rejoin::reconcile {

// Two trees can be compared when their shapes are equal. A shape is a matter of parameters alone,
// never of how much a replica holds: replicas that hold different amounts would choose differently.
// As absent nodes cost nothing, neither in memory nor on the wire, a shape that suits the largest
// partition suits small ones, too.
struct MerkleShape {
  static constexpr std::uint32_t kFanoutMin = 2;
  static constexpr std::uint32_t kFanoutMax = 1024;
  static constexpr std::uint32_t kLeavesMax = 1U << 24U;

  // Children of a node, a power of two. Larger: fewer rounds, more bytes for one difference
  // (about 16 * fanout * depth).
  std::uint32_t fanout = 16;
  // Levels below the root, 1 or more; fanout^depth <= kLeavesMax. Best when a leaf has about one
  // item in the largest partition: each level more is one round more.
  std::uint32_t depth = 5;
  // Keys the hash that places keys in leaves, and those in sums.
  std::uint64_t salt = 0;

  // What is wrong with it; none when a tree can have it.
  [[nodiscard]] std::optional<std::string> problem() const;
  [[nodiscard]] std::uint32_t leaves() const;  // without a problem
  friend bool operator==(const MerkleShape&, const MerkleShape&) = default;
  REJOIN_FIELDS(fanout, depth, salt)
};

// The root is at level 0; at level n are fanout^n nodes, counted from 0.
struct TreeNode {
  std::uint32_t level = 0;
  std::uint32_t index = 0;
  friend bool operator==(const TreeNode&, const TreeNode&) = default;
};
struct LeafRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // included
  friend bool operator==(const LeafRange&, const LeafRange&) = default;
};
struct NodeSummary {
  SetDigest digest;
  std::uint32_t items = 0;
  friend bool operator==(const NodeSummary&, const NodeSummary&) = default;
};

class MerkleTree {
 public:
  explicit MerkleTree(const MerkleShape& shape);  // one without a problem

  // `before`: what the tree was last told of the key, none when nothing; `after`: none when it is
  // gone. Whoever gets `before` wrong spoils the sums for good. At most 2^32 - 1 items.
  void update(std::string_view key, const std::optional<Fingerprint>& before,
              const std::optional<Fingerprint>& after);
  // The tree of exactly these: anything that can be iterated for Items, each key once.
  template <class Items>
  void rebuild(const Items& items) {
    clear();
    for (const Item& item : items) update(item.key, std::nullopt, item.fingerprint);
  }
  void clear();

  [[nodiscard]] const MerkleShape& shape() const { return shape_; }
  [[nodiscard]] const NodeSummary& root() const { return root_; }
  [[nodiscard]] NodeSummary at(TreeNode node) const;
  // Of its `fanout` children, in order. Not for a leaf.
  [[nodiscard]] std::vector<NodeSummary> children(TreeNode node) const;

  [[nodiscard]] std::uint32_t leaf_of(std::string_view key) const;
  // The node above this leaf at `level`.
  [[nodiscard]] std::uint32_t ancestor(std::uint32_t leaf, std::uint32_t level) const {
    return leaf >> bits_below(level);
  }
  [[nodiscard]] LeafRange leaves_of(TreeNode node) const;
  [[nodiscard]] std::uint32_t nodes_at(std::uint32_t level) const {
    return 1U << (fanout_bits_ * level);
  }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  // Open addressing with linear probing, at most three quarters full.
  struct Slot {
    SetDigest digest;
    std::uint32_t items = 0;
    std::uint32_t id = 0;  // 0: free
  };
  static_assert(sizeof(Slot) == 24);
  struct Change {
    SetDigest plus;  // of all that is added and taken away
    std::int32_t items = 0;

    template <class Node>
    void apply_to(Node& node) const;
  };

  [[nodiscard]] std::uint32_t bits_below(std::uint32_t level) const {
    return fanout_bits_ * (shape_.depth - level);
  }
  [[nodiscard]] std::uint32_t leaf_of(const Hash128& key_hash) const;
  [[nodiscard]] std::uint32_t id_of(TreeNode node) const;
  [[nodiscard]] std::size_t home_of(std::uint32_t id) const;
  [[nodiscard]] std::size_t next(std::size_t slot) const {
    return slot + 1 == slots_.size() ? 0 : slot + 1;
  }
  [[nodiscard]] std::size_t steps(std::size_t from, std::size_t to) const {  // forward
    return to >= from ? to - from : to + slots_.size() - from;
  }
  [[nodiscard]] std::size_t find(std::uint32_t id) const;  // its slot, or the free one for it
  void apply(std::uint32_t id, const Change& change);
  void erase(std::size_t slot);
  void grow();

  MerkleShape shape_;
  std::uint32_t fanout_bits_;
  NodeSummary root_;
  std::vector<Slot> slots_;  // the root is not in it
  std::size_t used_ = 0;
};

}  // namespace rejoin::reconcile
