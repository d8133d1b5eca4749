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
  check_golden(log_normal(1ms, "0.5"), {452311, 827306, 1121237, 1559051, 1278233, 1254830});
  check_digest(log_normal(1ms, "0.5"), 17877961211332212741ULL);
  check_golden(log_normal(1h, "5"), {1290274397, 540713872411, 11305196138246, 305425820389122,
                                     41918365404301, 34845941896021});
  check_digest(log_normal(1h, "5"), 6869919407219493273ULL);
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
