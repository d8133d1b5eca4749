// What a replica stores for a key.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/fields.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"

namespace rejoin {

using Key = std::string;
using Value = std::string;

// How replicas order two writes of one key.
enum class VersionScheme : std::uint8_t {
  none,       // they do not: whichever arrives last stays
  timestamp,  // wall clock of the coordinator, ties by its node id: last write wins
};
[[nodiscard]] std::string_view to_name(VersionScheme scheme);

// Ordered by (timestamp, writer). The default is older than any version that was assigned.
struct Version {
  WallTime timestamp{};
  NodeId writer;

  friend bool operator==(const Version&, const Version&) = default;
  // Written out: libc++ 16 has no <=> for time points.
  friend std::strong_ordering operator<=>(const Version& a, const Version& b) {
    if (a.timestamp != b.timestamp) {
      return a.timestamp < b.timestamp ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    return a.writer <=> b.writer;
  }
  REJOIN_FIELDS(timestamp, writer)
};

struct Record {
  Key key;
  Value value;
  bool deleted = false;  // a tombstone: the delete is a version like any other
  Version version;       // left at its default under VersionScheme::none
  RequestId origin;      // the client's request that wrote it

  friend bool operator==(const Record&, const Record&) = default;
  REJOIN_FIELDS(key, value, deleted, version, origin)
};

}  // namespace rejoin
