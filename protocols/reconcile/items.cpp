#include "protocols/reconcile/items.hpp"

#include <algorithm>
#include <array>

#include "model/check.hpp"
#include "model/wire.hpp"

namespace rejoin::reconcile {

namespace {

// Little-endian on every machine.
void put_word(std::uint8_t* at, std::uint64_t word) {
  for (unsigned i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(word >> (8 * i));
}
std::uint64_t get_word(const std::uint8_t* at) {
  std::uint64_t word = 0;
  for (unsigned i = 0; i < 8; ++i) word |= static_cast<std::uint64_t>(at[i]) << (8 * i);
  return word;
}

}  // namespace

Fingerprint fingerprint_of(const Record& record) {
  Writer writer;
  writer.reserve(record.key.size() + record.value.size() + 48);
  writer.put(record.key);
  writer.put(record.value);
  writer.put(record.deleted);
  writer.put(record.version.timestamp);
  writer.put(record.version.writer);
  writer.put(record.origin.client);
  writer.put(record.origin.n);
  // Clusters whose versions are numbers keep the fingerprints that they had.
  if (record.version.logical != 0) writer.put(record.version.logical);
  if (record.causality != nullptr) writer.put(*record.causality);
  return {hash128(writer.view())};
}

Hash128 item_hash(const Hash128& key_hash, const Fingerprint& fingerprint, std::uint64_t salt) {
  std::array<std::uint8_t, 40> bytes;
  put_word(&bytes[0], key_hash.high);
  put_word(&bytes[8], key_hash.low);
  put_word(&bytes[16], fingerprint.hash.high);
  put_word(&bytes[24], fingerprint.hash.low);
  put_word(&bytes[32], salt);
  return hash128(bytes);
}

void append_hash(Bytes& out, const Hash128& hash) {
  const std::size_t at = out.size();
  out.resize(at + kHashBytes);
  put_word(&out[at], hash.high);
  put_word(&out[at + 8], hash.low);
}

Hash128 hash_at(ByteView bytes, std::size_t n) {
  CHECK_THAT(n < bytes.size() / kHashBytes);
  const std::uint8_t* const at = bytes.data() + n * kHashBytes;
  return {.high = get_word(at), .low = get_word(at + 8)};
}

void ItemList::push_back(const Item& item) {
  keys.push_back(item.key);
  append_hash(fingerprints, item.fingerprint.hash);
}

Item ItemList::at(std::size_t n) const {
  CHECK_THAT(n < keys.size() && consistent());
  return {keys[n], {hash_at(fingerprints, n)}};
}

bool ItemList::ascends() const {
  return std::adjacent_find(keys.begin(), keys.end(),
                            [](const Key& a, const Key& b) { return !(a < b); }) == keys.end();
}

void compare(std::span<const Item> here, std::span<const Item> there, Differences& out) {
  auto mine = here.begin();
  auto theirs = there.begin();
  while (mine != here.end() || theirs != there.end()) {
    if (theirs == there.end() || (mine != here.end() && mine->key < theirs->key)) {
      out.missing_there.push_back((mine++)->key);
    } else if (mine == here.end() || theirs->key < mine->key) {
      out.missing_here.push_back((theirs++)->key);
    } else {
      if (mine->fingerprint != theirs->fingerprint) out.different.push_back(mine->key);
      ++mine;
      ++theirs;
    }
  }
}

void sort_keys(Differences& differences) {
  for (std::vector<Key>* keys :
       {&differences.missing_here, &differences.missing_there, &differences.different}) {
    // In no order that anybody could see but this one: there are no ties, as keys are unique.
    std::sort(keys->begin(), keys->end());
  }
}

void sort_by_key(std::vector<Item>& items) {
  const auto less = [](const Item& a, const Item& b) { return a.key < b.key; };
  // Often they already are in order.
  if (std::is_sorted(items.begin(), items.end(), less)) return;
  std::stable_sort(items.begin(), items.end(), less);
}

std::string_view to_name(Refusal refusal) {
  switch (refusal) {
    case Refusal::not_asked:
      return "not asked";
    case Refusal::out_of_turn:
      return "out of turn";
    case Refusal::bad_shape:
      return "bad shape";
    case Refusal::bad_level:
      return "bad level";
    case Refusal::bad_nodes:
      return "bad nodes";
    case Refusal::bad_bounds:
      return "bad bounds";
    case Refusal::bad_counts:
      return "bad counts";
    case Refusal::bad_keys:
      return "bad keys";
  }
  return "?";
}

}  // namespace rejoin::reconcile
