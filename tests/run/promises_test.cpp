// What a mechanism promises is judged, whether the schedule asks for it or not.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/run/run.hpp"
#include "sim/run/verdict.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

constexpr const char* kPromised = "no-stale-read-after-repair";

Schedule promising(Consistency write) {
  Schedule schedule = test::seed_schedule("rejoin-sync");
  schedule.client.write = write;
  schedule.check.clear();
  return schedule;
}

bool promised(const Schedule& schedule) {
  const std::vector<std::string> names = invariants_to_check(schedule);
  return std::find(names.begin(), names.end(), kPromised) != names.end();
}

void set(Schedule& schedule, const std::string& param, const std::string& value) {
  schedule.node.sync.mechanisms.front().params.set(param, value);
}

TEST_CASE("rejoin-sync promises where all write at all, is judged by it, and keeps it") {
  const RunRecord record = run(promising(Consistency::all));
  REQUIRE(record.judged.contains(kPromised));
  CHECK(record.judged.at(kPromised) > 0);
  CHECK(record.judged.contains("acknowledged-writes-survive"));
  CHECK_FALSE(record.judged.contains("replicas-converge"));
  CHECK(record.violations.empty());
  CHECK(record.verdict == Verdict::pass);
}

TEST_CASE("rejoin-sync promises nothing where all write at one") {
  CHECK_FALSE(run(promising(Consistency::one)).judged.contains(kPromised));
}

TEST_CASE("one step that writes at a weaker level than the clients ends the promise") {
  Schedule schedule = promising(Consistency::all);
  std::get<action::Operate>(schedule.timeline[3].action).level = Consistency::quorum;
  CHECK_FALSE(promised(schedule));
  // And one that reads does not.
  schedule = promising(Consistency::all);
  std::get<action::Operate>(schedule.timeline.back().action).level = Consistency::one;
  CHECK(promised(schedule));
}

TEST_CASE("a sloppy quorum ends the promise: who acknowledged need own nothing") {
  Schedule schedule = promising(Consistency::all);
  REQUIRE(promised(schedule));
  schedule.node.coordinator.sloppy = true;
  CHECK_FALSE(promised(schedule));
}

TEST_CASE("one step that reads at a weaker level, or directly, ends a promise about reads") {
  Schedule schedule = promising(Consistency::quorum);
  schedule.client.read = Consistency::quorum;
  schedule.node.sync.gate = GateMode::fence;
  set(schedule, "source", "quorum");
  const MechanismSpec& spec = *Mechanisms::find("read-repair");
  schedule.node.sync.mechanisms.push_back({"read-repair", default_params(spec.params)});
  const auto promises_monotonic_reads = [&schedule] {
    const std::vector<std::string> names = invariants_to_check(schedule);
    return std::find(names.begin(), names.end(), "monotonic-reads") != names.end();
  };
  auto& read = std::get<action::Operate>(schedule.timeline.back().action);
  REQUIRE(read.direct);
  CHECK_FALSE(promises_monotonic_reads());
  read.direct = false;
  CHECK(promises_monotonic_reads());
  read.level = Consistency::one;
  CHECK_FALSE(promises_monotonic_reads());
  read.level = Consistency::all;
  CHECK(promises_monotonic_reads());
}

TEST_CASE("the promise takes sources that cover the writes, versions, and a merge") {
  for (const std::string source : {"freshest", "one", "quorum", "all"}) {
    const bool majority = source == "quorum" || source == "all";
    for (const Consistency write : {Consistency::one, Consistency::quorum, Consistency::all}) {
      Schedule schedule = promising(write);
      set(schedule, "source", source);
      CAPTURE(source);
      CAPTURE(to_name(write));
      CHECK(promised(schedule) ==
            (write == Consistency::all || (majority && write == Consistency::quorum)));
    }
  }
  Schedule wiping = promising(Consistency::all);
  set(wiping, "mode", "wipe");
  CHECK_FALSE(promised(wiping));
  Schedule unversioned = promising(Consistency::all);
  unversioned.node.store.versions = VersionScheme::none;
  CHECK_FALSE(promised(unversioned));
}

}  // namespace
}  // namespace rejoin::sim
