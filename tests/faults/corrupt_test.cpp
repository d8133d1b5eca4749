#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kSome = params_of({{"share", Share{300'000}}});

std::size_t damaged(const FaultRig& rig) {
  std::size_t count = 0;
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    const std::string sent =
        "ping " + std::to_string(arrival.at.time_since_epoch().count() - std::int64_t{1'000'000});
    if (arrival.text == sent) continue;
    ++count;
    // One bit, and no more.
    REQUIRE(arrival.text.size() == sent.size());
    int bits = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      unsigned difference = static_cast<unsigned char>(arrival.text[i] ^ sent[i]);
      for (; difference != 0; difference &= difference - 1) ++bits;
    }
    CHECK(bits == 1);
  }
  return count;
}

TEST_CASE("corrupt datagrams arrive with one bit flipped") {
  FaultRig rig;
  rig.inject(at_time(255ms), "corrupt", kSome, 500ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{6});
  CHECK(rig.heard_in_all() == 600);
  CHECK(damaged(rig) > 60);
  CHECK(damaged(rig) < 120);
  CHECK(says("corrupt", kSome) == "30% of datagrams have a bit flipped");
}

TEST_CASE("a stream checks what it carries: nothing arrives damaged") {
  FaultRig rig({.transport = Transport::stream});
  rig.inject(at_time(255ms), "corrupt", kSome, 500ms);
  rig.run_until(at_time(2s));
  for (const FaultRig::Arrival& arrival : rig.arrivals) CHECK(arrival.text.starts_with("ping "));
}

}  // namespace
}  // namespace rejoin::sim
