// Mathematics of durations without libm and without floating point: equal on every machine.
// The bounds on errors are tested against libm's long double.
#pragma once

#include <cstdint>

#include "model/time.hpp"

namespace rejoin {

// -ln((random + 1) / 2^64) in units of 2^-32, for uniform `random`: an exponential variate of mean
// 1, from 0 to 44.4. Relative error below 1e-5 except next to 0, where it is below 1e-7 absolute.
[[nodiscard]] std::uint64_t negative_log_q32(std::uint64_t random);

// An exponential variate of that mean (0 or more), to the nanosecond, rounded down. The mean must
// be below 6 years, so that the longest draw fits.
[[nodiscard]] Duration exponential(std::uint64_t random, Duration mean);

// A standard normal variate in units of 2^-32, for uniform `random`: the quantile at
// (random + 1/2) / 2^64, from -9.2 to 9.2, odd around its middle. Absolute error below 1e-6
// (Wichura, "The percentage points of the normal distribution", 1988: AS 241, PPND7).
[[nodiscard]] std::int64_t normal_q32(std::uint64_t random);

// base * e^(exponent / 2^32), rounded down; 2^64 - 1 where that is more. Relative error below 1e-13
// besides the rounding.
[[nodiscard]] std::uint64_t times_exp(std::uint64_t base, std::int64_t exponent_q32);

// How long `bytes` take at `bytes_per_s`, rounded up; 0 bytes_per_s is unlimited and takes none.
[[nodiscard]] Duration transfer_time(std::uint64_t bytes, std::uint64_t bytes_per_s);

}  // namespace rejoin
