// What breaks under each mechanism in each file of scenarios/cases: no more, and no less.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "protocols/sync/mechanism.hpp"
#include "sim/run/run.hpp"
#include "sim/run/verdict.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/support/golden.hpp"

namespace rejoin::sim {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> cases() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(REJOIN_SOURCE_DIR "/scenarios/cases")) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".yaml" && name != "base") out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Schedule schedule_of(const std::string& name) {
  const auto scenario =
      load_scenario(REJOIN_SOURCE_DIR "/scenarios/cases/" + name + ".yaml", linked_vocabulary());
  REQUIRE_MESSAGE(scenario.has_value(), name);
  const auto schedule = scenario->materialise(scenario->seed());
  REQUIRE_MESSAGE(schedule.has_value(), name);
  return *schedule;
}

// At its defaults, but that it asks a majority where it is asked from whom it copies, and passes
// often enough for a short run where it passes at all.
SyncOptions::Mechanism chosen(const MechanismSpec& spec) {
  SyncOptions::Mechanism out{.name = std::string(spec.name), .params = default_params(spec.params)};
  for (const ParamSpec& param : spec.params) {
    const auto& choices = param.choices;
    if (param.name == "source" &&
        std::find(choices.begin(), choices.end(), "quorum") != choices.end()) {
      out.params.set("source", std::string("quorum"));
    }
    if (param.name == "period" && out.params.get<Duration>("period") > Duration::zero()) {
      out.params.set("period", Duration(std::chrono::seconds(5)));
    }
  }
  return out;
}

struct Outcome {
  std::set<std::string> broken;
  std::set<std::string> promised;
  std::vector<std::string> unmet;
};

Outcome run_under(Schedule schedule, const MechanismSpec& spec) {
  schedule.node.sync.mechanisms = {chosen(spec)};
  schedule.expect = {};
  // What reads are answered is said for the file's own mechanism.
  for (Step& step : schedule.timeline) {
    if (auto* const operate = std::get_if<action::Operate>(&step.action)) operate->expect.reset();
  }
  Outcome out;
  const RunRecord record = run(schedule);
  for (const Violation& violation : record.violations) out.broken.insert(violation.invariant);
  out.unmet = record.unmet;
  schedule.check.clear();
  for (const std::string& name : invariants_to_check(schedule)) out.promised.insert(name);
  return out;
}

std::string line_of(const MechanismSpec& spec, const Outcome& outcome) {
  std::string line = "  " + std::string(spec.name) + std::string(17 - spec.name.size(), ' ');
  std::string sep;
  for (const std::string& name : outcome.broken) line += std::exchange(sep, ", ") + name;
  if (outcome.broken.empty()) line += "holds";
  return line + "\n";
}

}  // namespace

TEST_CASE("each file of scenarios/cases breaks under each mechanism exactly what is known of it") {
  std::string table;
  for (const std::string& name : cases()) {
    const Schedule schedule = schedule_of(name);
    table += name + "\n";
    for (const MechanismSpec& spec : Mechanisms::all()) {
      const auto params = chosen(spec).params;
      const bool refused = spec.refuses != nullptr && !spec.refuses(schedule.node, params).empty();
      if (refused) {
        table += "  " + std::string(spec.name) + std::string(17 - spec.name.size(), ' ') +
                 "refused with these versions\n";
        continue;
      }
      const Outcome outcome = run_under(schedule, spec);
      table += line_of(spec, outcome);
      INFO(name << ", " << spec.name);
      // Else the case did not take place.
      CHECK_MESSAGE(outcome.unmet.empty(), outcome.unmet.front());
      for (const std::string& broken : outcome.broken) {
        CHECK_MESSAGE(!outcome.promised.contains(broken), broken << " is promised");
      }
    }
  }
  test::check_golden("cases.txt", table);
}

}  // namespace rejoin::sim
