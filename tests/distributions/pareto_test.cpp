#include "tests/distributions/statistics.hpp"

namespace rejoin::sim {
namespace {

LatencyOptions pareto(Duration minimum, std::string shape) {
  return latency_of("pareto", {{"minimum", minimum}, {"shape", std::move(shape)}});
}

Expected of_shape(long double minimum, long double shape) {
  Expected out{.mean_ns = shape * minimum / (shape - 1),
               .deviation_ns = shape <= 2 ? std::numeric_limits<long double>::infinity()
                                          : minimum * std::sqrt(shape / (shape - 2)) / (shape - 1)};
  for (const long double share : {0.5L, 1e-3L, 1e-4L}) {
    out.tails.emplace_back(minimum * std::pow(share, -1 / shape), share);
  }
  return out;
}

// The mean of draws of shape 3 has a variance, but settles slowly: its third moment is infinite.
TEST_CASE("Pareto draws have the mean and the tails of the Pareto distribution") {
  check_statistics(pareto(1ms, "4.5"), of_shape(1e6L, 4.5L));
  check_statistics(pareto(1ms, "3"), of_shape(1e6L, 3));
  check_statistics(pareto(1ms, "1.5"), of_shape(1e6L, 1.5L));
  check_statistics(pareto(1us, "0.8"), of_shape(1e3L, 0.8L));
}

TEST_CASE("a Pareto tail ends at a hundred years, not in an overflow") {
  const auto heavy = make_distribution(pareto(1h, "0.01"));
  std::uint64_t longest = 0;
  for (std::uint64_t n = 0; n < 1'000; ++n) {
    const Duration drawn = heavy->sample(draw_key(n));
    CHECK(drawn >= 1h);
    CHECK(drawn <= kLongestDraw);
    if (drawn == kLongestDraw) ++longest;
  }
  CHECK(longest > 800);
}

TEST_CASE("a Pareto tail of shape 1 or less has no mean") {
  CHECK(make_distribution(pareto(1ms, "1"))->mean() == std::nullopt);
  CHECK(make_distribution(pareto(1ms, "0.5"))->mean() == std::nullopt);
  check_mean(pareto(1ms, "1.5"), 3e6L);
  LatencyOptions floored = pareto(1ms, "1");
  floored.floor = 1ms;
  CHECK(make_distribution(floored)->mean() == std::nullopt);
}

TEST_CASE("Pareto draws are the same on every machine") {
  check_golden(pareto(1ms, "1.5"), {2696922, 1048419, 3158301, 1427049, 1017747, 2489924});
  check_digest(pareto(1ms, "1.5"), 3120539166235885024ULL);
  check_golden(pareto(1ms, "0.3"), {142673301, 1266706, 314244640, 5918280, 1091945, 95704130});
  check_digest(pareto(1ms, "0.3"), 13075972898089623948ULL);
}

TEST_CASE("a Pareto tail needs a minimum above 0 and a shape that is a number") {
  check_problem(pareto(0ns, "1.5"), "`minimum` is from 1ns");
  for (const char* wrong : {"0", "-1", "1e3", "heavy", "0.001", "1001", ""}) {
    check_problem(pareto(1ms, wrong), "`shape` is a number such as 1.5, from 0.01 to 1000");
  }
  check_problem(pareto(1h, "1.000001"), "the mean of this pareto is beyond 36500d");
}

}  // namespace
}  // namespace rejoin::sim
