// Causality of the versions of one key: dots name writes, version vectors say which were seen.
//
// Invariants:
// 1. A dot is given to one write of the key: an actor counts its own writes of it, from 1, and an
//    actor is one life of a store. A node that lost its disk, or its data alone, forgot how far it
//    had counted, so it counts anew as another actor.
// 2. A vector that covers a dot covers every earlier dot of its actor: whoever hands out (a, n) has
//    seen (a, 1) to (a, n - 1).
//
// Sources: Parker et al. 1983 (version vectors); Preguica, Baquero, Almeida, Fonte, Goncalves 2012,
// "Dotted version vectors" (why a dot of its own).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "model/fields.hpp"
#include "model/ids.hpp"

namespace rejoin {

// Who counts. A node, with one life of its store; or a client, which is what makes vectors grow
// without bound (every short-lived client leaves an entry).
struct Actor {
  std::uint32_t host = 0;  // the number of the node; of a client, its address
  std::uint64_t life = 0;  // Store::life() of a node; 0 of a client

  friend constexpr bool operator==(const Actor&, const Actor&) = default;
  friend constexpr auto operator<=>(const Actor&, const Actor&) = default;
  REJOIN_FIELDS(host, life)
};
[[nodiscard]] constexpr Actor actor_of(NodeId node, std::uint64_t life) {
  return {.host = node.value, .life = life};
}
[[nodiscard]] constexpr Actor actor_of(ClientId client) {
  return {.host = client_address(client).value, .life = 0};
}

// The n-th write of the key by an actor, from 1. The default is no write.
struct Dot {
  Actor actor;
  std::uint64_t counter = 0;

  [[nodiscard]] constexpr bool is_none() const { return counter == 0; }
  friend constexpr bool operator==(const Dot&, const Dot&) = default;
  friend constexpr auto operator<=>(const Dot&, const Dot&) = default;
  REJOIN_FIELDS(actor, counter)
};

class VersionVector {
 public:
  struct Entry {
    Actor actor;
    std::uint64_t counter = 0;  // at least 1
    friend constexpr bool operator==(const Entry&, const Entry&) = default;
    REJOIN_FIELDS(actor, counter)
  };

  [[nodiscard]] std::uint64_t of(const Actor& actor) const;  // 0: none
  [[nodiscard]] bool covers(const Dot& dot) const { return of(dot.actor) >= dot.counter; }
  [[nodiscard]] bool covers(const VersionVector& other) const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }  // actors
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  // Ordered by actor, once each, counters at least 1: what a peer sent may not be.
  [[nodiscard]] bool well_formed() const;

  void add(const Dot& dot);
  void merge(const VersionVector& other);  // the least vector that covers both
  // The next dot of the actor, which is covered from now on.
  Dot count(const Actor& actor);

  friend bool operator==(const VersionVector&, const VersionVector&) = default;
  template <class Archive, class Self>
  static void fields(Archive& ar, Self& self) {
    ar("entries", self.entries_);
  }

 private:
  std::vector<Entry> entries_;  // by actor
};

// `node-2.1a#7`: the 7th write by the life 1a (in hexadecimal) of node-2.
[[nodiscard]] std::string to_text(const Dot& dot);

}  // namespace rejoin
