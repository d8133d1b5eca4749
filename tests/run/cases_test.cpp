// What breaks under each mechanism in each file of scenarios/cases: no more, and no less.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "protocols/sync/mechanism.hpp"
#include "sim/invariants/invariant.hpp"
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
  bool repaired = false;
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
  out.repaired = record.metrics.at("repairs_started") != 0;
  schedule.check.clear();
  for (const std::string& name : invariants_to_check(schedule)) out.promised.insert(name);
  return out;
}

// Then nothing comes of the case under who repairs nothing on a return or a change.
bool waits_for_repair(const Schedule& schedule) {
  using What = trigger::When::What;
  return std::any_of(schedule.timeline.begin(), schedule.timeline.end(), [](const Step& step) {
    const auto* const when = std::get_if<trigger::When>(&step.trigger);
    return when != nullptr &&
           (when->what == What::repair_started || when->what == What::repair_completed);
  });
}

std::string named(const MechanismSpec& spec) {
  return "  " + std::string(spec.name) + std::string(17 - spec.name.size(), ' ');
}

std::string line_of(const MechanismSpec& spec, const Outcome& outcome) {
  std::string line = named(spec);
  std::string sep;
  for (const std::string& name : outcome.broken) line += std::exchange(sep, ", ") + name;
  if (outcome.broken.empty()) line += "holds";
  return line + "\n";
}

// Of every file below scenarios/, without what it expects to judge nothing.
std::set<std::string> checked_by_scenarios() {
  std::set<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(REJOIN_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    const auto scenario = load_scenario(entry.path().string(), linked_vocabulary());
    REQUIRE_MESSAGE(scenario.has_value(), entry.path());
    const auto schedule = scenario->materialise(scenario->seed());
    REQUIRE_MESSAGE(schedule.has_value(), entry.path());
    const auto& vacuous = schedule->expect.vacuous;
    for (const std::string& name : schedule->check) {
      if (std::find(vacuous.begin(), vacuous.end(), name) == vacuous.end()) out.insert(name);
    }
  }
  return out;
}

}  // namespace

// A run that passes has judged all of its `check`, see scenario_files_test.
TEST_CASE("each registered invariant is judged in a scenario that is shipped") {
  const std::set<std::string> checked = checked_by_scenarios();
  for (const InvariantSpec& spec : Invariants::all()) {
    CHECK_MESSAGE(checked.contains(std::string(spec.name)), spec.name);
  }
}

TEST_CASE("each file of scenarios/cases breaks under each mechanism exactly what is known of it") {
  std::string table;
  for (const std::string& name : cases()) {
    const Schedule schedule = schedule_of(name);
    table += name + "\n";
    for (const MechanismSpec& spec : Mechanisms::all()) {
      const auto params = chosen(spec).params;
      const bool refused = spec.refuses != nullptr && !spec.refuses(schedule.node, params).empty();
      if (refused) {
        table += named(spec) + "refused with these versions\n";
        continue;
      }
      const Outcome outcome = run_under(schedule, spec);
      if (waits_for_repair(schedule) && !outcome.repaired) {
        table += named(spec) + "repairs nothing\n";
        continue;
      }
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
