#include "model/run_events.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace rejoin {

namespace {

// Kinds of which there are more than one message in so many are routine, if they serve the cluster
// rather than its data.
constexpr std::size_t kRoutineShare = 50;

struct Rank {
  bool routine = false;
  std::int64_t distance = 0;
  std::size_t index = 0;

  friend auto operator<=>(const Rank&, const Rank&) = default;
};

// Keeps the `limit` best ranked rows, in their order; how many go.
template <class Row>
std::uint64_t keep_best(std::vector<Row>& rows, std::vector<Rank> ranks, std::size_t limit) {
  const auto end = ranks.begin() + static_cast<std::ptrdiff_t>(limit);
  std::nth_element(ranks.begin(), end, ranks.end());
  const std::uint64_t gone = rows.size() - limit;
  ranks.erase(end, ranks.end());
  std::stable_sort(ranks.begin(), ranks.end(),
                   [](const Rank& a, const Rank& b) { return a.index < b.index; });
  std::vector<Row> kept;
  kept.reserve(limit);
  for (const Rank& rank : ranks) kept.push_back(std::move(rows[rank.index]));
  rows = std::move(kept);
  return gone;
}

}  // namespace

std::int64_t distance_to(const std::vector<MonotonicTime>& marks, MonotonicTime at) {
  const auto after = std::lower_bound(marks.begin(), marks.end(), at);
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  if (after != marks.end()) best = (*after - at).count();
  if (after != marks.begin()) best = std::min(best, (at - *(after - 1)).count());
  return best;
}

std::uint64_t join(std::vector<RunEvents::NodeSpan>& spans, std::size_t most) {
  if (spans.size() <= most || spans.empty()) return 0;
  const auto behind = [](const RunEvents::NodeSpan& span) {
    return span.what.stale_keys + span.what.missing_keys;
  };
  const Duration whole = spans.back().to - spans.front().from;
  const Duration stretch = std::max(Duration(1), whole / static_cast<std::int64_t>(most));
  std::vector<RunEvents::NodeSpan> out;
  for (const RunEvents::NodeSpan& span : spans) {
    const bool same = !out.empty() && &span != &spans.back() &&
                      out.back().what.state == span.what.state &&
                      out.back().what.leader == span.what.leader &&
                      out.back().claims == span.claims && span.from - out.back().from < stretch;
    if (!same) {
      out.push_back(span);
      continue;
    }
    const MonotonicTime from = out.back().from;
    if (behind(span) >= behind(out.back())) out.back() = span;
    out.back().from = from;
    out.back().to = span.to;
  }
  const std::uint64_t gone = spans.size() - out.size();
  spans = std::move(out);
  return gone;
}

void thin(RunEvents& events, const EventLimits& limits, const std::vector<MonotonicTime>& marks) {
  std::vector<Rank> ranks;
  if (events.messages.size() > limits.messages) {
    std::vector<std::size_t> counts(events.kinds.size());
    for (const RunEvents::Message& message : events.messages) ++counts[message.kind];
    for (std::size_t i = 0; i < events.messages.size(); ++i) {
      const RunEvents::Message& message = events.messages[i];
      const bool of_cluster =
          message.purpose == Purpose::membership || message.purpose == Purpose::consensus;
      const bool many = counts[message.kind] * kRoutineShare > events.messages.size();
      ranks.push_back({of_cluster && many, distance_to(marks, message.sent), i});
    }
    events.hidden.messages += keep_best(events.messages, std::exchange(ranks, {}), limits.messages);
  }
  if (events.facts.size() > limits.facts) {
    for (std::size_t i = 0; i < events.facts.size(); ++i) {
      const RunEvents::FactRow& fact = events.facts[i];
      ranks.push_back({fact.routine, distance_to(marks, fact.at), i});
    }
    events.hidden.facts += keep_best(events.facts, std::move(ranks), limits.facts);
  }
}

}  // namespace rejoin
