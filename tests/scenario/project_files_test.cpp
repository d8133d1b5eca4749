// The scenario files of the project, with the plugins that are linked in.
#include <filesystem>
#include <set>
#include <vector>

#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "support.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

std::vector<std::string> project_files() {
  std::set<std::string> out;
  const auto root = std::filesystem::path(REJOIN_SOURCE_DIR) / "scenarios";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".yaml") out.insert(entry.path().string());
  }
  return {out.begin(), out.end()};
}

Schedule materialised(const tl::expected<Scenario, Diagnostics>& scenario, std::uint64_t seed) {
  if (!scenario) {
    for (const Diagnostic& diagnostic : scenario.error()) MESSAGE(to_text(diagnostic));
  }
  REQUIRE(scenario.has_value());
  const auto schedule = scenario->materialise(seed);
  REQUIRE(schedule.has_value());
  return *schedule;
}

}  // namespace

TEST_CASE("every scenario file of the project is right, for any seed") {
  const std::vector<std::string> files = project_files();
  for (const std::string& file : files) {
    CAPTURE(file);
    const auto scenario = load_scenario(file, linked_vocabulary());
    if (!scenario) {
      for (const Diagnostic& diagnostic : scenario.error()) FAIL_CHECK(to_text(diagnostic));
      continue;
    }
    CHECK(scenario->materialise(2).has_value());
  }
  CHECK(files.size() > 30);
}

TEST_CASE("a schedule that is written and read back runs to the same digest, of every file") {
  const Vocabulary vocabulary = linked_vocabulary();
  for (const std::string& file : project_files()) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(file);
      CAPTURE(seed);
      const Schedule schedule = materialised(load_scenario(file, vocabulary), seed);
      const std::string text = to_yaml(schedule);
      const Schedule again = materialised(read_scenario("written.yaml", text, vocabulary), seed);
      CHECK(to_yaml(again) == text);
      CHECK(again.seed == seed);
      const RunRecord first = run(schedule);
      const RunRecord second = run(again);
      CHECK(to_hex(first.digest) == to_hex(second.digest));
      CHECK(first.verdict == second.verdict);
    }
  }
}
