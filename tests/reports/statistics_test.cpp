#include "reports/statistics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "model/random.hpp"

namespace rejoin::reports {
namespace {

using Values = std::vector<std::int64_t>;
using Costs = std::vector<std::vector<std::optional<std::int64_t>>>;

}  // namespace

TEST_CASE("percentiles are values that occurred, and what has none comes last") {
  const Values ten = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  CHECK(nearest_rank(ten, 50) == 5);
  CHECK(nearest_rank(ten, 90) == 9);
  CHECK(nearest_rank(ten, 91) == 10);
  CHECK(nearest_rank(ten, 0) == 1);
  CHECK(nearest_rank(Values{7}, 99) == 7);
  CHECK(nearest_rank(ten, 9, 50) == 10);
  CHECK(nearest_rank(ten, 10, 50) == 10);
  CHECK_FALSE(nearest_rank(ten, 11, 50).has_value());
  CHECK_FALSE(nearest_rank(Values{}, 0, 50).has_value());
}

TEST_CASE("five pairs give no interval, six do") {
  CHECK_FALSE(median_interval({1, 2, 3, 4, 5}, "a").has_value());
  CHECK(median_interval({1, 2, 3, 4, 5, 6}, "a").has_value());
  CHECK(median_interval({4, 4, 4, 4, 4, 4}, "a") == Interval{4, 4});
}

TEST_CASE("differences of one seed are no independent witnesses") {
  // Six seeds; each is told ten times over.
  std::vector<Paired> told;
  for (std::size_t seed = 0; seed < 6; ++seed) {
    for (int i = 0; i < 10; ++i) told.push_back({static_cast<std::int64_t>(seed) - 2, seed});
  }
  const auto of_seeds = median_interval(told, "x");
  REQUIRE(of_seeds.has_value());
  CHECK(of_seeds == median_interval(Values{-2, -1, 0, 1, 2, 3}, "x"));
  for (Paired& each : told) each.seed %= 5;
  CHECK_FALSE(median_interval(told, "x").has_value());
}

TEST_CASE("an interval depends on its values and its key, not on their order") {
  const Values values = {-3, 5, 8, -1, 2, 9, 4, 4, 0, 7};
  Values turned(values.rbegin(), values.rend());
  const auto interval = median_interval(values, "merkle\nrepair_bytes");
  REQUIRE(interval.has_value());
  CHECK(interval == median_interval(turned, "merkle\nrepair_bytes"));
  CHECK(interval->low <= 4);
  CHECK(interval->high >= 4);
  CHECK(interval->low >= -3);
  CHECK(interval->high <= 9);
}

TEST_CASE("95% intervals of the median hold the true one in about 95 of 100 samples") {
  // Uniform on -1000..1000: the true median is 0.
  int held = 0;
  constexpr int kSamples = 400;
  for (std::uint64_t sample = 0; sample < kSamples; ++sample) {
    Values values;
    for (std::uint64_t i = 0; i < 30; ++i) {
      const std::uint64_t random =
          draw({.seed = 7, .domain = Domain::pick, .who = sample, .what = i});
      values.push_back(static_cast<std::int64_t>(below(random, 2001)) - 1000);
    }
    held += median_interval(values, std::to_string(sample))->holds_zero() ? 1 : 0;
  }
  CHECK(held >= kSamples * 91 / 100);
  CHECK(held <= kSamples * 99 / 100);
}

TEST_CASE("the front is what nothing else beats in all") {
  CHECK(pareto_front(Costs{{1, 9}, {2, 5}, {3, 6}, {9, 1}}) ==
        std::vector<bool>{true, true, false, true});
  CHECK(pareto_front(Costs{{1, 1}, {1, 1}}) == std::vector<bool>{true, true});
  // No value is worse than any.
  CHECK(pareto_front(Costs{{5, std::nullopt}, {5, 100}}) == std::vector<bool>{false, true});
}

TEST_CASE("fits find the exponents of powers") {
  std::vector<Sample> square;
  std::vector<Sample> flat;
  for (const double n : {10.0, 100.0, 1000.0, 10000.0}) {
    square.push_back({.size = n, .value = static_cast<std::int64_t>(3 * n * n)});
    flat.push_back({.size = n, .value = 4711});
  }
  CHECK(fit_exponent(square)->exponent == doctest::Approx(2));
  CHECK(fit_exponent(square)->low == doctest::Approx(2));
  CHECK(fit_exponent(flat)->exponent == 0);
}

TEST_CASE("each group has a factor of its own") {
  std::vector<Sample> samples;
  for (const double n : {10.0, 100.0, 1000.0}) {
    samples.push_back({.size = n, .value = static_cast<std::int64_t>(n), .group = 0});
    samples.push_back({.size = n, .value = static_cast<std::int64_t>(500 * n), .group = 1});
  }
  const auto fit = fit_exponent(samples);
  REQUIRE(fit.has_value());
  CHECK(fit->exponent == doctest::Approx(1));
  CHECK(fit->high - fit->low < 0.01);
}

TEST_CASE("the interval of an exponent holds the truth in about 95 of 100 samples that scatter") {
  int held = 0;
  constexpr int kSamples = 200;
  for (std::uint64_t sample = 0; sample < kSamples; ++sample) {
    std::vector<Sample> samples;
    for (std::uint64_t i = 4; i <= 16; ++i) {
      const std::uint64_t random =
          draw({.seed = 3, .domain = Domain::pick, .who = sample, .what = i});
      const double noise = static_cast<double>(below(random, 100)) / 100 + 1;
      const auto n = static_cast<double>(std::uint64_t{1} << i);
      samples.push_back({.size = n, .value = static_cast<std::int64_t>(100 * n * noise)});
    }
    const auto fit = fit_exponent(samples);
    REQUIRE(fit.has_value());
    CHECK(fit->high - fit->low > 0.01);
    held += fit->low <= 1 && fit->high >= 1 ? 1 : 0;
  }
  CHECK(held >= kSamples * 91 / 100);
  CHECK(held <= kSamples * 99 / 100);
}

TEST_CASE("too few sizes and zeros are said, not fitted") {
  CHECK(fit_exponent({{.size = 1, .value = 1}, {.size = 2, .value = 2}}).error() ==
        "a fit takes 3 sizes with values above 0, and there are 2");
  CHECK(fit_exponent({{.size = 1, .value = 0}, {.size = 2, .value = 0}, {.size = 3, .value = 0}})
            .error() == "every value is 0");
  const auto fit = fit_exponent({{.size = 1, .value = 0},
                                 {.size = 2, .value = 2},
                                 {.size = 4, .value = 4},
                                 {.size = 8, .value = 8}});
  REQUIRE(fit.has_value());
  CHECK(fit->left_out == 1);
  CHECK(fit->exponent == doctest::Approx(1));
  CHECK_FALSE(fit_exponent({{.size = 1, .value = 1, .group = 0},
                            {.size = 2, .value = 2, .group = 1},
                            {.size = 3, .value = 3, .group = 2},
                            {.size = 3, .value = 3, .group = 2},
                            {.size = 3, .value = 3, .group = 2}})
                  .has_value());
}

}  // namespace rejoin::reports
