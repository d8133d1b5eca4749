#include "protocols/reconcile/merkle_tree.hpp"

#include <bit>
#include <utility>

#include "model/check.hpp"
#include "model/random.hpp"

namespace rejoin::reconcile {

namespace {

constexpr std::size_t kSlotsMin = 64;

}  // namespace

template <class Node>
void MerkleTree::Change::apply_to(Node& node) const {
  node.digest.add(plus.sum());
  const std::int64_t count = std::int64_t{node.items} + items;
  CHECK_THAT(count >= 0 && count <= std::int64_t{UINT32_MAX});
  node.items = static_cast<std::uint32_t>(count);
  // Else something was taken away that is not what was put there.
  CHECK_THAT(node.items != 0 || node.digest == SetDigest{});
}

std::optional<std::string> MerkleShape::problem() const {
  if (fanout < kFanoutMin || fanout > kFanoutMax || !std::has_single_bit(fanout)) {
    return "fanout is a power of two, " + std::to_string(kFanoutMin) + " to " +
           std::to_string(kFanoutMax);
  }
  const auto bits = static_cast<std::uint32_t>(std::countr_zero(fanout));
  const auto bits_max = static_cast<std::uint32_t>(std::countr_zero(kLeavesMax));
  if (depth == 0 || depth > bits_max / bits) {
    return "depth is 1 or more, and fanout^depth at most " + std::to_string(kLeavesMax);
  }
  return std::nullopt;
}

std::uint32_t MerkleShape::leaves() const {
  return 1U << (static_cast<std::uint32_t>(std::countr_zero(fanout)) * depth);
}

MerkleTree::MerkleTree(const MerkleShape& shape)
    : shape_(shape), fanout_bits_(static_cast<std::uint32_t>(std::countr_zero(shape.fanout))) {
  CHECK_THAT(!shape.problem());
}

void MerkleTree::update(std::string_view key, const std::optional<Fingerprint>& before,
                        const std::optional<Fingerprint>& after) {
  if (before == after) return;
  const Hash128 key_hash = hash128(as_bytes(key));
  Change change;
  if (after) {
    change.plus.add(item_hash(key_hash, *after, shape_.salt));
    ++change.items;
  }
  if (before) {
    change.plus.subtract(item_hash(key_hash, *before, shape_.salt));
    --change.items;
  }
  change.apply_to(root_);
  const std::uint32_t leaf = leaf_of(key_hash);
  for (std::uint32_t level = 1; level <= shape_.depth; ++level) {
    apply(id_of({level, ancestor(leaf, level)}), change);
  }
}

void MerkleTree::clear() {
  root_ = {};
  std::vector<Slot>().swap(slots_);  // an assignment would keep the memory
  used_ = 0;
}

NodeSummary MerkleTree::at(TreeNode node) const {
  CHECK_THAT(node.level <= shape_.depth && node.index < nodes_at(node.level));
  if (node.level == 0) return root_;
  if (slots_.empty()) return {};
  const Slot& slot = slots_[find(id_of(node))];  // a free one sums up nothing
  return {slot.digest, slot.items};
}

std::vector<NodeSummary> MerkleTree::children(TreeNode node) const {
  CHECK_THAT(node.level < shape_.depth);
  std::vector<NodeSummary> out;
  out.reserve(shape_.fanout);
  const std::uint32_t first = node.index << fanout_bits_;
  for (std::uint32_t n = 0; n < shape_.fanout; ++n) out.push_back(at({node.level + 1, first + n}));
  return out;
}

std::uint32_t MerkleTree::leaf_of(std::string_view key) const {
  return leaf_of(hash128(as_bytes(key)));
}

std::uint32_t MerkleTree::leaf_of(const Hash128& key_hash) const {
  // Mixed: all keys of a partition may agree in some bits of a hash that placed them there.
  const std::uint64_t place = mix(mix(key_hash.high, shape_.salt), key_hash.low);
  return static_cast<std::uint32_t>(place >> (64 - bits_below(0)));
}

LeafRange MerkleTree::leaves_of(TreeNode node) const {
  CHECK_THAT(node.level <= shape_.depth && node.index < nodes_at(node.level));
  const std::uint32_t bits = bits_below(node.level);
  return {.first = node.index << bits, .last = (node.index << bits) + ((1U << bits) - 1)};
}

std::size_t MerkleTree::memory_bytes() const {
  return sizeof(*this) + slots_.capacity() * sizeof(Slot);
}

// A one above the index: unique, because no two levels have equally many nodes, and never 0.
std::uint32_t MerkleTree::id_of(TreeNode node) const {
  return (1U << (fanout_bits_ * node.level)) | node.index;
}

std::size_t MerkleTree::home_of(std::uint32_t id) const {
  // Fibonacci hashing (Knuth 6.4): siblings, whose ids follow each other, are spread evenly.
  const std::uint64_t spread = std::uint64_t{id} * 0x9e3779b97f4a7c15ULL;
  // The high half as a fraction of the table (Lemire 2019), which need be no power of two.
  return static_cast<std::size_t>(((spread >> 32U) * slots_.size()) >> 32U);
}

std::size_t MerkleTree::find(std::uint32_t id) const {
  std::size_t slot = home_of(id);
  while (slots_[slot].id != 0 && slots_[slot].id != id) slot = next(slot);
  return slot;
}

void MerkleTree::apply(std::uint32_t id, const Change& change) {
  if ((used_ + 1) * 4 > slots_.size() * 3) grow();
  const std::size_t at = find(id);
  Slot& slot = slots_[at];
  if (slot.id == 0) {
    slot.id = id;
    ++used_;
  }
  change.apply_to(slot);
  if (slot.items == 0) erase(at);
}

// Knuth 6.4, algorithm R: what follows moves up, so that no mark is left behind that would slow
// down every later search.
void MerkleTree::erase(std::size_t slot) {
  std::size_t hole = slot;
  for (std::size_t at = next(hole); slots_[at].id != 0; at = next(at)) {
    const std::size_t home = home_of(slots_[at].id);
    if (steps(home, at) < steps(hole, at)) continue;  // it would leave its home
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
  --used_;
}

void MerkleTree::grow() {
  const std::vector<Slot> old = std::exchange(slots_, {});
  // In small steps: tables are what trees take, and most of their time they would be half empty.
  slots_.resize(old.empty() ? kSlotsMin : old.size() + old.size() / 4);
  for (const Slot& slot : old) {
    if (slot.id != 0) slots_[find(slot.id)] = slot;
  }
}

}  // namespace rejoin::reconcile
