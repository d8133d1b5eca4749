// The nemesis section: what it draws, what it may not do, and what people are told who get it
// wrong.
#include <algorithm>
#include <map>
#include <set>

#include "model/nemesis.hpp"
#include "sim/faults/fault.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/nemesis.hpp"
#include "sim/scenario/nemesis_hosts.hpp"
#include "support.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

constexpr const char* kHead = R"(format: 1
cluster: { nodes: 5, clients: 2, replication: 5 }
timeline:
  - { label: T0, write: key-1 }
  - { label: end, at: 70s }
)";

// With the faults that there are.
Schedule drawn(const std::string& nemesis, std::uint64_t seed, const std::string& head = kHead) {
  const auto scenario = read_scenario("t.yaml", head + nemesis, linked_vocabulary());
  if (!scenario) {
    for (const Diagnostic& diagnostic : scenario.error()) MESSAGE(to_text(diagnostic));
  }
  REQUIRE(scenario.has_value());
  const auto schedule = scenario->materialise(seed);
  REQUIRE(schedule.has_value());
  return *schedule;
}

std::string refused(const std::string& nemesis, const std::string& head = kHead) {
  const auto scenario = read_scenario("t.yaml", head + nemesis, linked_vocabulary());
  std::string out;
  if (scenario) return out;
  for (const Diagnostic& diagnostic : scenario.error()) out += to_text(diagnostic);
  return out;
}

const action::Inject* fault_of(const Step& step) {
  return std::get_if<action::Inject>(&step.action);
}

// What the nemesis added: label to step, as a file would write it.
std::map<std::string, std::string> steps_of(const Schedule& schedule, const std::string& without) {
  std::map<std::string, std::string> out;
  for (const Step& step : schedule.timeline) {
    const action::Inject* const inject = fault_of(step);
    if (inject == nullptr || step.label.starts_with("nemesis-" + without)) continue;
    std::string text = inject->fault + " at " +
                       to_text(std::get<trigger::At>(step.trigger).time.time_since_epoch());
    for (const auto& [name, value] : inject->params.all())
      text += ", " + name + "=" + to_text(value);
    if (inject->lasts) text += ", for " + to_text(*inject->lasts);
    out[step.label] = text;
  }
  return out;
}

struct Out {
  MonotonicTime from{};
  MonotonicTime until{};
  std::set<NodeId> nodes{};
  std::uint32_t roving = 0;
};

std::vector<Out> outs_of(const Schedule& schedule) {
  std::vector<Out> out;
  for (const Step& step : schedule.timeline) {
    const action::Inject* const inject = fault_of(step);
    if (inject == nullptr) continue;
    const NemesisSpec& spec = Faults::find(inject->fault)->nemesis;
    if (spec.out.empty() && !spec.alone) continue;
    const MonotonicTime at = std::get<trigger::At>(step.trigger).time;
    Out each{.from = at, .until = at + inject->lasts.value_or(0ns)};
    if (spec.alone) {
      each.roving = 1;
    } else {
      const NodesHit hit = nodes_hit(inject->params.all().find(spec.out)->second, schedule);
      each.nodes = hit.nodes;
      each.roving = hit.roving;
    }
    out.push_back(std::move(each));
  }
  return out;
}

bool destroys(const action::Inject& inject) {
  const FaultSpec& fault = *Faults::find(inject.fault);
  return fault.nemesis.destroys != nullptr ? fault.nemesis.destroys(inject.params) : fault.destroys;
}

}  // namespace

TEST_CASE("every fault says how a nemesis draws it, or why it does not") {
  for (const FaultSpec& fault : Faults::all()) {
    INFO(fault.name);
    const NemesisSpec& spec = fault.nemesis;
    if (!spec.exempt.empty()) {
      CHECK(spec.every.empty());
      CHECK(spec.values.empty());
      continue;
    }
    CHECK(parse_duration_range(spec.every).has_value());
    CHECK(spec.lasts.empty() == !fault.ends);
    if (!spec.lasts.empty()) CHECK(parse_duration_range(spec.lasts).has_value());
    const auto is_param = [&](std::string_view name) {
      return std::any_of(fault.params.begin(), fault.params.end(),
                         [&](const ParamSpec& each) { return each.name == name; });
    };
    for (const NemesisSpec::Value& value : spec.values) CHECK(is_param(value.param));
    if (!spec.out.empty()) CHECK(is_param(spec.out));
  }
}

TEST_CASE("the same seed draws the same steps, and another draws others") {
  const std::string section = "nemesis: { preset: all }\n";
  CHECK(steps_of(drawn(section, 7), "-") == steps_of(drawn(section, 7), "-"));
  CHECK(steps_of(drawn(section, 7), "-") != steps_of(drawn(section, 8), "-"));
}

TEST_CASE("leaving out one fault moves no step of another") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const std::string mode : {"bounded", "unbounded"}) {
      const std::string head =
          "nemesis: { swarm: false, mode: " + mode + ", preset: [hosts, network]";
      const auto all = steps_of(drawn(head + " }\n", seed), "pause-");
      const auto fewer = steps_of(drawn(head + ", faults: { pause: false } }\n", seed), "pause-");
      // An epoch that the pause had to itself may go to another: steps come, none goes or moves.
      for (const auto& [label, step] : all) {
        INFO("seed " << seed << ", " << label);
        REQUIRE(fewer.contains(label));
        CHECK(fewer.at(label) == step);
      }
    }
  }
}

TEST_CASE("bounded: at any time a majority is in action, and all is over in the end") {
  std::size_t most_seen = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    for (const std::uint32_t nodes : {3, 5}) {
      const std::string size = std::to_string(nodes);
      const Schedule schedule =
          drawn("nemesis: { swarm: false, from: 5s, until: 60s }\n", seed,
                "format: 1\ncluster: { nodes: " + size + ", replication: " + size +
                    " }\ntimeline: [{ label: end, at: 70s }]\n");
      const std::vector<Out> outs = outs_of(schedule);
      for (const Out& at : outs) {
        std::set<NodeId> away;
        std::uint32_t roving = 0;
        for (const Out& each : outs) {
          if (each.from > at.from || (each.until <= at.from && &each != &at)) continue;
          away.insert(each.nodes.begin(), each.nodes.end());
          roving += each.roving;
        }
        CHECK(away.size() + roving <= (nodes - 1) / 2);
        most_seen = std::max(most_seen, away.size());
      }
      std::set<NodeId> losers;
      for (const Step& step : schedule.timeline) {
        const action::Inject* const inject = fault_of(step);
        if (inject == nullptr) continue;
        const MonotonicTime at = std::get<trigger::At>(step.trigger).time;
        CHECK(at >= MonotonicTime(5s));
        CHECK(at + inject->lasts.value_or(0ns) <= MonotonicTime(60s));
        CHECK((inject->lasts.has_value() || !Faults::find(inject->fault)->ends));
        CHECK(inject->may_miss);
        if (!destroys(*inject)) continue;
        const NodesHit hit = nodes_hit(inject->params.all().find("target")->second, schedule);
        CHECK(hit.roving == 0);
        losers.insert(hit.nodes.begin(), hit.nodes.end());
      }
      CHECK(losers.size() <= 1);
    }
  }
  CHECK(most_seen == 2);  // the bound is reached: not all is quiet
}

TEST_CASE("bounded: whom the timeline holds out of action is no victim, and makes room for none") {
  const std::string timeline = R"(timeline:
  - { label: T1, at: 10s, crash: node-3 }
  - { label: T4, at: 40s, restart: node-3 }
  - { label: end, at: 70s }
)";
  std::size_t after = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Schedule schedule =
        drawn("nemesis: { swarm: false }\n", seed,
              "format: 1\ncluster: { nodes: 3, replication: 3 }\n" + timeline);
    for (const Out& out : outs_of(schedule)) {
      if (out.nodes == std::set<NodeId>{NodeId(3)} && out.from == MonotonicTime(10s)) continue;
      if (out.from == MonotonicTime(40s)) continue;
      CHECK((out.until <= MonotonicTime(10s) || out.from > MonotonicTime(40s)));
      if (out.from > MonotonicTime(40s)) ++after;
    }
  }
  CHECK(after > 50);
}

TEST_CASE("unless told not to, a nemesis has each fault in some seeds alone, and never none") {
  const auto faults_of = [](const std::string& section, std::uint64_t seed) {
    std::set<std::string> here;
    const Schedule schedule = drawn(section, seed);
    for (const Step& step : schedule.timeline) {
      if (const action::Inject* const inject = fault_of(step)) here.insert(inject->fault);
    }
    return here;
  };
  std::map<std::string, std::size_t> seeds_with;
  std::size_t most = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const std::set<std::string> here = faults_of("nemesis: { mode: unbounded }\n", seed);
    CHECK_FALSE(here.empty());
    CHECK(here == faults_of("nemesis: { mode: unbounded, swarm: true }\n", seed));
    for (const std::string& fault : here) ++seeds_with[fault];
    most = std::max(most, here.size());
  }
  CHECK(seeds_with.size() >= 20);
  CHECK(faults_of("nemesis: { mode: unbounded, swarm: false }\n", 1).size() > most);
  for (const auto& [fault, seeds] : seeds_with) {
    INFO(fault);
    CHECK(seeds < 60);
  }
}

TEST_CASE("an unbounded nemesis asks for safety only; a bounded one starts everyone in the end") {
  const Schedule unbounded = drawn("nemesis: { mode: unbounded }\n", 1);
  CHECK_FALSE(unbounded.limits.promises);
  const Schedule bounded = drawn("nemesis: all\n", 1);
  CHECK(bounded.limits.promises);
  CHECK(bounded.limits.core == Selectors{{.kind = Selector::Kind::nodes}});
  CHECK(drawn("nemesis: all\nlimits: { core: node-1 }\n", 1).limits.core ==
        Selectors{select(NodeId(1))});
  CHECK(drawn("nemesis: all\nlimits: { core: none }\n", 1).limits.core.empty());
}

TEST_CASE("a drawn schedule reads back from the file that it is written as") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Schedule schedule = drawn("nemesis: all\n", seed);
    const std::string text = to_yaml(schedule);
    const auto again = read_scenario("again.yaml", text, linked_vocabulary());
    if (!again) {
      for (const Diagnostic& diagnostic : again.error()) MESSAGE(to_text(diagnostic));
    }
    REQUIRE(again.has_value());
    const auto back = again->materialise(seed);
    REQUIRE(back.has_value());
    CHECK(to_yaml(*back) == text);
    CHECK(steps_of(*back, "-") == steps_of(schedule, "-"));
  }
}

// ---- What people are told ------------------------------------------------------------------

TEST_CASE("an unknown fault, preset or key is pointed at, with the nearest name") {
  CHECK(refused("nemesis: { faults: { crsh: { every: 5s } } }\n")
            .starts_with("t.yaml:6:22: error: unknown fault `crsh`\n"));
  CHECK(refused("nemesis: { faults: { crsh: { every: 5s } } }\n").find("did you mean `crash`?") !=
        std::string::npos);
  CHECK(refused("nemesis: { preset: disk-s }\n") ==
        R"(t.yaml:6:20: error: unknown preset `disk-s`
  6 | nemesis: { preset: disk-s }
    |                    ^
  hint: did you mean `disks`? known here: all, clocks, disks, hosts, mild, network
)");
  CHECK(refused("nemesis: { untl: 5s }\n").find("did you mean `until`?") != std::string::npos);
  CHECK(refused("nemesis: { faults: { crash: { targt: random } } }\n")
            .find("unknown key `targt` in `crash`") != std::string::npos);
}

TEST_CASE("a fault's own name has to make a label") {
  CHECK(refused("nemesis: { faults: { m)nd: { fault: heal, every: 5s } } }\n")
            .starts_with("t.yaml:6:22: error: a fault's own name has letters, digits and `-`, at "
                         "most 48 of them, not `m)nd`\n"));
  CHECK(
      refused("nemesis: { faults: { " + std::string(49, 'x') + ": { fault: heal, every: 5s } } }\n")
          .find("at most 48 of them") != std::string::npos);
}

TEST_CASE("from after until is refused") {
  CHECK(refused("nemesis: { from: 30s, until: 20s }\n") ==
        R"(t.yaml:6:30: error: `from` is 30s, not before `until`, which is 20s
  6 | nemesis: { from: 30s, until: 20s }
    |                              ^
)");
}

TEST_CASE("mode bounded needs a duration of each fault that lasts, and few enough victims") {
  CHECK(refused("nemesis: { faults: { crash: { for: none } } }\n")
            .find("in mode bounded every fault is over some day: `crash` needs a `for`") !=
        std::string::npos);
  CHECK(refused("nemesis: { mode: unbounded, faults: { crash: { for: none } } }\n").empty());
  CHECK(refused("nemesis: { faults: { crash: { target: [node-1, node-2, node-3] } } }\n")
            .find("can take 2 nodes out of action at once, and `target` names more") !=
        std::string::npos);
  CHECK(refused("nemesis: { faults: { crash: { target: majority } } }\n")
            .find("mode: unbounded has no such limit") != std::string::npos);
  CHECK(refused("nemesis: { faults: { crash: true } }\n",
                "format: 1\ncluster: { replication: 2 }\ntimeline: [{ label: end, at: 9s }]\n")
            .find("a bounded nemesis can spare none here") != std::string::npos);
}

TEST_CASE("ranges that are none, and nodes that are not there, are found whatever the seed") {
  CHECK(refused("nemesis: { faults: { crash: { every: 9s..3s } } }\n").find("t.yaml:6:38: error") !=
        std::string::npos);
  CHECK(
      refused("nemesis: { faults: { loss: { share: 50%..10% } } }\n").find("the wrong way round") !=
      std::string::npos);
  CHECK(refused("nemesis: { faults: { loss: { share: { pick: [10%, 400%] } } } }\n").find("400%") !=
        std::string::npos);
  CHECK(refused("nemesis: { faults: { crash: { target: { pick: [node-1, node-9] } } } }\n")
            .find("there is no node-9") != std::string::npos);
  CHECK(refused("nemesis: { faults: { restart: { for: 3s } } }\n")
            .find("`restart` is done in a moment: it has no `for`") != std::string::npos);
}

TEST_CASE("an unbounded nemesis that shall keep promises contradicts itself") {
  CHECK(refused("nemesis: { mode: unbounded }\nlimits: { promises: true }\n")
            .find("does more than any mechanism promises to survive") != std::string::npos);
}

TEST_CASE("a label that the nemesis would give is refused in the timeline") {
  const std::string head = R"(format: 1
timeline:
  - { label: nemesis-crash-1, at: 70s }
)";
  const auto scenario = read_scenario(
      "t.yaml", head + "nemesis: { mode: unbounded, faults: { crash: { every: 5s } } }\n",
      linked_vocabulary());
  REQUIRE(scenario.has_value());
  CHECK_FALSE(scenario->materialise(1).has_value());
}

TEST_CASE("until is within the run, and a seed draws no more steps than a file may have") {
  CHECK(refused("nemesis: { until: 10000d }\n") ==
        R"(t.yaml:6:19: error: `until` is 10000d, and the run ends after 1d (limits.virtual-time)
  6 | nemesis: { until: 10000d }
    |                   ^
  hint: end it earlier, or let the run last longer
)");
  CHECK(refused("limits: { virtual-time: 30s }\nnemesis: all\n").starts_with("t.yaml:7:10: error"));
  CHECK(refused("limits: { virtual-time: 10000d }\nnemesis: { until: 10000d }\n").empty());
  const auto too_many = [](const std::string& nemesis) {
    const auto scenario =
        read_scenario("t.yaml", std::string(kHead) + "limits: { virtual-time: 10000d }\n" + nemesis,
                      linked_vocabulary());
    REQUIRE(scenario.has_value());
    const auto schedule = scenario->materialise(1);
    REQUIRE_FALSE(schedule.has_value());
    return to_text(schedule.error().front());
  };
  CHECK(too_many("nemesis: { until: 10000d }\n") ==
        R"(t.yaml:7:19: error: seed 1 draws more than 10000 steps
  7 | nemesis: { until: 10000d }
    |                   ^
  hint: let `every` be longer, name fewer faults, or let `until` be earlier
)");
  CHECK(too_many("nemesis: { mode: unbounded, faults: { loss: { every: 0s..10ms, for: 200ms } }, "
                 "until: 2h }\n")
            .starts_with("t.yaml:7:"));
  const Schedule many = drawn(
      "nemesis: { mode: unbounded, faults: { loss: { every: 10ms, for: 200ms } }, until: 1000s }\n",
      1);
  CHECK(many.timeline.size() > 4'000);
}

TEST_CASE("what is too fast, or over at once, is pointed at") {
  CHECK(refused("nemesis: { faults: { loss: { every: 1ns } } }\n")
            .starts_with("t.yaml:6:37: error: `every` is at least 10ms"));
  CHECK(
      refused("nemesis: { faults: { loss: { for: 1ms..10ms } } }\n")
          .starts_with("t.yaml:6:35: error: `for` is at least 200ms: what is shorter is left out"));
  CHECK(
      refused("nemesis: { faults: { crash-loop: { down: 1ns } } }\n")
          .starts_with("t.yaml:6:42: error: `crash-loop`: `down` of a crash loop is at least 1ms"));
}

TEST_CASE("a nemesis that is inherited can be switched off") {
  CHECK(steps_of(drawn("nemesis: none\n", 1), "-").empty());
  const auto scenario = read_scenario("t.yaml", std::string(kHead) + "nemesis: all\n",
                                      linked_vocabulary(), {{"nemesis", "none"}});
  REQUIRE(scenario.has_value());
  CHECK(scenario->materialise(1)->timeline.size() == 2);
  CHECK(scenario->materialise(1)->limits.core.empty());
}

TEST_CASE("mode bounded refuses what leaves nobody in action, on every link or disk") {
  CHECK(
      refused("nemesis: { faults: { loss: { share: 100% } } }\n") ==
      R"(t.yaml:6:37: error: a bounded nemesis draws `share` of `loss` up to 30%, not 100%: beyond, nobody may be left who is in action
  6 | nemesis: { faults: { loss: { share: 100% } } }
    |                                     ^
  hint: `isolate` and `partition` cut off as many as can be spared; mode: unbounded has no such limit
)");
  CHECK(
      refused("nemesis: { faults: { loss: { share: 1%..31% } } }\n").starts_with("t.yaml:6:37: "));
  CHECK(refused("nemesis: { faults: { loss: { share: { pick: [1%, 80%] } } } }\n")
            .starts_with("t.yaml:6:50: "));
  CHECK_FALSE(refused("nemesis: { faults: { slow-link: { extra: 1s..2s } } }\n").empty());
  CHECK_FALSE(refused("nemesis: { faults: { weather: { loss: 100% } } }\n").empty());
  CHECK_FALSE(refused("nemesis: { faults: { slow-disk: { factor: 5000 } } }\n").empty());
  CHECK_FALSE(refused("nemesis: { faults: { x: { fault: corrupt, share: 50% } } }\n").empty());
  CHECK(refused("nemesis: { faults: { loss: { share: 30% } } }\n").empty());
  CHECK(refused("nemesis: { mode: unbounded, faults: { loss: { share: 100% } } }\n").empty());
}

TEST_CASE("what presets draw is bearable, and every limit is one of a parameter") {
  for (const FaultSpec& fault : Faults::all()) {
    for (const NemesisSpec::Most& most : fault.nemesis.bearable) {
      INFO(fault.name << "." << most.param);
      const auto spec =
          std::find_if(fault.params.begin(), fault.params.end(),
                       [&](const ParamSpec& each) { return each.name == most.param; });
      REQUIRE(spec != fault.params.end());
      CHECK(parse_param(*spec, {std::string(most.value)}).has_value());
      CHECK(refused("nemesis: { faults: { " + std::string(fault.name) + ": true } }\n").empty());
    }
  }
}
