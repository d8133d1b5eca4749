#include "model/version_vector.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace rejoin {

namespace {

template <class Entries>
auto position(Entries& entries, const Actor& actor) {
  return std::lower_bound(
      entries.begin(), entries.end(), actor,
      [](const VersionVector::Entry& entry, const Actor& wanted) { return entry.actor < wanted; });
}

}  // namespace

std::uint64_t VersionVector::of(const Actor& actor) const {
  const auto at = position(entries_, actor);
  return at == entries_.end() || at->actor != actor ? 0 : at->counter;
}

bool VersionVector::covers(const VersionVector& other) const {
  return std::all_of(other.entries_.begin(), other.entries_.end(),
                     [this](const Entry& entry) { return of(entry.actor) >= entry.counter; });
}

bool VersionVector::well_formed() const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].counter == 0) return false;
    if (i > 0 && !(entries_[i - 1].actor < entries_[i].actor)) return false;
  }
  return true;
}

void VersionVector::add(const Dot& dot) {
  if (dot.is_none()) return;
  const auto at = position(entries_, dot.actor);
  if (at != entries_.end() && at->actor == dot.actor) {
    at->counter = std::max(at->counter, dot.counter);
  } else {
    entries_.insert(at, Entry{.actor = dot.actor, .counter = dot.counter});
  }
}

void VersionVector::merge(const VersionVector& other) {
  for (const Entry& entry : other.entries_) {
    add({.actor = entry.actor, .counter = entry.counter});
  }
}

Dot VersionVector::count(const Actor& actor) {
  const Dot next{.actor = actor, .counter = of(actor) + 1};
  add(next);
  return next;
}

std::string to_text(const Dot& dot) {
  if (dot.is_none()) return "none";
  std::string out;
  if (dot.actor.host >= kFirstClientAddress) {
    out = to_name(ClientId(dot.actor.host - kFirstClientAddress));
  } else {
    std::array<char, 16> hex{};
    const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), dot.actor.life, 16).ptr;
    out = to_name(NodeId(dot.actor.host)) + ".";
    out.append(hex.data(), end);
  }
  return out + "#" + std::to_string(dot.counter);
}

}  // namespace rejoin
