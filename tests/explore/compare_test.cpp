#include "sim/explore/compare.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>

#include "model/mutant.hpp"
#include "sim/run/vocabulary.hpp"

namespace rejoin::sim {
namespace {

const Vocabulary& words() {
  static const Vocabulary all = linked_vocabulary();
  return all;
}

Scenario scenario_of(const std::string& sync, std::vector<Override> more = {}) {
  more.insert(more.begin(), {.path = "sync", .value = sync});
  auto scenario = load_scenario(REJOIN_SOURCE_DIR "/scenarios/compare/rejoin.yaml", words(), more);
  REQUIRE(scenario.has_value());
  return *std::move(scenario);
}

std::vector<std::vector<Scenario>> grid_of(const std::vector<std::string>& strategies) {
  std::vector<std::vector<Scenario>> out;
  for (const std::string& sync : strategies) {
    out.push_back(
        {scenario_of(sync), scenario_of(sync, {{.path = "timeline.back.after", .value = "20s"}})});
  }
  return out;
}

std::vector<ComparedRun> runs_of(const std::vector<std::vector<Scenario>>& grid,
                                 std::uint32_t jobs) {
  const Compared out = compare(
      grid, {.seeds = {.first = 3, .last = 5}, .jobs = jobs, .run = {.expectations = false}});
  CHECK(out.seeds == 3);
  return out.runs;
}

// How long each message took that two runs have in common, by what it means.
class Delays final : public TraceSink {
 public:
  using Key = std::tuple<std::string, std::uint64_t, std::uint32_t, std::string>;

  void on_event(const TraceEvent& /*event*/) override {}
  void on_fact(MonotonicTime /*at*/, std::uint64_t /*event*/, const FactSource& /*source*/,
               const Fact& /*fact*/) override {}
  void on_send(MonotonicTime at, std::uint64_t /*event*/, Address from, Address to,
               ByteView /*frame*/, const Tag& tag) override {
    sent.push_back({at, from, to, tag.identity, tag.attempt});
  }
  void on_drop(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
               const Tag& /*tag*/, DropReason /*reason*/) override {
    ++dropped;
  }
  struct Sent {
    MonotonicTime at{};
    Address from;
    Address to;
    std::uint64_t identity = 0;
    std::uint32_t attempt = 0;
    friend bool operator==(const Sent&, const Sent&) = default;
  };
  std::vector<Sent> sent;
  std::uint64_t dropped = 0;
};

Delays trace_of(const std::string& sync, std::uint64_t seed) {
  Delays out;
  (void)run(*scenario_of(sync, {{.path = "network.loss", .value = "1%"}}).materialise(seed),
            {.expectations = false, .trace = &out});
  return out;
}

}  // namespace

TEST_CASE("a comparison is the same whatever the number of workers") {
  const auto grid = grid_of({"none", "merkle", "rejoin-sync"});
  const std::vector<ComparedRun> one = runs_of(grid, 1);
  CHECK(one.size() == 3 * 2 * 3);
  CHECK(one == runs_of(grid, 3));
}

TEST_CASE("removing a strategy changes no other strategy's runs") {
  const std::vector<ComparedRun> all = runs_of(grid_of({"none", "merkle", "rejoin-sync"}), 2);
  const std::vector<ComparedRun> fewer = runs_of(grid_of({"none", "rejoin-sync"}), 2);
  REQUIRE(fewer.size() == 12);
  CHECK(std::equal(fewer.begin(), fewer.begin() + 6, all.begin()));
  CHECK(std::equal(fewer.begin() + 6, fewer.end(), all.begin() + 12));
  CHECK(all[0] != all[6]);  // the strategies do differ
}

TEST_CASE("cells and seeds are where the grid says") {
  const auto grid = grid_of({"none", "rejoin-sync"});
  const std::vector<ComparedRun> runs = runs_of(grid, 2);
  const auto alone = [&](std::size_t strategy, std::size_t cell, std::uint64_t seed) {
    return compared_run(*grid[strategy][cell].materialise(seed), {.expectations = false});
  };
  CHECK(runs[0] == alone(0, 0, 3));
  CHECK(runs[2] == alone(0, 0, 5));
  CHECK(runs[3] == alone(0, 1, 3));
  CHECK(runs[11] == alone(1, 1, 5));
}

TEST_CASE("two strategies meet the same weather") {
  // Until the node is back they do the same, so that every draw must agree: who sent what, when,
  // and what was lost.
  const Delays none = trace_of("none", 4);
  const Delays copies = trace_of("rejoin-sync", 4);
  const Delays other = trace_of("none", 5);
  const auto before_return = [](const Delays& of) {
    std::vector<Delays::Sent> out;
    for (const Delays::Sent& each : of.sent) {
      if (each.at < MonotonicTime(30s)) out.push_back(each);
    }
    return out;
  };
  CHECK(before_return(none).size() > 1'000);
  CHECK(before_return(none) == before_return(copies));
  CHECK_FALSE(before_return(none) == before_return(other));
  CHECK(none.dropped > 0);
  // Afterwards they send other things, and what they have in common meets the same: the workload
  // draws the same keys in the same order.
  const auto operations = [](const std::string& sync) {
    const RunRecord record = run(*scenario_of(sync).materialise(4), {.expectations = false});
    std::vector<std::pair<std::string, Key>> out;
    for (const Operation& each : record.history) out.emplace_back(each.label, each.key);
    return out;
  };
  CHECK(operations("none") == operations("merkle"));
}

TEST_CASE("what is promised and broken is told apart from what is only broken") {
  const std::vector<ComparedRun> runs = runs_of(grid_of({"none"}), 1);
  REQUIRE(!runs[0].broken.empty());
  for (const BrokenInvariant& each : runs[0].broken) CHECK_FALSE(each.promised);
  REQUIRE(!runs[0].lags.empty());
  CHECK(runs[0].lags.back().label == "settled");
  CHECK(runs[0].lags.back().copies == 50);
}

TEST_CASE("an interrupted comparison has whole seeds only") {
  const auto grid = grid_of({"none", "merkle"});
  int looks = 0;
  const Compared out = compare(grid, {.seeds = {.first = 1, .last = 50},
                                      .jobs = 1,
                                      .run = {.expectations = false},
                                      .interrupted = [&looks] { return ++looks == 11; }});
  CHECK(out.interrupted);
  CHECK(out.seeds <= 2);
  CHECK(out.runs.size() == out.seeds * 4);
}

}  // namespace rejoin::sim
