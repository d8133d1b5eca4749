#include "sim/kernel/clock.hpp"

#include <algorithm>
#include <limits>

namespace rejoin::sim {
namespace {

using Wide = __int128;

// 2024-01-01T00:00:00Z: the wall clock of every run starts there, so that it looks like one.
constexpr std::int64_t kWallEpochNs = 1'704'067'200'000'000'000;
constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max() - 1;

std::int64_t ns_of(MonotonicTime time) {
  return time.time_since_epoch().count();
}

std::int64_t saturated(Wide value) {
  if (value > kLast) return kLast;
  if (value < -kLast) return -kLast;
  return static_cast<std::int64_t>(value);
}

}  // namespace

Clock::Line Clock::Line::on(MonotonicTime now) const {
  const Wide gone = Wide(ns_of(now) - ns_of(since)) * rate + millionths;
  return {.since = now,
          .at = saturated(at + gone / kOne),
          .millionths = static_cast<std::int64_t>(gone % kOne),
          .rate = rate};
}

MonotonicTime Clock::skewed(MonotonicTime now) const {
  return MonotonicTime(Duration(lines_.back().on(now).at));
}

// Lines join without a gap, so the one that reaches `local` is the last that starts before it.
MonotonicTime Clock::first_reached(MonotonicTime local) const {
  const std::int64_t wanted = ns_of(local);
  const auto after = std::partition_point(lines_.begin(), lines_.end(),
                                          [&](const Line& line) { return line.at < wanted; });
  if (after == lines_.begin()) return lines_.front().since;
  const Line& line = *(after - 1);
  const Wide missing = Wide(wanted - line.at) * kOne - line.millionths;
  return MonotonicTime(
      Duration(saturated(ns_of(line.since) + (missing + line.rate - 1) / line.rate)));
}

WallTime Clock::wall(MonotonicTime now) const {
  const Wide shown = Wide(kWallEpochNs) + wall_.on(now).at + wall_offset_;
  return WallTime(Duration(std::max<std::int64_t>(saturated(shown), 0)));
}

// Rates add up, so that the order in which effects begin and end is of no matter.
void Clock::change(MonotonicTime now) {
  std::int64_t monotonic = kOne;
  std::int64_t wall = 0;
  bool frozen = false;
  for (const Active& active : active_) {
    monotonic += active.trouble.monotonic_rate.ppm;
    wall += active.trouble.wall_rate.ppm;
    frozen = frozen || active.trouble.wall_frozen;
  }
  monotonic = std::max<std::int64_t>(monotonic, 1);
  wall_ = wall_.on(now);
  wall_.rate = frozen ? 0 : std::max<std::int64_t>(monotonic + wall, 0);
  if (lines_.empty() && monotonic == kOne) return;
  if (lines_.empty()) lines_.push_back({});
  if (lines_.back().rate == monotonic) return;
  lines_.push_back(lines_.back().on(now));
  lines_.back().rate = monotonic;
}

void Clock::begin(MonotonicTime now, EffectId effect, const ClockTrouble& trouble) {
  active_.push_back({.id = effect, .trouble = trouble, .since = now});
  wall_offset_ = saturated(Wide(wall_offset_) + trouble.wall_offset.count());
  change(now);
}

bool Clock::end(MonotonicTime now, EffectId effect) {
  const auto at = std::find_if(active_.begin(), active_.end(),
                               [effect](const Active& active) { return active.id == effect; });
  if (at == active_.end()) return false;
  wall_offset_ = saturated(Wide(wall_offset_) - at->trouble.wall_offset.count());
  active_.erase(at);
  change(now);
  return true;
}

bool Clock::Active::has_drifted(MonotonicTime now, Rate rate) const {
  const Wide drift = Wide((now - since).count()) * rate.ppm;
  return drift >= kOne || drift <= -kOne;
}

void Clock::count_monotonic(MonotonicTime now, EffectCounts& counts) const {
  for (const Active& active : active_) {
    if (active.has_drifted(now, active.trouble.monotonic_rate)) counts.add(active.id);
  }
}

void Clock::count_wall(MonotonicTime now, EffectCounts& counts) const {
  for (const Active& active : active_) {
    const ClockTrouble& trouble = active.trouble;
    const bool wrong = trouble.wall_offset != Duration{} ||
                       (trouble.wall_frozen && now > active.since) ||
                       active.has_drifted(now, trouble.wall_rate) ||
                       active.has_drifted(now, trouble.monotonic_rate);
    if (wrong) counts.add(active.id);
  }
}

void Clock::step_wall(Duration by) {
  wall_offset_ = saturated(Wide(wall_offset_) + by.count());
}

}  // namespace rejoin::sim
