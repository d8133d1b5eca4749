// Which keys differ between two replicas, by ranges of keys: each range of the order of keys is
// compared by a sum of its items, one that differs is divided into `buckets` ranges of equally many
// items, and one with few items is listed (Meyer 2023, "Range-Based Set Reconciliation"; the
// parameters are Negentropy's). An initiator that learns it, and a responder that keeps no state.
//
// A round is a request and its answer, and divides twice: by the responder's items, then by the
// initiator's. No tree has to be agreed on, and ranges follow the data; in return both sides need
// an index that sums ranges (OrderedItems), and keys travel as bounds.
//
// Invariants:
// 1. An exchange ends after at most kRoundsMax rounds; when nothing is written meanwhile, after
//    about log(n) / (2 log(buckets)) and two more.
// 2. When nothing is written meanwhile, the result names exactly the keys that differ; else at
//    least each key that differed all along.
// 3. An answer divides a range into all of it: what is not said to be equal is gone into.
// 4. A message that does not fit (Refusal) changes nothing. Each request stands for itself and can
//    be sent again; it is answered once.
// 5. A request has at most batch_ranges ranges.
//
// Not here: time, sending again, flow control (all requests of a round leave at once).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <tl/expected.hpp>

#include "protocols/reconcile/ordered_items.hpp"

namespace rejoin::reconcile {

struct RangeOptions {
  static constexpr std::uint32_t kBucketsMax = 1024;
  static constexpr std::uint32_t kListMax = 1U << 14U;
  static constexpr std::uint32_t kBatchRangesMax = 1U << 14U;

  std::uint32_t buckets = 16;         // 2 or more
  std::uint32_t list_threshold = 32;  // ranges of at most so many items are listed; >= buckets
  std::uint32_t batch_ranges = 1024;  // in one request, 1 or more

  [[nodiscard]] bool valid() const {
    return buckets >= 2 && buckets <= kBucketsMax && list_threshold >= buckets &&
           list_threshold <= kListMax && batch_ranges >= 1 && batch_ranges <= kBatchRangesMax;
  }
};

// Forms of a range, in columns. `listed` has the items of each that is listed.
struct RangeRequest {
  std::uint64_t exchange = 0;
  std::uint32_t number = 0;
  std::uint32_t buckets = 0;
  std::uint32_t list_threshold = 0;
  std::vector<KeyRange> ranges;      // they ascend and are disjoint
  std::vector<std::uint64_t> forms;  // of each: 0 when its sum is given, n + 1 when n items are
  Bytes sums;
  ItemList items;
  REJOIN_FIELDS(exchange, number, buckets, list_threshold, ranges, forms, sums, items)
};

enum class RangeForm : std::uint8_t { equal, list, divided };
[[nodiscard]] std::string_view to_name(RangeForm form);

struct RangeAnswer {
  std::uint64_t exchange = 0;
  std::uint32_t number = 0;
  std::vector<RangeForm> forms;       // of each range of the request
  std::vector<std::uint64_t> counts;  // of each not equal: items listed, or ranges divided into
  std::vector<Key> bounds;            // ends of those ranges but for the last
  Bytes sums;                         // of all those ranges
  ItemList items;
  REJOIN_FIELDS(exchange, number, forms, counts, bounds, sums, items)
};

[[nodiscard]] tl::expected<RangeAnswer, Refusal> answer(const OrderedItems& mine,
                                                        const RangeRequest& request);

class RangeExchange {
 public:
  static constexpr std::uint32_t kRoundsMax = 40;
  enum class Outcome : std::uint8_t { running, done, too_long };

  RangeExchange(std::uint64_t exchange, const RangeOptions& options);

  // Once, first.
  [[nodiscard]] std::vector<RangeRequest> start(const OrderedItems& mine);
  [[nodiscard]] tl::expected<std::vector<RangeRequest>, Refusal> on_answer(
      const OrderedItems& mine, const RangeAnswer& answer);
  // All requests that are not answered.
  [[nodiscard]] std::vector<RangeRequest> resend() const;

  [[nodiscard]] Outcome outcome() const { return outcome_; }
  [[nodiscard]] std::uint32_t rounds() const { return rounds_; }
  // Complete when outcome() is done.
  [[nodiscard]] const Differences& result() const { return result_; }

 private:
  [[nodiscard]] std::vector<RangeRequest> next_round(const OrderedItems& mine);

  std::uint64_t exchange_;
  RangeOptions options_;
  Outcome outcome_ = Outcome::running;
  std::uint32_t rounds_ = 0;
  std::uint32_t number_ = 0;
  std::map<std::uint32_t, RangeRequest> open_;
  struct Next {
    KeyRange range;
    bool differs = false;  // as a whole: it is to be listed; else a sum may say that it is equal
  };
  std::vector<Next> next_;  // of the next round
  Differences result_;
};

}  // namespace rejoin::reconcile
