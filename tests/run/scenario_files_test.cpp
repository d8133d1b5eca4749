// Every scenario that is shipped shows what it says: run with its own seed, most with two others.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(REJOIN_SOURCE_DIR "/scenarios/" + folder)) {
    const std::string name = entry.path().filename().string();
    // What a folder's files share says nothing by itself.
    if (name.ends_with(".yaml") && name != "base.yaml") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

void check_folder(const std::string& folder, std::size_t files_min, std::uint64_t seeds) {
  const std::vector<std::string> files = files_below(folder);
  CHECK(files.size() >= files_min);
  for (const std::string& file : files) {
    const auto scenario = load_scenario(file, linked_vocabulary());
    REQUIRE(scenario.has_value());
    for (std::uint64_t seed = scenario->seed(); seed < scenario->seed() + seeds; ++seed) {
      const auto schedule = scenario->materialise(seed);
      REQUIRE(schedule.has_value());
      const RunRecord record = run(*schedule);
      INFO(file << ", seed " << seed << ": " << record.verdict_says);
      CHECK(record.verdict == Verdict::pass);
    }
  }
}

}  // namespace

TEST_CASE("each file of scenarios/seed shows what it says") {
  check_folder("seed", 30, 3);
}
TEST_CASE("each file of scenarios/clusterkit shows what it says") {
  check_folder("clusterkit", 4, 3);
}
TEST_CASE("each file of scenarios/cases shows what it says under its own mechanism") {
  check_folder("cases", 75, 1);
}
TEST_CASE("what was mended once stays mended") {
  check_folder("regressions", 11, 3);
}

TEST_CASE("each file of scenarios/nemesis survives what it says") {
  check_folder("nemesis", 6, 3);
}

// A cut shows something only beside the leader, and who leads is the seed's choice.
TEST_CASE("each file of scenarios/faults shows what it says") {
  check_folder("faults", 6, 1);
}
TEST_CASE("each file of scenarios/topology shows what it says") {
  check_folder("topology", 1, 3);
}
// As `rejoin run` has them, under the strategy that each names.
TEST_CASE("each file of scenarios/compare shows what it says") {
  check_folder("compare", 11, 2);
}

}  // namespace rejoin::sim
