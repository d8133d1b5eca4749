// What SyncManagers say to each other when they compare a partition instead of copying it: what
// differs (by Merkle trees or by lists), the records that the asker wants, and those that it gives.
//
// Invariants: as in messages.hpp. A request repeats who is asked about what (CompareHead), and its
// answer repeats that.
#pragma once

#include <cstdint>
#include <vector>

#include "model/message.hpp"
#include "model/record.hpp"
#include "protocols/reconcile/digest_list.hpp"
#include "protocols/reconcile/merkle_exchange.hpp"
#include "protocols/sync/messages.hpp"

namespace rejoin::sync_detail {

struct CompareHead {
  std::uint64_t repair = 0;
  NodeId source;  // who is asked
  PartitionId partition{};
  Epoch epoch{};                   // of the asker's map
  bool accept_unrepaired = false;  // no repaired source was found before
  std::uint64_t number = 0;        // which repair of the partition in this process, for tags
  std::uint32_t step = 0;          // of the exchange, counted from 0
  std::uint32_t attempt = 0;
  REJOIN_FIELDS(repair, source, partition, epoch, accept_unrepaired, number, step, attempt)
};

struct MerkleAsk {
  static constexpr MessageKind kind{Channel::sync, 5};
  CompareHead head;
  reconcile::MerkleRequest request;
  REJOIN_FIELDS(head, request)
};
struct MerkleTold {
  static constexpr MessageKind kind{Channel::sync, 6};
  CompareHead head;
  SourceState state{};
  reconcile::MerkleAnswer answer;  // when ready
  REJOIN_FIELDS(head, state, answer)
};

struct ListAsk {
  static constexpr MessageKind kind{Channel::sync, 7};
  CompareHead head;
  reconcile::DigestListRequest request;
  REJOIN_FIELDS(head, request)
};
struct ListTold {
  static constexpr MessageKind kind{Channel::sync, 8};
  CompareHead head;
  SourceState state{};
  reconcile::DigestListAnswer answer;  // when ready
  REJOIN_FIELDS(head, state, answer)
};

// Records by key. The answer covers the first `covered` of the keys; those that the source holds
// nothing of are not among its records.
struct PullRequest {
  static constexpr MessageKind kind{Channel::sync, 9};
  CompareHead head;
  std::vector<Key> keys;  // they ascend
  std::uint64_t chunk_bytes = 0;
  REJOIN_FIELDS(head, keys, chunk_bytes)
};
struct PullReply {
  static constexpr MessageKind kind{Channel::sync, 10};
  CompareHead head;
  SourceState state{};
  std::uint64_t covered = 0;
  std::vector<Record> records;  // keys ascend
  REJOIN_FIELDS(head, state, covered, records)
};

// Records that the asker holds and the other should merge. The answer says that all are durable.
struct PushRequest {
  static constexpr MessageKind kind{Channel::sync, 11};
  CompareHead head;
  std::vector<Record> records;  // keys ascend
  REJOIN_FIELDS(head, records)
};
struct PushReply {
  static constexpr MessageKind kind{Channel::sync, 12};
  CompareHead head;
  SourceState state{};
  std::uint64_t changed = 0;  // records that were news there
  REJOIN_FIELDS(head, state, changed)
};

[[nodiscard]] inline std::uint64_t identity_of(const CompareHead& head, MessageKind kind) {
  return mix(identity_of(head.partition, head.number, head.source, head.step), kind.value);
}

}  // namespace rejoin::sync_detail
