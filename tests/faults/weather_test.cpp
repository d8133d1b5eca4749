#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kRough = params_of({{"share", Share{400'000}},
                                 {"slot", Duration(50ms)},
                                 {"extra", DurationRange{0ns, 0ns}},
                                 {"loss", Share{1'000'000}}});

TEST_CASE("rough slots lose, calm ones do not, and each link has its own") {
  FaultRig rig;
  rig.inject(at_time(1ms), "weather", kRough);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{6});
  std::size_t rough = 0;
  std::vector<std::vector<bool>> by_link;
  for (std::uint32_t from = 1; from <= 3; ++from) {
    for (std::uint32_t to = 1; to <= 3; ++to) {
      if (from == to) continue;
      std::vector<std::size_t> heard(20);
      for (const FaultRig::Arrival& arrival : rig.arrivals) {
        if (arrival.from != from || arrival.to != to) continue;
        const std::int64_t sent = std::stoll(arrival.text.substr(arrival.text.find(' ')));
        ++heard[std::min<std::size_t>(static_cast<std::size_t>(sent / 50'000'000), 19)];
      }
      std::vector<bool> lost;
      // Pings leave at 10, 20, ... ms: five a slot, four in the first, six in the last.
      for (std::size_t slot = 1; slot < 19; ++slot) {
        CHECK((heard[slot] == 0 || heard[slot] == 5));
        lost.push_back(heard[slot] == 0);
        rough += lost.back() ? 1U : 0U;
      }
      by_link.push_back(std::move(lost));
    }
  }
  // 108 slots, of which 43 are due.
  CHECK(rough > 25);
  CHECK(rough < 62);
  CHECK(by_link[0] != by_link[1]);
  CHECK(says("weather", kRough) == "links are rough for 40% of slots of 50ms");
}

TEST_CASE("weather that neither delays nor loses is refused") {
  const FaultSpec* const fault = Faults::find("weather");
  CHECK_FALSE(fault->problem(completed(*fault, {}), {}).has_value());
  CHECK(fault
            ->problem(completed(*fault, params_of({{"loss", Share{0}},
                                                   {"extra", DurationRange{0ns, 0ns}}})),
                      {})
            .has_value());
  CHECK(fault->problem(completed(*fault, params_of({{"slot", Duration(0ns)}})), {}).has_value());
}

}  // namespace
}  // namespace rejoin::sim
