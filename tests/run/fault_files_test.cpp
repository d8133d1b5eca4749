// Every fault has a file that shows it, and every file goes red when its fault is not injected.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "sim/faults/fault.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> fault_files() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(REJOIN_SOURCE_DIR "/scenarios/faults")) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".yaml") && name != "base.yaml") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Schedule load(const std::string& file) {
  const auto scenario = load_scenario(file, linked_vocabulary());
  REQUIRE(scenario.has_value());
  const auto schedule = scenario->materialise(scenario->seed());
  REQUIRE(schedule.has_value());
  return *schedule;
}

}  // namespace

TEST_CASE("every fault has a file that shows it") {
  std::set<std::string> shown;
  for (const std::string& file : fault_files()) shown.insert(fs::path(file).stem().string());
  for (const FaultSpec& fault : Faults::all()) {
    INFO(fault.name);
    CHECK(shown.contains(std::string(fault.name)));
  }
}

TEST_CASE("a fault's file passes, and goes red when any of its faults is not injected") {
  std::size_t deleted = 0;
  for (const std::string& file : fault_files()) {
    const Schedule schedule = load(file);
    CAPTURE(file);
    const std::vector<std::string> wrong = check_schedule(schedule);
    CHECK_MESSAGE(wrong.empty(), (wrong.empty() ? "" : wrong.front()));
    const RunRecord record = run(schedule);
    CHECK_MESSAGE(record.verdict == Verdict::pass, record.verdict_says);
    for (std::size_t s = 0; s < schedule.timeline.size(); ++s) {
      if (!std::holds_alternative<action::Inject>(schedule.timeline[s].action)) continue;
      // Steps that end it or wait for its end stay: they end nothing, or wait in vain.
      Schedule without = schedule;
      without.timeline[s].action = action::Wait{};
      without.limits.patience = std::min<Duration>(without.limits.patience, 2min);
      const RunRecord calm = run(without);
      CHECK_MESSAGE(calm.verdict == Verdict::fail,
                    "without " << schedule.timeline[s].label << ": " << calm.verdict_says);
      ++deleted;
    }
  }
  CHECK(deleted >= Faults::all().size());
}

}  // namespace rejoin::sim
