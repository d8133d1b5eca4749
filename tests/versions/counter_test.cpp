#include <doctest/doctest.h>

#include "tests/versions/sites.hpp"

namespace rejoin {
namespace {

const ConflictSpec& counter() {
  return *Conflicts::find("counter");
}

// A client's count of its own, as it sends it.
struct Counting {
  ClientId client;
  Value own{};
  std::uint64_t n = 0;
  Value by(const std::string& text) {
    own = counter().change({.kind = OperationKind::increment,
                            .request = {.client = client, .n = ++n},
                            .text = text,
                            .own = own,
                            .seen = {}});
    return own;
  }
};

TEST_CASE("counter: increments at different replicas add up, up and down") {
  Counting one{ClientId(1)};
  Counting two{ClientId(2)};
  Value here = one.by("5");
  Value there = two.by("-2");
  CHECK(counter().show(here) == "5");
  CHECK(counter().show(there) == "-2");
  CHECK(counter().show(counter().join(here, there)) == "3");
  here = counter().join(here, one.by("1"));
  CHECK(counter().show(counter().join(there, here)) == "4");
}

TEST_CASE("counter: a retry that reaches another replica counts once") {
  Counting one{ClientId(1)};
  const Value sent = one.by("5");
  CHECK(counter().show(counter().join(sent, sent)) == "5");
  const Value later = one.by("2");
  CHECK(counter().show(counter().join(later, sent)) == "7");
}

TEST_CASE("counter: whose increments it holds is known by the last of each client") {
  Counting one{ClientId(1)};
  Counting two{ClientId(2)};
  (void)one.by("1");
  const Value state = counter().join(one.by("1"), two.by("1"));
  CHECK(counter().origins(state) ==
        std::vector<RequestId>{{.client = ClientId(1), .n = 2}, {.client = ClientId(2), .n = 1}});
}

TEST_CASE("counter: bytes that are no state are told, and harm nothing") {
  Counting one{ClientId(1)};
  const Value good = one.by("3");
  CHECK(counter().well_formed(good));
  CHECK(counter().well_formed(""));
  CHECK_FALSE(counter().well_formed("\xff\xff\xff"));
  CHECK(counter().join("\xff\xff\xff", good) == good);
  CHECK(counter().show("\xff\xff\xff") == "0");
}

}  // namespace
}  // namespace rejoin
