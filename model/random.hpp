// Keyed randomness: a draw is a pure function of what it is for, so that removing one event, fault
// or operation leaves every other draw of the run as it was.
//
// Invariants:
// 1. No state: the same key gives the same draw, in any order, any number of times.
// 2. `what` is semantic (a request id, (group, term, index), a probe number), never a counter of
//    how many draws came before.
// 3. Integer arithmetic only; results do not depend on compiler, library or architecture.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/time.hpp"

namespace rejoin {

// What a draw decides. Draws of two domains are independent even when all else is equal.
enum class Domain : std::uint32_t {
  event_order = 1,  // ties of events at one instant
  latency,          // of a message
  loss,
  disk,
  process,  // what a node draws through its Env
  workload,
  pick,  // a scenario's `pick`
  nemesis,
  fault,    // what a fault chooses: its targets, its bits
  network,  // duplication, corruption, reordering, retransmission
  weather,  // of (link, slot)
};

struct DrawKey {
  std::uint64_t seed = 0;
  Domain domain{};
  std::uint64_t who = 0;
  std::uint64_t what = 0;
  std::uint64_t attempt = 0;
};

namespace detail {
// The 128-bit product folded onto itself (the mixing step of wyhash, Wang Yi 2019).
[[nodiscard]] constexpr std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}
}  // namespace detail

// Mixes two words; the building block of keys (`mix(mix(group, term), index)`). Not symmetric.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return detail::fold_multiply(a ^ 0xa0761d6478bd642fULL, b ^ 0xe7037ed1a0b428dbULL);
}

// 64 uniform bits.
[[nodiscard]] constexpr std::uint64_t draw(const DrawKey& key) {
  const std::uint64_t head = mix(key.seed, static_cast<std::uint64_t>(key.domain));
  const std::uint64_t body = mix(key.who + 0x8ebc6af09c88c6e3ULL, key.what);
  const std::uint64_t tail = mix(mix(head, body), key.attempt + 0x589965cc75374cc3ULL);
  // Once more: one multiplication leaves draws of neighbouring attempts in arithmetic progression.
  return mix(tail, head);
}

// Uniform on 0..bound-1 by multiply-high (bias below bound / 2^64). bound >= 1.
[[nodiscard]] constexpr std::uint64_t below(std::uint64_t random, std::uint64_t bound) {
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(random) * bound) >> 64U);
}

// Uniform on [range.min, range.max], to the nanosecond.
[[nodiscard]] constexpr Duration uniform(std::uint64_t random, DurationRange range) {
  const auto width = static_cast<std::uint64_t>((range.max - range.min).count()) + 1;
  return range.min + Duration(static_cast<std::int64_t>(below(random, width)));
}

// A probability in parts per million, so that it can be compared without floating point.
struct Share {
  std::uint32_t ppm = 0;  // 0..1'000'000
  friend bool operator==(const Share&, const Share&) = default;
};
[[nodiscard]] constexpr bool chance(std::uint64_t random, Share share) {
  return below(random, 1'000'000) < share.ppm;
}

}  // namespace rejoin
