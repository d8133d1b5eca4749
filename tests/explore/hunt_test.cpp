#include "sim/explore/hunt.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace rejoin::sim {

TEST_CASE("hunt: as many clean seeds are asked for as the stretches leave doubt") {
  CHECK_FALSE(clean_seeds_needed(0, 1'000).has_value());
  // Each of five first seeds showed it: it may still be one in three (p^5 = 1% at p = 0.398).
  CHECK(clean_seeds_needed(5, 5) == 10);
  CHECK(clean_seeds_needed(1, 1) == 459);  // p = 1%
  // Ten of a thousand: by the tables, at least 0.414% of all.
  const std::uint64_t rare = clean_seeds_needed(10, 1'000).value_or(0);
  CHECK(rare > 1'050);
  CHECK(rare < 1'180);
  // More of them, and more that are sure of it, ask for less.
  CHECK(clean_seeds_needed(50, 5'000) < clean_seeds_needed(10, 1'000));
  CHECK(clean_seeds_needed(5, 500) > clean_seeds_needed(10, 500));
  CHECK(clean_seeds_needed(1, 1'000'000'000).has_value());
}

}  // namespace rejoin::sim
