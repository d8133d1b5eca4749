#include "tests/distributions/statistics.hpp"

namespace rejoin::sim {
namespace {

TEST_CASE("a constant is drawn as it is, and is its own mean") {
  const LatencyOptions options = constant_latency(3ms);
  check_golden(options, {3'000'000, 3'000'000});
  check_mean(options, 3e6L);
  CHECK(problem_of(constant_latency(0ns)) == std::nullopt);
}

TEST_CASE("a constant is neither negative nor beyond a year") {
  check_problem(constant_latency(-1ns), "`value` is from 0s to 365d");
  check_problem(constant_latency(24h * 366), "`value` is from 0s to 365d");
}

TEST_CASE("a floor is added, a cap bounds the sum") {
  LatencyOptions options = exponential_latency(1ms, 2ms);
  options.cap = 3ms;
  const auto bounded = make_distribution(options);
  const auto plain = make_distribution(exponential_latency(1ms));
  std::uint64_t capped = 0;
  for (std::uint64_t n = 0; n < 1'000; ++n) {
    const Duration drawn = bounded->sample(draw_key(n));
    CHECK(drawn == std::min(3'000'000ns, 2ms + plain->sample(draw_key(n))));
    if (drawn == 3ms) ++capped;
  }
  CHECK(capped > 300);
  CHECK(bounded->mean() == 3ms);
  options.cap = 1ms;
  check_problem(options, "a `cap` is at least the `floor`");
  options.floor = -1ns;
  check_problem(options, "a `floor` is from 0s");
}

TEST_CASE("an unknown distribution is a problem") {
  check_problem(latency_of("cauchy", {}), "there is no distribution `cauchy`");
}

TEST_CASE("decimals are read as millionths, or not at all") {
  CHECK(parse_millionths("1.5") == 1'500'000);
  CHECK(parse_millionths("0.000001") == 1);
  CHECK(parse_millionths("1000") == 1'000'000'000);
  for (const char* wrong : {"", ".", "1.", ".5", "-1", "+1", "1e3", "1.0000001", "1000.1", "0x1",
                            "1,5", "1.5.1", " 1", "99999"}) {
    INFO(wrong);
    CHECK(parse_millionths(wrong) == std::nullopt);
  }
}

}  // namespace
}  // namespace rejoin::sim
