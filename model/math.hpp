// Mathematics of durations without libm and without floating point: equal on every machine.
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

// How long `bytes` take at `bytes_per_s`, rounded up; 0 bytes_per_s is unlimited and takes none.
[[nodiscard]] Duration transfer_time(std::uint64_t bytes, std::uint64_t bytes_per_s);

}  // namespace rejoin
