#include "model/math.hpp"

#include <array>
#include <bit>
#include <limits>

#include "model/check.hpp"

namespace rejoin {
namespace {

__extension__ using Wide = unsigned __int128;
__extension__ using SignedWide = __int128;

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
constexpr std::int64_t kLn2Q32 = 2977044472;                // in units of 2^-32
constexpr std::int64_t kLog2EQ62 = 6653256548922161245LL;   // log2 e in units of 2^-62

// Of x, rounded down.
constexpr std::uint64_t square_root(Wide x) {
  Wide root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const Wide more = root | static_cast<Wide>(1) << static_cast<unsigned>(bit);
    if (more * more <= x) root = more;
  }
  return static_cast<std::uint64_t>(root);
}

// 2^(i / kTableSize) in units of 2^-62: the product of roots of 2, one for each bit of i.
constexpr std::array<std::uint64_t, kTableSize> make_exp2_table() {
  std::array<std::uint64_t, kTableSize> table{};
  table[0] = std::uint64_t{1} << 62U;
  std::uint64_t root = std::uint64_t{1} << 63U;
  for (std::size_t bit = kTableSize / 2; bit != 0; bit /= 2) {
    root = square_root(static_cast<Wide>(root) << 62U);
    for (std::size_t i = 0; i < kTableSize; i += 2 * bit) {
      table[i + bit] = static_cast<std::uint64_t>(static_cast<Wide>(table[i]) * root >> 62U);
    }
  }
  return table;
}
constexpr auto kExp2 = make_exp2_table();

// Fixed point in units of 2^-40, for numbers below 2^22.
constexpr unsigned kQ = 40;
constexpr std::int64_t q(double x) {
  return static_cast<std::int64_t>(x * (std::int64_t{1} << kQ));
}
constexpr std::int64_t times(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<SignedWide>(a) * b >> kQ);
}
// Coefficients from the constant upwards, at x.
template <std::size_t n>
constexpr std::int64_t polynomial(const std::array<std::int64_t, n>& coefficients, std::int64_t x) {
  std::int64_t sum = 0;
  for (std::size_t i = n; i-- > 0;) sum = times(sum, x) + coefficients[i];
  return sum;
}
template <std::size_t n, std::size_t m>
constexpr std::int64_t ratio(const std::array<std::int64_t, n>& above,
                             const std::array<std::int64_t, m>& below, std::int64_t x) {
  const auto numerator = static_cast<SignedWide>(polynomial(above, x)) * (std::int64_t{1} << kQ);
  return static_cast<std::int64_t>(numerator / polynomial(below, x));
}

// AS 241, PPND7: around the middle, in the tails, and far out.
constexpr std::array kMiddleAbove = {q(3.3871327179), q(50.434271938), q(159.29113202),
                                     q(59.109374720)};
constexpr std::array kMiddleBelow = {q(1.0), q(17.895169469), q(78.757757664), q(67.187563600)};
constexpr std::array kTailAbove = {q(1.4234372777), q(2.7568153900), q(1.3067284816),
                                   q(0.17023821103)};
constexpr std::array kTailBelow = {q(1.0), q(0.73700164250), q(0.12021132975)};
constexpr std::array kFarAbove = {q(6.6579051150), q(3.0812263860), q(0.42868294337),
                                  q(0.017337203997)};
constexpr std::array kFarBelow = {q(1.0), q(0.24197894225), q(0.012258202635)};

// How far below the middle the quantile at (lower + 1/2) / 2^64 is, for lower < 2^63; 2^-40.
std::int64_t normal_distance(std::uint64_t lower) {
  const auto from_middle = static_cast<std::int64_t>(((std::uint64_t{1} << 63U) - lower) >> 24U);
  if (from_middle <= q(0.425)) {
    const std::int64_t r = q(0.180625) - times(from_middle, from_middle);
    return times(from_middle, ratio(kMiddleAbove, kMiddleBelow, r));
  }
  // -ln((2 lower + 1) / 2^65).
  const std::uint64_t log_q32 = negative_log_q32(2 * lower) + static_cast<std::uint64_t>(kLn2Q32);
  const auto root = static_cast<std::int64_t>(square_root(static_cast<Wide>(log_q32) << 48U));
  if (root <= q(5.0)) return ratio(kTailAbove, kTailBelow, root - q(1.6));
  return ratio(kFarAbove, kFarBelow, root - q(5.0));
}

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

std::int64_t normal_q32(std::uint64_t random) {
  const bool above = random >> 63U != 0;
  const std::int64_t distance = normal_distance(above ? ~random : random) >> (kQ - 32);
  return above ? distance : -distance;
}

std::uint64_t times_exp(std::uint64_t base, std::int64_t exponent_q32) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  // e^x = 2^k * 2^(i / kTableSize) * e^t with t below ln 2 / kTableSize.
  const SignedWide log2_q62 = static_cast<SignedWide>(exponent_q32) * kLog2EQ62 >> 32;
  const auto k = static_cast<std::int64_t>(log2_q62 >> 62);
  const auto fraction = static_cast<std::uint64_t>(log2_q62) & ((std::uint64_t{1} << 62U) - 1);
  const std::uint64_t rest = fraction & ((std::uint64_t{1} << (62U - kTableBits)) - 1);
  const auto t = static_cast<std::uint64_t>(static_cast<Wide>(rest) * kLn2Q64 >> 64U);
  const auto t2 = static_cast<std::uint64_t>(static_cast<Wide>(t) * t >> 63U);
  const auto t3 = static_cast<std::uint64_t>(static_cast<Wide>(t2) * t >> 62U) / 3;
  const std::uint64_t series = (std::uint64_t{1} << 62U) + t + t2 + t3;
  const Wide mantissa = static_cast<Wide>(kExp2[fraction >> (62U - kTableBits)]) * series >> 62U;
  if (base == 0 || k < -64) return 0;  // below 1 then
  if (k > 63) return kMost;
  // The mantissa is at most 2^63, so that the product fits.
  const Wide product = mantissa * base;
  Wide out = product;
  if (k <= 62) {
    out >>= static_cast<unsigned>(62 - k);
  } else if (product <= kMost) {
    out <<= 1U;
  }
  return out > kMost ? kMost : static_cast<std::uint64_t>(out);
}

Duration transfer_time(std::uint64_t bytes, std::uint64_t bytes_per_s) {
  if (bytes_per_s == 0) return Duration{};
  const Wide nanoseconds =
      (static_cast<Wide>(bytes) * 1'000'000'000U + bytes_per_s - 1) / bytes_per_s;
  return Duration(static_cast<std::int64_t>(nanoseconds));
}

}  // namespace rejoin
