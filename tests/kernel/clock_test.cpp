// The algebra of clocks: exact, monotone, invertible, whatever is done to them.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <vector>

#include "sim/kernel/clock.hpp"
#include "tests/support/machines.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

constexpr WallTime kEpoch{1'704'067'200s};

ClockTrouble monotonic(std::int64_t ppm) {
  return {.wall_offset = {}, .wall_rate = {}, .wall_frozen = false, .monotonic_rate = {ppm}};
}
ClockTrouble wall_rate(std::int64_t ppm) {
  return {.wall_offset = {}, .wall_rate = {ppm}, .wall_frozen = false, .monotonic_rate = {}};
}
ClockTrouble offset(Duration by) {
  return {.wall_offset = by, .wall_rate = {}, .wall_frozen = false, .monotonic_rate = {}};
}
ClockTrouble frozen() {
  return {.wall_offset = {}, .wall_rate = {}, .wall_frozen = true, .monotonic_rate = {}};
}

TEST_CASE("a clock that nobody touched shows true time") {
  const Clock clock;
  CHECK(clock.is_true());
  CHECK(clock.monotonic(at_time(5s)) == at_time(5s));
  CHECK(clock.reached_at(at_time(5s)) == at_time(5s));
  CHECK(clock.wall(at_time(5s)) == kEpoch + 5s);
}

TEST_CASE("a rate applies from its moment on, and its end leaves the clock where it is") {
  Clock clock;
  clock.begin(at_time(10s), EffectId(1), monotonic(500'000));
  CHECK(clock.monotonic(at_time(10s)) == at_time(10s));
  CHECK(clock.monotonic(at_time(12s)) == at_time(13s));
  CHECK(clock.wall(at_time(12s)) == kEpoch + 13s);
  CHECK(clock.end(at_time(12s), EffectId(1)));
  CHECK_FALSE(clock.end(at_time(12s), EffectId(1)));
  CHECK(clock.monotonic(at_time(20s)) == at_time(21s));
  CHECK(clock.reached_at(at_time(21s)) == at_time(20s));
  CHECK(clock.reached_at(at_time(4s)) == at_time(4s));
  CHECK(clock.reached_at(at_time(11500ms)) == at_time(11s));
}

TEST_CASE("rates add up, and no sum of them stops the monotonic clock") {
  Clock clock;
  clock.begin(at_time(0s), EffectId(1), monotonic(200'000));
  clock.begin(at_time(0s), EffectId(2), monotonic(-700'000));
  CHECK(clock.monotonic(at_time(10s)) == at_time(5s));
  clock.begin(at_time(10s), EffectId(3), monotonic(-999'999));
  CHECK(clock.monotonic(at_time(20s)) == at_time(5s + 10us));
  CHECK(clock.reached_at(at_time(5s + 11us)) == at_time(21s));
}

TEST_CASE("the wall clock drifts, freezes, is off and steps without the monotonic one") {
  Clock clock;
  clock.begin(at_time(0s), EffectId(1), wall_rate(-100'000));
  CHECK(clock.wall(at_time(10s)) == kEpoch + 9s);
  clock.begin(at_time(10s), EffectId(2), frozen());
  CHECK(clock.wall(at_time(15s)) == kEpoch + 9s);
  clock.begin(at_time(15s), EffectId(3), offset(-2s));
  CHECK(clock.wall(at_time(16s)) == kEpoch + 7s);
  CHECK(clock.end(at_time(20s), EffectId(2)));
  CHECK(clock.wall(at_time(30s)) == kEpoch + 16s);
  CHECK(clock.end(at_time(30s), EffectId(1)));
  CHECK(clock.end(at_time(30s), EffectId(3)));
  CHECK(clock.wall(at_time(31s)) == kEpoch + 19s);
  clock.step_wall(-5s);
  CHECK(clock.wall(at_time(31s)) == kEpoch + 14s);
  CHECK(clock.is_true());
  CHECK(clock.monotonic(at_time(31s)) == at_time(31s));
}

TEST_CASE("no step takes the wall clock before 1970 or past its last instant") {
  Clock clock;
  clock.step_wall(-24h * 365 * 200);
  CHECK(clock.wall(at_time(1s)) == WallTime{});
  for (int i = 0; i < 10; ++i) clock.step_wall(24h * 365 * 200);
  CHECK(clock.wall(at_time(1s)) > kEpoch);
}

TEST_CASE("a thousand changes of rate lose nothing") {
  // A third of a millionth fast, in steps that each end between two nanoseconds.
  Clock once;
  once.begin(at_time(0s), EffectId(1), monotonic(1));
  Clock often;
  often.begin(at_time(0s), EffectId(1), monotonic(1));
  for (std::int64_t i = 1; i <= 1000; ++i) {
    often.begin(at_time(Duration(i * 777)), EffectId(2), monotonic(5));
    CHECK(often.end(at_time(Duration(i * 777)), EffectId(2)));
  }
  for (std::int64_t t = 777'000; t < 3'000'000; t += 9'973) {
    CHECK(often.monotonic(at_time(Duration(t))) == once.monotonic(at_time(Duration(t))));
  }
}

// Begins and ends troubles at ascending times; calls `look` with the time before each.
template <class Look>
void live(Clock& clock, const Look& look) {
  const auto steps = *rc::gen::inRange(1, 12);
  MonotonicTime now{};
  std::vector<EffectId> active;
  for (int i = 1; i <= steps; ++i) {
    now += Duration(*rc::gen::inRange<std::int64_t>(0, 5'000'000'000));
    look(now);
    if (!active.empty() && *rc::gen::inRange(0, 3) == 0) {
      RC_ASSERT(clock.end(now, active.back()));
      active.pop_back();
      continue;
    }
    const EffectId id(static_cast<std::uint64_t>(i));
    clock.begin(now, id, monotonic(*rc::gen::inRange<std::int64_t>(-999'999, 1'000'001)));
    active.push_back(id);
  }
  look(now + 1h);
}

TEST_CASE("a monotonic clock never goes back, whatever its rates were") {
  CHECK(rc::check([] {
    Clock clock;
    MonotonicTime before{};
    live(clock, [&](MonotonicTime now) {
      const MonotonicTime shown = clock.monotonic(now);
      RC_ASSERT(shown >= before);
      before = shown;
    });
  }));
}

TEST_CASE("a time is reached at the first true nanosecond that shows it or a later one") {
  CHECK(rc::check([] {
    Clock clock;
    std::vector<std::pair<MonotonicTime, MonotonicTime>> samples;  // true, shown
    live(clock, [&](MonotonicTime now) { samples.emplace_back(now, clock.monotonic(now)); });
    for (const auto& [now, shown] : samples) {
      // In the past as well: the last sample is the present.
      const MonotonicTime reached = clock.reached_at(shown);
      RC_ASSERT(reached <= now);
      const MonotonicTime later = clock.reached_at(shown + 1ns);
      RC_ASSERT(later > now);
    }
    const MonotonicTime now = samples.back().first;
    const MonotonicTime wanted =
        samples.back().second + Duration(*rc::gen::inRange<std::int64_t>(1, 1'000'000'000));
    const MonotonicTime reached = clock.reached_at(wanted);
    RC_ASSERT(reached > now);
    RC_ASSERT(clock.monotonic(reached) >= wanted);
    RC_ASSERT(clock.monotonic(reached - 1ns) < wanted);
  }));
}

TEST_CASE("what a clock will not show in its life is at the end of time, not before now") {
  Clock clock;
  clock.begin(at_time(0s), EffectId(1), monotonic(-999'999));
  CHECK(clock.reached_at(at_time(24h * 365 * 100)) < kForever);
  CHECK(clock.reached_at(at_time(24h * 365 * 100)) > at_time(24h * 365 * 200));
}

}  // namespace
}  // namespace rejoin::sim
