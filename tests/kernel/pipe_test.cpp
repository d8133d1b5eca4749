#include "sim/kernel/pipe.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <utility>
#include <vector>

#include "tests/support/machines.hpp"

namespace rejoin::sim {
namespace {

using testing::at_time;

TEST_CASE("what comes while a pipe is busy passes after it, in turn") {
  Pipe pipe;
  const auto pass = [&](Duration at, Duration length) {
    const MonotonicTime begin = pipe.begin_of(at_time(0s), at_time(at), length);
    pipe.book(begin, length);
    return begin;
  };
  CHECK(pass(10ms, 5ms) == at_time(10ms));
  CHECK(pass(12ms, 5ms) == at_time(15ms));
  CHECK(pass(30ms, 5ms) == at_time(30ms));
  CHECK(pass(16ms, 10ms) == at_time(20ms));  // fills the gap to its end
  CHECK(pass(0ms, 11ms) == at_time(35ms));   // longer than what is left before
  CHECK(pass(0ms, 10ms) == at_time(0ms));
}

TEST_CASE("bookings never overlap, and none begins before it comes") {
  CHECK(rc::check([] {
    Pipe pipe;
    MonotonicTime now{};
    std::vector<std::pair<MonotonicTime, MonotonicTime>> booked;
    for (int n = *rc::gen::inRange(1, 60); n > 0; --n) {
      now += Duration(*rc::gen::inRange<std::int64_t>(0, 20));
      const MonotonicTime at = now + Duration(*rc::gen::inRange<std::int64_t>(0, 100));
      const Duration length(*rc::gen::inRange<std::int64_t>(1, 30));
      const MonotonicTime begin = pipe.begin_of(now, at, length);
      RC_ASSERT(begin >= at);
      pipe.book(begin, length);
      for (const auto& [from, to] : booked) {
        RC_ASSERT((begin + length <= from || begin >= to));
      }
      booked.emplace_back(begin, begin + length);
    }
  }));
}

}  // namespace
}  // namespace rejoin::sim
