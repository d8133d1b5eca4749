// Who a process is, as its disk remembers it.
//
// One file, replaced whole, with a checksum that covers what kind of file it is. Damage is told
// from any identity. A replace that the disk lost leaves the identity of an earlier life, or none:
// the cluster knows the highest incarnation, and tells such a process that it is superseded; what
// that life voted is on no disk that says so, and cannot be told here.
#pragma once

#include <optional>
#include <vector>

#include "model/env.hpp"
#include "model/fields.hpp"
#include "model/ids.hpp"

namespace rejoin {

struct Identity {
  ClusterId cluster;
  NodeId node;
  Incarnation incarnation;

  friend bool operator==(const Identity&, const Identity&) = default;
  REJOIN_FIELDS(cluster, node, incarnation)
};

// Checksummed. None when the bytes are no identity, or a damaged one.
[[nodiscard]] Bytes encode_identity(const Identity& identity);
[[nodiscard]] std::optional<Identity> decode_identity(ByteView bytes);

// What the disk of a founding member holds before its first start, by full file name.
[[nodiscard]] std::vector<DiskFile> identity_files(NodeId node, Incarnation incarnation,
                                                   ClusterId cluster);

}  // namespace rejoin
