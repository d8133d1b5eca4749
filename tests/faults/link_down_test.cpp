#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

// node-1 in a, node-2 in b, node-3 in c; the direct link from a to b takes 5 ms, the way round 20.
TopologyOptions triangle() {
  TopologyOptions out;
  for (std::uint32_t n = 0; n < 3; ++n) {
    out.sites.push_back({.name = std::string(1, static_cast<char>('a' + n)),
                         .kind = TopologyOptions::Kind::zone,
                         .within = "",
                         .hosts = {Address(n + 1)}});
  }
  const auto link = [&](const char* a, const char* b, Duration latency) {
    TopologyOptions::Link each;
    each.name = std::string(a) + "--" + b;
    each.a = a;
    each.b = b;
    each.latency = constant_latency(latency);
    out.links.push_back(each);
  };
  link("a", "b", 5ms);
  link("b", "c", 10ms);
  link("a", "c", 10ms);
  return out;
}

Params link_named(const char* name) {
  return params_of({{"link", std::string(name)}});
}

// How long the messages from node-1 to node-2 that arrived in that time were under way.
std::vector<Duration> delays(const FaultRig& rig, MonotonicTime from, MonotonicTime to) {
  std::vector<Duration> out;
  for (const FaultRig::Arrival& each : rig.arrivals) {
    if (each.from != 1 || each.to != 2 || each.at < from || each.at >= to) continue;
    const auto sent = parse_integer(each.text.substr(std::string("ping ").size()));
    out.push_back(each.at.time_since_epoch() - Duration(sent.value()));
  }
  return out;
}

TEST_CASE("messages go round a link that is down, and back over it when it is up again") {
  FaultRig rig({.topology = triangle()});
  rig.inject(at_time(305ms), "link-down", link_named("a--b"), 300ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  // 30 pings each way, which took the long one.
  CHECK(rig.did() == 60);
  for (const Duration delay : delays(rig, at_time(0s), at_time(305ms))) {
    CHECK(delay < 10ms);
    CHECK(delay >= 6ms);
  }
  const std::vector<Duration> round = delays(rig, at_time(340ms), at_time(605ms));
  CHECK(round.size() > 20);
  for (const Duration delay : round) CHECK(delay >= 21ms);
  const std::vector<Duration> again = delays(rig, at_time(640ms), at_time(2s));
  CHECK(again.size() > 20);
  for (const Duration delay : again) CHECK(delay < 10ms);
}

TEST_CASE("with every way down, nothing arrives; two faults on one link end with the last") {
  FaultRig rig({.topology = triangle()});
  rig.inject(at_time(205ms), "link-down", link_named("a--b"), 400ms);
  rig.inject(at_time(305ms), "link-down", link_named("a--c"), 100ms);
  rig.inject(at_time(305ms), "link-down", link_named("a--c"), 600ms);
  rig.run_until(at_time(2s));
  CHECK(delays(rig, at_time(330ms), at_time(605ms)).empty());
  CHECK(delays(rig, at_time(640ms), at_time(900ms)).size() > 20);
  const std::uint64_t heard = rig.heard[1][3];
  CHECK(heard > 0);
  CHECK(rig.heard[2][3] == 100);
}

TEST_CASE("a link that is not there is refused, with the nearest name") {
  const FaultSpec* const spec = Faults::find("link-down");
  Schedule schedule;
  CHECK(spec->problem(link_named("a--b"), schedule) == "the scenario has no `topology` with links");
  schedule.topology = triangle();
  CHECK(spec->problem(link_named("a--b"), schedule) == std::nullopt);
  CHECK(spec->problem(link_named("a--d"), schedule) ==
        "there is no link `a--d`: did you mean `a--b`?");
  CHECK(spec->problem(link_named("atlantic"), schedule) ==
        "there is no link `atlantic`, only a--b, b--c, a--c");
  CHECK(says("link-down", link_named("a--b")) == "link a--b is down");
}

}  // namespace
}  // namespace rejoin::sim
