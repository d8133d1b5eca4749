#include <doctest/doctest.h>

#include "tests/versions/sites.hpp"

namespace rejoin {
namespace {

const ConflictSpec& set() {
  return *Conflicts::find("set");
}
Value add(std::uint32_t client, std::uint64_t n, const Value& element) {
  return set().change({.kind = OperationKind::add,
                       .request = {.client = ClientId(client), .n = n},
                       .text = element,
                       .own = {},
                       .seen = {}});
}
Value discard(const Value& element, const Value& seen) {
  return set().change({.kind = OperationKind::discard,
                       .request = {.client = ClientId(9), .n = 9},
                       .text = element,
                       .own = {},
                       .seen = seen});
}

TEST_CASE("set: additions at different replicas are all there") {
  const Value both = set().join(add(1, 1, "b"), add(2, 1, "a"));
  CHECK(set().show(both) == "a, b");
  CHECK(set().show(set().join(both, add(3, 1, "a"))) == "a, b");
}

TEST_CASE("set: a removal takes what it had seen, and an addition that it had not seen stays") {
  const Value seen = add(1, 1, "a");
  const Value removed = discard("a", seen);
  CHECK(set().show(set().join(seen, removed)).empty());
  const Value concurrent = add(2, 1, "a");
  const Value all = set().join(set().join(seen, concurrent), removed);
  CHECK(set().show(all) == "a");
  CHECK(set().origins(all) == std::vector<RequestId>{{.client = ClientId(2), .n = 1}});
}

TEST_CASE("set: a removal leaves other elements alone") {
  const Value seen = set().join(add(1, 1, "a"), add(1, 2, "b"));
  CHECK(set().show(set().join(seen, discard("a", seen))) == "b");
}

TEST_CASE("set: what was removed does not come back with a late addition") {
  const Value added = add(1, 1, "a");
  const Value removed = discard("a", added);
  CHECK(set().show(set().join(removed, added)).empty());
  CHECK(set().show(set().join(set().join(removed, removed), added)).empty());
}

TEST_CASE("set: bytes that are no state are told, and harm nothing") {
  CHECK_FALSE(set().well_formed("\xff\xff\xff"));
  CHECK(set().join("\xff\xff\xff", add(1, 1, "a")) == add(1, 1, "a"));
}

}  // namespace
}  // namespace rejoin
