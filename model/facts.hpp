// Facts: what processes and the world publish about themselves, for whoever watches.
//
// Invariants:
// 1. A fact is published at the event at which it becomes true, once.
// 2. An Observer cannot influence who publishes: it returns nothing and is reached by no message.
// 3. Each fact folds into the digest of the run (fold below), so two runs that agree on digests
//    agree on their facts.
//
// A new fact is a struct here, a name and a fold in facts.cpp; invariants and `when` read it by
// type. Facts carry what a judge needs without asking the node back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/fields.hpp"
#include "model/history.hpp"
#include "model/ids.hpp"
#include "model/partition_map.hpp"
#include "model/record.hpp"
#include "model/time.hpp"
#include "model/wire.hpp"

namespace rejoin {

namespace fact {

// ---- The process and its host --------------------------------------------------------------
// Published by the machine.
struct ProcessStarted {
  REJOIN_FIELDS()
};
// By a fault.
struct ProcessCrashed {
  REJOIN_FIELDS()
};
// By its own decision (a failed sync).
struct ProcessHalted {
  std::string reason;
  REJOIN_FIELDS(reason)
};
// Part of it, or all.
struct DiskWiped {
  std::string part;  // `all`, `consensus` (identity and Raft), `data`, `half`
  REJOIN_FIELDS(part)
};
// Published by the machine.
struct FaultInjected {
  std::string fault;
  std::string target;
  REJOIN_FIELDS(fault, target)
};
struct FaultEnded {
  std::string fault;
  std::string label;  // of the step that injected it
  REJOIN_FIELDS(fault, label)
};
// What a process read from its disk is not what it wrote, and it knows: a checksum, a frame or a
// sequence is wrong where a torn tail cannot explain it. Nothing of `file` from `offset` on is
// used.
struct StorageCorrupt {
  std::string file;
  std::uint64_t offset = 0;
  std::string what;
  REJOIN_FIELDS(file, offset, what)
};
// By the machine: its count-th, from 1.
struct SyncRequested {
  std::uint64_t count = 0;
  REJOIN_FIELDS(count)
};
struct SyncCompleted {
  std::uint64_t count = 0;
  REJOIN_FIELDS(count)
};
// A frame that was corrupt, unknown, or from a server that may not send it; state is unchanged.
struct MessageRejected {
  std::string reason;
  REJOIN_FIELDS(reason)
};

// ---- Raft ----------------------------------------------------------------------------------
struct BecameLeader {
  GroupId group;
  Term term;
  REJOIN_FIELDS(group, term)
};
struct LostLeadership {
  GroupId group;
  Term term;
  REJOIN_FIELDS(group, term)
};
struct VoteGranted {
  GroupId group;
  Term term;
  NodeId candidate;
  Incarnation incarnation;
  REJOIN_FIELDS(group, term, candidate, incarnation)
};
// In this server's log (not necessarily durable yet). `digest` is of type and payload.
struct EntryAppended {
  GroupId group;
  LogIndex index;
  Term term;
  std::uint64_t digest = 0;
  REJOIN_FIELDS(group, index, term, digest)
};
// `from` and all after it are gone.
struct LogTruncated {
  GroupId group;
  LogIndex from;
  REJOIN_FIELDS(group, from)
};
// Term: the server's own, now.
struct Committed {
  GroupId group;
  Term term;
  LogIndex index;
  REJOIN_FIELDS(group, term, index)
};
struct EntryApplied {
  GroupId group;
  LogIndex index;
  Term term;
  std::uint64_t digest = 0;
  REJOIN_FIELDS(group, index, term, digest)
};
struct SnapshotInstalled {
  GroupId group;
  LogIndex index;
  Term term;
  REJOIN_FIELDS(group, index, term)
};
struct LogCompacted {
  GroupId group;
  LogIndex index;
  REJOIN_FIELDS(group, index)
};
// The log as read back from disk at a start: entries first..last survive.
struct LogRecovered {
  GroupId group;
  LogIndex snapshot;
  LogIndex last;
  Term term;
  REJOIN_FIELDS(group, snapshot, last, term)
};

// ---- Cluster state, as applied by the publishing node ---------------------------------------
struct MemberInfo {
  NodeId node;
  Incarnation incarnation;
  Address address;
  REJOIN_FIELDS(node, incarnation, address)
};
// `on_leader`: the publishing node led the cluster group when it applied this.
struct MemberAdded {
  MemberInfo member;
  bool on_leader = false;
  bool rejoin = false;
  REJOIN_FIELDS(member, on_leader, rejoin)
};
struct MemberUpdated {
  MemberInfo member;
  bool on_leader = false;
  REJOIN_FIELDS(member, on_leader)
};
struct MemberRemoved {
  NodeId node;
  Incarnation incarnation;
  bool on_leader = false;
  REJOIN_FIELDS(node, incarnation, on_leader)
};
// Every member after a change, ordered by node.
struct MembersApplied {
  std::vector<MemberInfo> members;
  REJOIN_FIELDS(members)
};
struct MapApplied {
  std::shared_ptr<const PartitionMap> map;
  std::uint64_t fingerprint = 0;
  bool on_leader = false;
  REJOIN_FIELDS(fingerprint, on_leader)
};
struct RebalanceRefused {
  std::string reason;
  REJOIN_FIELDS(reason)
};
struct SettingApplied {
  RequestId request;
  std::string name;
  std::string value;
  LogIndex index;
  REJOIN_FIELDS(request, name, value, index)
};
// A command of the replicated log took effect (a duplicate that was recognised does not).
struct CommandApplied {
  GroupId group;
  LogIndex index;
  RequestId request;
  REJOIN_FIELDS(group, index, request)
};

// ---- Health --------------------------------------------------------------------------------
struct HealthChecked {
  NodeId target;
  bool healthy = false;
  std::uint32_t failures = 0;
  REJOIN_FIELDS(target, healthy, failures)
};
struct JoinRequested {
  Address seed;
  REJOIN_FIELDS(seed)
};
// Its answer to a health check.
struct NodeReady {
  bool ready = false;
  std::string reason;
  REJOIN_FIELDS(ready, reason)
};

// ---- Partitions, hooks, repair -------------------------------------------------------------
enum class ChangeReason : std::uint8_t { added, removed, rebalance, rejoin };
[[nodiscard]] std::string_view to_name(ChangeReason reason);
// OnPartitionChange ran on the publishing node for `copy_to`.
struct HookFired {
  PartitionId partition;
  std::vector<NodeId> copy_from;
  NodeId copy_to;
  ChangeReason reason{};
  REJOIN_FIELDS(partition, copy_from, copy_to, reason)
};
struct RepairStarted {
  PartitionId partition;
  std::vector<NodeId> sources;
  std::string mechanism;
  bool claims = true;  // as of RepairCompleted
  REJOIN_FIELDS(partition, sources, mechanism, claims)
};
struct RepairCompleted {
  PartitionId partition;
  std::uint64_t records = 0;
  std::uint64_t changed = 0;
  MonotonicTime started{};
  bool claims = true;        // that nothing is left to repair; false: a pass of upkeep
  std::uint64_t rounds = 0;  // questions that were asked side by side are one
  REJOIN_FIELDS(partition, records, changed, started, claims, rounds)
};
struct RepairFailed {
  PartitionId partition;
  std::string reason;
  std::uint64_t rounds = 0;  // as of RepairCompleted; 0 when it was never started
  REJOIN_FIELDS(partition, reason, rounds)
};
// The node answers reads of the partition from now on. `claims_repaired`: it says by this that
// nothing is left to repair, as of `since` (DESIGN: a gate that opens without any repair claims
// to be repaired since it became a member).
struct GateOpened {
  PartitionId partition;
  bool claims_repaired = false;
  MonotonicTime since{};
  REJOIN_FIELDS(partition, claims_repaired, since)
};
struct GateClosed {
  PartitionId partition;
  REJOIN_FIELDS(partition)
};

// ---- Store ---------------------------------------------------------------------------------
enum class WriteCause : std::uint8_t {
  foreground,
  repair,
  collection,  // a tombstone is forgotten: `erased`, its origin is the delete's
};
[[nodiscard]] std::string_view to_name(WriteCause cause);
// The stored version of a key changed, or an arriving one was refused (`stored` false). `seq`
// orders the store's writes; the write survives a crash once StoreDurable has reached it.
// An erased record (no tombstone kept) has `erased`; its origin is the delete's.
struct RecordWritten {
  PartitionId partition;
  Key key;
  RequestId origin;
  bool deleted = false;
  bool erased = false;
  bool stored = false;
  std::optional<RequestId> replaced;  // what was there before, tombstones included
  WriteCause cause{};
  std::uint64_t seq = 0;
  // Of what is stored now, the writes besides `origin`: siblings, or other parts of a merged value.
  std::vector<RequestId> others;
  std::uint32_t actors = 0;  // in its version vector; 0 where there is none
  REJOIN_FIELDS(partition, key, origin, deleted, erased, stored, replaced, cause, seq, others,
                actors)
};
// A node keeps a write for an owner that did not take it; it survives a crash once HintsDurable has
// reached `seq`.
struct HintStored {
  NodeId owner;
  Key key;
  RequestId origin;
  std::uint64_t seq = 0;
  REJOIN_FIELDS(owner, key, origin, seq)
};
struct HintsDurable {
  std::uint64_t up_to = 0;
  REJOIN_FIELDS(up_to)
};
// The owner has it now, or it is given up: too old, too many, its owner is gone.
struct HintEnded {
  NodeId owner;
  Key key;
  RequestId origin;
  std::string how;  // `delivered`, or why not
  REJOIN_FIELDS(owner, key, origin, how)
};
// Wiped before a copy.
struct PartitionDropped {
  PartitionId partition;
  std::uint64_t seq = 0;
  REJOIN_FIELDS(partition, seq)
};
struct StoreDurable {
  std::uint64_t up_to = 0;
  REJOIN_FIELDS(up_to)
};
struct StoreRecovered {
  std::uint64_t records = 0;
  std::uint64_t up_to = 0;
  std::uint64_t life = 0;  // of the store: another one once its files were lost
  REJOIN_FIELDS(records, up_to, life)
};

// ---- Clients -------------------------------------------------------------------------------
struct OperationInvoked {
  Operation operation;
  REJOIN_FIELDS(operation)
};
// With result and time of return.
struct OperationReturned {
  Operation operation;
  REJOIN_FIELDS(operation)
};
// Its outcome stays unknown for ever.
struct OperationAbandoned {
  Operation operation;
  REJOIN_FIELDS(operation)
};

// ---- Merges --------------------------------------------------------------------------------
// A merge on the publishing node dropped one of two concurrent writes by its rule: `lost` is
// counted, not forgotten.
struct ConflictLost {
  Key key;
  RequestId lost;
  RequestId kept;
  REJOIN_FIELDS(key, lost, kept)
};

}  // namespace fact

using Fact = std::variant<
    fact::ProcessStarted, fact::ProcessCrashed, fact::ProcessHalted, fact::DiskWiped,
    fact::FaultInjected, fact::FaultEnded, fact::StorageCorrupt, fact::SyncRequested,
    fact::SyncCompleted, fact::MessageRejected, fact::BecameLeader, fact::LostLeadership,
    fact::VoteGranted, fact::EntryAppended, fact::LogTruncated, fact::Committed, fact::EntryApplied,
    fact::SnapshotInstalled, fact::LogCompacted, fact::LogRecovered, fact::MemberAdded,
    fact::MemberUpdated, fact::MemberRemoved, fact::MembersApplied, fact::MapApplied,
    fact::RebalanceRefused, fact::SettingApplied, fact::CommandApplied, fact::HealthChecked,
    fact::JoinRequested, fact::NodeReady, fact::HookFired, fact::RepairStarted,
    fact::RepairCompleted, fact::RepairFailed, fact::GateOpened, fact::GateClosed,
    fact::RecordWritten, fact::PartitionDropped, fact::StoreDurable, fact::StoreRecovered,
    fact::OperationInvoked, fact::OperationReturned, fact::OperationAbandoned, fact::ConflictLost,
    fact::HintStored, fact::HintsDurable, fact::HintEnded>;

// Who published: a node, or a client (then `node` is none).
struct FactSource {
  NodeId node;
  ClientId client;
  Incarnation incarnation;  // of the node, as far as it knows; 0 before it has one
  // Of a second live process with the id of `node`: what its store holds is not that of `node`.
  bool twin = false;
};

class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;
  virtual void on_fact(const FactSource& source, const Fact& fact) = 0;
};

// `BecameLeader`: the struct's name.
[[nodiscard]] std::string_view name_of(const Fact& fact);
// One line: `BecameLeader{group: 1, term: 2}`.
[[nodiscard]] std::string describe(const Fact& fact);
// The canonical encoding that folds into the digest.
void encode_fact(Writer& writer, const Fact& fact);
[[nodiscard]] Bytes encode_fact(const Fact& fact);

}  // namespace rejoin
