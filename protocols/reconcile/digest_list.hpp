// The naive baseline: which keys differ between two replicas, by sending key and fingerprint of
// every item of one side, in chunks of its order. What Merkle trees and ranges are measured by.
//
// Invariants:
// 1. When nothing is written meanwhile, the result names exactly the keys that differ; else at
//    least each key that differed all along, and no key that was the same all along.
// 2. Chunks are stretches of the order of keys: together all of it, none twice. Each answer is of
//    one moment of the other side and stands for itself, so that a chunk can be sent again.
// 3. At most `window` chunks are under way. A chunk has at most chunk_items items; an answer names
//    at most kAnswerExtra items more than the chunk has, and says how far it got: the rest is asked
//    for again. So the exchange ends once the other side's keys do.
// 4. A message that does not fit (Refusal) changes nothing.
//
// It costs all keys and fingerprints however little differs: that is the point of it. Not here:
// time, and sending again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include <tl/expected.hpp>

#include "protocols/reconcile/items.hpp"

namespace rejoin::reconcile {

// One side, as an exchange reads it: the first items of a range, at most `count`, ascending.
struct OrderedReplica {
  std::function<std::vector<Item>(const KeyRange& range, std::size_t count)> first;
};

struct DigestListOptions {
  static constexpr std::uint32_t kChunkItemsMax = 1U << 16U;

  std::uint32_t chunk_items = 1024;  // 1 or more
  std::uint32_t window = 16;         // chunks under way, 1 or more; memory is window * chunk

  [[nodiscard]] bool valid() const {
    return chunk_items >= 1 && chunk_items <= kChunkItemsMax && window >= 1;
  }
};

struct DigestListRequest {
  std::uint64_t exchange = 0;
  std::uint32_t number = 0;  // of the chunk in its exchange
  KeyRange range;
  ItemList items;  // all that the asker holds of it; they ascend
  REJOIN_FIELDS(exchange, number, range, items)
};

struct DigestListAnswer {
  std::uint64_t exchange = 0;
  std::uint32_t number = 0;
  // How far the answer goes: to the end of the range when none, else up to this key, one that is
  // in the request or in `extra`.
  std::optional<Key> covered;
  std::vector<Key> extra;      // held by the answering side alone; each list ascends
  std::vector<Key> absent;     // of the request, that it lacks
  std::vector<Key> different;  // of the request, that it holds otherwise
  REJOIN_FIELDS(exchange, number, covered, extra, absent, different)
};

// The responder. It keeps nothing.
inline constexpr std::size_t kAnswerExtra = 4096;
[[nodiscard]] tl::expected<DigestListAnswer, Refusal> answer(const OrderedReplica& mine,
                                                             const DigestListRequest& request);

class DigestListExchange {
 public:
  DigestListExchange(std::uint64_t exchange, const DigestListOptions& options);

  // Once, first.
  [[nodiscard]] std::vector<DigestListRequest> start(const OrderedReplica& mine);
  // What is to be sent next.
  [[nodiscard]] tl::expected<std::vector<DigestListRequest>, Refusal> on_answer(
      const OrderedReplica& mine, const DigestListAnswer& answer);
  // All chunks that are not answered. An answer to either sending will do, once.
  [[nodiscard]] std::vector<DigestListRequest> resend() const;

  [[nodiscard]] bool done() const { return done_; }
  // The longest chain of chunks of which each was sent because the one before had been answered.
  [[nodiscard]] std::uint32_t rounds() const { return rounds_; }
  // Complete when done.
  [[nodiscard]] const Differences& result() const { return result_; }

 private:
  struct Open {
    DigestListRequest request;
    std::uint32_t round = 0;
  };

  [[nodiscard]] std::vector<DigestListRequest> fill(const OrderedReplica& mine,
                                                    std::uint32_t round);

  std::uint64_t exchange_;
  DigestListOptions options_;
  bool done_ = false;
  std::uint32_t rounds_ = 0;
  std::uint32_t number_ = 0;
  std::deque<KeyRange> left_;  // not yet asked about
  std::map<std::uint32_t, Open> open_;
  Differences result_;
};

}  // namespace rejoin::reconcile
