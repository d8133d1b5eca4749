#include "sim/run/figures.hpp"

#include <algorithm>
#include <utility>

namespace rejoin::sim {

namespace {

using Figure = std::optional<std::int64_t>;

bool is_answered(const Operation& operation) {
  return operation.returned && operation.result != ResultKind::unavailable;
}

// The smallest that at least so many percent do not exceed.
Figure percentile(const std::vector<Duration>& sorted, std::size_t percent) {
  if (sorted.empty()) return std::nullopt;
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1].count();
}

struct Interval {
  MonotonicTime from{};
  MonotonicTime until{};
};

Duration covered(std::vector<Interval> intervals) {
  std::stable_sort(intervals.begin(), intervals.end(),
                   [](const Interval& a, const Interval& b) { return a.from < b.from; });
  Duration out{};
  MonotonicTime reached{};
  for (const Interval& each : intervals) {
    const MonotonicTime from = std::max(each.from, reached);
    if (each.until <= from) continue;
    out += each.until - from;
    reached = each.until;
  }
  return out;
}

}  // namespace

std::map<std::string, Figure> client_figures(const std::vector<Operation>& history,
                                             const std::map<RequestId, MonotonicTime>& given_up,
                                             MonotonicTime end) {
  std::vector<Duration> reads;
  std::vector<Duration> writes;
  std::vector<Interval> outages;
  MonotonicTime first = kForever;
  MonotonicTime last{};
  std::int64_t answered = 0;
  std::int64_t failed = 0;
  for (const Operation& operation : history) {
    first = std::min(first, operation.invoked);
    const auto gave_up = given_up.find(operation.id);
    const bool refused = operation.result == ResultKind::unavailable;
    failed += refused || gave_up != given_up.end() ? 1 : 0;
    const MonotonicTime until = operation.returned          ? *operation.returned
                                : gave_up != given_up.end() ? gave_up->second
                                                            : end;
    outages.push_back({refused ? operation.invoked : operation.invoked + kSlow, until});
    if (!is_answered(operation)) continue;
    ++answered;
    last = std::max(last, *operation.returned);
    const Duration took = *operation.returned - operation.invoked;
    if (operation.kind == OperationKind::read) reads.push_back(took);
    if (changes_key(operation.kind)) writes.push_back(took);
  }
  std::stable_sort(reads.begin(), reads.end());
  std::stable_sort(writes.begin(), writes.end());
  std::map<std::string, Figure> out;
  out["read_latency_p50_ns"] = percentile(reads, 50);
  out["read_latency_p99_ns"] = percentile(reads, 99);
  out["write_latency_p50_ns"] = percentile(writes, 50);
  out["write_latency_p99_ns"] = percentile(writes, 99);
  out["operations"] = static_cast<std::int64_t>(history.size());
  out["failed_operations"] = failed;
  out["unavailable_ns"] = covered(std::move(outages)).count();
  const std::int64_t span = last > first ? (last - first).count() : 0;
  constexpr __int128 kSecond = 1'000'000'000;
  out["operations_per_s"] =
      span == 0 ? Figure() : static_cast<std::int64_t>((answered * kSecond + span / 2) / span);
  return out;
}

}  // namespace rejoin::sim
