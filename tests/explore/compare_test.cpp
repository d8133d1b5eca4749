#include "sim/explore/compare.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

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

// What was sent, and which of it the network lost, by what it means.
class Fates final : public TraceSink {
 public:
  struct Sent {
    Address from;
    Address to;
    std::uint64_t kind = 0;
    std::uint64_t identity = 0;
    std::uint32_t attempt = 0;
    friend auto operator<=>(const Sent&, const Sent&) = default;
  };

  void on_event(const TraceEvent& /*event*/) override {}
  void on_fact(MonotonicTime /*at*/, std::uint64_t /*event*/, const FactSource& /*source*/,
               const Fact& /*fact*/) override {}
  void on_send(MonotonicTime at, std::uint64_t /*event*/, Address from, Address to,
               ByteView /*frame*/, const Tag& tag) override {
    order.emplace_back(at, key_of(from, to, tag));
    ++sent[key_of(from, to, tag)];
  }
  void on_drop(MonotonicTime /*at*/, std::uint64_t /*event*/, Address from, Address to,
               const Tag& tag, DropReason reason) override {
    if (reason == DropReason::loss) lost.insert(key_of(from, to, tag));
  }

  std::vector<std::pair<MonotonicTime, Sent>> order;
  std::map<Sent, int> sent;
  std::set<Sent> lost;

 private:
  static Sent key_of(Address from, Address to, const Tag& tag) {
    return {from, to, static_cast<std::uint64_t>(tag.kind.value), tag.identity, tag.attempt};
  }
};

Fates fates_of(const std::string& sync, std::uint64_t seed) {
  Fates out;
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
  const Fates none = fates_of("none", 4);
  const Fates copies = fates_of("rejoin-sync", 4);
  const Fates other = fates_of("none", 5);
  // Until the node is back they do the same: every message leaves at the same instant.
  const auto before_return = [](const Fates& of) {
    std::vector<std::pair<MonotonicTime, Fates::Sent>> out;
    for (const auto& each : of.order) {
      if (each.first < MonotonicTime(30s)) out.push_back(each);
    }
    return out;
  };
  CHECK(before_return(none).size() > 1'000);
  CHECK(before_return(none) == before_return(copies));
  CHECK_FALSE(before_return(none) == before_return(other));
  // Afterwards one of them sends more. Of whatever both sent, both lost the same.
  CHECK(copies.order.size() > none.order.size());
  std::size_t both = 0;
  std::size_t lost = 0;
  std::size_t apart = 0;
  for (const auto& [message, times] : none.sent) {
    const auto found = copies.sent.find(message);
    if (times != 1 || found == copies.sent.end() || found->second != 1) continue;
    ++both;
    lost += none.lost.contains(message) ? 1U : 0U;
    apart += none.lost.contains(message) != copies.lost.contains(message) ? 1U : 0U;
  }
  CHECK(both > 1'000);
  CHECK(lost > 10);
  CHECK(apart == 0);
}

TEST_CASE("what is promised and broken is told apart from what is only broken") {
  const std::vector<ComparedRun> runs = runs_of(grid_of({"none"}), 1);
  REQUIRE(!runs[0].broken.empty());
  for (const BrokenInvariant& each : runs[0].broken) CHECK_FALSE(each.promised);
  REQUIRE(!runs[0].lags.empty());
  CHECK(runs[0].lags.back().label == "settled");
  CHECK(runs[0].lags.back().copies == 50);
}

TEST_CASE("a run whose process dies is told not to have ended, and the others stand") {
  class Deadly final : public TraceSink {
   public:
    void on_event(const TraceEvent& /*event*/) override {}
    void on_fact(MonotonicTime /*at*/, std::uint64_t /*event*/, const FactSource& /*source*/,
                 const Fact& /*fact*/) override {}
    void on_send(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
                 ByteView /*frame*/, const Tag& tag) override {
      if (tag.purpose == Purpose::repair) ::kill(::getpid(), SIGKILL);
    }
    void on_drop(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
                 const Tag& /*tag*/, DropReason /*reason*/) override {}
  } deadly;
  const auto grid = grid_of({"none", "merkle"});
  for (const std::uint32_t jobs : {1U, 2U}) {
    CAPTURE(jobs);
    const Compared out = compare(grid, {.seeds = {.first = 3, .last = 4},
                                        .jobs = jobs,
                                        .run = {.expectations = false, .trace = &deadly}});
    CHECK(out.seeds == 2);
    REQUIRE(out.runs.size() == 8);
    const std::vector<ComparedRun> alone = runs_of(grid_of({"none"}), 1);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(out.runs[i].ended);
      CHECK(out.runs[i].digest == alone[i / 2 * 3 + i % 2].digest);
      CHECK_FALSE(out.runs[4 + i].ended);
      CHECK(out.runs[4 + i].says.find("signal 9") != std::string::npos);
    }
  }
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
