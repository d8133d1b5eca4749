#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params cut(std::uint32_t percent, bool symmetric) {
  return params_of({{"share", Share{percent * 10'000}}, {"symmetric", symmetric}});
}

// Which links of 12 nodes were cut, by what was heard.
std::vector<bool> cut_links(const Params& params) {
  FaultRig rig({.nodes = 12});
  rig.inject(at_time(505ms), "random-partition", params);
  rig.run_until(at_time(2s));
  std::vector<bool> out;
  std::uint64_t count = 0;
  for (std::uint32_t a = 1; a <= 12; ++a) {
    for (std::uint32_t b = 1; b <= 12; ++b) {
      out.push_back(a != b && rig.heard[a][b] == 50);
      count += out.back() ? 1U : 0U;
    }
  }
  CHECK(rig.touched == std::vector<std::uint64_t>{count});
  return out;
}

TEST_CASE("a share of links is cut, and a larger share cuts the same ones and more") {
  const std::vector<bool> some = cut_links(cut(20, true));
  const std::vector<bool> more = cut_links(cut(50, true));
  std::size_t both = 0;
  for (std::size_t i = 0; i < some.size(); ++i) {
    if (some[i]) CHECK(more[i]);
    both += some[i] ? 1U : 0U;
  }
  // 66 links, both ways: 26 of 132 are due at 20%.
  CHECK(both > 12);
  CHECK(both < 44);
}

TEST_CASE("cut links are cut in both directions, unless each is drawn by itself") {
  const auto lopsided = [](const std::vector<bool>& links) {
    std::size_t count = 0;
    for (std::size_t a = 0; a < 12; ++a) {
      for (std::size_t b = 0; b < 12; ++b)
        count += links[12 * a + b] != links[12 * b + a] ? 1U : 0U;
    }
    return count;
  };
  CHECK(lopsided(cut_links(cut(40, true))) == 0);
  CHECK(lopsided(cut_links(cut(40, false))) > 10);
  CHECK(says("random-partition", cut(40, true)) == "40% of the links between all nodes are cut");
}

}  // namespace
}  // namespace rejoin::sim
