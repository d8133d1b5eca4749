#include <doctest/doctest.h>

#include "tests/versions/sites.hpp"

namespace rejoin {

TEST_CASE("longest: of concurrent values the longest stays, and the others are told as lost") {
  Sites sites(with(VersionScheme::dvv, "longest"));
  sites.write(0, "long");
  sites.write(1, "longest");
  CHECK(sites.send(0, 1).size() == 1);
  CHECK(sites.send(1, 0).size() == 1);
  CHECK(sites.read(0) == std::vector<std::string>{"longest"});
  CHECK(sites.read(1) == std::vector<std::string>{"longest"});
}

TEST_CASE("longest: who has read a value replaces it by a shorter one") {
  Sites sites(with(VersionScheme::dvv, "longest"));
  sites.write(0, "longest");
  sites.write(0, "l", sites.context(0));
  CHECK(sites.read(0) == std::vector<std::string>{"l"});
}

TEST_CASE("longest: a deletion is shorter than any value") {
  Sites sites(with(VersionScheme::dvv, "longest"));
  sites.write(0, "", {}, {}, true);
  sites.write(1, "");
  (void)sites.send(0, 1);
  CHECK(sites.read(1) == std::vector<std::string>{""});
}

}  // namespace rejoin
