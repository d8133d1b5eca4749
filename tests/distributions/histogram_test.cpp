#include "tests/distributions/statistics.hpp"

namespace rejoin::sim {
namespace {

LatencyOptions histogram(std::vector<LatencyOptions::Bucket> buckets) {
  LatencyOptions out = latency_of("histogram", {});
  out.buckets = std::move(buckets);
  return out;
}

// Of 10,000: 9,000 up to 1 ms, 990 of 10 to 20 ms, 10 of 100 to 200 ms.
LatencyOptions measured() {
  return histogram({{{0ms, 1ms}, 9'000}, {{10ms, 20ms}, 990}, {{100ms, 200ms}, 10}});
}

TEST_CASE("draws of a histogram have its mean and its tails") {
  const std::vector<std::pair<long double, std::pair<long double, long double>>> parts = {
      {0.9L, {0, 1e6L}}, {0.099L, {1e7L, 2e7L}}, {0.001L, {1e8L, 2e8L}}};
  long double mean = 0;
  long double square = 0;
  for (const auto& [share, ends] : parts) {
    const auto [a, b] = ends;
    mean += share * (a + b) / 2;
    square += share * (a * a + a * b + b * b) / 3;
  }
  check_statistics(
      measured(),
      {.mean_ns = mean,
       .deviation_ns = std::sqrt(square - mean * mean),
       .tails = {{5e5L, 0.55L}, {5e6L, 0.1L}, {1.5e7L, 0.0505L}, {5e7L, 1e-3L}, {1.9e8L, 1e-4L}}});
  check_mean(measured(), mean);
}

TEST_CASE("draws of a histogram are the same on every machine") {
  check_golden(measured(), {101491, 16856320, 279990, 205264, 154060, 189018144});
  check_digest(measured(), 11095896325142662105ULL);
}

TEST_CASE("the ranges of a histogram ascend without overlap, and each weighs something") {
  CHECK(problem_of(histogram({{{1ms, 2ms}, 1}, {{2ms, 3ms}, 1}})) == std::nullopt);
  check_problem(histogram({}), "a histogram is a list of at least one");
  check_problem(histogram({{{1ms, 2ms}, 0}}), "a `weight` is from 1 to 1000000000, not 0");
  check_problem(histogram({{{1ms, 3ms}, 1}, {{2ms, 4ms}, 1}}), "2ms comes after 3ms");
  check_problem(histogram({{{5ms, 6ms}, 1}, {{1ms, 2ms}, 1}}), "1ms comes after 6ms");
  check_problem(histogram({{{2ms, 1ms}, 1}}), "`range` is from 2ms");
  check_problem(histogram({{{-1ms, 1ms}, 1}}), "`range` is from 0s");
  check_problem(histogram(std::vector<LatencyOptions::Bucket>(10'001)),
                "a histogram is a list of at most 10000");
}

}  // namespace
}  // namespace rejoin::sim
