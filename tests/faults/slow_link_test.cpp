#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params slow(Duration by, bool one_way) {
  return params_of({{"extra", Delay(constant_latency(by))},
                    {"from", nodes({1})},
                    {"to", nodes({2})},
                    {"one_way", one_way}});
}

// How long the slowest ping of a link took.
Duration slowest(const FaultRig& rig, std::uint32_t from, std::uint32_t to) {
  Duration out{};
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    if (arrival.from != from || arrival.to != to) continue;
    const auto sent = std::stoll(arrival.text.substr(arrival.text.find(' ')));
    out = std::max(out, arrival.at - at_time(Duration(sent)));
  }
  return out;
}

TEST_CASE("a slow link delays both directions, or one, and no other link") {
  for (const bool one_way : {false, true}) {
    FaultRig rig;
    rig.inject(at_time(305ms), "slow-link", slow(40ms, one_way), 200ms);
    rig.run_until(at_time(2s));
    CHECK(rig.touched == std::vector<std::uint64_t>{one_way ? 1U : 2U});
    CHECK(slowest(rig, 1, 2) == 41ms);
    CHECK(slowest(rig, 2, 1) == (one_way ? 1ms : 41ms));
    CHECK(slowest(rig, 1, 3) == 1ms);
    CHECK(rig.heard_in_all() == 600);
  }
  CHECK(says("slow-link", slow(40ms, true)) == "messages take 40ms longer from node-1 to node-2");
}

TEST_CASE("what is added is drawn from any distribution") {
  LatencyOptions tail;
  tail.distribution = "pareto";
  tail.params.set("minimum", Duration(30ms));
  tail.params.set("shape", std::string("1.5"));
  tail.cap = 80ms;
  Params params = slow(0ms, true);
  params.set("extra", Delay(tail));
  FaultRig rig;
  rig.inject(at_time(305ms), "slow-link", params, 200ms);
  rig.run_until(at_time(2s));
  CHECK(slowest(rig, 1, 2) >= 31ms);
  CHECK(slowest(rig, 1, 2) <= 81ms);
  CHECK(slowest(rig, 2, 1) == 1ms);
  CHECK(says("slow-link", params) ==
        "messages take {pareto: {minimum: 30ms, shape: 1.5}, cap: 80ms} longer from node-1 to "
        "node-2");
}

TEST_CASE("nothing extra is refused") {
  const FaultSpec* const fault = Faults::find("slow-link");
  CHECK(fault->problem(completed(*fault, slow(0ms, false)), {}).has_value());
}

}  // namespace
}  // namespace rejoin::sim
