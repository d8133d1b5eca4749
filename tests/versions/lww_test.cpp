#include <doctest/doctest.h>

#include "tests/versions/sites.hpp"

namespace rejoin {

TEST_CASE("lww: the later clock wins on every replica, be it that of the earlier write") {
  for (const VersionScheme scheme : {VersionScheme::timestamp, VersionScheme::hlc}) {
    Sites sites(with(scheme, "lww"));
    sites.write(0, "fast clock", {}, 1h);
    sites.write(1, "later");
    (void)sites.send(0, 1);
    (void)sites.send(1, 0);
    CHECK(sites.read(0) == std::vector<std::string>{"fast clock"});
    CHECK(sites.read(1) == std::vector<std::string>{"fast clock"});
  }
}

TEST_CASE("lww: where causality is tracked, only concurrent values are compared, and losses told") {
  Sites sites(with(VersionScheme::dvv, "lww"));
  sites.write(0, "fast clock", {}, 1h);
  // It has read what the fast clock wrote: it replaces it, whatever its own clock says.
  sites.write(0, "newer", sites.context(0));
  CHECK(sites.read(0) == std::vector<std::string>{"newer"});
  sites.write(1, "concurrent", {}, 2h);
  const std::vector<Loss> lost = sites.send(1, 0);
  CHECK(sites.read(0) == std::vector<std::string>{"concurrent"});
  REQUIRE(lost.size() == 1);
  CHECK(lost.front() ==
        Loss{.lost = {.client = ClientId(1), .n = 2}, .kept = {.client = ClientId(1), .n = 3}});
}

}  // namespace rejoin
