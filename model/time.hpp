// Time: int64 nanoseconds, on two clocks that cannot be mixed.
//
// Invariants:
// 1. MonotonicTime never jumps; its zero is the start of the run (or of the process).
// 2. WallTime may be skewed and may jump; only versions and people use it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rejoin {

using Duration = std::chrono::duration<std::int64_t, std::nano>;

struct MonotonicClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
};
struct WallClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
};
using MonotonicTime = std::chrono::time_point<MonotonicClock, Duration>;
using WallTime = std::chrono::time_point<WallClock, Duration>;

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ns;

inline constexpr MonotonicTime kForever = MonotonicTime::max();

// Both ends inclusive; min <= max. A parameter of this type is drawn from each time it is used.
struct DurationRange {
  Duration min{};
  Duration max{};
  friend bool operator==(const DurationRange&, const DurationRange&) = default;
};

// `1h30m`, `20s`, `250us`, `0s`: the largest units that lose nothing, as scenario files write it.
[[nodiscard]] std::string to_text(Duration duration);
// On the calendar, in UTC, to the nanosecond as far as it has any: `2024-01-01T00:00:45.013Z`.
[[nodiscard]] std::string to_text(WallTime time);
// Since its zero; `for ever` of kForever.
[[nodiscard]] std::string to_text(MonotonicTime time);
// Seconds with three decimals, for tables: `45.013s`.
[[nodiscard]] std::string to_seconds_text(MonotonicTime time);

}  // namespace rejoin
