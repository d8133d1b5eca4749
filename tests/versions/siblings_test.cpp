#include <doctest/doctest.h>

#include "tests/versions/sites.hpp"

namespace rejoin {

TEST_CASE("siblings: concurrent values are kept until someone who read them replaces them") {
  for (const VersionScheme scheme : {VersionScheme::version_vector, VersionScheme::dvv}) {
    Sites sites(with(scheme, "siblings"));
    sites.write(0, "a");
    sites.write(1, "b");
    sites.write(2, "c");
    CHECK(sites.send(1, 0).empty());
    CHECK(sites.send(2, 0).empty());
    CHECK(sites.values(0) == std::vector<std::string>{"a", "b", "c"});
    sites.write(0, "all", sites.context(0));
    CHECK(sites.values(0) == std::vector<std::string>{"all"});
    (void)sites.send(0, 1);
    CHECK(sites.values(1) == std::vector<std::string>{"all"});
  }
}

}  // namespace rejoin
