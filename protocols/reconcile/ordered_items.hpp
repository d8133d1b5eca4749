// Items in the order of their keys, with the sum and the number of those in any range of keys in
// O(log n): what range-based reconciliation (range_reconcile.hpp) asks for.
//
// A treap (Seidel and Aragon 1996) whose nodes know the sum and the number of items below them.
// Priorities are a hash of the key, so that its form, too, is a function of the items alone; keys
// that are chosen to hash badly make it slow, never wrong. Chosen over a Fenwick tree of buckets
// because keys come and go anywhere in the order, and over a B-tree because it is a page of code;
// its price is a cache miss a level and some 90 bytes an item besides the key.
//
// Invariants:
// 1. In the order of keys, each key once; a node's priority is at least that of those below it.
// 2. Every node's sum and count are those of the items below it, itself included.
//
// Not here: persistence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protocols/reconcile/items.hpp"

namespace rejoin::reconcile {

class OrderedItems {
 public:
  struct Sum {
    SetDigest digest;
    std::uint64_t items = 0;
    friend bool operator==(const Sum&, const Sum&) = default;
  };

  void put(std::string_view key, const Fingerprint& fingerprint);
  void erase(std::string_view key);  // nothing when it is absent
  [[nodiscard]] std::uint64_t size() const { return nodes_[root_].sum.items; }

  [[nodiscard]] Sum sum(const KeyRange& range) const;
  // The n-th in the order, counted from 0; n < size().
  [[nodiscard]] const Key& key_at(std::uint64_t n) const;
  // How many keys there are up to the beginning of the range.
  [[nodiscard]] std::uint64_t rank(const KeyRange& range) const;
  // The first items of the range, at most `count`, ascending.
  [[nodiscard]] std::vector<Item> first(const KeyRange& range, std::size_t count) const;

 private:
  using Index = std::uint32_t;  // 0: none, whose sum is that of nothing
  struct Node {
    Item item;
    Hash128 hash;
    std::uint64_t priority = 0;
    Index left = 0;
    Index right = 0;
    Sum sum;
  };

  // Of all keys up to this one.
  [[nodiscard]] Sum prefix(std::string_view last) const;
  void refresh(Index at);
  [[nodiscard]] Index merge(Index left, Index right);
  // Keys below `key` to the left, the others to the right.
  void split(Index at, std::string_view key, Index& left, Index& right);

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<Index> free_;
  Index root_ = 0;
};

}  // namespace rejoin::reconcile
