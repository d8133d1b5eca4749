#include <doctest/doctest.h>

#include "tests/versions/sites.hpp"

namespace rejoin {

TEST_CASE("overwrite: replicas that meet two writes in different orders differ") {
  Sites sites(with(VersionScheme::none, "overwrite"), 4);
  sites.write(0, "a");
  sites.write(1, "b");
  (void)sites.send(0, 2);
  (void)sites.send(1, 2);
  (void)sites.send(1, 3);
  (void)sites.send(0, 3);
  CHECK(sites.values(2) == std::vector<std::string>{"b"});
  CHECK(sites.values(3) == std::vector<std::string>{"a"});
}

}  // namespace rejoin
