// What reconciliation compares: items, which are keys with a fingerprint of what a replica holds
// for them, and what comes out of a comparison.
//
// Invariants:
// 1. Two records have one fingerprint when they are the same in every field that counts
//    (fingerprint_of lists them), and otherwise by an accident of 1 in 2^128. A tombstone is a
//    record.
// 2. A SetDigest depends on the items alone, not on the order in which they came and went: it is
//    their sum. Adding and taking away are exact inverses.
// 3. Everything that ascends ascends by key, as bytes.
//
// A sum modulo 2^128 of hashes (AdHash: Bellare and Micciancio 1997) and not their XOR: in XOR an
// item that is counted twice vanishes, so that a defect in bookkeeping hides itself. Sums are as
// cheap and show it. Against accidents 128 bits are plenty; against somebody who may choose values
// they are not (Wagner 2002: a subset that cancels is found in some 2^23 steps). Replicas of one
// cluster do not attack each other; where they might, take wider sums and a secret salt.
//
// Not here: fetching or storing records, and which of two differing records is right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/bytes.hpp"
#include "model/fields.hpp"
#include "model/hash.hpp"
#include "model/record.hpp"

namespace rejoin::reconcile {

struct Fingerprint {
  Hash128 hash;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Of key, value, deletion, version, origin, and of siblings and their clock where there are any. A
// field that Record gains later does not count until
// it is named here: replicas of different releases must agree about records that they share.
[[nodiscard]] Fingerprint fingerprint_of(const Record& record);

struct Item {
  Key key;
  Fingerprint fingerprint;
  friend bool operator==(const Item&, const Item&) = default;
};

// The digest of a set of items.
class SetDigest {
 public:
  SetDigest() = default;
  explicit SetDigest(const Hash128& sum) : sum_(sum) {}

  void add(const Hash128& hash) {
    sum_.low += hash.low;
    sum_.high += hash.high + (sum_.low < hash.low ? 1 : 0);
  }
  void subtract(const Hash128& hash) {
    const std::uint64_t borrow = sum_.low < hash.low ? 1 : 0;
    sum_.low -= hash.low;
    sum_.high -= hash.high + borrow;
  }
  [[nodiscard]] const Hash128& sum() const { return sum_; }
  friend bool operator==(const SetDigest&, const SetDigest&) = default;

 private:
  Hash128 sum_;
};

// The hash that stands for an item in sums. `key_hash` is hash128 of the key.
[[nodiscard]] Hash128 item_hash(const Hash128& key_hash, const Fingerprint& fingerprint,
                                std::uint64_t salt);

// Hashes lie side by side in a Bytes field: as integers they would take 20 bytes each, these 16.
inline constexpr std::size_t kHashBytes = 16;
void append_hash(Bytes& out, const Hash128& hash);
// The n-th of them. bytes.size() >= (n + 1) * kHashBytes.
[[nodiscard]] Hash128 hash_at(ByteView bytes, std::size_t n);

// A list of items on the wire.
struct ItemList {
  std::vector<Key> keys;
  Bytes fingerprints;  // kHashBytes for each key

  [[nodiscard]] std::size_t size() const { return keys.size(); }
  [[nodiscard]] bool empty() const { return keys.empty(); }
  void push_back(const Item& item);
  [[nodiscard]] Item at(std::size_t n) const;
  // A list that was received may be anything; the functions above want a consistent one.
  [[nodiscard]] bool consistent() const { return fingerprints.size() == keys.size() * kHashBytes; }
  [[nodiscard]] bool ascends() const;  // strictly

  friend bool operator==(const ItemList&, const ItemList&) = default;
  REJOIN_FIELDS(keys, fingerprints)
};
// About what an item adds to a message, for bounds.
[[nodiscard]] inline std::size_t wire_bytes(const Item& item) {
  return item.key.size() + kHashBytes + 2;
}

// A stretch of the order of keys: after < key <= last. None is no limit on that side.
struct KeyRange {
  std::optional<Key> after;
  std::optional<Key> last;

  [[nodiscard]] bool contains(std::string_view key) const {
    return (!after || *after < key) && (!last || key <= *last);
  }
  // False for a stretch that can hold nothing.
  [[nodiscard]] bool ordered() const { return !after || !last || *after < *last; }
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
  REJOIN_FIELDS(after, last)
};

// What a comparison found, seen by the side that asked ("here"). Each list ascends strictly, and no
// key is in two of them.
struct Differences {
  std::vector<Key> missing_here;   // the other side holds them
  std::vector<Key> missing_there;  // held here alone
  std::vector<Key> different;      // held by both, not the same

  [[nodiscard]] bool empty() const {
    return missing_here.empty() && missing_there.empty() && different.empty();
  }
  [[nodiscard]] std::size_t size() const {
    return missing_here.size() + missing_there.size() + different.size();
  }
  friend bool operator==(const Differences&, const Differences&) = default;
};

// Appends what differs between two lists; both ascend strictly.
void compare(std::span<const Item> here, std::span<const Item> there, Differences& out);
// Lists that were gathered in pieces, none of which had a key of another.
void sort_keys(Differences& differences);
void sort_by_key(std::vector<Item>& items);

// Why a message was refused. What is refused changes nothing.
enum class Refusal : std::uint8_t {
  not_asked,    // answers nothing that is open: late, a duplicate, or of another exchange
  out_of_turn,  // not the next part of its answer
  bad_shape,    // no tree can have it
  bad_level,
  bad_nodes,   // none, too many, out of range, or they do not ascend
  bad_bounds,  // of a range, or of a size that was asked for
  bad_counts,  // the columns of the message disagree, or hold more than may be
  bad_keys,    // they do not ascend, or lie outside what was asked for
};
[[nodiscard]] std::string_view to_name(Refusal refusal);

}  // namespace rejoin::reconcile
