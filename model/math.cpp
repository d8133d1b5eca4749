#include "model/math.hpp"

#include <array>
#include <bit>
#include <limits>

#include "model/check.hpp"

namespace rejoin {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr unsigned kTableBits = 10;
constexpr std::size_t kTableSize = std::size_t{1} << kTableBits;

// log2 of a number in [1, 2) given in units of 2^-63, in units of 2^-62, one bit at a time:
// squaring doubles the logarithm (Knuth, TAOCP 1.2.2, exercise 25). Only the table needs it.
constexpr std::uint64_t log2_by_squaring(std::uint64_t mantissa) {
  std::uint64_t log = 0;
  for (int bit = 61; bit >= 20; --bit) {
    const Wide square = static_cast<Wide>(mantissa) * mantissa >> 63U;
    if (square >> 64U != 0) {
      log |= std::uint64_t{1} << static_cast<unsigned>(bit);
      mantissa = static_cast<std::uint64_t>(square >> 1U);
    } else {
      mantissa = static_cast<std::uint64_t>(square);
    }
  }
  return log;
}

// log2(1 + i / kTableSize) in units of 2^-32.
constexpr std::array<std::uint64_t, kTableSize + 1> make_log2_table() {
  std::array<std::uint64_t, kTableSize + 1> table{};
  for (std::size_t i = 0; i < kTableSize; ++i) {
    const std::uint64_t mantissa = (kTableSize + i) << (63U - kTableBits);
    table[i] = (log2_by_squaring(mantissa) + (std::uint64_t{1} << 29U)) >> 30U;
  }
  table[kTableSize] = std::uint64_t{1} << 32U;
  return table;
}
constexpr auto kLog2 = make_log2_table();

constexpr std::uint64_t kLn2Q64 = 12786308645202655660ULL;  // ln 2 in units of 2^-64

}  // namespace

std::uint64_t negative_log_q32(std::uint64_t random) {
  if (random == std::numeric_limits<std::uint64_t>::max()) return 0;
  const std::uint64_t u = random + 1;
  const auto zeros = static_cast<unsigned>(std::countl_zero(u));
  const std::uint64_t mantissa = u << zeros;  // [2^63, 2^64)
  const std::size_t cell = (mantissa << 1U) >> (64U - kTableBits);
  const std::uint64_t part = (mantissa << (1U + kTableBits)) >> 32U;  // within the cell, 2^-32
  const std::uint64_t step = kLog2[cell + 1] - kLog2[cell];
  const std::uint64_t fraction = kLog2[cell] + (step * part >> 32U);
  // -log2(u / 2^64) = 64 - (63 - zeros) - fraction.
  const std::uint64_t log2_q32 = ((std::uint64_t{zeros} + 1) << 32U) - fraction;
  return static_cast<std::uint64_t>(static_cast<Wide>(log2_q32) * kLn2Q64 >> 64U);
}

Duration exponential(std::uint64_t random, Duration mean) {
  CHECK_THAT(mean.count() >= 0);
  const Wide scaled =
      static_cast<Wide>(negative_log_q32(random)) * static_cast<std::uint64_t>(mean.count());
  return Duration(static_cast<std::int64_t>(scaled >> 32U));
}

Duration transfer_time(std::uint64_t bytes, std::uint64_t bytes_per_s) {
  if (bytes_per_s == 0) return Duration{};
  const Wide nanoseconds =
      (static_cast<Wide>(bytes) * 1'000'000'000U + bytes_per_s - 1) / bytes_per_s;
  return Duration(static_cast<std::int64_t>(nanoseconds));
}

}  // namespace rejoin
