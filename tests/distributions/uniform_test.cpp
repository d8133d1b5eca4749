#include "tests/distributions/statistics.hpp"

namespace rejoin::sim {
namespace {

TEST_CASE("uniform draws have the mean and the tails of the uniform distribution") {
  check_statistics(uniform_latency({1ms, 3ms}),
                   {.mean_ns = 2e6L,
                    .deviation_ns = 2e6L / std::sqrt(12.0L),
                    .tails = {{2e6L, 0.5L}, {3e6L - 2e3L, 1e-3L}, {3e6L - 2e2L, 1e-4L}}});
}

TEST_CASE("both ends of a range are drawn, nothing beyond, and one of one is a constant") {
  const auto few = make_distribution(uniform_latency({5ns, 7ns}));
  std::vector<std::uint64_t> seen(10);
  for (std::uint64_t n = 0; n < 300; ++n) {
    ++seen.at(static_cast<std::size_t>(few->sample(draw_key(n)).count()));
  }
  CHECK(seen[5] > 60);
  CHECK(seen[6] > 60);
  CHECK(seen[7] > 60);
  CHECK(seen[5] + seen[6] + seen[7] == 300);
  check_golden(uniform_latency({4ns, 4ns}), {4, 4});
}

TEST_CASE("uniform draws are the same on every machine") {
  check_golden(uniform_latency({1ms, 3ms}), {1451572, 2863062, 1356327, 2173198, 2947914, 1509039});
  check_digest(uniform_latency({1ms, 3ms}), 12157032887339476361ULL);
  check_mean(uniform_latency({1ms, 3ms}), 2e6L);
}

TEST_CASE("a range ascends and is not negative") {
  check_problem(uniform_latency({3ms, 1ms}), "`range` is from 3ms");
  check_problem(uniform_latency({-1ns, 1ms}), "`range` is from 0s");
}

}  // namespace
}  // namespace rejoin::sim
