#include "model/version_vector.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "model/wire.hpp"

namespace rejoin {
namespace {

const Actor kOne = actor_of(NodeId(1), 1);
const Actor kTwo = actor_of(NodeId(2), 1);

VersionVector any_vector() {
  VersionVector out;
  const auto entries = *rc::gen::inRange(0, 5);
  for (int i = 0; i < entries; ++i) {
    out.add({.actor = actor_of(NodeId(*rc::gen::inRange<std::uint32_t>(1, 4)),
                               *rc::gen::inRange<std::uint64_t>(1, 3)),
             .counter = *rc::gen::inRange<std::uint64_t>(1, 5)});
  }
  return out;
}

TEST_CASE("a vector covers the dots that it has counted and none after them") {
  VersionVector vector;
  CHECK(vector.count(kOne) == Dot{.actor = kOne, .counter = 1});
  CHECK(vector.count(kOne) == Dot{.actor = kOne, .counter = 2});
  CHECK(vector.covers(Dot{.actor = kOne, .counter = 2}));
  CHECK_FALSE(vector.covers(Dot{.actor = kOne, .counter = 3}));
  CHECK_FALSE(vector.covers(Dot{.actor = kTwo, .counter = 1}));
  CHECK(vector.covers(Dot{}));
}

TEST_CASE("another life of a node counts anew") {
  VersionVector vector;
  (void)vector.count(kOne);
  CHECK(vector.of(actor_of(NodeId(1), 2)) == 0);
}

TEST_CASE("merging gives the least vector that covers both") {
  CHECK(rc::check([] {
    const VersionVector a = any_vector();
    const VersionVector b = any_vector();
    VersionVector ab = a;
    ab.merge(b);
    VersionVector ba = b;
    ba.merge(a);
    RC_ASSERT(ab == ba);
    RC_ASSERT(ab.covers(a));
    RC_ASSERT(ab.covers(b));
    RC_ASSERT(ab.well_formed());
    for (const VersionVector::Entry& entry : ab.entries()) {
      RC_ASSERT(entry.counter == std::max(a.of(entry.actor), b.of(entry.actor)));
    }
    RC_ASSERT((a.covers(b) && b.covers(a)) == (a == b));
  }));
}

TEST_CASE("what a peer sent out of order, twice or uncounted is no vector") {
  using Entry = VersionVector::Entry;
  const auto received = [](const std::vector<Entry>& entries) {
    Writer writer;
    writer.put(entries);
    return decode<VersionVector>(writer.view());
  };
  CHECK(received({Entry{kOne, 1}, Entry{kTwo, 1}})->well_formed());
  CHECK_FALSE(received({Entry{kTwo, 1}, Entry{kOne, 1}})->well_formed());
  CHECK_FALSE(received({Entry{kOne, 1}, Entry{kOne, 2}})->well_formed());
  CHECK_FALSE(received({Entry{kOne, 0}})->well_formed());
}

TEST_CASE("dots are named by node, life and count; a client's by the client") {
  CHECK(to_text(Dot{.actor = kTwo, .counter = 7}) == "node-2.1#7");
  CHECK(to_text(Dot{.actor = actor_of(ClientId(3)), .counter = 1}) == "client-3#1");
  CHECK(to_text(Dot{}) == "none");
}

}  // namespace
}  // namespace rejoin
