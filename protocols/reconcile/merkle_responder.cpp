// The answering side of merkle_exchange.hpp.
#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "model/check.hpp"
#include "protocols/reconcile/merkle_exchange.hpp"

namespace rejoin::reconcile {

namespace {

std::optional<Refusal> problem(const MerkleRequest& request) {
  if (request.shape.problem()) return Refusal::bad_shape;
  if (request.leaf_budget > MerkleOptions::kLeafBudgetMax) return Refusal::bad_bounds;
  if (request.want != Want::digests && request.want != Want::lists) return Refusal::bad_level;
  if (request.level > request.shape.depth) return Refusal::bad_level;
  if (request.level == request.shape.depth && request.want == Want::digests) {
    return Refusal::bad_level;
  }
  const bool first = request.number == 0;
  if (first != (request.root.size() == kHashBytes) || (!first && !request.root.empty())) {
    return Refusal::bad_counts;
  }
  if (first != (request.level == 0)) return Refusal::bad_level;
  const std::vector<std::uint32_t>& nodes = request.nodes;
  if (nodes.empty() || nodes.size() > MerkleOptions::kBatchNodesMax) return Refusal::bad_nodes;
  const bool ascend =
      std::adjacent_find(nodes.begin(), nodes.end(), std::greater_equal<>()) == nodes.end();
  const std::uint64_t bits = std::uint64_t{request.level} *
                             static_cast<std::uint32_t>(std::countr_zero(request.shape.fanout));
  if (!ascend || nodes.back() >= 1ULL << bits) return Refusal::bad_nodes;
  return std::nullopt;
}

// The items below some nodes of a level, each node's ascending.
class Lists {
 public:
  Lists(const MerkleReplica& mine, std::uint32_t level, std::span<const LeafRange> ranges) {
    if (ranges.empty()) return;
    std::vector<Item> found;
    mine.list(ranges, found);
    sort_by_key(found);
    // (node, place in `found`): nodes of one level are in the order of their leaves.
    std::vector<std::pair<std::uint32_t, std::size_t>> order;
    order.reserve(found.size());
    for (std::size_t n = 0; n < found.size(); ++n) {
      order.emplace_back(mine.tree.ancestor(mine.tree.leaf_of(found[n].key), level), n);
    }
    std::stable_sort(order.begin(), order.end());
    nodes_.reserve(order.size());
    items_.reserve(order.size());
    for (const auto& [node, n] : order) {
      nodes_.push_back(node);
      items_.push_back(std::move(found[n]));
    }
  }

  [[nodiscard]] std::span<const Item> of(std::uint32_t node, std::uint32_t count) const {
    const auto [first, last] = std::equal_range(nodes_.begin(), nodes_.end(), node);
    CHECK_THAT(last - first == count);  // else tree and items are not of one moment
    return std::span(items_).subspan(static_cast<std::size_t>(first - nodes_.begin()), count);
  }

 private:
  std::vector<std::uint32_t> nodes_;  // of each item
  std::vector<Item> items_;
};

// Puts nodes into parts, and begins another part when one is full.
class Parts {
 public:
  Parts(const MerkleRequest& request, std::size_t part_bytes)
      : request_(request), part_bytes_(part_bytes) {
    begin();
  }

  void put_digests(const std::vector<NodeSummary>& children) {
    std::size_t bytes = 1 + children.size() / 8;
    for (const NodeSummary& child : children) bytes += child.items != 0 ? kHashBytes : 0;
    if (used_ != 0 && used_ + bytes > part_bytes_) begin();
    used_ += bytes;
    parts_.back().forms.push_back(0);
    for (const NodeSummary& child : children) put_child(child);
  }

  void put_list(std::span<const Item> items) {
    // Its first item stands in the part that it begins in: a part must say something.
    const std::size_t head = 1 + (items.empty() ? 0 : wire_bytes(items.front()));
    if (used_ != 0 && used_ + head > part_bytes_) begin();
    parts_.back().forms.push_back(1);
    ++used_;
    for (const Item& item : items) {
      const std::size_t bytes = wire_bytes(item);
      if (parts_.back().forms.back() > 1 && used_ + bytes > part_bytes_) {
        parts_.back().continues = true;
        begin();
        parts_.back().forms.push_back(1);
      }
      used_ += bytes;
      ++parts_.back().forms.back();
      parts_.back().items.push_back(item);
    }
  }

  [[nodiscard]] std::vector<MerkleAnswer> take() {
    parts_.back().last = true;
    return std::move(parts_);
  }

 private:
  void begin() {
    const auto part = static_cast<std::uint32_t>(parts_.size());
    MerkleAnswer& next = parts_.emplace_back();
    next.exchange = request_.exchange;
    next.number = request_.number;
    next.attempt = request_.attempt;
    next.part = part;
    used_ = 0;
    children_ = 0;
  }

  void put_child(const NodeSummary& child) {
    MerkleAnswer& part = parts_.back();
    if (children_ % 8 == 0) part.present.push_back(0);
    if (child.items != 0) {
      part.present.back() = static_cast<std::uint8_t>(part.present.back() | 1U << children_ % 8);
      append_hash(part.digests, child.digest.sum());
    }
    ++children_;
  }

  const MerkleRequest& request_;
  std::size_t part_bytes_;
  std::vector<MerkleAnswer> parts_;
  std::size_t used_ = 0;      // bytes in the last part, about
  std::size_t children_ = 0;  // in the last part
};

// Without content.
std::vector<MerkleAnswer> just(AnswerState state, const MerkleRequest& request) {
  MerkleAnswer answer;
  answer.exchange = request.exchange;
  answer.number = request.number;
  answer.attempt = request.attempt;
  answer.last = true;
  answer.state = state;
  return {answer};
}

}  // namespace

tl::expected<std::vector<MerkleAnswer>, Refusal> answer(const MerkleReplica& mine,
                                                        const MerkleRequest& request,
                                                        const MerkleOptions& options) {
  CHECK_THAT(options.valid());
  if (const auto refusal = problem(request)) return tl::unexpected(*refusal);
  const MerkleTree& tree = mine.tree;
  if (request.shape != tree.shape()) return just(AnswerState::other_shape, request);
  if (!request.root.empty() && hash_at(request.root, 0) == tree.root().digest.sum()) {
    return just(AnswerState::equal, request);
  }
  const auto listed = [&](TreeNode node) {
    return request.want == Want::lists || tree.at(node).items <= request.leaf_budget;
  };
  std::vector<LeafRange> ranges;
  for (const std::uint32_t index : request.nodes) {
    const TreeNode node{request.level, index};
    if (listed(node)) ranges.push_back(tree.leaves_of(node));
  }
  const Lists lists(mine, request.level, ranges);
  Parts parts(request, options.part_bytes);
  for (const std::uint32_t index : request.nodes) {
    const TreeNode node{request.level, index};
    if (listed(node)) {
      parts.put_list(lists.of(index, tree.at(node).items));
    } else {
      parts.put_digests(tree.children(node));
    }
  }
  return parts.take();
}

}  // namespace rejoin::reconcile
