#include "tests/distributions/statistics.hpp"

namespace rejoin::sim {
namespace {

TEST_CASE("exponential draws have the mean and the tails of the exponential distribution") {
  const auto beyond = [](long double share) { return std::pair(-1e6L * std::log(share), share); };
  check_statistics(exponential_latency(1ms),
                   {.mean_ns = 1e6L,
                    .deviation_ns = 1e6L,
                    .tails = {beyond(0.5L), beyond(1e-3L), beyond(1e-4L)}});
}

TEST_CASE("exponential draws are the same on every machine") {
  check_golden(exponential_latency(1ms), {1488167, 70925, 1725051, 533413, 26388, 1368378});
  check_digest(exponential_latency(1ms), 9282252983667454784ULL);
  check_mean(exponential_latency(1ms), 1e6L);
  check_mean(exponential_latency(1ms, 200us), 1.2e6L);
}

TEST_CASE("an exponential needs a mean above 0 and below a year") {
  check_problem(exponential_latency(0ns), "`mean` is from 1ns to 365d, not 0s");
  check_problem(exponential_latency(-1ms), "`mean` is from 1ns");
  check_problem(exponential_latency(24h * 366), "`mean` is from 1ns");
}

}  // namespace
}  // namespace rejoin::sim
