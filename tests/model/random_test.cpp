#include "model/random.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>

#include "model/ids.hpp"

using namespace rejoin;

TEST_CASE("a draw is a function of its key, and of each part of it") {
  const DrawKey key{.seed = 1, .domain = Domain::latency, .who = 2, .what = 3, .attempt = 4};
  CHECK(draw(key) == draw(key));
  std::set<std::uint64_t> seen = {draw(key)};
  for (const DrawKey& other :
       {DrawKey{2, Domain::latency, 2, 3, 4}, DrawKey{1, Domain::loss, 2, 3, 4},
        DrawKey{1, Domain::latency, 3, 3, 4}, DrawKey{1, Domain::latency, 2, 4, 4},
        DrawKey{1, Domain::latency, 2, 3, 5}, DrawKey{1, Domain::latency, 3, 2, 4}}) {
    CHECK(seen.insert(draw(other)).second);
  }
}

TEST_CASE("draws are uniform where neighbouring keys differ in one bit") {
  constexpr std::size_t kBuckets = 16;
  constexpr std::uint64_t kDraws = 160'000;
  for (const bool by_who : {false, true}) {
    std::array<std::uint64_t, kBuckets> counts{};
    for (std::uint64_t i = 0; i < kDraws; ++i) {
      const DrawKey key{
          .seed = 1, .domain = Domain::pick, .who = by_who ? i : 0, .what = by_who ? 0 : i};
      ++counts[below(draw(key), kBuckets)];
    }
    // Chi-squared with 15 degrees of freedom exceeds 50 once in 10^5; the draws never change.
    double chi = 0;
    for (const std::uint64_t count : counts) {
      const double difference = static_cast<double>(count) - 10'000.0;
      chi += difference * difference / 10'000.0;
    }
    CHECK(chi < 50.0);
  }
}

namespace {

// How many subjects of 200,000 lose five rounds in a row, of which each loses one in five. No
// lambda, which compilers would run to see whether it is constant: for minutes.
template <class KeyOf>
int runs_of_five(KeyOf key_of) {
  int runs = 0;
  for (std::uint64_t subject = 0; subject < 200'000; ++subject) {
    bool all = true;
    for (std::uint64_t round = 0; round < 5 && all; ++round) {
      all = chance(draw(key_of(subject, round)), Share{200'000});
    }
    runs += all ? 1 : 0;
  }
  return runs;
}

}  // namespace

// A lost message is sent again with the next attempt: if neighbours went together, a few messages
// would be lost for ever.
TEST_CASE("draws of neighbouring attempts, subjects and owners are independent") {
  using U = std::uint64_t;
  // 0.2^5 of 200,000 is 64, its deviation 8: within five of them.
  const auto is_fair = [](int runs) { return runs > 24 && runs < 104; };
  const auto key = [](U who, U what, U attempt) {
    return DrawKey{.seed = 7, .domain = Domain::loss, .who = who, .what = what, .attempt = attempt};
  };
  CHECK(is_fair(runs_of_five([&](U subject, U round) { return key(3, subject, round); })));
  CHECK(is_fair(runs_of_five([&](U subject, U round) { return key(3, subject, round << 32U); })));
  CHECK(is_fair(runs_of_five([&](U subject, U round) { return key(3, round, subject); })));
  CHECK(is_fair(runs_of_five([&](U subject, U round) { return key(round, 3, subject); })));
  CHECK(is_fair(runs_of_five([&](U subject, U round) { return key(round, subject, 0); })));
}

TEST_CASE("ranges include both ends, and shares compare exactly") {
  const DurationRange range{1ns, 3ns};
  std::set<std::int64_t> seen;
  for (std::uint64_t i = 0; i < 100; ++i) {
    seen.insert(uniform(draw({.seed = i}), range).count());
  }
  CHECK(seen == std::set<std::int64_t>{1, 2, 3});
  CHECK_FALSE(chance(0, Share{0}));
  CHECK(chance(~std::uint64_t{0}, Share{1'000'000}));
}

TEST_CASE("names of nodes are parsed strictly") {
  CHECK(node_from_name("node-3") == NodeId(3));
  CHECK(node_from_name("node-1000000") == NodeId(1'000'000));
  for (const char* text : {"node-0", "node-03", "node-1000001", "node-", "node-3x", "Node-3", "3",
                           "node-99999999999", "node--3", "node- 3"}) {
    CAPTURE(text);
    CHECK(node_from_name(text).is_none());
  }
  CHECK(to_name(Address(3)) == "node-3");
  CHECK(to_name(client_address(ClientId(1))) == "client-1");
  CHECK(to_name(RequestId{ClientId(1), 17}) == "client-1/17");
  CHECK(Term(1).next() == Term(2));
}
