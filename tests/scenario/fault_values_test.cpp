// What the linked faults say of values that cannot be, and where.
#include "sim/run/vocabulary.hpp"
#include "support.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

// What is said of one step, on line 3.
std::string refused(const std::string& step) {
  const auto scenario = read_scenario(
      "t.yaml", "format: 1\ntimeline:\n  - { at: 3s, " + step + " }\n", linked_vocabulary());
  std::string out;
  if (scenario) return out;
  for (const Diagnostic& diagnostic : scenario.error()) out += to_text(diagnostic);
  return out;
}

void check_at(const std::string& step, const std::string& start) {
  const std::string text = refused(step);
  INFO(text);
  CHECK(text.starts_with("t.yaml:3:" + start));
}

}  // namespace

TEST_CASE("a value that its fault does not take is pointed at") {
  CHECK(refused("bit-rot: { target: node-1, bits: 4000000000 }") ==
        R"(t.yaml:3:48: error: `bit-rot`: at most 1000000 bits rot at once
  3 |   - { at: 3s, bit-rot: { target: node-1, bits: 4000000000 } }
    |                                                ^
)");
  check_at("crash-loop: { target: node-1, up: 1us }", "49: error: `crash-loop`: `up` of a crash");
  check_at("loss: 0%", "21: error: `loss`: a share of 0 touches nothing");
  check_at("loss: { share: 0%, from: node-1 }", "30: error: `loss`: a share of 0 touches nothing");
  check_at("slow-disk: { target: node-1, factor: 1 }", "52: error: `slow-disk`: a factor of 1");
  check_at("upgrade: { version: 9 }", "35: error: `upgrade`: there is no software of version 9");
  check_at("reconfigure: { target: node-1, partitions: 0 }",
           "58: error: `reconfigure`: no cluster has 0 partitions: there are 1 to 1000000");
  check_at("clock-step: { target: node-1, by: 0s }", "49: error: `clock-step`: a step goes");
  check_at("flap: { period: 0s }", "31: error: `flap`: the period of a flapping link");
}

TEST_CASE("a host in two sets is pointed at where it stands a second time") {
  CHECK(refused("partition: [[node-1], [node-2, node-1]]") ==
        R"(t.yaml:3:46: error: `node-1` is in two sets of `groups`: each host is in one
  3 |   - { at: 3s, partition: [[node-1], [node-2, node-1]] }
    |                                              ^
)");
}

TEST_CASE("parameters are called as files write them") {
  const std::string text = refused("duplicate: { one-wya: true }");
  INFO(text);
  CHECK(text.find("did you mean `one-way`? known here: share, from, to, one-way") !=
        std::string::npos);
}

TEST_CASE("a quiet of no time is refused: it would be looked for without end") {
  const std::string text = complaints(with_steps("  - { label: Q, when: { quiet: 0s } }\n"));
  INFO(text);
  CHECK(text.starts_with("t.yaml:3:32: error: `quiet` is at least 1ms, not `0s`"));
}

TEST_CASE("a share that is too large and too fine is told that it is too large") {
  CHECK(complaints(with_timeline("network: { loss: 1.0000001 }"))
            .starts_with("t.yaml:2:18: error: `loss` takes a share such as 10% or 0.1, at least 0 "
                         "and at most 1, not `1.0000001`"));
  CHECK(complaints(with_timeline("network: { loss: 0.00000001 }")).find("in whole millionths") !=
        std::string::npos);
}

TEST_CASE("a time below a bound is told the bound") {
  CHECK(complaints(with_timeline("membership: { interval: 1ns }"))
            .starts_with("t.yaml:2:25: error: `interval` is at least 1ms, not `1ns`"));
}
