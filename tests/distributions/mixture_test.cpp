#include "tests/distributions/statistics.hpp"

namespace rejoin::sim {
namespace {

LatencyOptions mixture(std::vector<LatencyOptions::Part> parts) {
  LatencyOptions out = latency_of("mixture", {});
  out.parts = std::move(parts);
  return out;
}

LatencyOptions pareto(std::string shape) {
  return latency_of("pareto", {{"minimum", Duration{50ms}}, {"shape", std::move(shape)}});
}

// Ninety-nine in a hundred are exponential, the last is a Pareto tail.
LatencyOptions mostly_short() {
  return mixture({{99, exponential_latency(1ms)}, {1, pareto("3")}});
}

TEST_CASE("draws of a mixture have the mean and the tails of the whole") {
  const long double mean = 0.99L * 1e6L + 0.01L * 7.5e7L;
  const long double square = 0.99L * 2e12L + 0.01L * 3 * 25e14L;
  const auto beyond = [](long double x) {
    const long double tail = x < 5e7L ? 1 : std::pow(5e7L / x, 3.0L);
    return 0.99L * std::exp(-x / 1e6L) + 0.01L * tail;
  };
  Expected expected{.mean_ns = mean, .deviation_ns = std::sqrt(square - mean * mean)};
  // The last two: quantiles at 99.9% and 99.99%.
  for (const long double x : {1e6L, 2e7L, 5e7L * std::cbrt(10.0L), 5e7L * std::cbrt(100.0L)}) {
    expected.tails.emplace_back(x, beyond(x));
  }
  check_statistics(mostly_short(), expected);
  check_mean(mostly_short(), mean);
}

TEST_CASE("which part is drawn does not depend on what the parts are") {
  const auto both = make_distribution(mixture({{1, constant_latency(1ms)}, {2, pareto("2")}}));
  const auto other = make_distribution(mixture({{1, constant_latency(3ms)}, {2, pareto("2")}}));
  for (std::uint64_t n = 0; n < 1'000; ++n) {
    const Duration a = both->sample(draw_key(n));
    const Duration b = other->sample(draw_key(n));
    if (a == 1ms ? b != 3ms : a != b) FAIL("draw " << n << " changed");
  }
}

TEST_CASE("a mixture of mixtures is one distribution; one part without a mean leaves none") {
  const LatencyOptions nested =
      mixture({{1, constant_latency(4ms)},
               {1, mixture({{3, constant_latency(1ms)}, {1, constant_latency(9ms)}})}});
  check_statistics(
      nested,
      {.mean_ns = 3.5e6L, .deviation_ns = 2.6e6L, .tails = {{2e6L, 0.625L}, {5e6L, 0.125L}}});
  check_mean(nested, 3.5e6L);
  const LatencyOptions endless = mixture({{99, constant_latency(1ms)}, {1, pareto("1")}});
  CHECK(problem_of(endless) == std::nullopt);
  CHECK(make_distribution(endless)->mean() == std::nullopt);
}

TEST_CASE("draws of a mixture are the same on every machine") {
  check_golden(mostly_short(), {2287785, 377414, 1273001, 1583455, 1870413, 51976914});
  check_digest(mostly_short(), 6629970348142965326ULL);
}

TEST_CASE("the parts of a mixture weigh something and have no problem of their own") {
  check_problem(mixture({}), "a mixture is a list of at least one");
  check_problem(mixture({{0, constant_latency(1ms)}}), "a `weight` is from 1");
  check_problem(mixture({{1, constant_latency(1ms)}, {1, pareto("none")}}), "`shape` is a number");
}

}  // namespace
}  // namespace rejoin::sim
