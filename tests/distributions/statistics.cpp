#include "tests/distributions/statistics.hpp"

#include <cmath>
#include <utility>

namespace rejoin::sim {

DrawKey draw_key(std::uint64_t n) {
  return {.seed = 7, .domain = Domain::latency, .who = 3, .what = n};
}

LatencyOptions latency_of(std::string distribution,
                          std::vector<std::pair<std::string, ParamValue>> values) {
  LatencyOptions out;
  out.distribution = std::move(distribution);
  for (auto& [name, value] : values) out.params.set(name, std::move(value));
  return out;
}

void check_statistics(const LatencyOptions& options, const Expected& expected) {
  REQUIRE(problem_of(options) == std::nullopt);
  const auto distribution = make_distribution(options);
  const auto draws = static_cast<long double>(kDraws);
  long double sum = 0;
  std::vector<std::uint64_t> beyond(expected.tails.size());
  for (std::uint64_t n = 0; n < kDraws; ++n) {
    const Duration drawn = distribution->sample(draw_key(n));
    if (drawn < 0ns) FAIL("draw " << n << " is negative");
    const auto ns = static_cast<long double>(drawn.count());
    sum += ns;
    for (std::size_t i = 0; i < beyond.size(); ++i) {
      if (ns > expected.tails[i].first) ++beyond[i];
    }
  }
  if (std::isfinite(expected.deviation_ns)) {
    // A draw is rounded down, by half a nanosecond in the mean.
    const long double bound = kSigmas * expected.deviation_ns / std::sqrt(draws) + 1;
    INFO("mean " << static_cast<double>(sum / draws) << ", expected "
                 << static_cast<double>(expected.mean_ns) << " within "
                 << static_cast<double>(bound));
    CHECK(std::abs(sum / draws - expected.mean_ns) <= bound);
  }
  for (std::size_t i = 0; i < beyond.size(); ++i) {
    const auto [limit, share] = expected.tails[i];
    const long double bound = kSigmas * std::sqrt(draws * share * (1 - share));
    INFO(beyond[i] << " draws beyond " << static_cast<double>(limit) << " ns, expected "
                   << static_cast<double>(draws * share) << " within "
                   << static_cast<double>(bound));
    CHECK(std::abs(static_cast<long double>(beyond[i]) - draws * share) <= bound);
  }
}

void check_golden(const LatencyOptions& options, const std::vector<std::int64_t>& expected) {
  const auto distribution = make_distribution(options);
  std::string drawn;
  std::string wanted;
  for (std::uint64_t n = 0; n < expected.size(); ++n) {
    drawn += std::to_string(distribution->sample(draw_key(n)).count()) + ", ";
    wanted += std::to_string(expected[n]) + ", ";
  }
  CHECK(drawn == wanted);
}

void check_digest(const LatencyOptions& options, std::uint64_t expected) {
  const auto distribution = make_distribution(options);
  std::uint64_t digest = 0;
  for (std::uint64_t n = 0; n < 100'000; ++n) {
    digest = mix(digest, static_cast<std::uint64_t>(distribution->sample(draw_key(n)).count()));
  }
  CHECK(digest == expected);
}

void check_mean(const LatencyOptions& options, long double mean_ns) {
  const auto mean = make_distribution(options)->mean();
  REQUIRE(mean.has_value());
  INFO("mean " << mean->count() << ", expected " << static_cast<double>(mean_ns));
  CHECK(std::abs(static_cast<long double>(mean->count()) - mean_ns) <= 1 + 1e-6L * mean_ns);
}

void check_problem(const LatencyOptions& options, const std::string& part) {
  const auto problem = problem_of(options);
  REQUIRE(problem.has_value());
  INFO(problem->says);
  CHECK(problem->says.find(part) != std::string::npos);
}

long double normal_quantile(long double p) {
  long double low = -10;
  long double high = 10;
  for (int i = 0; i < 200; ++i) {
    const long double half = (low + high) / 2;
    (std::erfc(-half / std::sqrt(2.0L)) / 2 < p ? low : high) = half;
  }
  return low;
}

}  // namespace rejoin::sim
