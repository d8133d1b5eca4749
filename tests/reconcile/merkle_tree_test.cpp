#include "protocols/reconcile/merkle_tree.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "protocols/reconcile/leaf_index.hpp"
#include "tests/reconcile/contents.hpp"

namespace rejoin::reconcile::test {
namespace {

// fanout * depth from a binary tree to Riak's 1024 by 2.
const std::vector<MerkleShape> kShapes = {{.fanout = 2, .depth = 1},
                                          {.fanout = 2, .depth = 24},
                                          {.fanout = 4, .depth = 3},
                                          {.fanout = 16, .depth = 5},
                                          {.fanout = 16, .depth = 5, .salt = 7},
                                          {.fanout = 1024, .depth = 2}};

MerkleTree tree_of(const MerkleShape& shape, const Contents& contents) {
  MerkleTree tree(shape);
  tree.rebuild(items_of(contents));
  return tree;
}

// Every node of the two, by descending wherever either has items.
bool same_nodes(const MerkleTree& a, const MerkleTree& b, TreeNode node = {}) {
  const NodeSummary summary = a.at(node);
  if (summary != b.at(node)) return false;
  if (summary.items == 0 || node.level == a.shape().depth) return true;
  for (std::uint32_t n = 0; n < a.shape().fanout; ++n) {
    if (!same_nodes(a, b, {node.level + 1, node.index * a.shape().fanout + n})) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a shape says what is wrong with it") {
  for (const MerkleShape& shape : kShapes) CHECK_FALSE(shape.problem());
  CHECK(MerkleShape{.fanout = 1, .depth = 1}.problem());
  CHECK(MerkleShape{.fanout = 2048, .depth = 1}.problem());
  CHECK(MerkleShape{.fanout = 3, .depth = 1}.problem());
  CHECK(MerkleShape{.fanout = 0, .depth = 1}.problem());
  CHECK(MerkleShape{.fanout = 2, .depth = 0}.problem());
  CHECK(MerkleShape{.fanout = 2, .depth = 25}.problem());
  CHECK(MerkleShape{.fanout = 1024, .depth = 3}.problem());
  CHECK(MerkleShape{.fanout = 16, .depth = UINT32_MAX}.problem());
  CHECK(MerkleShape{.fanout = 1024, .depth = 2}.leaves() == 1U << 20U);
}

TEST_CASE("trees are equal exactly when contents are") {
  CHECK(rc::check([] {
    const MerkleShape shape = *rc::gen::elementOf(kShapes);
    const Contents a = *any_contents();
    // A few keys more, fewer or other than a: two that are drawn apart would never be equal.
    Contents b = a;
    for (const Key& key : *rc::gen::resize(3, rc::gen::container<std::vector<Key>>(any_key()))) {
      if (*rc::gen::arbitrary<bool>()) {
        b.erase(key);
      } else {
        b[key] = print_of(static_cast<unsigned>(*rc::gen::inRange(0, 3)));
      }
    }
    const MerkleTree first = tree_of(shape, a);
    const MerkleTree second = tree_of(shape, b);
    RC_ASSERT((first.root() == second.root()) == (a == b));
    RC_ASSERT((first.root().digest == second.root().digest) == (a == b));
    RC_ASSERT(same_nodes(first, second) == (a == b));
  }));
}

TEST_CASE("a tree that grew by puts, replacements and removals is the tree built from its items") {
  CHECK(rc::check([] {
    const MerkleShape shape = *rc::gen::elementOf(kShapes);
    LeafIndex index(shape);
    Contents contents;
    for (const Key& key : *rc::gen::container<std::vector<Key>>(any_key())) {
      const int n = *rc::gen::inRange(0, 4);
      if (n == 3) {
        contents.erase(key);
        index.erase(key);
      } else {
        contents[key] = print_of(static_cast<unsigned>(n));
        index.put(key, contents[key]);
      }
    }
    RC_ASSERT(index.tree().root().items == contents.size());
    RC_ASSERT(same_nodes(index.tree(), tree_of(shape, contents)));
    for (const auto& [key, print] : contents) index.erase(key);
    RC_ASSERT(same_nodes(index.tree(), MerkleTree(shape)));
  }));
}

TEST_CASE("the order of insertion leaves no trace") {
  CHECK(rc::check([] {
    const MerkleShape shape = *rc::gen::elementOf(kShapes);
    std::vector<Item> items = items_of(*any_contents());
    MerkleTree forwards(shape);
    forwards.rebuild(items);
    std::reverse(items.begin(), items.end());
    MerkleTree backwards(shape);
    backwards.rebuild(items);
    RC_ASSERT(same_nodes(forwards, backwards));
  }));
}

TEST_CASE("a node sums up its children, and a leaf holds the keys that hash to it") {
  for (const MerkleShape& shape : kShapes) {
    LeafIndex index(shape);
    for (std::uint64_t n = 0; n < 2000; ++n) index.put(key_of(n), print_of(n));
    const MerkleTree& tree = index.tree();
    for (std::uint64_t n = 0; n < 2000; n += 97) {
      const std::uint32_t leaf = tree.leaf_of(key_of(n));
      REQUIRE(leaf < shape.leaves());
      for (std::uint32_t level = 0; level < shape.depth; ++level) {
        const TreeNode node{level, tree.ancestor(leaf, level)};
        NodeSummary sum;
        for (const NodeSummary& child : tree.children(node)) {
          sum.digest.add(child.digest.sum());
          sum.items += child.items;
        }
        CHECK(sum == tree.at(node));
        const LeafRange range = tree.leaves_of(node);
        CHECK((range.first <= leaf && leaf <= range.last));
      }
      const LeafRange own = tree.leaves_of({shape.depth, leaf});
      CHECK(own == LeafRange{leaf, leaf});
      std::vector<Item> listed;
      index.list(std::vector<LeafRange>{own}, listed);
      CHECK(listed.size() == tree.at({shape.depth, leaf}).items);
      CHECK(std::count(listed.begin(), listed.end(), Item{key_of(n), print_of(n)}) == 1);
    }
  }
}

TEST_CASE("another salt is another tree, of digests and of places") {
  const Contents contents{{"a", print_of(1)}};
  const MerkleTree plain = tree_of({.fanout = 16, .depth = 5}, contents);
  const MerkleTree salted = tree_of({.fanout = 16, .depth = 5, .salt = 1}, contents);
  CHECK(plain.root().digest != salted.root().digest);
  std::size_t moved = 0;
  for (std::uint64_t n = 0; n < 100; ++n) {
    if (plain.leaf_of(key_of(n)) != salted.leaf_of(key_of(n))) ++moved;
  }
  CHECK(moved > 95);
}

TEST_CASE("keys spread evenly over leaves, also those that a partition's hash has chosen") {
  const MerkleShape shape{.fanout = 16, .depth = 2};
  MerkleTree tree(shape);
  std::uint64_t taken = 0;
  for (std::uint64_t n = 0; taken < 25'600; ++n) {
    if (hash64(key_of(n)) >> 60U != 3) continue;  // one of sixteen partitions
    tree.update(key_of(n), std::nullopt, print_of(n));
    ++taken;
  }
  // 100 a leaf on average, a deviation of 10.
  for (std::uint32_t leaf = 0; leaf < shape.leaves(); ++leaf) {
    CHECK(tree.at({2, leaf}).items > 50);
    CHECK(tree.at({2, leaf}).items < 150);
  }
}

TEST_CASE("memory follows what is held, not how deep the tree could be") {
  MerkleTree tree({.fanout = 2, .depth = 24});
  CHECK(tree.memory_bytes() < 256);
  for (std::uint64_t n = 0; n < 100; ++n) tree.update(key_of(n), std::nullopt, print_of(n));
  CHECK(tree.memory_bytes() < 100 * 24 * 64);
  tree.clear();
  CHECK(tree.memory_bytes() < 256);
  CHECK(tree.root() == NodeSummary{});
}

TEST_CASE("an item that is counted twice does not vanish") {
  MerkleTree once({.fanout = 4, .depth = 2});
  MerkleTree twice({.fanout = 4, .depth = 2});
  once.update("a", std::nullopt, print_of(1));
  twice.update("a", std::nullopt, print_of(1));
  twice.update("a", std::nullopt, print_of(1));
  CHECK(twice.root().digest != once.root().digest);
  CHECK(twice.root().digest != SetDigest{});
}

TEST_CASE("a sum carries and borrows between its halves") {
  SetDigest digest({.high = 1, .low = UINT64_MAX});
  digest.add({.high = 0, .low = 1});
  CHECK(digest.sum() == Hash128{.high = 2, .low = 0});
  digest.subtract({.high = 0, .low = 1});
  CHECK(digest.sum() == Hash128{.high = 1, .low = UINT64_MAX});
}

TEST_CASE("a fingerprint tells every field of a record") {
  const Record record{.key = "k",
                      .value = "v",
                      .version = {.timestamp = WallTime(1s), .writer = NodeId(1)},
                      .origin = {.client = ClientId(1), .n = 1}};
  std::vector<Record> others(7, record);
  others[0].key = "l";
  others[1].value = "w";
  others[2].deleted = true;
  others[3].version.timestamp = WallTime(2s);
  others[4].version.writer = NodeId(2);
  others[5].origin.client = ClientId(2);
  others[6].origin.n = 2;
  for (const Record& other : others) CHECK(fingerprint_of(other) != fingerprint_of(record));
  CHECK(fingerprint_of(Record(record)) == fingerprint_of(record));
}

}  // namespace rejoin::reconcile::test
