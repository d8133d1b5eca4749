#include "sim/kernel/event_queue.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

#include "model/random.hpp"

namespace rejoin::sim {
namespace {

// How far ahead of the last popped entry an entry is pushed.
enum class Reach { now, soon, near, far, behind };

std::int64_t time_after(std::int64_t now, Reach reach, std::uint64_t random) {
  switch (reach) {
    case Reach::now:
      return now;
    case Reach::soon:
      return now + static_cast<std::int64_t>(below(random, 4));
    case Reach::near:
      return now + static_cast<std::int64_t>(below(random, 2'000'000));
    case Reach::far:
      return now + static_cast<std::int64_t>(below(random, 86'400'000'000'000));
    case Reach::behind:
      return static_cast<std::int64_t>(below(random, static_cast<std::uint64_t>(now) + 1));
  }
  return now;
}

bool same(const QueueEntry& a, const QueueEntry& b) {
  return a.at_ns == b.at_ns && a.order == b.order && a.sequence == b.sequence && a.slot == b.slot;
}

// Drives both queues through `phases` (how many to push, how far ahead, how many to pop).
struct Phase {
  std::uint64_t pushes = 0;
  Reach reach{};
  std::uint64_t pops = 0;
};

void agree(const std::vector<Phase>& phases, std::uint64_t seed, bool fifo) {
  LadderQueue ladder;
  HeapQueue heap;
  std::uint64_t sequence = 0;
  std::int64_t now = 0;
  const auto pop_both = [&] {
    RC_ASSERT(same(ladder.front(), heap.front()));
    const QueueEntry popped = heap.pop();
    RC_ASSERT(same(ladder.pop(), popped));
    now = popped.at_ns;
  };
  for (const Phase& phase : phases) {
    for (std::uint64_t i = 0; i < phase.pushes; ++i) {
      ++sequence;
      const std::uint64_t random = mix(seed, sequence);
      const QueueEntry entry{.at_ns = time_after(now, phase.reach, random),
                             .order = fifo ? 0 : mix(random, 7) % 5,
                             .sequence = sequence,
                             .slot = static_cast<std::uint32_t>(sequence)};
      ladder.push(entry);
      heap.push(entry);
    }
    for (std::uint64_t i = 0; i < phase.pops && !heap.empty(); ++i) pop_both();
    RC_ASSERT(ladder.size() == heap.size());
  }
  while (!heap.empty()) pop_both();
  RC_ASSERT(ladder.empty());
}

rc::Gen<Phase> phase() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange<std::uint64_t>(0, 400), rc::gen::inRange(0, 5),
                     rc::gen::inRange<std::uint64_t>(0, 400)),
      [](const std::tuple<std::uint64_t, int, std::uint64_t>& t) {
        return Phase{std::get<0>(t), static_cast<Reach>(std::get<1>(t)), std::get<2>(t)};
      });
}

TEST_CASE("the ladder pops exactly what the heap pops, through bursts, ties and far timers") {
  CHECK(rc::check([] {
    const auto phases = *rc::gen::container<std::vector<Phase>>(phase());
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    agree(phases, seed, *rc::gen::arbitrary<bool>());
  }));
}

TEST_CASE("the ladder agrees with the heap in a long hold of every reach") {
  CHECK(rc::check([] {
    const auto reach = static_cast<Reach>(*rc::gen::inRange(0, 4));
    std::vector<Phase> phases{{5'000, Reach::near, 0}, {10, Reach::far, 0}};
    for (int i = 0; i < 200; ++i) phases.push_back({50, reach, 50});
    agree(phases, *rc::gen::arbitrary<std::uint64_t>(), false);
  }));
}

TEST_CASE("fifo entries at one instant pop in the order of their sequences") {
  LadderQueue queue;
  for (std::uint64_t n = 1; n <= 100'000; ++n) {
    queue.push({.at_ns = 5, .order = 0, .sequence = n, .slot = 0});
    if (n == 500) CHECK(queue.front().sequence == 1);  // sorts what is there, the rest comes late
  }
  for (std::uint64_t n = 1; n <= 100'000; ++n) {
    if (queue.pop().sequence != n) FAIL("out of order at " << n);
  }
  CHECK(queue.empty());
}

TEST_CASE("take_all empties the ladder wherever its entries are") {
  CHECK(rc::check([] {
    LadderQueue queue;
    std::vector<std::uint64_t> sequences;
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    for (std::uint64_t n = 1; n <= 1'000; ++n) {
      queue.push(
          {.at_ns = static_cast<std::int64_t>(below(mix(seed, n), std::uint64_t{1} << (n % 40U))),
           .order = 0,
           .sequence = n,
           .slot = 0});
      if (n % 100 == 0) (void)queue.pop();
    }
    const std::size_t size = queue.size();
    for (const QueueEntry& entry : queue.take_all()) sequences.push_back(entry.sequence);
    std::sort(sequences.begin(), sequences.end());
    RC_ASSERT(sequences.size() == size);
    RC_ASSERT(std::adjacent_find(sequences.begin(), sequences.end()) == sequences.end());
    RC_ASSERT(queue.empty());
  }));
}

}  // namespace
}  // namespace rejoin::sim
