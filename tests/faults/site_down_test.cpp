#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

// A region eu of two zones with node-1 and node-2, linked to us with node-3.
TopologyOptions two_regions() {
  using Kind = TopologyOptions::Kind;
  TopologyOptions out;
  out.sites = {{.name = "eu", .kind = Kind::region, .within = "", .hosts = {}},
               {.name = "eu-a", .kind = Kind::zone, .within = "eu", .hosts = {Address{1}}},
               {.name = "eu-b", .kind = Kind::zone, .within = "eu", .hosts = {Address{2}}},
               {.name = "us", .kind = Kind::region, .within = "", .hosts = {Address{3}}}};
  TopologyOptions::Link link;
  link.name = "eu--us";
  link.a = "eu";
  link.b = "us";
  link.latency = constant_latency(1ms);
  out.links = {link};
  return out;
}

Params site(const char* name, const char* mode) {
  return params_of({{"site", std::string(name)}, {"mode", std::string(mode)}});
}

TEST_CASE("every host of a site crashes, whatever holds it, and starts again when it is over") {
  FaultRig rig({.topology = two_regions()});
  rig.inject(at_time(305ms), "site-down", site("eu", "crash"), 300ms);
  rig.run_until(at_time(400ms));
  CHECK_FALSE(rig.is_up(1));
  CHECK_FALSE(rig.is_up(2));
  CHECK(rig.is_up(3));
  CHECK(rig.touched == std::vector<std::uint64_t>{2});
  CHECK(rig.did() == 2);
  rig.run_until(at_time(2s));
  CHECK(rig.is_up(1));
  CHECK(rig.starts == std::vector<std::uint64_t>{0, 2, 2, 1});
}

TEST_CASE("a host that was down before stays down when its site is back") {
  FaultRig rig({.topology = two_regions()});
  rig.inject(at_time(205ms), "crash", params_of({{"target", nodes({1})}}));
  rig.inject(at_time(305ms), "site-down", site("eu", "crash"), 300ms);
  rig.inject(at_time(705ms), "site-down", site("eu-a", "crash"));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 1, 0});
  CHECK_FALSE(rig.is_up(1));
  CHECK(rig.is_up(2));
}

TEST_CASE("an isolated site talks within itself alone, until it is over") {
  FaultRig rig({.topology = two_regions()});
  rig.inject(at_time(305ms), "site-down", site("eu", "isolate"), 300ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{2});
  CHECK(rig.did() == 4 * 30);
  CHECK(rig.starts == std::vector<std::uint64_t>{0, 1, 1, 1});
  CHECK(rig.heard[1][2] == 100);
  CHECK(rig.heard[2][1] == 100);
  CHECK(rig.heard[1][3] == 70);
  CHECK(rig.heard[3][2] == 70);
}

TEST_CASE("a site that is not there is refused, with the nearest name") {
  const FaultSpec* const spec = Faults::find("site-down");
  Schedule schedule;
  CHECK(spec->problem(site("eu", "crash"), schedule) == "the scenario has no `topology`");
  schedule.topology = two_regions();
  CHECK(spec->problem(site("eu-b", "crash"), schedule) == std::nullopt);
  CHECK(spec->problem(site("eu-c", "crash"), schedule) ==
        "there is no site `eu-c`: did you mean `eu-a`?");
  CHECK(spec->problem(site("pacific", "crash"), schedule) ==
        "there is no site `pacific`, only eu, eu-a, eu-b, us");
  CHECK(says("site-down", site("eu", "crash")) == "site eu crashes");
  CHECK(says("site-down", site("eu", "isolate")) == "site eu is cut off");
}

}  // namespace
}  // namespace rejoin::sim
