#include "tests/distributions/statistics.hpp"

namespace rejoin::sim {
namespace {

LatencyOptions log_normal(Duration median, std::string sigma) {
  return latency_of("log-normal", {{"median", median}, {"sigma", std::move(sigma)}});
}

Expected of_sigma(long double median, long double sigma) {
  const long double mean = median * std::exp(sigma * sigma / 2);
  Expected out{.mean_ns = mean, .deviation_ns = mean * std::sqrt(std::exp(sigma * sigma) - 1)};
  for (const long double share : {0.5L, 1e-3L, 1e-4L}) {
    out.tails.emplace_back(median * std::exp(-sigma * normal_quantile(share)), share);
  }
  return out;
}

TEST_CASE("log-normal draws have the mean and the tails of the log-normal distribution") {
  check_statistics(log_normal(1ms, "0.25"), of_sigma(1e6L, 0.25L));
  check_statistics(log_normal(1ms, "1"), of_sigma(1e6L, 1));
  check_mean(log_normal(1ms, "1"), of_sigma(1e6L, 1).mean_ns);
  check_mean(log_normal(1ms, "2.5"), of_sigma(1e6L, 2.5L).mean_ns);
}

TEST_CASE("log-normal draws are the same on every machine") {
  check_golden(log_normal(1ms, "0.5"), {686328, 2103589, 630531, 1115611, 2641139, 718803});
  check_digest(log_normal(1ms, "0.5"), 10772987404946704723ULL);
  check_golden(log_normal(1h, "5"), {83488302428, 6108177399078778, 35757641995, 10750575858445,
                                     59458752754461853, 132557033680});
  check_digest(log_normal(1h, "5"), 13763075687549580121ULL);
}

TEST_CASE("a log-normal needs a median above 0 and a sigma that is a number") {
  check_problem(log_normal(0ns, "1"), "`median` is from 1ns");
  for (const char* wrong : {"0", "-1", "10.5", "wide"}) {
    check_problem(log_normal(1ms, wrong),
                  "`sigma` is a number such as 0.5, above 0 and at most 10");
  }
  check_problem(log_normal(1ms, "9"), "the mean of this log-normal is beyond 36500d");
}

}  // namespace
}  // namespace rejoin::sim
