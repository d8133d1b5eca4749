// What a right file means.
#include "model/random.hpp"
#include "support.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

constexpr const char* kRich = R"(# A file that uses much.
format: 1
seed: 7
trials: 3
cluster: { nodes: 4, clients: 2, replication: { pick: [2, 3] } }
membership: { interval: { pick: 1s..9s } }
raft: { election: 1s..1.5s }
network:
  latency: { uniform: 1ms..3ms }
  latency-by-purpose: { repair: 20ms }
  links: [{ from: node-1, to: client-2, latency: { exponential: 2ms } }]
  loss: 0.5%
  bandwidth: 100MiB
versions: timestamp
sync: [hook-copy, rejoin-sync: { delay: { pick: 1s..5s } }]
gate: fence
client: { write: quorum }
timeline:
  - { label: T0, write: { keys: [key-1..key-20, odd], clients: 2, every: 2ms }, background: true }
  - { label: T1, at: { pick: 10s..60s }, partition: [[node-1], [node-2, node-3]] }
  - { label: T2, when: { sync-requested: { node: node-1, count: 17 } }, set: { ttl: 5, a-b: x y } }
  - { label: T3, when: { quiet: 5s }, read: { key: odd, via: node-2, direct: true }, expect: value }
  - { label: T4, restart: { target: { pick: node-1..node-4 }, wipe: true } }
  - { label: T5, when: { started: t0 }, delete: { keys: [odd, key-3], level: all } }
  - { label: T6, heal: true }
check: [replicas-converge, no-stale-read]
expect: { violates: [no-stale-read], metrics: { repair-bytes: { at-most: 1MiB }, missing_reads: 2 } }
limits: { virtual-time: 2h }
)";

const Step& step(const Schedule& schedule, std::string_view label) {
  for (const Step& each : schedule.timeline) {
    if (each.label == label) return each;
  }
  FAIL("no such step");
  return schedule.timeline.front();
}

MonotonicTime at_of(const Schedule& schedule, std::string_view label) {
  return std::get<trigger::At>(step(schedule, label).trigger).time;
}

}  // namespace

TEST_CASE("every value of a file reaches the schedule") {
  const Schedule s = schedule_of(kRich);
  CHECK(s.about == "A file that uses much.");
  CHECK(s.cluster.clients == 2);
  CHECK(s.node.raft.election == DurationRange{1s, 1500ms});
  CHECK(s.network.latency == uniform_latency({1ms, 3ms}));
  CHECK(s.network.latency_by_purpose[static_cast<std::size_t>(Purpose::repair)] ==
        constant_latency(20ms));
  CHECK(s.network.links.at(0).to.host == client_address(ClientId(2)));
  CHECK(s.network.loss.ppm == 5'000);
  CHECK(s.network.bandwidth_bytes_per_s == 104'857'600);
  CHECK(s.node.store.versions == VersionScheme::timestamp);
  CHECK(s.node.sync.gate == GateMode::fence);
  REQUIRE(s.node.sync.mechanisms.size() == 2);
  CHECK(s.node.sync.mechanisms[1].params.get<std::string>("source") == "freshest");
  const auto& write = std::get<action::Operate>(step(s, "T0").action);
  CHECK(write.keys.size() == 21);
  CHECK(write.keys[19] == "key-20");
  CHECK(write.background);
  CHECK(write.every == 2ms);
  const auto& when = std::get<trigger::When>(step(s, "T2").trigger);
  CHECK(when.what == trigger::When::What::sync_requested);
  CHECK(when.count == 17);
  const auto& set = std::get<action::Operate>(step(s, "T2").action);
  CHECK(set.settings.at("a-b") == "x y");
  const auto& read = std::get<action::Operate>(step(s, "T3").action);
  CHECK(read.direct);
  CHECK(read.expect == ResultKind::value);
  CHECK(std::get<action::Inject>(step(s, "T4").action).params.get<std::string>("wipe") == "true");
  CHECK(std::get<trigger::When>(step(s, "T5").trigger).text == "T0");
  CHECK(s.expect.metrics.at("repair_bytes").at_most == 1'048'576);
  CHECK(s.expect.metrics.at("missing_reads").equals == 2);
  CHECK(s.limits.virtual_time == 2h);
  CHECK(s.check == std::vector<std::string>{"no-stale-read", "replicas-converge"});
}

TEST_CASE("the resolved file and the written schedule read back as the same schedule") {
  const auto scenario = read(kRich);
  REQUIRE(scenario.has_value());
  CHECK(scenario->seed() == 7);
  CHECK(scenario->trials() == 3);
  const std::string resolved = scenario->resolved();
  CHECK(read(resolved)->resolved() == resolved);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::string written = to_yaml(*scenario->materialise(seed));
    CHECK(to_yaml(schedule_of(resolved, {}, seed)) == written);
    CHECK(to_yaml(schedule_of(written, {}, seed)) == written);
  }
}

TEST_CASE("a pick depends on the seed and on its path, not on the steps around it") {
  const Schedule one = schedule_of(kRich, {}, 1);
  CHECK(at_of(one, "T1") == at_of(schedule_of(kRich, {}, 1), "T1"));
  std::string fewer(kRich);
  const std::size_t begin = fewer.find("  - { label: T0");
  fewer.replace(begin, fewer.find('\n', begin) - begin, "  - { label: T9, write: [odd, key-3] }");
  fewer.replace(fewer.find("started: t0"), 11, "started: t9");
  bool moved = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Schedule all = schedule_of(kRich, {}, seed);
    CHECK(at_of(schedule_of(fewer, {}, seed), "T1") == at_of(all, "T1"));
    const Duration at = at_of(all, "T1").time_since_epoch();
    CHECK(at >= 10s);
    CHECK(at <= 60s);
    CHECK(at % 1ms == 0ns);
    moved = moved || at_of(all, "T1") != at_of(one, "T1");
  }
  CHECK(moved);
}

TEST_CASE("overrides reach sections, steps by label, and parameters of mechanisms") {
  const Schedule s = schedule_of(kRich, {{"raft.heartbeat", "70ms"},
                                         {"timeline.t3.after", "20s"},
                                         {"timeline.T4.restart.wipe", "consensus"},
                                         {"sync.rejoin_sync.source", "all"},
                                         {"cluster.replication", "1"},
                                         {"check", "[]"}});
  CHECK(s.node.raft.heartbeat == 70ms);
  CHECK(std::get<trigger::After>(step(s, "T3").trigger).delay == 20s);
  CHECK(std::get<action::Inject>(step(s, "T4").action).params.get<std::string>("wipe") ==
        "consensus");
  CHECK(s.node.sync.mechanisms[1].params.get<std::string>("source") == "all");
  CHECK(s.node.partitioning.replication == 1);
  CHECK(s.check.empty());
  CHECK(schedule_of(kRich, {{"sync", "none"}}).node.sync.mechanisms.empty());
  CHECK(schedule_of(kRich, {{"sync", "hook-copy+rejoin-sync"}}).node.sync.mechanisms.size() == 2);
}

TEST_CASE("every fact that a step can wait for reaches the schedule, and is written as it was") {
  using What = trigger::When::What;
  const Schedule s = schedule_of(R"(format: 1
cluster: { nodes: 5, clients: 2 }
timeline:
  - { label: T0, write: key-7 }
  - { label: T1, when: { halted: node-2 } }
  - { label: T2, when: { storage-corrupt: twin(node-2) } }
  - { label: T3, when: { gate-opened: any } }
  - { label: T4, when: { hook_fired: [node-1, owner(key-7)] } }
  - { label: T5, when: { upgraded: nodes } }
  - { label: T6, when: { leader: node-2 } }
  - { label: T7, when: { leader: any } }
  - { label: T8, when: { removed: leader } }
  - { label: T9, when: { committed: { index: 40 } } }
  - { label: T10, when: { committed: { count: 3 } } }
  - { label: T11, when: { sync-completed: { node: leader, count: 2 } } }
)");
  const auto when = [&](const std::string& label) {
    return std::get<trigger::When>(step(s, label).trigger);
  };
  CHECK(when("T1").what == What::halted);
  CHECK(when("T1").node == NodeId(2));
  CHECK(when("T1").who.empty());
  CHECK(when("T2").what == What::storage_corrupt);
  CHECK(when("T2").who == Selectors{{.kind = Selector::Kind::twin, .node = NodeId(2)}});
  CHECK(when("T3").what == What::gate_opened);
  CHECK(when("T3").node.is_none());
  CHECK(when("T3").who.empty());
  CHECK(when("T4").what == What::hook_fired);
  CHECK(when("T4").who.size() == 2);
  CHECK(when("T5").what == What::upgraded);
  CHECK(when("T6").node == NodeId(2));
  CHECK(when("T7").node.is_none());
  CHECK(when("T8").who == Selectors{{.kind = Selector::Kind::leader}});
  CHECK(when("T9").what == What::committed_index);
  CHECK(when("T9").count == 40);
  CHECK(when("T10").what == What::committed_count);
  CHECK(when("T11").who == Selectors{{.kind = Selector::Kind::leader}});
  const std::string written = to_yaml(s);
  const Schedule again = schedule_of(written);
  CHECK(to_yaml(again) == written);
  for (std::size_t t = 1; t < s.timeline.size(); ++t) {
    const auto& is = std::get<trigger::When>(s.timeline[t].trigger);
    const auto& reread = std::get<trigger::When>(again.timeline[t].trigger);
    CHECK(is.what == reread.what);
    CHECK(is.node == reread.node);
    CHECK(is.count == reread.count);
    CHECK(is.who == reread.who);
  }
}

TEST_CASE("a fact is of those who can bring it about") {
  const auto wrong = [](const std::string& fact) {
    return complaints(
        with_steps("  - { label: T0, write: key-7 }\n  - { label: T1, when: { " + fact + " } }\n"));
  };
  CHECK(wrong("crashed: client-1").find("is of nodes, and `client-1` has clients") !=
        std::string::npos);
  CHECK(wrong("leader: twin(node-2)").find("a twin is none of its own") != std::string::npos);
  CHECK(wrong("halted: node-9").find("there is no node-9") != std::string::npos);
  CHECK(wrong("halted: twin(node-9)").find("there is no node-9") != std::string::npos);
  CHECK(wrong("halted: leadr").find("did you mean `leader`?") != std::string::npos);
  CHECK(wrong("committed: 40").find("takes a map") != std::string::npos);
  CHECK(wrong("committed: { index: 0 }").find("a number from 1") != std::string::npos);
  CHECK(wrong("committed: { index: 3, count: 4 }").find("either `index` or `count`") !=
        std::string::npos);
  CHECK(wrong("comitted: { index: 3 }").find("did you mean `committed`?") != std::string::npos);
}

TEST_CASE("ends, selectors, offsets and rates reach the schedule, and are written as they were") {
  const Schedule s = schedule_of(R"(format: 1
cluster: { nodes: 5, clients: 2 }
host: { service: 20us, bytes-per-s: 10MB }
disk: { capacity: 1GiB }
limits: { core: [majority, node-1], promises: false }
timeline:
  - { label: T0, write: key-1..key-9 }
  - { label: T1, crash: [leader, owner(key-7)], for: { pick: 1s..2s }, may-miss: true }
  - { label: T2, when: { ended: T1 } }
  - { label: T3, partition: [[minority, client-1], [others]] }
  - { label: T4, when: { crashed: node-3 }, end: T3 }
  - { label: T5, clock: { target: random(2), offset: -250ms, rate: -1% }, for: 1h }
)");
  CHECK(s.host == HostOptions{.service = 20us, .bytes_per_s = 10'000'000});
  CHECK(s.disk.capacity_bytes == 1U << 30U);
  CHECK(s.limits.core == Selectors{{.kind = Selector::Kind::majority}, select(NodeId(1))});
  CHECK_FALSE(s.limits.promises);
  const auto& crash = std::get<action::Inject>(step(s, "T1").action);
  CHECK(crash.may_miss);
  CHECK(crash.lasts >= 1s);
  CHECK(crash.lasts <= 2s);
  CHECK(to_text(crash.params.get<Selectors>("target").at(1)) == "owner(key-7)");
  CHECK(std::get<trigger::When>(step(s, "T2").trigger).what == trigger::When::What::ended);
  CHECK(std::get<action::End>(step(s, "T4").action).label == "T3");
  CHECK(std::get<trigger::When>(step(s, "T4").trigger).node == NodeId(3));
  const auto& clock = std::get<action::Inject>(step(s, "T5").action);
  CHECK(clock.params.get<Duration>("offset") == -250ms);
  CHECK(clock.params.get<Rate>("rate").ppm == -10'000);
  const std::string written = to_yaml(s);
  CHECK(written.find("crash: { target: [leader, owner(key-7)] }, for: ") != std::string::npos);
  CHECK(written.find("[[minority, client-1], [others]]") != std::string::npos);
  CHECK(written.find("offset: \"-250ms\", rate: \"-10000ppm\"") != std::string::npos);
  const Schedule again = schedule_of(written);
  CHECK(to_yaml(again) == written);
  CHECK(again.limits.core == s.limits.core);
  CHECK(std::get<action::Inject>(step(again, "T5").action).params == clock.params);
}

TEST_CASE("a duration, a parameter and another fault can be set from outside") {
  const std::string text = R"(format: 1
timeline:
  - { label: T0, restart: node-3 }
  - { label: T1, crash: node-3, for: 5s }
  - { label: T2, write: key-1 }
)";
  const Schedule s = schedule_of(text, {{"timeline.T0.restart.wipe", "consensus"},
                                        {"timeline.T1.for", "7s"},
                                        {"timeline.T2.write.level", "all"}});
  const auto& restart = std::get<action::Inject>(step(s, "T0").action);
  CHECK(restart.params.get<std::string>("wipe") == "consensus");
  CHECK(restart.params.get<Selectors>("target") == Selectors{select(NodeId(3))});
  CHECK(std::get<action::Inject>(step(s, "T1").action).lasts == 7s);
  CHECK(std::get<action::Operate>(step(s, "T2").action).level == Consistency::all);
  // `for` belongs to the fault that it was written for.
  const Schedule other = schedule_of(text, {{"timeline.T1.heal", "true"}});
  CHECK(std::get<action::Inject>(step(other, "T1").action).fault == "heal");
  CHECK_FALSE(std::get<action::Inject>(step(other, "T1").action).lasts);
}

TEST_CASE("a profile sets defaults, and the file overrides them") {
  const std::string text = with_timeline("profile: clusterkit\ncluster: { rebalance-delay: 3s }");
  const Schedule s = schedule_of(text);
  CHECK(s.node.raft.election == DurationRange{1s, 2s});
  CHECK_FALSE(s.node.raft.pre_vote);
  CHECK(s.node.partitioning.partitions == 16);
  CHECK(s.node.partitioning.shortage == MapShortage::refuse);
  CHECK(s.node.partitioning.rebalance_delay == 3s);
  CHECK(to_yaml(schedule_of(to_yaml(s))) == to_yaml(s));
}

TEST_CASE("x- keys are ignored, and - and _ are alike") {
  const Schedule s = schedule_of(with_timeline("x-note: { a: [1] }\nraft: { pre_vote: false }"));
  CHECK_FALSE(s.node.raft.pre_vote);
}

TEST_CASE("no mutation of a file crashes its reader") {
  constexpr std::string_view spice = "{}[]:,#&*!|>'\"%@`-? \n\t\\0x~<";
  const std::string original(kRich);
  std::size_t refused = 0;
  for (std::uint64_t round = 0; round < 400; ++round) {
    std::string text = original;
    const auto random = [&](std::uint64_t n, std::uint64_t bound) {
      return below(draw({.seed = round, .domain = Domain::workload, .who = n}), bound);
    };
    const std::uint64_t edits = 1 + random(0, 6);
    for (std::uint64_t e = 0; e < edits; ++e) {
      const auto at = static_cast<std::size_t>(random(4 * e + 1, text.size()));
      const std::uint64_t what = random(4 * e + 2, 4);
      if (what == 0) text.erase(at, random(4 * e + 3, 30));
      if (what == 1) text.insert(at, 1, spice[random(4 * e + 3, spice.size())]);
      if (what == 2) text[at] = static_cast<char>(random(4 * e + 3, 256));
      if (what == 3) text.insert(at, text.substr(random(4 * e + 3, text.size()), 40));
    }
    const auto scenario = read(text);
    if (!scenario) {
      ++refused;
      CHECK_FALSE(scenario.error().empty());
      for (const Diagnostic& diagnostic : scenario.error())
        CHECK_FALSE(to_text(diagnostic).empty());
    } else {
      (void)scenario->materialise(round);
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("invariants take parameters, and are written with those that are not usual") {
  const Schedule s = schedule_of(with_timeline(
      "check: [replicas-converge, { bounded-staleness: { versions: 3 } }, { no-stale-read: }]"));
  CHECK(s.check ==
        std::vector<std::string>{"bounded-staleness", "no-stale-read", "replicas-converge"});
  REQUIRE(s.check_params.size() == 1);
  const Params& params = s.check_params.at("bounded-staleness");
  CHECK(params.get<std::int64_t>("versions") == 3);
  CHECK(params.get<Duration>("time") == 5s);
  const std::string brief = to_short_yaml(s, test_vocabulary());
  CHECK(brief.find("bounded-staleness: { versions: 3 }") != std::string::npos);
  for (const std::string& text : {to_yaml(s), brief}) {
    CAPTURE(text);
    const Schedule again = schedule_of(text);
    CHECK(again.check == s.check);
    CHECK(again.check_params == s.check_params);
  }
}

TEST_CASE("an invariant by its name alone has its defaults, in a list, a map or alone") {
  for (const char* text : {"check: bounded-staleness", "check: [bounded-staleness]",
                           "check: { bounded-staleness: }", "check: [{ bounded_staleness: {} }]"}) {
    CAPTURE(text);
    const Schedule s = schedule_of(with_timeline(text));
    CHECK(s.check == std::vector<std::string>{"bounded-staleness"});
    CHECK(s.check_params.at("bounded-staleness").get<std::int64_t>("versions") == 1);
    CHECK(to_short_yaml(s, test_vocabulary()).find("check: [bounded-staleness]") !=
          std::string::npos);
  }
}

TEST_CASE("overrides reach parameters of invariants") {
  const std::string file = with_timeline("check: [no-stale-read, bounded-staleness]");
  const Schedule s = schedule_of(file, {{"check.bounded_staleness.time", "2s"}});
  CHECK(s.check == std::vector<std::string>{"bounded-staleness", "no-stale-read"});
  CHECK(s.check_params.at("bounded-staleness").get<Duration>("time") == 2s);
}
