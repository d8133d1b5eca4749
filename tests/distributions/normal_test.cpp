#include "tests/distributions/statistics.hpp"

namespace rejoin::sim {
namespace {

LatencyOptions normal(Duration mean, Duration deviation) {
  return latency_of("normal", {{"mean", mean}, {"deviation", deviation}});
}

// Of a normal distribution cut off below 0.
Expected truncated(long double mean, long double deviation) {
  const long double a = mean / deviation;
  const long double pi = 3.141592653589793238462643L;
  const long double density = std::exp(-a * a / 2) / std::sqrt(2 * pi);
  const long double kept = std::erfc(-a / std::sqrt(2.0L)) / 2;
  const long double shift = density / kept;
  Expected out{.mean_ns = mean + deviation * shift,
               .deviation_ns = deviation * std::sqrt(1 - a * shift - shift * shift)};
  for (const long double share : {0.5L, 1e-3L, 1e-4L}) {
    out.tails.emplace_back(mean - deviation * normal_quantile(share * kept), share);
  }
  return out;
}

TEST_CASE("normal draws have the mean and the tails of the normal distribution") {
  check_statistics(normal(10ms, 1ms), truncated(1e7L, 1e6L));
}

TEST_CASE("normal draws that would be negative are drawn again, not gathered at 0") {
  for (const Duration mean : {1'000'000ns, 200'000ns, 0ns}) {
    const auto expected = truncated(static_cast<long double>(mean.count()), 1e6L);
    check_statistics(normal(mean, 1ms), expected);
    check_mean(normal(mean, 1ms), expected.mean_ns);
  }
  const auto half = make_distribution(normal(0ns, 1ms));
  std::uint64_t zeros = 0;
  for (std::uint64_t n = 0; n < 10'000; ++n) zeros += half->sample(draw_key(n)) == 0ns ? 1 : 0;
  CHECK(zeros <= 2);
}

TEST_CASE("normal draws are the same on every machine") {
  check_golden(normal(10ms, 1ms), {9247203, 11487289, 9077614, 10218805, 11942420, 9339664});
  check_digest(normal(10ms, 1ms), 5651978172046883021ULL);
  check_golden(normal(1ms, 5ms), {1647627, 9773144, 1300266, 4540098, 11839163, 1858624});
  check_digest(normal(1ms, 5ms), 14361022052469926486ULL);
  check_mean(normal(10ms, 1ms), 1e7L);
  check_mean(normal(10ms, 1ns), 1e7L);
}

TEST_CASE("a normal has no negative mean, and a deviation above 0") {
  check_problem(normal(-1ns, 1ms), "`mean` is from 0s");
  check_problem(normal(1ms, 0ns), "`deviation` is from 1ns");
}

}  // namespace
}  // namespace rejoin::sim
