#include "protocols/reconcile/range_reconcile.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "model/check.hpp"

namespace rejoin::reconcile {

namespace {

// The next `count` items of a list of several; none when they are not there, do not ascend or lie
// outside the range.
std::optional<std::vector<Item>> take_items(const ItemList& list, std::size_t& at,
                                            std::uint64_t count, const KeyRange& range) {
  if (count > list.size() - at) return std::nullopt;
  std::vector<Item> out;
  for (; count != 0; --count) {
    Item item = list.at(at++);
    if (!range.contains(item.key)) return std::nullopt;
    if (!out.empty() && !(out.back().key < item.key)) return std::nullopt;
    out.push_back(std::move(item));
  }
  return out;
}

// Ranges of equally many items, to one. The range has at least `buckets` items.
std::vector<KeyRange> divide(const OrderedItems& mine, const KeyRange& range,
                             std::uint32_t buckets) {
  const std::uint64_t items = mine.sum(range).items;
  const std::uint64_t rank = mine.rank(range);
  CHECK_THAT(buckets >= 2 && items >= buckets);
  std::vector<KeyRange> out;
  std::optional<Key> after = range.after;
  for (std::uint64_t n = 1; n < buckets; ++n) {
    Key last = mine.key_at(rank + n * items / buckets - 1);
    out.push_back({.after = std::move(after), .last = last});
    after = std::move(last);
  }
  out.push_back({.after = std::move(after), .last = range.last});
  return out;
}

bool ascend(const std::vector<KeyRange>& ranges) {
  for (std::size_t n = 0; n < ranges.size(); ++n) {
    if (!ranges[n].ordered()) return false;
    if (n == 0) continue;
    const std::optional<Key>& end = ranges[n - 1].last;
    if (!end || !ranges[n].after || *ranges[n].after < *end) return false;
  }
  return true;
}

std::optional<Refusal> problem(const RangeRequest& request) {
  const RangeOptions asked{.buckets = request.buckets,
                           .list_threshold = request.list_threshold,
                           .batch_ranges = RangeOptions::kBatchRangesMax};
  if (!asked.valid() || request.ranges.size() > asked.batch_ranges) return Refusal::bad_bounds;
  if (request.forms.size() != request.ranges.size()) return Refusal::bad_counts;
  if (!request.items.consistent() || !ascend(request.ranges)) return Refusal::bad_bounds;
  const auto summed = static_cast<std::size_t>(
      std::count(request.forms.begin(), request.forms.end(), std::uint64_t{0}));
  if (request.sums.size() != summed * kHashBytes) return Refusal::bad_counts;
  std::size_t at = 0;
  for (std::size_t n = 0; n < request.ranges.size(); ++n) {
    const std::uint64_t form = request.forms[n];
    if (form == 0) continue;
    if (form - 1 > request.list_threshold) return Refusal::bad_counts;
    if (!take_items(request.items, at, form - 1, request.ranges[n])) return Refusal::bad_keys;
  }
  return at == request.items.size() ? std::nullopt : std::optional(Refusal::bad_counts);
}

// What an answer says of a range that is not equal: its items, or a sum over it.
struct Piece {
  KeyRange range;
  std::optional<std::vector<Item>> list;
  SetDigest digest;
};

class AnswerReader {
 public:
  AnswerReader(const RangeRequest& request, const RangeAnswer& answer)
      : request_(request), answer_(answer) {}

  [[nodiscard]] tl::expected<std::vector<Piece>, Refusal> read() {
    if (answer_.forms.size() != request_.ranges.size() || !answer_.items.consistent() ||
        answer_.sums.size() % kHashBytes != 0) {
      return tl::unexpected(Refusal::bad_counts);
    }
    for (std::size_t n = 0; n < answer_.forms.size(); ++n) {
      if (const auto refusal = read_range(n)) return tl::unexpected(*refusal);
    }
    const bool all = count_ == answer_.counts.size() && bound_ == answer_.bounds.size() &&
                     sum_ * kHashBytes == answer_.sums.size() && item_ == answer_.items.size();
    if (!all) return tl::unexpected(Refusal::bad_counts);
    return std::move(pieces_);
  }

 private:
  std::optional<Refusal> read_range(std::size_t n) {
    const KeyRange& range = request_.ranges[n];
    if (answer_.forms[n] == RangeForm::equal) {
      // Items are answered by items.
      if (request_.forms[n] != 0) return Refusal::bad_counts;
      return std::nullopt;
    }
    if (count_ == answer_.counts.size()) return Refusal::bad_counts;
    const std::uint64_t count = answer_.counts[count_++];
    switch (answer_.forms[n]) {
      case RangeForm::list: {
        auto items = take_items(answer_.items, item_, count, range);
        if (!items) return Refusal::bad_keys;
        pieces_.push_back({.range = range, .list = std::move(items), .digest = {}});
        return std::nullopt;
      }
      case RangeForm::divided:
        return read_divided(range, count);
      case RangeForm::equal:
        break;
    }
    return Refusal::bad_counts;
  }

  std::optional<Refusal> read_divided(const KeyRange& range, std::uint64_t count) {
    if (count < 2 || count > request_.buckets) return Refusal::bad_counts;
    if (count - 1 > answer_.bounds.size() - bound_) return Refusal::bad_counts;
    if (count > answer_.sums.size() / kHashBytes - sum_) return Refusal::bad_counts;
    std::optional<Key> after = range.after;
    for (; count != 0; --count) {
      KeyRange next{.after = after, .last = range.last};
      if (count != 1) {
        const Key& bound = answer_.bounds[bound_++];
        if (!next.contains(bound) || next.last == bound) return Refusal::bad_bounds;
        next.last = bound;
      }
      after = next.last;
      pieces_.push_back({.range = std::move(next),
                         .list = std::nullopt,
                         .digest = SetDigest(hash_at(answer_.sums, sum_++))});
    }
    return std::nullopt;
  }

  const RangeRequest& request_;
  const RangeAnswer& answer_;
  std::vector<Piece> pieces_;
  std::size_t count_ = 0;
  std::size_t bound_ = 0;
  std::size_t sum_ = 0;
  std::size_t item_ = 0;
};

void put_list(const OrderedItems& mine, const KeyRange& range, RangeAnswer& out) {
  const std::vector<Item> items = mine.first(range, SIZE_MAX);
  out.forms.push_back(RangeForm::list);
  out.counts.push_back(items.size());
  for (const Item& item : items) out.items.push_back(item);
}

void put_divided(const OrderedItems& mine, const KeyRange& range, std::uint32_t buckets,
                 RangeAnswer& out) {
  const std::vector<KeyRange> ranges = divide(mine, range, buckets);
  out.forms.push_back(RangeForm::divided);
  out.counts.push_back(ranges.size());
  for (const KeyRange& each : ranges) {
    append_hash(out.sums, mine.sum(each).digest.sum());
    if (&each != &ranges.back()) out.bounds.push_back(*each.last);
  }
}

}  // namespace

std::string_view to_name(RangeForm form) {
  switch (form) {
    case RangeForm::equal:
      return "equal";
    case RangeForm::list:
      return "list";
    case RangeForm::divided:
      return "divided";
  }
  return "?";
}

tl::expected<RangeAnswer, Refusal> answer(const OrderedItems& mine, const RangeRequest& request) {
  if (const auto refusal = problem(request)) return tl::unexpected(*refusal);
  RangeAnswer out;
  out.exchange = request.exchange;
  out.number = request.number;
  std::size_t next_sum = 0;
  for (std::size_t n = 0; n < request.ranges.size(); ++n) {
    const OrderedItems::Sum sum = mine.sum(request.ranges[n]);
    const bool listed = request.forms[n] != 0;
    if (!listed && hash_at(request.sums, next_sum++) == sum.digest.sum()) {
      out.forms.push_back(RangeForm::equal);
    } else if (sum.items <= (listed ? RangeOptions::kListMax : request.list_threshold)) {
      put_list(mine, request.ranges[n], out);
    } else {
      put_divided(mine, request.ranges[n], request.buckets, out);
    }
  }
  return out;
}

RangeExchange::RangeExchange(std::uint64_t exchange, const RangeOptions& options)
    : exchange_(exchange), options_(options) {
  CHECK_THAT(options_.valid());
}

std::vector<RangeRequest> RangeExchange::start(const OrderedItems& mine) {
  CHECK_THAT(rounds_ == 0);
  next_.emplace_back();  // everything
  return next_round(mine);
}

tl::expected<std::vector<RangeRequest>, Refusal> RangeExchange::on_answer(
    const OrderedItems& mine, const RangeAnswer& answer) {
  const auto at = open_.find(answer.number);
  if (answer.exchange != exchange_ || at == open_.end()) return tl::unexpected(Refusal::not_asked);
  const auto pieces = AnswerReader(at->second, answer).read();
  if (!pieces) return tl::unexpected(pieces.error());
  for (const Piece& piece : *pieces) {
    if (piece.list) {
      compare(mine.first(piece.range, SIZE_MAX), *piece.list, result_);
      continue;
    }
    const OrderedItems::Sum sum = mine.sum(piece.range);
    if (sum.digest == piece.digest) continue;
    if (sum.items <= options_.list_threshold) {
      next_.push_back({.range = piece.range, .differs = true});
      continue;
    }
    for (KeyRange& part : divide(mine, piece.range, options_.buckets)) {
      next_.push_back({.range = std::move(part), .differs = false});
    }
  }
  open_.erase(at);
  if (!open_.empty()) return std::vector<RangeRequest>{};
  return next_round(mine);
}

std::vector<RangeRequest> RangeExchange::resend() const {
  std::vector<RangeRequest> out;
  for (const auto& [number, request] : open_) out.push_back(request);
  return out;
}

std::vector<RangeRequest> RangeExchange::next_round(const OrderedItems& mine) {
  if (next_.empty() || rounds_ == kRoundsMax) {
    outcome_ = next_.empty() ? Outcome::done : Outcome::too_long;
    sort_keys(result_);
    return {};
  }
  ++rounds_;
  std::vector<Next> ranges = std::exchange(next_, {});
  // Answers may have come in any order. Nothing lies before a range that begins nowhere.
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const Next& a, const Next& b) { return a.range.after < b.range.after; });
  std::vector<RangeRequest> out;
  for (auto& [range, differs] : ranges) {
    if (out.empty() || out.back().ranges.size() == options_.batch_ranges) {
      RangeRequest& fresh = out.emplace_back();
      fresh.exchange = exchange_;
      fresh.number = number_++;
      fresh.buckets = options_.buckets;
      fresh.list_threshold = options_.list_threshold;
    }
    RangeRequest& request = out.back();
    const OrderedItems::Sum sum = mine.sum(range);
    // It may have grown since.
    if (differs && sum.items <= options_.list_threshold) {
      const std::vector<Item> items = mine.first(range, SIZE_MAX);
      request.forms.push_back(items.size() + 1);
      for (const Item& item : items) request.items.push_back(item);
    } else {
      request.forms.push_back(0);
      append_hash(request.sums, sum.digest.sum());
    }
    request.ranges.push_back(std::move(range));
  }
  for (const RangeRequest& request : out) open_[request.number] = request;
  return out;
}

}  // namespace rejoin::reconcile
