#include "model/math.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

#include "model/random.hpp"

namespace rejoin {
namespace {

constexpr double kOne = 4294967296.0;  // 2^32

TEST_CASE("the negative logarithm agrees with libm from 0 to its largest value") {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (std::uint64_t n = 0; n < 2'000; ++n) {
      const std::uint64_t random = mix(bit, n) >> bit;
      const double u = (static_cast<double>(random) + 1.0) / 18446744073709551616.0;
      const double expected = -std::log(u);
      const double got = static_cast<double>(negative_log_q32(random)) / kOne;
      if (std::abs(got - expected) > 1e-7 + 1e-5 * expected) {
        FAIL("-ln of " << u << " is " << expected << ", not " << got);
      }
    }
  }
  CHECK(negative_log_q32(std::numeric_limits<std::uint64_t>::max()) == 0);
  CHECK(static_cast<double>(negative_log_q32(0)) / kOne == doctest::Approx(64 * std::log(2.0)));
}

TEST_CASE("the negative logarithm falls as its argument grows") {
  std::uint64_t last = negative_log_q32(0);
  for (std::uint64_t step = 1; step < 1'000'000; ++step) {
    const std::uint64_t now = negative_log_q32(step * 18'446'744'073'709ULL);
    if (now > last) FAIL("rises at step " << step);
    last = now;
  }
}

TEST_CASE("exponential draws have the mean and the tails of the exponential distribution") {
  constexpr std::uint64_t draws = 4'000'000;
  constexpr Duration mean = 1ms;
  double sum = 0;
  std::array<std::uint64_t, 14> beyond{};  // draws of k means and more
  for (std::uint64_t n = 0; n < draws; ++n) {
    const Duration drawn = exponential(mix(12345, n), mean);
    sum += static_cast<double>(drawn.count());
    for (std::size_t k = 1; k < beyond.size(); ++k) {
      if (drawn >= mean * k) ++beyond[k];
    }
  }
  CHECK(sum / draws == doctest::Approx(1e6).epsilon(0.002));
  for (std::size_t k = 1; k < beyond.size(); ++k) {
    const double expected = draws * std::exp(-static_cast<double>(k));
    INFO("tail beyond " << k << " means");
    CHECK(std::abs(static_cast<double>(beyond[k]) - expected) < 4 * std::sqrt(expected) + 2);
  }
}

TEST_CASE("exponential draws are the same everywhere") {
  // Computed once, independently, with 60 decimal digits, rounded down.
  CHECK(exponential(0, 1s) == Duration(44'361'419'555));
  CHECK(exponential(std::uint64_t{1} << 63U, 1h).count() / 1'000'000 == 2'495'329);
  CHECK(exponential(std::numeric_limits<std::uint64_t>::max(), 1h) == 0ns);
  CHECK(exponential(12345, 0ns) == 0ns);
}

TEST_CASE("a transfer takes bytes over bandwidth, rounded up, and none when unlimited") {
  CHECK(transfer_time(125'000'000, 125'000'000) == 1s);
  CHECK(transfer_time(1, 3) == 333'333'334ns);
  CHECK(transfer_time(0, 3) == 0ns);
  CHECK(transfer_time(std::uint64_t{1} << 40U, 0) == 0ns);
  CHECK(transfer_time(std::uint64_t{1} << 42U, 1'000'000'000) == Duration(std::int64_t{1} << 42U));
}

// The share of a standard normal below x, without cancellation in the lower tail.
long double normal_share_below(long double x) {
  return std::erfc(-x / std::sqrt(2.0L)) / 2;
}

TEST_CASE("normal quantiles are within 1e-6 of libm's, from the middle to the last bit") {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (std::uint64_t n = 0; n < 2'000; ++n) {
      const std::uint64_t random = mix(bit + 100, n) >> bit >> 1U;  // the lower half
      const long double p = (static_cast<long double>(random) + 0.5L) / 18446744073709551616.0L;
      const long double x = static_cast<long double>(normal_q32(random)) / kOne;
      if (!(normal_share_below(x - 1e-6L) < p && p < normal_share_below(x + 1e-6L))) {
        FAIL("the quantile of " << static_cast<double>(p) << " is not " << static_cast<double>(x));
      }
      if (normal_q32(~random) != -normal_q32(random)) FAIL("not odd at " << random);
    }
  }
  CHECK(static_cast<double>(normal_q32(0)) / kOne == doctest::Approx(-9.1552).epsilon(1e-4));
}

TEST_CASE("a number times an exponential is within 1e-13 of libm's, and stops at its largest") {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  for (std::uint64_t n = 0; n < 200'000; ++n) {
    const std::uint64_t base = mix(n, 1) >> (n % 64);
    const auto exponent = static_cast<std::int64_t>(mix(n, 2)) >> (26 + n % 38);  // -32 to 32
    const long double x = static_cast<long double>(exponent) / static_cast<long double>(kOne);
    const long double expected = static_cast<long double>(base) * std::exp(x);
    const std::uint64_t out = times_exp(base, exponent);
    const bool right =
        expected < 18446744073709550000.0L
            ? std::abs(static_cast<long double>(out) - expected) <= 1.0L + 1e-13L * expected
            : out >= most - 2'000'000;
    if (!right) FAIL(base << " times e^" << static_cast<double>(x) << " is not " << out);
  }
  CHECK(times_exp(1'000'000, 0) == 1'000'000);
  CHECK(times_exp(0, std::numeric_limits<std::int64_t>::max()) == 0);
  CHECK(times_exp(1, std::numeric_limits<std::int64_t>::max()) == most);
  CHECK(times_exp(most, std::numeric_limits<std::int64_t>::min()) == 0);
  CHECK(times_exp(most, 0) == most);
  CHECK(times_exp(most, 1) == most);
  CHECK(static_cast<double>(times_exp(1, std::int64_t{44} << 32U)) ==
        doctest::Approx(std::exp(44.0)).epsilon(1e-12));
}

}  // namespace
}  // namespace rejoin
