#include "protocols/reconcile/digest_list.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "model/check.hpp"

namespace rejoin::reconcile {

namespace {

bool ascend_within(const std::vector<Key>& keys, const KeyRange& range) {
  const bool ascend =
      std::adjacent_find(keys.begin(), keys.end(), std::greater_equal<>()) == keys.end();
  return ascend && (keys.empty() || (range.contains(keys.front()) && range.contains(keys.back())));
}

// Both ascend.
bool all_among(const std::vector<Key>& keys, const std::vector<Key>& others) {
  return std::includes(others.begin(), others.end(), keys.begin(), keys.end());
}
bool none_among(const std::vector<Key>& keys, const std::vector<Key>& others) {
  return std::none_of(keys.begin(), keys.end(), [&others](const Key& key) {
    return std::binary_search(others.begin(), others.end(), key);
  });
}

std::optional<Refusal> problem(const DigestListRequest& request, const DigestListAnswer& answer) {
  const std::vector<Key>& sent = request.items.keys;
  KeyRange range = request.range;
  if (answer.covered) {
    // At the end of the range it would say "the rest" of nothing.
    if (!range.contains(*answer.covered) || answer.covered == range.last) {
      return Refusal::bad_bounds;
    }
    range.last = answer.covered;
    const auto has = [&answer](const std::vector<Key>& keys) {
      return std::binary_search(keys.begin(), keys.end(), *answer.covered);
    };
    // Each answer settles a key that is there: they cannot go on for ever. Unsorted lists are
    // refused below.
    if (!has(sent) && !has(answer.extra)) return Refusal::bad_bounds;
  }
  for (const auto* keys : {&answer.extra, &answer.absent, &answer.different}) {
    if (!ascend_within(*keys, range)) return Refusal::bad_keys;
  }
  if (answer.extra.size() > sent.size() + kAnswerExtra) return Refusal::bad_counts;
  if (!all_among(answer.absent, sent) || !all_among(answer.different, sent)) {
    return Refusal::bad_keys;
  }
  if (!none_among(answer.extra, sent) || !none_among(answer.absent, answer.different)) {
    return Refusal::bad_keys;
  }
  return std::nullopt;
}

void append(std::vector<Key>& to, const std::vector<Key>& keys) {
  to.insert(to.end(), keys.begin(), keys.end());
}

}  // namespace

tl::expected<DigestListAnswer, Refusal> answer(const OrderedReplica& mine,
                                               const DigestListRequest& request) {
  if (!request.range.ordered()) return tl::unexpected(Refusal::bad_bounds);
  if (!request.items.consistent() || request.items.size() > DigestListOptions::kChunkItemsMax) {
    return tl::unexpected(Refusal::bad_counts);
  }
  if (!ascend_within(request.items.keys, request.range)) return tl::unexpected(Refusal::bad_keys);
  DigestListAnswer out;
  out.exchange = request.exchange;
  out.number = request.number;
  const std::size_t limit = request.items.size() + kAnswerExtra;
  std::vector<Item> here = mine.first(request.range, limit + 1);
  if (here.size() > limit) {
    here.pop_back();
    out.covered = here.back().key;
  }
  std::vector<Item> there;
  for (std::size_t n = 0; n < request.items.size(); ++n) {
    if (out.covered && *out.covered < request.items.keys[n]) break;
    there.push_back(request.items.at(n));
  }
  Differences found;
  compare(here, there, found);
  out.extra = std::move(found.missing_there);
  out.absent = std::move(found.missing_here);
  out.different = std::move(found.different);
  return out;
}

DigestListExchange::DigestListExchange(std::uint64_t exchange, const DigestListOptions& options)
    : exchange_(exchange), options_(options) {
  CHECK_THAT(options_.valid());
}

std::vector<DigestListRequest> DigestListExchange::start(const OrderedReplica& mine) {
  CHECK_THAT(number_ == 0);
  left_.emplace_back();  // everything
  return fill(mine, 1);
}

tl::expected<std::vector<DigestListRequest>, Refusal> DigestListExchange::on_answer(
    const OrderedReplica& mine, const DigestListAnswer& answer) {
  const auto at = open_.find(answer.number);
  if (answer.exchange != exchange_ || at == open_.end()) return tl::unexpected(Refusal::not_asked);
  const Open& open = at->second;
  if (const auto refusal = problem(open.request, answer)) return tl::unexpected(*refusal);
  append(result_.missing_here, answer.extra);
  append(result_.missing_there, answer.absent);
  append(result_.different, answer.different);
  if (answer.covered) left_.push_front({.after = answer.covered, .last = open.request.range.last});
  const std::uint32_t round = open.round;
  open_.erase(at);
  std::vector<DigestListRequest> out = fill(mine, round + 1);
  if (open_.empty()) {
    done_ = true;
    sort_keys(result_);
  }
  return out;
}

std::vector<DigestListRequest> DigestListExchange::resend() const {
  std::vector<DigestListRequest> out;
  for (const auto& [number, open] : open_) out.push_back(open.request);
  return out;
}

std::vector<DigestListRequest> DigestListExchange::fill(const OrderedReplica& mine,
                                                        std::uint32_t round) {
  std::vector<DigestListRequest> out;
  while (!left_.empty() && open_.size() < options_.window) {
    KeyRange range = std::move(left_.front());
    left_.pop_front();
    std::vector<Item> items = mine.first(range, std::size_t{options_.chunk_items} + 1);
    if (items.size() > options_.chunk_items) {
      items.pop_back();
      left_.push_front({.after = items.back().key, .last = std::move(range.last)});
      range.last = items.back().key;
    }
    DigestListRequest request;
    request.exchange = exchange_;
    request.number = number_++;
    request.range = std::move(range);
    for (const Item& item : items) request.items.push_back(item);
    rounds_ = std::max(rounds_, round);
    open_[request.number] = {.request = request, .round = round};
    out.push_back(std::move(request));
  }
  return out;
}

}  // namespace rejoin::reconcile
