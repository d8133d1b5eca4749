// Every fault has a file that shows it, and every file goes red when its fault is not injected:
// when its step is deleted, and when it does nothing instead, for as long.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
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

std::string fault_of(const std::string& file) {
  // These show what else a fault can do.
  static const std::map<std::string, std::string> others = {{"restart-wiped", "restart"},
                                                            {"site-isolated", "site-down"}};
  const std::string stem = fs::path(file).stem().string();
  const auto other = others.find(stem);
  return other == others.end() ? stem : other->second;
}

std::vector<std::size_t> injections(const Schedule& schedule) {
  std::vector<std::size_t> out;
  for (std::size_t s = 0; s < schedule.timeline.size(); ++s) {
    if (std::holds_alternative<action::Inject>(schedule.timeline[s].action)) out.push_back(s);
  }
  return out;
}

// A fault that begins and ends and does nothing that anyone could notice: a client never looks at
// its wall clock.
action::Inject nothing(std::optional<Duration> lasts) {
  const FaultSpec* const spec = Faults::find("clock-offset");
  REQUIRE(spec != nullptr);
  action::Inject out{.fault = "clock-offset", .params = default_params(spec->params)};
  out.params.set("target", Selectors{{.kind = Selector::Kind::client, .client = ClientId(1)}});
  out.params.set("by", Duration(1ns));
  out.lasts = lasts;
  return out;
}

// Whether a process dies is up to the fault: without it these steps would never fire, and that
// alone would be red.
void do_not_wait_for_deaths(Schedule& schedule) {
  for (Step& step : schedule.timeline) {
    const auto* const when = std::get_if<trigger::When>(&step.trigger);
    if (when != nullptr && when->what == trigger::When::What::crashed) {
      step.trigger = trigger::After{5s};
    }
  }
}

void check_red(Schedule schedule, std::string_view how, std::size_t step) {
  schedule.limits.patience = std::min<Duration>(schedule.limits.patience, 2min);
  const RunRecord calm = run(schedule);
  INFO(how);
  CHECK_MESSAGE(calm.verdict == Verdict::fail,
                schedule.timeline[step].label << " " << how << ": " << calm.verdict_says);
}

}  // namespace

TEST_CASE("every fault has a file that shows it") {
  std::set<std::string> shown;
  for (const std::string& file : fault_files()) {
    const Schedule schedule = load(file);
    const std::vector<std::size_t> steps = injections(schedule);
    const std::string fault = fault_of(file);
    INFO(file);
    CHECK(std::any_of(steps.begin(), steps.end(), [&](std::size_t step) {
      return std::get<action::Inject>(schedule.timeline[step].action).fault == fault;
    }));
    shown.insert(fs::path(file).stem().string());
  }
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
    for (const std::size_t s : injections(schedule)) {
      // Steps that end it or wait for its end stay: they end nothing, or wait in vain.
      Schedule without = schedule;
      without.timeline[s].action = action::Wait{};
      check_red(without, "deleted", s);
      // Here they find an end, so that it is for what the fault did that the file is red.
      without.timeline[s].action =
          nothing(std::get<action::Inject>(schedule.timeline[s].action).lasts);
      check_red(without, "doing nothing", s);
      do_not_wait_for_deaths(without);
      check_red(without, "doing nothing, and no death waited for", s);
      ++deleted;
    }
  }
  CHECK(deleted >= Faults::all().size());
}

}  // namespace rejoin::sim
