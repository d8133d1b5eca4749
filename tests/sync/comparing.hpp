// Node 3 was away while others wrote, and comes back to a cluster whose mechanism compares.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "protocols/sync/compare_messages.hpp"
#include "tests/sync/harness.hpp"

namespace rejoin::sync_test {

inline Setup comparing(const std::string& name, std::map<std::string, std::string> params = {}) {
  Setup setup;
  params.try_emplace("period", "0s");
  setup.sync.mechanisms = {mechanism(name, std::move(params))};
  setup.sync.fetch_timeout = 100ms;
  setup.sync.retry_backoff = 20ms;
  return setup;
}

struct Comparing : Cluster {
  explicit Comparing(const Setup& setup) : Cluster(setup) { found_all(); }
  void away(const std::function<void()>& meanwhile) {
    run_for(10ms);
    node(3).crash();
    meanwhile();
    run_for(10ms);
    node(3).forget_facts();
    come_back(3);
  }
  void write_on(std::initializer_list<std::uint32_t> numbers, const Record& record) {
    for (const std::uint32_t n : numbers) node(n).write(record);
  }
  [[nodiscard]] bool all_equal() {
    return node(1).contents() == node(2).contents() && node(2).contents() == node(3).contents();
  }
  // Records that came to a node, or left it, because of a comparison.
  [[nodiscard]] std::size_t pulled(std::uint32_t n) {
    std::size_t out = 0;
    for (const auto& done : node(n).facts<fact::RepairCompleted>()) out += done.changed;
    return out;
  }
};

// What every mechanism that compares has to do, whatever it compares by.
inline void check_returns(const std::string& name) {
  Comparing cluster(comparing(name));
  for (int i = 100; i < 140; ++i) cluster.write_on({1, 2, 3}, record("k" + std::to_string(i), 1));
  cluster.away([&] {
    cluster.write_on({1, 2}, record("k101", 2));
    cluster.write_on({1, 2}, record("k102", 3, true));
    cluster.write_on({1, 2}, record("new", 4));
  });
  cluster.run_for(2s);
  CHECK(cluster.all_equal());
  CHECK(cluster.node(3).contents().at("k101") == "k101@2");
  CHECK(cluster.node(3).contents().at("k102") == "(deleted)");
  CHECK(cluster.pulled(3) == 3);
  // What was equal stayed where it was.
  std::size_t records = 0;
  for (const Sent& sent : cluster.world().sent) {
    if (sent.kind != sync_detail::PullReply::kind) continue;
    const auto frame = decode_frame(sent.frame);
    REQUIRE(frame.has_value());
    records += decode<sync_detail::PullReply>(frame->body)->records.size();
  }
  CHECK(records == 3);
}

// What only the returning node holds goes to the others, who may lose it otherwise.
inline void check_pushes(const std::string& name) {
  for (const std::string direction : {"both", "pull", "push"}) {
    INFO(name << " " << direction);
    Comparing cluster(comparing(name, {{"direction", direction}, {"source", "all"}}));
    cluster.write_on({3}, record("only", 5));
    cluster.away([&] { cluster.write_on({1, 2}, record("missed", 6)); });
    cluster.run_for(2s);
    CHECK(cluster.node(1).contents().count("only") == (direction == "pull" ? 0 : 1));
    CHECK(cluster.node(2).contents().count("only") == (direction == "pull" ? 0 : 1));
    CHECK(cluster.node(3).contents().count("missed") == (direction == "push" ? 0 : 1));
  }
}

inline void check_keeps_newer(const std::string& name) {
  Comparing cluster(comparing(name, {{"source", "all"}}));
  cluster.write_on({3}, record("a", 30));
  cluster.away([&] { cluster.write_on({1, 2}, record("a", 10)); });
  cluster.run_for(2s);
  CHECK(cluster.all_equal());
  CHECK(cluster.node(1).contents().at("a") == "a@30");
}

inline void check_lost_answers(const std::string& name) {
  Comparing cluster(comparing(name));
  std::map<std::uint16_t, int> seen;
  // The first message of each kind is lost, and every fourth after it.
  cluster.world().drops = [&seen](const Sent& sent) { return seen[sent.kind.value]++ % 4 == 0; };
  cluster.away([&] {
    for (int i = 100; i < 180; ++i) cluster.write_on({1, 2}, record("k" + std::to_string(i), i));
  });
  cluster.run_for(20s);
  CHECK(cluster.node(3).contents() == cluster.node(1).contents());
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
}

inline void check_passes(const std::string& name) {
  Comparing cluster(comparing(name, {{"period", "1s"}, {"on_return", "false"}}));
  cluster.write_on({1}, record("one", 1));
  cluster.write_on({2}, record("two", 2));
  cluster.write_on({3}, record("three", 3));
  cluster.run_for(500ms);
  CHECK_FALSE(cluster.all_equal());
  cluster.run_for(5s);
  CHECK(cluster.all_equal());
  // Upkeep claims nothing.
  for (std::uint32_t n = 1; n <= 3; ++n) {
    for (const auto& done : cluster.node(n).facts<fact::RepairCompleted>()) {
      CHECK_FALSE(done.claims);
    }
  }
  const std::size_t before = cluster.world().count(sync_detail::PullReply::kind);
  cluster.run_for(5s);
  CHECK(cluster.world().count(sync_detail::PullReply::kind) ==
        before);  // equal replicas exchange no records
}

}  // namespace rejoin::sync_test
