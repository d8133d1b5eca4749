// Merging what two replicas hold for a key, and adding a client's write to it.
//
// Invariants:
// 1. merge() of records that were made by update() and merge() is commutative and idempotent, and
//    what was merged in stays, in all schemes but `none`, where what arrives replaces what is
//    there. It is associative, too, but in two cases, in which it depends on the order of merges
//    whether a replaced value is still there. Under plain version vectors one vector for all
//    siblings cannot say which of them another replica has seen replaced. And a write that was made
//    at two replicas, because its client tried again, is one once they meet; who replaced it before
//    that has replaced one of the two. Nothing that was not replaced is ever missing, and replicas
//    that keep merging end with the same.
// 2. It never replaces a newer version, nor one that is concurrent. A resolver that chooses leaves
//    the others in the shade: they are kept, so that merges stay what they are, until a client that
//    was shown the chosen one replaces all; whom it leaves there is in `lost`, once.
// 3. Under dotted version vectors a write replaces exactly what its context covers. Under plain
//    version vectors a context that does not cover all of the record replaces nothing of it.
//
// Not here: where records are stored, and when.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/options.hpp"
#include "model/record.hpp"
#include "protocols/versions/conflict.hpp"

namespace rejoin {

struct VersionRules {
  VersionScheme scheme{};
  const ConflictSpec* conflict = nullptr;  // never null

  // `options.conflict` is registered and fits the scheme, or `natural`.
  explicit VersionRules(const StoreOptions& options);
};

struct Loss {
  RequestId lost;
  RequestId kept;
  friend bool operator==(const Loss&, const Loss&) = default;
};

struct Merged {
  Record record;
  bool changed = false;    // against `mine`
  std::vector<Loss> lost;  // that `mine` had not lost
};

// `mine` may be null: nothing is there. Both are of one key, and well formed under the rules.
[[nodiscard]] Merged merge(const VersionRules& rules, const Record* mine, const Record& theirs);

// A client's write, at a replica that counts its writes (schemes that track causality).
struct CausalWrite {
  Value value;
  bool deleted = false;
  Version version;
  RequestId origin;
  VersionVector context;  // what the client had read; what it covers is replaced
};
// What this replica holds once it has taken the write. A write that it has already is not taken
// twice: `changed` is false.
[[nodiscard]] Merged update(const VersionRules& rules, const Key& key, const Record* mine,
                            const CausalWrite& write, const Actor& actor);

// Whose writes the record holds, its own first: those of its siblings, or of the parts of a state.
[[nodiscard]] std::vector<RequestId> origins_of(const VersionRules& rules, const Record& record);

// What a reader is told of: all siblings, or the one that the resolver chooses.
[[nodiscard]] std::vector<Sibling> shown(const VersionRules& rules, const Record& record);

// Whether a record that a peer sent can be one of these rules: schemes that track causality have a
// clock that covers its dots, siblings in order; others have none.
[[nodiscard]] bool well_formed(const VersionRules& rules, const Record& record);

}  // namespace rejoin
