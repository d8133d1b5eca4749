#include "protocols/reconcile/ordered_items.hpp"

#include <utility>

#include "model/check.hpp"
#include "model/random.hpp"

namespace rejoin::reconcile {

void OrderedItems::put(std::string_view key, const Fingerprint& fingerprint) {
  erase(key);
  Index fresh = static_cast<Index>(nodes_.size());
  if (free_.empty()) {
    nodes_.emplace_back();
  } else {
    fresh = free_.back();
    free_.pop_back();
  }
  const Hash128 key_hash = hash128(as_bytes(key));
  Node& node = nodes_[fresh];
  node.item = {Key(key), fingerprint};
  node.hash = item_hash(key_hash, fingerprint, 0);
  node.priority = mix(key_hash.high, key_hash.low);
  node.left = node.right = 0;
  refresh(fresh);
  Index left = 0;
  Index right = 0;
  split(root_, key, left, right);
  root_ = merge(merge(left, fresh), right);
}

void OrderedItems::erase(std::string_view key) {
  Index* link = &root_;
  std::vector<Index> path;
  while (*link != 0 && nodes_[*link].item.key != key) {
    path.push_back(*link);
    link = key < nodes_[*link].item.key ? &nodes_[*link].left : &nodes_[*link].right;
  }
  if (*link == 0) return;
  const Index gone = *link;
  *link = merge(nodes_[gone].left, nodes_[gone].right);
  for (; !path.empty(); path.pop_back()) refresh(path.back());
  nodes_[gone] = {};
  free_.push_back(gone);
}

OrderedItems::Sum OrderedItems::sum(const KeyRange& range) const {
  Sum out = range.last ? prefix(*range.last) : nodes_[root_].sum;
  if (!range.after) return out;
  const Sum before = prefix(*range.after);
  CHECK_THAT(before.items <= out.items);  // a range that is not ordered
  out.digest.subtract(before.digest.sum());
  out.items -= before.items;
  return out;
}

const Key& OrderedItems::key_at(std::uint64_t n) const {
  CHECK_THAT(n < size());
  Index at = root_;
  while (true) {
    const Node& node = nodes_[at];
    const std::uint64_t below = nodes_[node.left].sum.items;
    if (n == below) return node.item.key;
    at = n < below ? node.left : node.right;
    if (n > below) n -= below + 1;
  }
}

std::uint64_t OrderedItems::rank(const KeyRange& range) const {
  return range.after ? prefix(*range.after).items : 0;
}

std::vector<Item> OrderedItems::first(const KeyRange& range, std::size_t count) const {
  std::vector<Item> out;
  // Nodes whose key is in the range, with what lies to their right still to come.
  std::vector<Index> above;
  for (Index at = root_; at != 0;) {
    if (range.after && nodes_[at].item.key <= *range.after) {
      at = nodes_[at].right;
    } else {
      above.push_back(at);
      at = nodes_[at].left;
    }
  }
  while (!above.empty() && out.size() < count) {
    const Node& node = nodes_[above.back()];
    above.pop_back();
    if (!range.contains(node.item.key)) break;
    out.push_back(node.item);
    for (Index at = node.right; at != 0; at = nodes_[at].left) above.push_back(at);
  }
  return out;
}

OrderedItems::Sum OrderedItems::prefix(std::string_view last) const {
  Sum out;
  for (Index at = root_; at != 0;) {
    const Node& node = nodes_[at];
    if (last < node.item.key) {
      at = node.left;
      continue;
    }
    const Sum& left = nodes_[node.left].sum;
    out.digest.add(left.digest.sum());
    out.digest.add(node.hash);
    out.items += left.items + 1;
    at = node.right;
  }
  return out;
}

void OrderedItems::refresh(Index at) {
  Node& node = nodes_[at];
  node.sum = nodes_[node.left].sum;
  node.sum.digest.add(nodes_[node.right].sum.digest.sum());
  node.sum.digest.add(node.hash);
  node.sum.items += nodes_[node.right].sum.items + 1;
}

// Recursion goes as deep as the treap is, some 60 levels for a million items.
OrderedItems::Index OrderedItems::merge(Index left, Index right) {
  if (left == 0 || right == 0) return left + right;
  const bool left_above = nodes_[left].priority >= nodes_[right].priority;
  if (left_above) {
    nodes_[left].right = merge(nodes_[left].right, right);
  } else {
    nodes_[right].left = merge(left, nodes_[right].left);
  }
  const Index top = left_above ? left : right;
  refresh(top);
  return top;
}

void OrderedItems::split(Index at, std::string_view key, Index& left, Index& right) {
  if (at == 0) {
    left = right = 0;
  } else if (nodes_[at].item.key < key) {
    left = at;
    split(nodes_[at].right, key, nodes_[at].right, right);
    refresh(at);
  } else {
    right = at;
    split(nodes_[at].left, key, left, nodes_[at].left);
    refresh(at);
  }
}

}  // namespace rejoin::reconcile
