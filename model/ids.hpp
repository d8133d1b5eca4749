// Identifiers. Each is a type of its own, so that a term can never be passed for an index.
//
// Invariants:
// 1. An id has no arithmetic except the orderings that its meaning allows (`next`).
// 2. The value zero means "none" for every id that is counted from one.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/fields.hpp"

namespace rejoin {

// A distinct integer type. `Tag` only separates types; `Rep` is the representation.
template <class Tag, class Rep>
struct StrongId {
  using rep = Rep;
  Rep value = 0;

  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep v) : value(v) {}

  friend constexpr bool operator==(StrongId, StrongId) = default;
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

  // The id that follows this one. Only counters (terms, indices, epochs) have use for it.
  [[nodiscard]] constexpr StrongId next() const { return StrongId(static_cast<Rep>(value + 1)); }
  [[nodiscard]] constexpr bool is_none() const { return value == 0; }
};

// A member of the cluster, 1 to 10^6; `node-3` is NodeId{3}. It survives restarts and wiped disks.
using NodeId = StrongId<struct NodeIdTag, std::uint32_t>;
// Where a process can be reached. A node that moves keeps its NodeId and changes its Address.
using Address = StrongId<struct AddressTag, std::uint32_t>;
// Which life of a node: a wiped disk or a new admission is a new incarnation, assigned by the
// leader, so that nobody votes twice in one term. Counted from 1.
using Incarnation = StrongId<struct IncarnationTag, std::uint64_t>;
using ClusterId = StrongId<struct ClusterIdTag, std::uint64_t>;
using GroupId = StrongId<struct GroupIdTag, std::uint32_t>;  // a Raft group; 1 is the cluster's own
using Term = StrongId<struct TermTag, std::uint64_t>;
using LogIndex = StrongId<struct LogIndexTag, std::uint64_t>;        // first entry is 1
using PersistSeq = StrongId<struct PersistSeqTag, std::uint64_t>;    // 0: nothing to wait for
using PartitionId = StrongId<struct PartitionIdTag, std::uint32_t>;  // counted from 0
using Epoch = StrongId<struct EpochTag, std::uint64_t>;              // of the partition map
using ClientId = StrongId<struct ClientIdTag, std::uint32_t>;        // `client-1` is ClientId{1}

inline constexpr GroupId kClusterGroup{1};

// Addresses of clients start here; below are the nodes' (at first, node n listens at Address n).
inline constexpr std::uint32_t kFirstClientAddress = 1U << 24;
[[nodiscard]] constexpr Address client_address(ClientId client) {
  return Address(kFirstClientAddress + client.value);
}
[[nodiscard]] constexpr bool is_client(Address address) {
  return address.value >= kFirstClientAddress;
}

// A request of one session: (client, n), n counted from 1. A retry keeps it. Every value written
// is unique, so it names the version that it wrote, too. The default names no request.
struct RequestId {
  ClientId client;
  std::uint64_t n = 0;

  friend constexpr bool operator==(const RequestId&, const RequestId&) = default;
  friend constexpr auto operator<=>(const RequestId&, const RequestId&) = default;
  [[nodiscard]] constexpr bool is_none() const { return n == 0; }

  REJOIN_FIELDS(client, n)
};

// `node-3`, `client-1`, `partition-9`, `client-1/17`: the names that people read and write.
[[nodiscard]] std::string to_name(NodeId node);
[[nodiscard]] std::string to_name(ClientId client);
[[nodiscard]] std::string to_name(PartitionId partition);
[[nodiscard]] std::string to_name(RequestId request);
// `node-3` or `client-1` at their first addresses, `address-17` otherwise.
[[nodiscard]] std::string to_name(Address address);
// Parses `node-3`; none when the text is not such a name or the number is outside 1..10^6.
[[nodiscard]] NodeId node_from_name(std::string_view name);

}  // namespace rejoin
