// What the compositions of known systems come to in a run.
#include "protocols/sync/preset.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "sim/run/check.hpp"
#include "sim/run/idle_settings.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {
namespace {

Schedule under(const std::string& file, const std::string& preset,
               std::vector<Override> overrides = {}) {
  overrides.insert(overrides.begin(), {"sync", preset});
  const auto scenario =
      load_scenario(REJOIN_SOURCE_DIR "/scenarios/" + file, linked_vocabulary(), overrides);
  REQUIRE_MESSAGE(scenario.has_value(), to_text(scenario.error().front()));
  const auto schedule = scenario->materialise(scenario->seed());
  REQUIRE(schedule.has_value());
  return *schedule;
}

std::set<std::string> broken(const RunRecord& record) {
  std::set<std::string> out;
  for (const Violation& each : record.violations) out.insert(each.invariant);
  return out;
}

std::vector<std::string> mechanisms_of(const Schedule& schedule) {
  std::vector<std::string> out;
  for (const auto& each : schedule.node.sync.mechanisms) out.push_back(each.name);
  return out;
}

TEST_CASE("presets: each is a composition that is not refused") {
  CHECK(Presets::names() == std::vector<std::string>{"cassandra", "riak"});
  for (const PresetSpec& preset : Presets::all()) {
    CAPTURE(preset.name);
    const auto scenario =
        read_scenario("t.yaml", "format: 1\ntimeline: []\nsync: " + std::string(preset.name) + "\n",
                      linked_vocabulary());
    REQUIRE_MESSAGE(scenario.has_value(), to_text(scenario.error().front()));
    const auto schedule = scenario->materialise(1);
    REQUIRE(schedule.has_value());
    CHECK(check_schedule(*schedule).empty());
    const bool streams = preset.name == "cassandra";
    std::vector<std::string> mechanisms = {"hinted-handoff", "read-repair", "merkle"};
    if (streams) mechanisms.insert(mechanisms.begin(), "rejoin-sync");
    CHECK(mechanisms_of(*schedule) == mechanisms);
    CHECK(schedule->node.sync.gate == (streams ? GateMode::fence : GateMode::open));
    CHECK(idle_settings(*schedule).empty());
  }
}

TEST_CASE("cassandra: an outage below the hint window is made good by hints, with nothing else") {
  const RunRecord record = run(under("cases/hints-short-outage.yaml", "cassandra"));
  CHECK(broken(record).empty());
  CHECK(*record.metrics.at("hints_delivered") > 0);
  CHECK(*record.metrics.at("repairs_completed") == 0);  // the next pass is a week away
}

TEST_CASE("cassandra: who restarts after hints have ended stays stale until it is read") {
  const RunRecord record = run(
      under("cases/hints-short-outage.yaml", "cassandra", {{"sync.hinted-handoff.window", "1s"}}));
  CHECK(broken(record).contains("no-stale-read"));
  CHECK(*record.metrics.at("stale_keys") == 30);
  CHECK(*record.metrics.at("repairs_started") == 0);
}

TEST_CASE("cassandra: who was removed and comes back streams what it owns before it serves") {
  const RunRecord record = run(under("seed/t0-t5.yaml", "cassandra", {{"versions", "timestamp"}}));
  CHECK(broken(record).empty());
  CHECK(*record.metrics.at("repairs_completed") > 0);
  CHECK(*record.metrics.at("missing_keys") + *record.metrics.at("stale_keys") == 0);
}

TEST_CASE("riak: the trees bring what hints cannot, two partitions every 15 s") {
  const RunRecord record =
      run(under("seed/t0-t5.yaml", "riak", {{"versions", "dvv"}, {"cluster.partitions", "4"}}));
  // It serves at once, and at the read no tick has come to its partition.
  CHECK(broken(record) == std::set<std::string>{"no-stale-read", "no-stale-read-after-repair"});
  CHECK(*record.metrics.at("stale_keys") + *record.metrics.at("missing_keys") == 0);
  // The others meet it, too: within two ticks each partition was compared by somebody.
  CHECK(*record.metrics.at("stale_ns") > 1'000'000'000);
  CHECK(*record.metrics.at("stale_ns") < 31'000'000'000);
}

}  // namespace
}  // namespace rejoin::sim
