// Linearizability: is there an order of the operations on one register that keeps real time (who
// returned before another was invoked comes first) and in which each read returns what was last
// written? Herlihy and Wing 1990. Pure functions; the plugin that asks them is linearizable.cpp.
//
// The search is Wing and Gong's (1993) with Lowe's memoisation (2017): calls and returns lie in a
// doubly linked list, calls before the first return may come next, and a configuration (what has
// taken effect, and the state) is explored once. Linearizability is local, so each key is judged on
// its own (Horn and Kroening 2015). It never recurses.
//
// Invariants:
// 1. Every value is written once, so a read names the write it saw. That makes three steps free of
//    choice (see settle in the .cpp), and the search close to linear but for deletes.
// 2. An operation without a return may take effect at any time after its invocation, or never;
//    a read without a return says nothing.
// 3. A verdict is `undecided` only when the cache is full, and never passes for another.
// 4. What a witness contains is not linearizable by itself, and shows that the whole is not.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace rejoin::sim {

enum class CallKind : std::uint8_t { write, remove, read };

inline constexpr std::uint64_t kAbsent = 0;  // the version of a register that holds nothing

// One operation on the register. Positions are in any one order of all calls and returns; a call
// and a return at one position are concurrent.
struct Call {
  CallKind kind{};
  // Of a write: its own, unlike every other and not kAbsent. Of a read: what it returned.
  std::uint64_t version = kAbsent;
  std::uint64_t invoked = 0;
  std::optional<std::uint64_t> returned{};
};

enum class Linearizability : std::uint8_t { linearizable, not_linearizable, undecided };
[[nodiscard]] std::string_view to_name(Linearizability verdict);

struct SearchLimits {
  // Of memory for cached configurations, in words of 8 bytes: 128 MiB and about as much for the
  // nodes of the set. A configuration takes 4 words and one for each 64 operations under way.
  std::uint64_t cache_words_max = std::uint64_t{1} << 24U;
};

struct Linearization {
  Linearizability verdict = Linearizability::linearizable;
  // When linearizable: indices of the calls in such an order. Writes whose outcome is unknown and
  // that need not have taken effect are left out.
  std::vector<std::size_t> order;
  std::uint64_t configurations = 0;  // explored
};

[[nodiscard]] Linearization linearize(std::span<const Call> calls, const SearchLimits& limits = {});

// Why a history is not linearizable.
struct Witness {
  // A sub-history that is not linearizable, ordered by invocation: what returned after `breaker`
  // counts as having no return here. Minimal: no operation can be removed, where a write goes
  // together with the reads of its value, and a delete with the reads of nothing that returned
  // after it was invoked, for otherwise those would be left without an explanation.
  std::vector<std::size_t> operations;
  bool minimal = true;  // false: the search for it ended at kMinimisingWorkMax, or undecided
  // The longest prefix in real time that is linearizable, in such an order, and the operation whose
  // return ends it.
  std::vector<std::size_t> prefix;
  std::size_t breaker = 0;
};

// Operations judged again while a witness is made smaller.
inline constexpr std::uint64_t kMinimisingWorkMax = 20'000'000;

// Of a history that linearize() found not linearizable.
[[nodiscard]] Witness find_witness(std::span<const Call> calls, const SearchLimits& limits = {});

}  // namespace rejoin::sim
