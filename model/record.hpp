// What a replica stores for a key.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/fields.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"
#include "model/version_vector.hpp"

namespace rejoin {

using Key = std::string;
using Value = std::string;

// How replicas order two writes of one key.
enum class VersionScheme : std::uint8_t {
  none,       // they do not: whichever arrives last stays
  timestamp,  // wall clock of the coordinator, ties by its node id
  hlc,        // hybrid logical clock: never behind what its node has seen (Kulkarni et al. 2014)
  version_vector,  // one vector a key, as Riak before 2.0: nothing concurrent is lost, but what one
                   // sibling replaced is not told from what another did
  dvv,             // dotted version vectors: exact
};
[[nodiscard]] std::string_view to_name(VersionScheme scheme);
// Versions are numbers, of which one is the greatest.
[[nodiscard]] constexpr bool orders_totally(VersionScheme scheme) {
  return scheme == VersionScheme::timestamp || scheme == VersionScheme::hlc;
}
// Versions say what their writer had seen; two may be concurrent.
[[nodiscard]] constexpr bool tracks_causality(VersionScheme scheme) {
  return scheme == VersionScheme::version_vector || scheme == VersionScheme::dvv;
}

// Ordered by (timestamp, logical, writer). The default is older than any version that was assigned.
struct Version {
  WallTime timestamp{};
  NodeId writer;
  std::uint32_t logical = 0;  // of a hybrid logical clock; else 0

  friend bool operator==(const Version&, const Version&) = default;
  // Written out: libc++ 16 has no <=> for time points.
  friend std::strong_ordering operator<=>(const Version& a, const Version& b) {
    if (a.timestamp != b.timestamp) {
      return a.timestamp < b.timestamp ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    if (a.logical != b.logical) return a.logical <=> b.logical;
    return a.writer <=> b.writer;
  }
  REJOIN_FIELDS(timestamp, writer, logical)
};

// One of several values of a key whose writers did not know of each other.
struct Sibling {
  Value value;
  bool deleted = false;
  Version version;
  RequestId origin;
  Dot dot;  // none under VersionScheme::version_vector

  friend bool operator==(const Sibling&, const Sibling&) = default;
  REJOIN_FIELDS(value, deleted, version, origin, dot)
};

// What a record has besides under schemes that track causality.
struct Causality {
  VersionVector clock;          // every write that this record holds or has seen replaced
  Dot dot;                      // of the record's own value
  std::vector<Sibling> others;  // besides the record's own, in order

  friend bool operator==(const Causality&, const Causality&) = default;
  REJOIN_FIELDS(clock, dot, others)
};

// All that a replica holds for a key: a value or a tombstone, and its siblings, if any.
struct Record {
  Key key;
  Value value;
  bool deleted = false;  // a tombstone: the delete is a version like any other
  Version version;       // left at its default under VersionScheme::none
  RequestId origin;      // the client's request that wrote it
  // Null but under schemes that track causality. Shared: records are copied more often than
  // changed.
  std::shared_ptr<const Causality> causality{};

  friend bool operator==(const Record& a, const Record& b) {
    const bool same = a.key == b.key && a.value == b.value && a.deleted == b.deleted &&
                      a.version == b.version && a.origin == b.origin;
    if (!same || (a.causality == nullptr) != (b.causality == nullptr)) return false;
    return a.causality == b.causality || *a.causality == *b.causality;
  }
  REJOIN_FIELDS(key, value, deleted, version, origin, causality)
};

// The value and all its siblings, in order.
[[nodiscard]] std::vector<Sibling> siblings_of(const Record& record);
// Whose writes the record holds, in that order.
[[nodiscard]] std::vector<RequestId> origins_of(const Record& record);
// Nothing but tombstones.
[[nodiscard]] bool is_deleted(const Record& record);

}  // namespace rejoin
