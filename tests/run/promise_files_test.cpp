// Of each promise of each mechanism scenarios/promises has a file that shows it kept under faults,
// and one for each of its conditions that shows it broken without that one.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocols/sync/promises.hpp"
#include "sim/run/run.hpp"
#include "sim/run/verdict.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/support/golden.hpp"

namespace rejoin::sim {
namespace {

namespace fs = std::filesystem;

const std::string kFolder = "scenarios/promises/";

std::string kept_file(std::string_view promise) {
  return std::string(promise) + "-kept.yaml";
}
std::string broken_file(std::string_view promise, std::string_view condition) {
  return std::string(promise) + "-without-" + std::string(condition) + ".yaml";
}

bool is_there(const std::string& file) {
  return fs::exists(std::string(REJOIN_SOURCE_DIR) + "/" + kFolder + file);
}

Schedule schedule_of(const std::string& file) {
  const auto scenario =
      load_scenario(std::string(REJOIN_SOURCE_DIR) + "/" + kFolder + file, linked_vocabulary());
  REQUIRE_MESSAGE(scenario.has_value(), file);
  const auto schedule = scenario->materialise(scenario->seed());
  REQUIRE_MESSAGE(schedule.has_value(), file);
  return *schedule;
}

bool promises_it(const MechanismSpec& spec, std::string_view promise) {
  return std::find(spec.promises.begin(), spec.promises.end(), promise) != spec.promises.end();
}

// Whose promise the file is about: the first that has it. Others of its `sync` are beside it.
SyncOptions::Mechanism& subject(Schedule& schedule, std::string_view promise) {
  auto& chosen = schedule.node.sync.mechanisms;
  const auto at = std::find_if(chosen.begin(), chosen.end(), [&](const auto& each) {
    return promises_it(*Mechanisms::find(each.name), promise);
  });
  REQUIRE(at != chosen.end());
  return *at;
}

// This one in its place, with what the file says of the parameters that both have.
void put_in_place(Schedule& schedule, const MechanismSpec& spec, std::string_view promise) {
  SyncOptions::Mechanism& it = subject(schedule, promise);
  if (it.name == spec.name) return;
  Params params = default_params(spec.params);
  for (const auto& [name, value] : it.params.all()) {
    const bool shared = std::any_of(spec.params.begin(), spec.params.end(),
                                    [&](const ParamSpec& param) { return param.name == name; });
    if (shared) params.set(name, value);
  }
  it = {.name = std::string(spec.name), .params = std::move(params)};
}

// Without what promises it. Who repairs nothing makes no store regress: for that it takes a copy
// that overwrites.
void take_away(Schedule& schedule, std::string_view promise) {
  const std::string name = subject(schedule, promise).name;
  auto& chosen = schedule.node.sync.mechanisms;
  std::erase_if(chosen, [&](const auto& each) { return each.name == name; });
  if (!chosen.empty()) return;
  const MechanismSpec& other =
      *Mechanisms::find(promise == "merge-never-regresses" ? "hook-copy" : "none");
  chosen = {{.name = std::string(other.name), .params = default_params(other.params)}};
}

// How a condition is met again, all else being as it is.
using Restore = std::function<void(Schedule&, SyncOptions::Mechanism&)>;

Restore with(std::string_view name, ParamValue value) {
  return [name, value = std::move(value)](Schedule&, auto& subject) {
    subject.params.set(name, value);
  };
}

void drop_clock_faults(Schedule& schedule) {
  std::erase_if(schedule.timeline, [](const Step& step) {
    const auto* const inject = std::get_if<action::Inject>(&step.action);
    return inject != nullptr && inject->fault.starts_with("clock-");
  });
}

void read_by_coordinators(Schedule& schedule) {
  for (Step& step : schedule.timeline) {
    if (auto* const operate = std::get_if<action::Operate>(&step.action)) operate->direct = false;
  }
}

const std::map<std::string_view, Restore>& restores() {
  static const std::map<std::string_view, Restore> all = {
      {"versions", [](Schedule& s, auto&) { s.node.store.versions = VersionScheme::timestamp; }},
      {"agreeing-clocks", [](Schedule& s, auto&) { drop_clock_faults(s); }},
      {"strict-quorums", [](Schedule& s, auto&) { s.node.coordinator.sloppy = false; }},
      {"quorum-writes", [](Schedule& s, auto&) { s.client.write = Consistency::quorum; }},
      {"covering-sources", with("source", std::string("quorum"))},
      {"pull", with("direction", std::string("both"))},
      {"on-return", with("on_return", true)},
      {"merging", with("mode", std::string("merge"))},
      {"tombstones", [](Schedule& s, auto&) { s.node.store.tombstones = TombstoneRule::keep; }},
      {"latest-shown", [](Schedule& s, auto&) { s.node.store.conflict = "siblings"; }},
      {"blocking", with("mode", std::string("blocking"))},
      {"whole-scope", with("scope", std::string("all"))},
      {"certainty", with("probability", Share{.ppm = 1'000'000})},
      {"quorum-reads", [](Schedule& s, auto&) { s.client.read = Consistency::quorum; }},
      {"coordinated-reads", [](Schedule& s, auto&) { read_by_coordinators(s); }},
      {"repaired-newcomers",
       [](Schedule& s, auto&) {
         const MechanismSpec& spec = *Mechanisms::find("merkle");
         s.node.sync.mechanisms.push_back({"merkle", default_params(spec.params)});
       }},
      {"fence", [](Schedule& s, auto&) { s.node.sync.gate = GateMode::fence; }},
  };
  return all;
}

std::set<std::string> broken_in(const RunRecord& record) {
  std::set<std::string> out;
  for (const Violation& violation : record.violations) out.insert(violation.invariant);
  return out;
}

// What the promise of this mechanism lacks in this schedule.
std::vector<std::string> unmet(const Schedule& schedule, std::string_view name,
                               std::string_view promise) {
  for (const Promise& each : promises_of(schedule)) {
    if (each.mechanism == name && each.invariant == promise) return each.unmet;
  }
  return {"the mechanism itself"};
}

std::string times(std::uint64_t n) {
  return n == 1 ? "once" : std::to_string(n) + " times";
}

std::string times_broken(const RunRecord& record, std::string_view promise) {
  return times(static_cast<std::uint64_t>(
      std::count_if(record.violations.begin(), record.violations.end(),
                    [&](const Violation& each) { return each.invariant == promise; })));
}

std::string cell(const std::string& text, std::size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

// A line for the table.
std::string check_kept(const MechanismSpec& spec, std::string_view promise) {
  const std::string file = kept_file(promise);
  INFO(file << ", " << spec.name);
  Schedule schedule = schedule_of(file);
  put_in_place(schedule, spec, promise);
  CHECK(schedule.expect.violates.empty());
  CHECK(unmet(schedule, spec.name, promise).empty());
  const RunRecord record = run(schedule);
  CHECK_MESSAGE(record.verdict == Verdict::pass, record.verdict_says);
  CHECK(broken_in(record).empty());
  const std::uint64_t judged = record.judged.at(std::string(promise));
  CHECK(judged > 0);

  // Faults that do no harm would prove nothing.
  take_away(schedule, promise);
  const RunRecord without = run(schedule);
  CHECK_MESSAGE(broken_in(without).contains(std::string(promise)), "not broken without it either");
  std::string instead;
  for (const auto& each : schedule.node.sync.mechanisms) {
    instead += (instead.empty() ? "" : "+") + each.name;
  }
  return "    " + cell("kept", 28) + "held, judged " + times(judged) + "; broken with " + instead +
         " " + times_broken(without, promise) + "\n";
}

std::string check_broken(const MechanismSpec& spec, std::string_view promise,
                         const Condition& condition) {
  const std::string file = broken_file(promise, condition.name);
  INFO(file << ", " << spec.name);
  Schedule schedule = schedule_of(file);
  put_in_place(schedule, spec, promise);
  CHECK(schedule.expect.violates == std::vector<std::string>{std::string(promise)});
  // This condition is given up, and no other.
  std::vector<std::string> given_up;
  if (condition.met != nullptr) given_up.emplace_back(condition.says);
  CHECK(unmet(schedule, spec.name, promise) == given_up);
  const RunRecord record = run(schedule);
  CHECK_MESSAGE(record.verdict == Verdict::pass, record.verdict_says);
  CHECK(broken_in(record) == std::set<std::string>{std::string(promise)});
  const bool told =
      std::any_of(record.warnings.begin(), record.warnings.end(), [&](const std::string& warning) {
        return warning.find(spec.name) == 0 && warning.find(condition.says) != std::string::npos;
      });
  CHECK(told == (condition.met != nullptr));
  const std::string line = "    " + cell("without " + std::string(condition.name), 28) + "broken " +
                           times_broken(record, promise);
  if (condition.met == nullptr) return line + "\n";

  // It is that condition which makes the difference.
  const auto restore = restores().find(condition.name);
  REQUIRE_MESSAGE(restore != restores().end(), "nothing says how to meet it again");
  restore->second(schedule, subject(schedule, promise));
  CHECK(unmet(schedule, spec.name, promise).empty());
  const RunRecord restored = run(schedule);
  CHECK_FALSE(broken_in(restored).contains(std::string(promise)));
  return line + ", kept with it\n";
}

}  // namespace

TEST_CASE("each promise is shown to be kept under faults, and to break without each condition") {
  std::string table;
  for (const MechanismSpec& spec : Mechanisms::all()) {
    if (spec.promises.empty()) continue;
    table += std::string(spec.name) + "\n";
    for (const std::string_view promise : spec.promises) {
      table += "  " + std::string(promise) + "\n";
      if (is_there(kept_file(promise))) {
        table += check_kept(spec, promise);
      } else {
        FAIL_CHECK(kFolder << kept_file(promise) << " is missing: that " << spec.name << " keeps "
                           << promise << " under faults, and what breaks it without");
      }
      for (const Condition* condition : conditions_of(spec, promise)) {
        const std::string file = broken_file(promise, condition->name);
        if (is_there(file)) {
          table += check_broken(spec, promise, *condition);
        } else {
          FAIL_CHECK(kFolder << file << " is missing: how " << promise << " breaks under "
                             << spec.name << " without `" << condition->says << "`");
        }
      }
    }
  }
  test::check_golden("promises.txt", table);
}

TEST_CASE("promises are kept under every scheme of versions") {
  for (const MechanismSpec& spec : Mechanisms::all()) {
    for (const std::string_view promise : spec.promises) {
      for (const VersionScheme scheme :
           {VersionScheme::hlc, VersionScheme::version_vector, VersionScheme::dvv}) {
        CAPTURE(spec.name);
        CAPTURE(promise);
        CAPTURE(to_name(scheme));
        Schedule schedule = schedule_of(kept_file(promise));
        put_in_place(schedule, spec, promise);
        schedule.node.store.versions = scheme;
        CHECK(unmet(schedule, spec.name, promise).empty());
        CHECK(run(schedule).violations.empty());
      }
    }
  }
}

TEST_CASE("versions that are no clocks need none that agree, unless a rule compares them") {
  for (const std::string_view promise :
       {"acknowledged-writes-survive", "merge-never-regresses", "no-stale-read-after-repair"}) {
    CAPTURE(promise);
    Schedule schedule = schedule_of(broken_file(promise, "agreeing-clocks"));
    schedule.expect = {};
    for (const VersionScheme scheme : {VersionScheme::version_vector, VersionScheme::dvv}) {
      schedule.node.store.versions = scheme;
      schedule.node.store.conflict = "natural";
      CHECK(unmet(schedule, "rejoin-sync", promise).empty());
      CHECK(run(schedule).violations.empty());
      schedule.node.store.conflict = "lww";
      CHECK(unmet(schedule, "rejoin-sync", promise).size() == 1);
    }
    schedule.node.store.versions = VersionScheme::hlc;
    schedule.node.store.conflict = "natural";
    CHECK(unmet(schedule, "rejoin-sync", promise).size() == 1);
  }
}

TEST_CASE("every file of scenarios/promises shows something of a promise") {
  std::set<std::string> known = {"base.yaml"};
  for (const MechanismSpec& spec : Mechanisms::all()) {
    for (const std::string_view promise : spec.promises) {
      known.insert(kept_file(promise));
      for (const Condition* condition : conditions_of(spec, promise)) {
        known.insert(broken_file(promise, condition->name));
      }
    }
  }
  for (const auto& entry : fs::directory_iterator(std::string(REJOIN_SOURCE_DIR) + "/" + kFolder)) {
    const std::string file = entry.path().filename().string();
    CHECK_MESSAGE(known.contains(file), file << " is about no condition of any promise");
  }
}

}  // namespace rejoin::sim
