#include "protocols/reconcile/leaf_index.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace rejoin::reconcile {

namespace {

constexpr std::size_t kLeafBytes = 4;

// Big-endian: what ascends as bytes ascends by leaf.
std::array<char, kLeafBytes> leaf_bytes(std::uint32_t leaf) {
  return {static_cast<char>(leaf >> 24U), static_cast<char>(leaf >> 16U),
          static_cast<char>(leaf >> 8U), static_cast<char>(leaf)};
}

std::string place_of(std::uint32_t leaf, std::string_view key) {
  const auto first = leaf_bytes(leaf);
  std::string place;
  place.reserve(kLeafBytes + key.size());
  place.append(first.begin(), first.end());
  place.append(key);
  return place;
}

std::optional<Fingerprint> fingerprint_at(const PackedMap& items, std::string_view place) {
  const std::optional<ByteView> bytes = items.find(place);
  if (!bytes) return std::nullopt;
  return Fingerprint{hash_at(*bytes, 0)};
}

}  // namespace

void LeafIndex::put(std::string_view key, const Fingerprint& fingerprint) {
  const std::string place = place_of(tree_.leaf_of(key), key);
  tree_.update(key, fingerprint_at(items_, place), fingerprint);
  Bytes bytes;
  bytes.reserve(kHashBytes);
  append_hash(bytes, fingerprint.hash);
  items_.put(place, bytes);
}

void LeafIndex::erase(std::string_view key) {
  const std::string place = place_of(tree_.leaf_of(key), key);
  const std::optional<Fingerprint> before = fingerprint_at(items_, place);
  if (!before) return;
  tree_.update(key, before, std::nullopt);
  items_.erase(place);
}

void LeafIndex::clear() {
  items_.clear();
  tree_.clear();
}

void LeafIndex::list(std::span<const LeafRange> ranges, std::vector<Item>& out) const {
  for (const LeafRange& range : ranges) {
    const auto last = leaf_bytes(range.last);
    const std::string_view end(last.data(), last.size());
    items_.visit(place_of(range.first, {}), [&](std::string_view place, ByteView fingerprint) {
      if (place.substr(0, kLeafBytes) > end) return false;
      out.push_back({Key(place.substr(kLeafBytes)), {hash_at(fingerprint, 0)}});
      return true;
    });
  }
}

}  // namespace rejoin::reconcile
