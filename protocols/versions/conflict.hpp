// Conflict resolvers: what becomes of values whose writers did not know of each other. One .cpp
// each in this folder, with one registration.
//
// Invariants:
// 1. What a resolver leaves depends on the set of siblings alone: not on their order, nor on how
//    often or in which groups they met. So merges are commutative, associative and idempotent, and
//    replicas that have met the same writes hold the same.
// 2. What it does not choose is told to whoever merges, as lost; nothing vanishes silently.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/history.hpp"
#include "model/record.hpp"
#include "model/registry.hpp"

namespace rejoin {

// What a client does to a value that is a state.
struct Change {
  OperationKind kind{};
  RequestId request;
  Value text;  // a number, an element: as the client was told
  Value own;   // the state that its last change of the key made; empty: none
  Value seen;  // the state that its last read of the key showed it; empty: none
};

struct ConflictSpec {
  std::string_view name;
  std::string_view help;     // one line: what becomes of concurrent values
  std::string_view details;  // a paragraph: when it is right and when not
  // What versions have to say.
  enum class Needs : std::uint8_t {
    nothing,    // no versions: who comes last stays
    order,      // which is the greatest
    causality,  // which are concurrent
    no_more,    // a value says itself how it is merged: any scheme that does not track causality
  };
  std::vector<Needs> fits;

  // Of concurrent siblings, two or more, which one readers are shown; null: all.
  std::size_t (*choose)(const std::vector<Sibling>& siblings) = nullptr;
  // For values that are states of a replicated data type: the join of two (Shapiro, Preguica,
  // Baquero, Zawirski 2011). Every merge then joins, whatever versions say. Null: values are plain.
  Value (*join)(const Value& a, const Value& b) = nullptr;
  // False when the bytes are no such state: a peer may send anything.
  bool (*well_formed)(const Value& state) = nullptr;
  // What clients do to such values, and as what they are read.
  std::vector<OperationKind> operations = {};
  // The state that one operation makes by itself, to be joined to what replicas have. Made by the
  // client, so that a retry that reaches another coordinator is the same change.
  Value (*change)(const Change& change) = nullptr;
  Value (*show)(const Value& state) = nullptr;
  // Whose operations a state holds, as far as anyone may ask.
  std::vector<RequestId> (*origins)(const Value& state) = nullptr;
};

using Conflicts = Registry<ConflictSpec>;

// Why it does not, as a sentence; empty: it does.
[[nodiscard]] std::string refusal_of(const ConflictSpec& conflict, VersionScheme scheme);
[[nodiscard]] bool fits(const ConflictSpec& conflict, VersionScheme scheme);
// The one that a scheme has when none is named.
[[nodiscard]] const ConflictSpec& natural_conflict(VersionScheme scheme);

}  // namespace rejoin
