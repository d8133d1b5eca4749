// The same hostile worlds that the code survives (tests/run/nemesis_test.cpp), with a bug planted:
// some seed among the 200 shows it.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "model/mutant.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {
namespace {

constexpr std::uint64_t kSeeds = 200;

bool breaks(const RunRecord& record, std::string_view invariant) {
  return record.verdict == Verdict::fail &&
         std::any_of(record.violations.begin(), record.violations.end(),
                     [&](const Violation& violation) { return violation.invariant == invariant; });
}

// The first seed that breaks the invariant which must catch the bug, with the bug in it; 0: none.
std::uint64_t first_failure(std::string_view bug) {
  const auto spec = std::find_if(mutants().begin(), mutants().end(),
                                 [&](const MutantSpec& mutant) { return mutant.name == bug; });
  REQUIRE(spec != mutants().end());
  const auto scenario =
      load_scenario(REJOIN_SOURCE_DIR "/scenarios/nemesis/t0-t5-bounded.yaml", linked_vocabulary());
  REQUIRE(scenario.has_value());
  REQUIRE(plant_mutant(bug));
  std::uint64_t found = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds && found == 0; ++seed) {
    const auto schedule = scenario->materialise(seed);
    REQUIRE(schedule.has_value());
    if (breaks(run(*schedule), spec->invariant)) found = seed;
  }
  plant_mutant("");
  return found;
}

void check_found(std::string_view bug) {
  INFO(bug);
  CHECK(first_failure(bug) != 0);
}

}  // namespace

TEST_CASE("a bounded nemesis over T0-T5 finds a planted bug of the sync") {
  check_found("sync-blind-merge");
}
TEST_CASE("a bounded nemesis over T0-T5 finds a planted bug of the replicated state") {
  check_found("cluster-apply-twice");
}

}  // namespace rejoin::sim
