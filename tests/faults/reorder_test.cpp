#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kSome = params_of({{"share", Share{300'000}}, {"by", DurationRange{15ms, 30ms}}});

// How many pings of a link came after one that was sent later.
std::size_t overtaken(const FaultRig& rig) {
  std::size_t count = 0;
  std::int64_t newest[4][4] = {};
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    const std::int64_t sent = std::stoll(arrival.text.substr(arrival.text.find(' ')));
    std::int64_t& last = newest[arrival.from][arrival.to];
    count += sent < last ? 1U : 0U;
    last = std::max(last, sent);
  }
  return count;
}

TEST_CASE("reordered datagrams are overtaken by later ones, and none is lost") {
  FaultRig rig;
  rig.inject(at_time(255ms), "reorder", kSome, 500ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{6});
  CHECK(rig.heard_in_all() == 600);
  CHECK(overtaken(rig) > 40);
  CHECK(says("reorder", kSome) == "30% of datagrams come 15ms..30ms late, out of order");
}

TEST_CASE("a stream stays in order") {
  FaultRig rig({.transport = Transport::stream});
  rig.inject(at_time(255ms), "reorder", kSome);
  rig.run_until(at_time(2s));
  CHECK(rig.heard_in_all() == 600);
  CHECK(overtaken(rig) == 0);
}

TEST_CASE("without it constant latency keeps datagrams in order") {
  FaultRig rig;
  rig.run_until(at_time(2s));
  CHECK(overtaken(rig) == 0);
}

}  // namespace
}  // namespace rejoin::sim
