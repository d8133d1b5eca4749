// What clients and coordinators, and coordinators and replicas, tell each other.
//
// Invariants:
// 1. Every message carries the request's id; an attempt is one try of the client. Replies repeat
//    what they answer, so that those of an earlier try are told apart.
// 2. Messages between nodes carry the epoch of the sender's partition map: the receiver judges
//    ownership by its own map unless the sender's is newer.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/env.hpp"
#include "model/fields.hpp"
#include "model/history.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"
#include "model/partition_map.hpp"
#include "model/record.hpp"

namespace rejoin {

struct ClientRequest {
  static constexpr MessageKind kind{Channel::coordinator, 1};
  RequestId id;
  std::uint32_t attempt = 0;
  OperationKind operation{};
  Key key;
  Value value;
  Consistency level{};
  bool direct = false;  // a read of the receiver's own store
  // When the client asks another coordinator, by its clock. A write or delete that is handled for
  // the first time after that is dropped; the epoch of the clock: never.
  WallTime expires{};
  // Where versions track causality: what the client has read of the key, and so replaces.
  VersionVector context{};
  Version seen{};  // the greatest version that the client has met: a hybrid clock goes on from it
  REJOIN_FIELDS(id, attempt, operation, key, value, level, direct, expires, context, seen)
};

struct ClientReply {
  static constexpr MessageKind kind{Channel::client, 1};
  RequestId id{};
  std::uint32_t attempt = 0;
  ResultKind result{};  // none: ask `leader` instead
  Value value{};
  std::vector<RequestId> observed{};
  NodeId served_by{};
  Address leader{};             // none unless result is
  std::vector<Value> others{};  // siblings of `value`
  VersionVector context{};      // of what was read
  Version version{};            // of what was read or written
  REJOIN_FIELDS(id, attempt, result, value, observed, served_by, leader, others, context, version)
};

// Where the node is, by the receiver's member list: asked by a client that another one let wait.
struct LocateRequest {
  static constexpr MessageKind kind{Channel::coordinator, 6};
  NodeId node;
  REJOIN_FIELDS(node)
};
// Only of a member. As old as what the answering node has applied.
struct LocateReply {
  static constexpr MessageKind kind{Channel::client, 2};
  NodeId node;
  Address address;
  REJOIN_FIELDS(node, address)
};

// Who owns what, by the receiver's map: asked by a client that keeps a copy. Until it is answered
// anew, the receiver tells of its next map, once (MapNotice).
struct MapRequest {
  static constexpr MessageKind kind{Channel::coordinator, 13};
  std::uint64_t number = 0;  // of the client's asking, from 1
  REJOIN_FIELDS(number)
};
struct MapReply {
  static constexpr MessageKind kind{Channel::client, 3};
  std::uint64_t number = 0;
  PartitionMap map;
  REJOIN_FIELDS(number, map)
};
// There is a newer map than the one that was sent: a hint, which may be lost.
struct MapNotice {
  static constexpr MessageKind kind{Channel::client, 4};
  Epoch epoch;
  REJOIN_FIELDS(epoch)
};

// `record` holds the write `id`; where versions track causality, all else that its coordinator
// holds of the key, too.
struct ReplicaWrite {
  static constexpr MessageKind kind{Channel::coordinator, 2};
  RequestId id;
  std::uint32_t attempt = 0;
  Epoch epoch;  // of the coordinator's map
  Record record;
  std::vector<NodeId> owners;  // of the key, by that map
  Version version{};           // of the write
  REJOIN_FIELDS(id, attempt, epoch, record, owners, version)
};

struct ReplicaWriteReply {
  static constexpr MessageKind kind{Channel::coordinator, 3};
  RequestId id;
  std::uint32_t attempt = 0;
  NodeId replica;
  bool accepted = false;  // it, or a newer version, is durable at the replica
  Version version;        // of the write that is answered
  REJOIN_FIELDS(id, attempt, replica, accepted, version)
};

struct ReplicaRead {
  static constexpr MessageKind kind{Channel::coordinator, 4};
  RequestId id;
  std::uint32_t attempt = 0;
  Epoch epoch;
  Key key;
  REJOIN_FIELDS(id, attempt, epoch, key)
};

struct ReplicaReadReply {
  static constexpr MessageKind kind{Channel::coordinator, 5};
  RequestId id;
  std::uint32_t attempt = 0;
  NodeId replica;
  bool accepted = false;  // false: fenced, or no owner
  // What the replica holds; none when it knows nothing of the key. Tombstones are records.
  std::optional<Record> record;
  REJOIN_FIELDS(id, attempt, replica, accepted, record)
};

// ---- What sync mechanisms add (protocols/sync/coordination.hpp) ------------------------------

// What the read `id` came to, for a replica that had answered it with something else. `round`: the
// answers that came late had made more of it so many times.
struct ReplicaRepair {
  static constexpr MessageKind kind{Channel::coordinator, 7};
  RequestId id;
  std::uint32_t attempt = 0;
  std::uint32_t round = 0;
  Epoch epoch;
  Record record;
  REJOIN_FIELDS(id, attempt, round, epoch, record)
};

struct ReplicaRepairReply {
  static constexpr MessageKind kind{Channel::coordinator, 8};
  RequestId id;
  std::uint32_t attempt = 0;
  std::uint32_t round = 0;
  NodeId replica;
  bool accepted = false;  // it, or a newer version, is durable at the replica
  REJOIN_FIELDS(id, attempt, round, replica, accepted)
};

// Asks a replica that the read itself did not ask, to see whether it differs.
struct RepairRead {
  static constexpr MessageKind kind{Channel::coordinator, 9};
  RequestId id;
  std::uint32_t attempt = 0;
  Epoch epoch;
  Key key;
  REJOIN_FIELDS(id, attempt, epoch, key)
};

struct RepairReadReply {
  static constexpr MessageKind kind{Channel::coordinator, 10};
  RequestId id;
  std::uint32_t attempt = 0;
  NodeId replica;
  bool accepted = false;
  std::optional<Record> record;
  REJOIN_FIELDS(id, attempt, replica, accepted, record)
};

// To a member that is no owner: to be kept as a hint for `owner`, which is down (a sloppy quorum).
struct HintedWrite {
  static constexpr MessageKind kind{Channel::coordinator, 11};
  RequestId id;
  std::uint32_t attempt = 0;
  NodeId owner;
  Record record;
  Version version{};  // of the write
  REJOIN_FIELDS(id, attempt, owner, record, version)
};

// The hint is durable; there is no answer when it was not taken.
struct HintedWriteReply {
  static constexpr MessageKind kind{Channel::coordinator, 12};
  RequestId id;
  std::uint32_t attempt = 0;
  NodeId owner;
  NodeId fallback;  // who keeps it
  Version version{};
  REJOIN_FIELDS(id, attempt, owner, fallback, version)
};

// Messages above this size go by stream: a datagram that needs fragments is lost with any of them.
inline constexpr std::size_t kDatagramBytesMax = 1024;

// Sends as datagram or stream by size.
template <class M>
void send_by_size(Env& env, Address to, const M& message, Purpose purpose, std::uint64_t identity,
                  std::uint32_t attempt) {
  Bytes frame = encode_message(message);
  const Transport transport =
      frame.size() > kDatagramBytesMax ? Transport::stream : Transport::datagram;
  env.send(to, transport, std::move(frame),
           {.kind = M::kind, .purpose = purpose, .identity = identity, .attempt = attempt});
}

// The tag names the request, this kind of message and the try: a resend is another draw, the same
// try in another schedule is the same draw. `part` tells apart what one try sends to one host by
// one kind of message.
template <class M>
void send_for_request(Env& env, Address to, const M& message, Purpose purpose = Purpose::foreground,
                      std::uint64_t part = 0) {
  const std::uint64_t request = mix(message.id.client.value, message.id.n);
  send_by_size(env, to, message, purpose, mix(request, M::kind.value + (part << 16U)),
               message.attempt);
}

}  // namespace rejoin
