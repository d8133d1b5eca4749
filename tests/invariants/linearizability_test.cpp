#include "sim/invariants/linearizability.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "model/random.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

constexpr std::optional<std::uint64_t> kOpen = std::nullopt;

Call write(std::uint64_t version, std::uint64_t invoked, std::optional<std::uint64_t> returned) {
  return {CallKind::write, version, invoked, returned};
}
Call remove(std::uint64_t invoked, std::optional<std::uint64_t> returned) {
  return {CallKind::remove, kAbsent, invoked, returned};
}
Call read(std::uint64_t version, std::uint64_t invoked, std::optional<std::uint64_t> returned) {
  return {CallKind::read, version, invoked, returned};
}

bool passes(const std::vector<Call>& calls) {
  const Linearization found = linearize(calls);
  REQUIRE(found.verdict != Linearizability::undecided);
  return found.verdict == Linearizability::linearizable;
}

// Whether this order, of which what is missing never took effect, explains the history.
bool explains(const std::vector<Call>& calls, const std::vector<std::size_t>& order) {
  std::uint64_t content = kAbsent;
  std::vector<std::size_t> place(calls.size(), calls.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    const Call& call = calls[order[i]];
    if (call.kind == CallKind::read && call.version != content) return false;
    if (call.kind == CallKind::write) content = call.version;
    if (call.kind == CallKind::remove) content = kAbsent;
  }
  for (std::size_t a = 0; a < calls.size(); ++a) {
    if (!calls[a].returned) continue;
    if (place[a] == calls.size()) return false;
    for (std::size_t b = 0; b < calls.size(); ++b) {
      if (*calls[a].returned < calls[b].invoked && place[b] < place[a]) return false;
    }
  }
  return true;
}

// Every order of every choice of unknown outcomes: only for the smallest histories.
bool passes_by_trying_all(const std::vector<Call>& calls) {
  std::vector<std::size_t> open;
  std::vector<std::size_t> sure;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].returned) sure.push_back(i);
    if (!calls[i].returned && calls[i].kind != CallKind::read) open.push_back(i);
  }
  for (std::size_t choice = 0; choice < std::size_t{1} << open.size(); ++choice) {
    std::vector<std::size_t> order = sure;
    for (std::size_t i = 0; i < open.size(); ++i) {
      if ((choice >> i & 1U) != 0) order.push_back(open[i]);
    }
    std::sort(order.begin(), order.end());
    do {
      if (explains(calls, order)) return true;
    } while (std::next_permutation(order.begin(), order.end()));
  }
  return false;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t roll(std::uint64_t sides) {
    return draw({.seed = seed_, .domain = Domain::workload, .what = ++rolls_}) % sides;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t rolls_ = 0;
};

// Three clients, each with one operation at a time, take turns to invoke and to return; a read
// returns anything that was written or nothing, mostly something that was current lately.
std::vector<Call> random_history(std::uint64_t seed, std::size_t size) {
  Dice dice(seed);
  std::vector<Call> calls;
  std::vector<std::optional<std::size_t>> under_way(3);
  std::uint64_t position = 0;
  std::uint64_t last = kAbsent;
  while (calls.size() < size || position < 4 * size) {
    ++position;
    std::optional<std::size_t>& mine = under_way[dice.roll(under_way.size())];
    if (!mine) {
      if (calls.size() == size) continue;
      mine = calls.size();
      const std::uint64_t kind = dice.roll(8);
      const auto version = static_cast<std::uint64_t>(calls.size() + 1);
      calls.push_back(kind < 3   ? write(version, position, kOpen)
                      : kind < 4 ? remove(position, kOpen)
                                 : read(kAbsent, position, kOpen));
      continue;
    }
    Call& call = calls[*mine];
    mine.reset();
    if (dice.roll(6) == 0) continue;  // nobody will ever know
    call.returned = position;
    if (call.kind == CallKind::read) {
      call.version = last;
      const std::uint64_t other = dice.roll(calls.size() + 1);
      if (dice.roll(3) == 0) call.version = other;
    } else {
      last = call.version;
    }
  }
  return calls;
}

std::vector<Call> part_of(const std::vector<Call>& calls, const Witness& witness) {
  std::vector<Call> out;
  for (const std::size_t i : witness.operations) {
    out.push_back(calls[i]);
    if (calls[i].returned > calls[witness.breaker].returned) out.back().returned.reset();
  }
  return out;
}

// A register that is one, asked by `clients` at once: what each does takes effect at some moment
// between its call and its return.
std::vector<Call> register_history(std::uint64_t seed, std::size_t size, std::size_t clients) {
  struct Client {
    std::optional<std::size_t> call;
    bool effective = false;
  };
  Dice dice(seed);
  std::vector<Client> all(clients);
  std::vector<Call> calls;
  std::uint64_t content = kAbsent;
  for (std::uint64_t position = 1; calls.size() < size; ++position) {
    Client& client = all[dice.roll(clients)];
    if (!client.call) {
      client = {.call = calls.size(), .effective = false};
      const std::uint64_t kind = dice.roll(10);
      const auto version = static_cast<std::uint64_t>(calls.size() + 1);
      calls.push_back(kind < 4   ? write(version, position, kOpen)
                      : kind < 5 ? remove(position, kOpen)
                                 : read(kAbsent, position, kOpen));
    } else if (!client.effective) {
      client.effective = true;
      Call& call = calls[*client.call];
      (call.kind == CallKind::read ? call.version : content) =
          call.kind == CallKind::read ? content : call.version;
      if (dice.roll(50) == 0) client.call.reset();  // gave up, too early to know
    } else {
      calls[*client.call].returned = position;
      client.call.reset();
    }
  }
  return calls;
}

}  // namespace

TEST_CASE("a read may return the last write, one under way, or one whose outcome is unknown") {
  CHECK(passes({}));
  CHECK(passes({read(kAbsent, 1, 2)}));
  CHECK(passes({write(1, 1, 2), read(1, 3, 4)}));
  CHECK(passes({write(1, 1, 2), write(2, 3, 6), read(1, 4, 5), read(2, 7, 8)}));
  CHECK(passes({write(1, 1, 2), write(2, 3, kOpen), read(1, 4, 5), read(2, 6, 7)}));
  CHECK(passes({write(1, 1, 2), remove(3, kOpen), read(1, 4, 5), read(kAbsent, 6, 7)}));
  CHECK(passes({write(1, 1, kOpen), read(kAbsent, 2, 3)}));
}

TEST_CASE("a read may not return what was overwritten, deleted, or never written") {
  CHECK_FALSE(passes({write(1, 1, 2), read(kAbsent, 3, 4)}));
  CHECK_FALSE(passes({write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)}));
  CHECK_FALSE(passes({write(1, 1, 2), remove(3, 4), read(1, 5, 6)}));
  CHECK_FALSE(passes({read(7, 1, 2)}));
  CHECK_FALSE(passes({read(1, 1, 2), write(1, 3, 4)}));
}

TEST_CASE("what one read has seen, the next may not miss") {
  const std::vector<Call> seen{write(1, 1, 2), write(2, 3, 9), read(2, 4, 5)};
  std::vector<Call> again = seen;
  again.push_back(read(2, 6, 7));
  CHECK(passes(again));
  again.back() = read(1, 6, 7);
  CHECK_FALSE(passes(again));
  again[1].returned.reset();
  CHECK_FALSE(passes(again));
}

TEST_CASE("an operation without a return that no read explains may take effect once, not twice") {
  CHECK(passes(
      {write(1, 1, 2), remove(3, kOpen), read(kAbsent, 4, 5), write(2, 6, 7), read(2, 8, 9)}));
  CHECK_FALSE(passes({write(1, 1, 2), remove(3, kOpen), read(kAbsent, 4, 5), write(2, 6, 7),
                      read(2, 8, 9), read(kAbsent, 10, 11)}));
}

TEST_CASE("the search agrees with trying every order, and its order explains the history") {
  std::uint64_t linearizable = 0;
  constexpr std::uint64_t kHistories = 100'000;
  for (std::uint64_t seed = 0; seed < kHistories; ++seed) {
    const std::vector<Call> calls = random_history(seed, 1 + seed % 6);
    const Linearization found = linearize(calls);
    const bool expected = passes_by_trying_all(calls);
    INFO("seed " << seed);
    REQUIRE((found.verdict == Linearizability::linearizable) == expected);
    if (expected) REQUIRE(explains(calls, found.order));
    linearizable += expected ? 1 : 0;
  }
  // Neither verdict is rare.
  CHECK(linearizable > kHistories / 5);
  CHECK(linearizable < kHistories * 4 / 5);
}

TEST_CASE("a witness is not linearizable, is minimal, and its prefix ends at the breaker") {
  std::uint64_t witnesses = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    const std::vector<Call> calls = random_history(seed, 3 + seed % 6);
    if (linearize(calls).verdict != Linearizability::not_linearizable) continue;
    ++witnesses;
    const Witness witness = find_witness(calls);
    INFO("seed " << seed);
    REQUIRE(witness.minimal);
    const std::vector<Call> part = part_of(calls, witness);
    REQUIRE_FALSE(passes(part));
    std::vector<Call> before;
    for (const Call& call : calls) {
      if (call.invoked > *calls[witness.breaker].returned) continue;
      before.push_back(call);
      if (call.returned >= calls[witness.breaker].returned) before.back().returned.reset();
    }
    REQUIRE(passes(before));
    for (std::size_t out = 0; out < part.size(); ++out) {
      std::vector<Call> rest;
      for (std::size_t i = 0; i < part.size(); ++i) {
        const bool explained_by_it =
            part[i].kind == CallKind::read &&
            (part[out].kind == CallKind::write
                 ? part[i].version == part[out].version
                 : part[out].kind == CallKind::remove && part[i].version == kAbsent &&
                       *part[i].returned >= part[out].invoked);
        if (i != out && !explained_by_it) rest.push_back(part[i]);
      }
      REQUIRE(passes(rest));
    }
  }
  CHECK(witnesses > 5'000);
}

TEST_CASE("a long history of a register passes; one value read too late makes a short witness") {
  std::vector<Call> calls = register_history(7, 3'000, 8);
  const Linearization found = linearize(calls);
  REQUIRE(found.verdict == Linearizability::linearizable);
  CHECK(explains(calls, found.order));
  // The last read that returned a value is told the first value that any read saw.
  const auto reads_value = [](const Call& call) {
    return call.kind == CallKind::read && call.returned && call.version != kAbsent;
  };
  const auto first = std::find_if(calls.begin(), calls.end(), reads_value);
  const auto last = std::find_if(calls.rbegin(), calls.rend(), reads_value);
  last->version = first->version;
  REQUIRE(linearize(calls).verdict == Linearizability::not_linearizable);
  const Witness witness = find_witness(calls);
  CHECK(witness.minimal);
  CHECK(witness.operations.size() == 3);
  CHECK(witness.prefix.size() > 2'000);
  CHECK(&calls[witness.breaker] == &*last);
}

TEST_CASE("a full cache is reported as undecided, not as a verdict") {
  // Deletes at once with writes that are read in no order that any of them allows.
  std::vector<Call> calls;
  for (std::uint64_t n = 1; n <= 12; ++n) {
    calls.push_back(write(n, n, 1'000));
    calls.push_back(remove(n, 1'000));
    calls.push_back(read(n, n, 1'000));
  }
  calls.push_back(read(kAbsent, 1'001, 1'002));
  calls.push_back(read(1, 1'003, 1'004));
  CHECK(linearize(calls, {.cache_words_max = 1'000}).verdict == Linearizability::undecided);
  CHECK(linearize(calls).verdict == Linearizability::not_linearizable);
}
