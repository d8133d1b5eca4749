#include "sim/invariants/linearizability.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <set>

#include "model/check.hpp"

namespace rejoin::sim {

namespace {

constexpr std::uint32_t kHead = 0;
constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();
// What a register holds: slot 0 is nothing, slot n the n-th write.
constexpr std::uint32_t kEmpty = 0;
// Any content that no read to come returns: they are all alike.
constexpr std::uint32_t kSpent = kNowhere;

// A set of small numbers, with a cheap way to tell how far it is full.
class Bits {
 public:
  explicit Bits(std::size_t size) : words_((size + 63) / 64) {}

  void set(std::size_t at) {
    words_[at / 64] |= std::uint64_t{1} << at % 64;
    while (full_ < words_.size() && words_[full_] == ~std::uint64_t{0}) ++full_;
    end_ = std::max(end_, at / 64 + 1);
  }
  void clear(std::size_t at) {
    words_[at / 64] &= ~(std::uint64_t{1} << at % 64);
    full_ = std::min(full_, at / 64);
    while (end_ > 0 && words_[end_ - 1] == 0) --end_;
  }
  // Neither the full words in front nor the empty ones behind.
  void encode(std::vector<std::uint64_t>& out) const {
    const std::size_t first = std::min(full_, end_);
    out.push_back(first << 32U | (end_ - first));
    out.insert(out.end(), words_.begin() + static_cast<std::ptrdiff_t>(first),
               words_.begin() + static_cast<std::ptrdiff_t>(end_));
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t full_ = 0;  // words in front that are full
  std::size_t end_ = 0;   // behind the last word that is not empty
};

class Search {
 public:
  Search(std::span<const Call> calls, const SearchLimits& limits);
  Linearization run();

 private:
  // A call, or its return, in order of position.
  struct Entry {
    std::uint32_t previous = kNowhere;
    std::uint32_t next = kNowhere;
    std::uint32_t item = 0;
    bool returns = false;
  };
  struct Item {
    std::size_t call = 0;  // index of the caller
    CallKind kind{};
    std::uint32_t slot = kNowhere;  // written or read; kNowhere: of a write that does not exist
    std::uint32_t entry = 0;
    std::uint32_t exit = kNowhere;  // none: outcome unknown
    std::size_t bit = 0;            // among those with a return, or among those without
  };
  struct Move {
    std::uint32_t item = 0;
    std::uint32_t content = 0;  // before it
    bool chosen = false;        // there may be others to choose
  };
  enum class Step : std::uint8_t { done, on, dead };

  void add_items(std::span<const Call> calls);
  void add_entries(std::span<const Call> calls);
  Step settle();
  bool is_new();
  bool choose(std::uint32_t entry);
  [[nodiscard]] std::uint32_t first_removal() const;
  bool backtrack();
  void apply(std::uint32_t item, bool chosen);
  void undo(const Move& move);
  void lift(std::uint32_t entry);
  void unlift(std::uint32_t entry);
  // Of a write or delete: nothing that is still to be read comes from it.
  [[nodiscard]] bool unread(const Item& item) const { return reads_left_[item.slot] == 0; }

  SearchLimits limits_;
  std::vector<Item> items_;
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> reads_left_;  // by slot
  std::uint64_t returns_left_ = 0;
  std::uint32_t content_ = kEmpty;
  std::vector<Move> moves_;
  Bits known_{0};    // of the operations with a return: what has taken effect
  Bits unknown_{0};  // of those without
  std::set<std::vector<std::uint64_t>> seen_;
  std::uint64_t words_ = 0;  // in seen_
  bool full_ = false;
};

Search::Search(std::span<const Call> calls, const SearchLimits& limits) : limits_(limits) {
  CHECK_THAT(calls.size() < kNowhere / 4);
  add_items(calls);
  add_entries(calls);
}

// An unknown outcome that no read shows changes nothing: had it taken effect, something else was
// written over it at once. A delete may be what a read of nothing saw.
void Search::add_items(std::span<const Call> calls) {
  std::map<std::uint64_t, std::uint32_t> slots{{kAbsent, kEmpty}};
  for (const Call& call : calls) {
    if (call.kind != CallKind::write) continue;
    const bool fresh = slots.emplace(call.version, static_cast<std::uint32_t>(slots.size())).second;
    CHECK_THAT(fresh);  // history.hpp, invariant 1
  }
  reads_left_.resize(slots.size());
  for (const Call& call : calls) {
    if (call.kind != CallKind::read || !call.returned) continue;
    const auto slot = slots.find(call.version);
    if (slot != slots.end()) ++reads_left_[slot->second];
  }
  std::size_t unknown = 0;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Call& call = calls[i];
    Item item{.call = i, .kind = call.kind};
    const auto slot = slots.find(call.kind == CallKind::remove ? kAbsent : call.version);
    if (slot != slots.end()) item.slot = slot->second;
    if (!call.returned && (call.kind == CallKind::read || unread(item))) continue;
    if (call.returned) {
      ++returns_left_;
    } else {
      item.bit = unknown++;
    }
    items_.push_back(item);
  }
  unknown_ = Bits(unknown);
}

void Search::add_entries(std::span<const Call> calls) {
  struct Event {
    std::uint64_t position = 0;
    bool returns = false;
    std::uint32_t item = 0;
  };
  std::vector<Event> events;
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    const Call& call = calls[items_[i].call];
    events.push_back({call.invoked, false, i});
    if (call.returned) events.push_back({*call.returned, true, i});
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.position != b.position ? a.position < b.position : a.returns < b.returns;
  });
  // In order of invocation, what has taken effect is a run of ones with a ragged end.
  std::size_t known = 0;
  entries_.resize(events.size() + 1);
  for (std::uint32_t at = 0; at < events.size(); ++at) {
    const Event& event = events[at];
    Item& item = items_[event.item];
    const std::uint32_t entry = at + 1;
    (event.returns ? item.exit : item.entry) = entry;
    if (!event.returns && calls[item.call].returned) item.bit = known++;
    entries_[entry] = {.previous = at, .item = event.item, .returns = event.returns};
    entries_[at].next = entry;
  }
  known_ = Bits(known);
}

Linearization Search::run() {
  Linearization out;
  for (;;) {
    const Step step = settle();
    if (step == Step::done) {
      for (const Move& move : moves_) out.order.push_back(items_[move.item].call);
      break;
    }
    const bool goes_on = step == Step::on && is_new() && choose(entries_[kHead].next);
    if (full_) {
      out.verdict = Linearizability::undecided;
      break;
    }
    if (!goes_on && !backtrack()) {
      out.verdict = Linearizability::not_linearizable;
      break;
    }
  }
  out.configurations = seen_.size();
  return out;
}

// Takes the steps that cost nothing, for if any order exists, then one exists that begins so:
// 1. A read of what the register holds comes at once: it changes nothing.
// 2. Nothing is written while a read of the content is still to come, for that value never will
//    again. (Nothing, the content of a deleted register, may.)
// 3. A write that nobody reads comes at once when it is allowed to: whatever follows is a write,
//    too, for the reads of the content that are allowed are done (1), and hides it.
Search::Step Search::settle() {
  for (std::uint32_t at = entries_[kHead].next; at != kNowhere; at = entries_[at].next) {
    const Entry& entry = entries_[at];
    if (entry.returns) break;
    const Item& item = items_[entry.item];
    if (item.kind != CallKind::read || item.slot != content_) continue;
    apply(entry.item, false);
    at = entry.previous;  // its own return is gone, too
  }
  if (returns_left_ == 0) return Step::done;
  if (content_ != kSpent && reads_left_[content_] == 0) content_ = kSpent;
  if (content_ != kSpent && content_ != kEmpty) return Step::dead;
  for (std::uint32_t at = entries_[kHead].next; at != kNowhere; at = entries_[at].next) {
    const Entry& entry = entries_[at];
    if (entry.returns) break;
    const Item& item = items_[entry.item];
    if (item.kind == CallKind::read || !unread(item)) continue;
    apply(entry.item, false);
    content_ = kSpent;
    at = entry.previous;
  }
  return returns_left_ == 0 ? Step::done : Step::on;
}

bool Search::is_new() {
  std::vector<std::uint64_t> configuration{content_};
  known_.encode(configuration);
  unknown_.encode(configuration);
  const std::uint64_t size = configuration.size();
  if (!seen_.insert(std::move(configuration)).second) return false;
  words_ += size;
  full_ = words_ > limits_.cache_words_max;
  return true;
}

// The first write or delete at or behind `entry` that may come next. Deletes are alike: of several
// only the one that returns first is tried, for in any order that begins with another one the two
// can change places.
bool Search::choose(std::uint32_t entry) {
  const std::uint32_t removal = first_removal();
  for (std::uint32_t at = entry; at != kNowhere; at = entries_[at].next) {
    if (entries_[at].returns) return false;
    const CallKind kind = items_[entries_[at].item].kind;
    if (kind == CallKind::read || (kind == CallKind::remove && at != removal)) continue;
    apply(entries_[at].item, true);
    return true;
  }
  return false;
}

// Of the deletes that may come next, the one that returns first.
std::uint32_t Search::first_removal() const {
  std::uint32_t first = kNowhere;
  std::uint32_t exit = kNowhere;
  for (std::uint32_t at = entries_[kHead].next; at != kNowhere; at = entries_[at].next) {
    if (entries_[at].returns) break;
    const Item& item = items_[entries_[at].item];
    if (item.kind != CallKind::remove) continue;
    if (first != kNowhere && item.exit >= exit) continue;
    first = at;
    exit = item.exit;
  }
  return first;
}

bool Search::backtrack() {
  while (!moves_.empty()) {
    const Move move = moves_.back();
    moves_.pop_back();
    undo(move);
    if (move.chosen && choose(entries_[items_[move.item].entry].next)) return true;
  }
  return false;
}

void Search::apply(std::uint32_t index, bool chosen) {
  const Item& item = items_[index];
  moves_.push_back({index, content_, chosen});
  lift(item.entry);
  if (item.exit != kNowhere) {
    lift(item.exit);
    --returns_left_;
  }
  (item.exit != kNowhere ? known_ : unknown_).set(item.bit);
  if (item.kind == CallKind::read) {
    --reads_left_[item.slot];
  } else {
    content_ = item.slot;
  }
}

void Search::undo(const Move& move) {
  const Item& item = items_[move.item];
  if (item.kind == CallKind::read) ++reads_left_[item.slot];
  content_ = move.content;
  (item.exit != kNowhere ? known_ : unknown_).clear(item.bit);
  // In the reverse order: each finds its neighbours as it left them.
  if (item.exit != kNowhere) {
    ++returns_left_;
    unlift(item.exit);
  }
  unlift(item.entry);
}

void Search::lift(std::uint32_t at) {
  const Entry& entry = entries_[at];
  entries_[entry.previous].next = entry.next;
  if (entry.next != kNowhere) entries_[entry.next].previous = entry.previous;
}

void Search::unlift(std::uint32_t at) {
  const Entry& entry = entries_[at];
  entries_[entry.previous].next = at;
  if (entry.next != kNowhere) entries_[entry.next].previous = at;
}

// ---- The witness -------------------------------------------------------------------------------

// A part of a history, as indices into it, and as it was at a time.
class Part {
 public:
  Part(std::span<const Call> calls, const SearchLimits& limits) : calls_(calls), limits_(limits) {}

  // What had been invoked when `until` had come; what returned later has not returned yet.
  [[nodiscard]] std::vector<std::size_t> prefix(std::uint64_t until) {
    until_ = until;
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i].invoked <= until && (returned(i) || calls_[i].kind != CallKind::read)) {
        out.push_back(i);
      }
    }
    return out;
  }

  [[nodiscard]] Linearization judge(const std::vector<std::size_t>& kept) {
    work_ += kept.size() + 1;
    std::vector<Call> calls;
    for (const std::size_t i : kept) {
      calls.push_back(calls_[i]);
      if (!returned(i)) calls.back().returned.reset();
    }
    Linearization out = linearize(calls, limits_);
    for (std::size_t& index : out.order) index = kept[index];
    return out;
  }

  // Without those from `first` on, `count` of them, and without the reads that these explain.
  [[nodiscard]] std::vector<std::size_t> without(const std::vector<std::size_t>& kept,
                                                 std::size_t first, std::size_t count) const {
    std::set<std::uint64_t> versions;
    std::uint64_t deleted = std::numeric_limits<std::uint64_t>::max();
    const std::size_t end = std::min(first + count, kept.size());
    for (std::size_t at = first; at < end; ++at) {
      const Call& call = calls_[kept[at]];
      if (call.kind == CallKind::write) versions.insert(call.version);
      if (call.kind == CallKind::remove) deleted = std::min(deleted, call.invoked);
    }
    std::vector<std::size_t> out;
    for (std::size_t at = 0; at < kept.size(); ++at) {
      if (at >= first && at < end) continue;
      const Call& call = calls_[kept[at]];
      if (call.kind == CallKind::read) {
        if (versions.contains(call.version)) continue;
        if (call.version == kAbsent && *call.returned >= deleted) continue;
      }
      out.push_back(kept[at]);
    }
    return out;
  }

  [[nodiscard]] bool exhausted() const { return work_ > kMinimisingWorkMax; }

 private:
  [[nodiscard]] bool returned(std::size_t i) const {
    return calls_[i].returned && *calls_[i].returned <= until_;
  }

  std::span<const Call> calls_;
  SearchLimits limits_;
  std::uint64_t until_ = 0;
  std::uint64_t work_ = 0;
};

// Removes halves, quarters, ..., and at last single operations until none can go any more (Zeller
// and Hildebrandt 2002, ddmin, by complements alone).
bool minimise(Part& part, std::vector<std::size_t>& kept) {
  bool certain = true;
  for (std::size_t size = std::max<std::size_t>(kept.size() / 2, 1);;) {
    bool removed = false;
    for (std::size_t first = 0; first < kept.size();) {
      if (part.exhausted()) return false;
      std::vector<std::size_t> rest = part.without(kept, first, size);
      const Linearizability verdict = part.judge(rest).verdict;
      if (verdict == Linearizability::not_linearizable) {
        kept = std::move(rest);
        removed = true;
      } else {
        if (size == 1 && verdict == Linearizability::undecided) certain = false;
        first += size;
      }
    }
    if (size == 1 && !removed) return certain;
    size = std::max<std::size_t>(size / 2, 1);
  }
}

}  // namespace

std::string_view to_name(Linearizability verdict) {
  switch (verdict) {
    case Linearizability::linearizable:
      return "linearizable";
    case Linearizability::not_linearizable:
      return "not linearizable";
    case Linearizability::undecided:
      return "undecided";
  }
  return "?";
}

Linearization linearize(std::span<const Call> calls, const SearchLimits& limits) {
  return Search(calls, limits).run();
}

Witness find_witness(std::span<const Call> calls, const SearchLimits& limits) {
  std::vector<std::size_t> returns;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].returned) returns.push_back(i);
  }
  CHECK_THAT(!returns.empty());
  std::stable_sort(returns.begin(), returns.end(), [&](std::size_t a, std::size_t b) {
    return *calls[a].returned < *calls[b].returned;
  });
  // Prefixes of a linearizable history are linearizable, so the first that is not can be bisected.
  // One that is undecided passes for linearizable here: then the witness is not the shortest.
  Part part(calls, limits);
  Witness out;
  std::size_t good = 0;              // so many returns are explained
  std::size_t bad = returns.size();  // so many are not
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    Linearization found = part.judge(part.prefix(*calls[returns[middle - 1]].returned));
    if (found.verdict == Linearizability::undecided) out.minimal = false;
    if (found.verdict == Linearizability::not_linearizable) {
      bad = middle;
    } else {
      good = middle;
      out.prefix = std::move(found.order);
    }
  }
  out.breaker = returns[bad - 1];
  out.operations = part.prefix(*calls[out.breaker].returned);
  out.minimal = minimise(part, out.operations) && out.minimal;
  std::stable_sort(out.operations.begin(), out.operations.end(), [&](std::size_t a, std::size_t b) {
    return calls[a].invoked < calls[b].invoked;
  });
  return out;
}

}  // namespace rejoin::sim
