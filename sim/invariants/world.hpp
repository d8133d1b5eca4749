// World: shadow state, rebuilt from facts alone: what each node stores, volatile and durable, who
// is a member, the maps, and the history of every key. Judges and tables read it.
//
// Invariants:
// 1. O(log n) amortised a fact (O(records) for a wipe, a drop or a crash).
// 2. The order of versions comes from the history: a is older than b if a's acknowledgement
//    reached its client before b was invoked, or b's context contains a, or by a chain of these.
//    Otherwise they are concurrent. A delete is a version. Acknowledged means that the client
//    received it. "Before" is the order in which the facts happened, so that two facts at one
//    instant of virtual time are still told apart.
// 3. What a node holds after a restart is what it says that it read back (StoreRecovered), even
//    when that is less than it had said was durable: its disk had lied.
// 4. A twin (FactSource) is nobody's state: what it stores, leads or applies is not its node's.
// Only
//    the maps that it applies count, for they are the cluster's.
// 5. Membership is that of the member list applied at the highest log index, on whichever node.
//
// Not here: Raft's logs (raft_shadow.hpp), and any verdict.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/facts.hpp"
#include "model/history.hpp"
#include "model/partition_map.hpp"
#include "model/run_record.hpp"

namespace rejoin::sim {

// What a node holds for a key: the writes it came from, the newest first. A tombstone has
// `deleted`. When the delete left no tombstone, or the tombstone was dropped, `erased` is set, too:
// the node holds nothing, and only judges remember that it once knew of the delete.
struct ShadowRecord {
  RequestId origin;
  bool deleted = false;
  bool erased = false;
  std::uint64_t seq = 0;
  std::vector<RequestId> others{};  // siblings, or other parts of a merged value

  [[nodiscard]] std::vector<RequestId> origins() const {
    std::vector<RequestId> out{origin};
    out.insert(out.end(), others.begin(), others.end());
    return out;
  }
};

struct ShadowNode {
  using Records = std::map<Key, ShadowRecord>;
  // One change of one record, both ways.
  struct Change {
    std::uint64_t seq = 0;
    PartitionId partition;
    Key key;
    std::optional<ShadowRecord> before;
    std::optional<ShadowRecord> after;
  };

  NodeId node;
  bool up = false;
  bool member = false;
  bool leader = false;  // of the cluster group, as far as it knows itself
  Term leader_term;     // of its last leadership
  Incarnation incarnation;
  std::uint32_t starts = 0;  // of processes
  bool renewed = false;      // not the life any more, or not the disk, that it began with
  MonotonicTime started{};   // of this process
  LogIndex applied;          // of the cluster group, in this life
  std::uint32_t repairs_under_way = 0;  // partitions being repaired; not by passes of upkeep
  std::set<PartitionId> repairing;
  std::uint64_t durable_seq = 0;
  std::map<PartitionId, Records> records;  // volatile view; when down, what is surely on disk
  std::deque<Change> volatile_changes;     // not yet durable, oldest first
  std::deque<Change> durable_changes;      // said to be: a disk may have lied (recover)
  // Rolled back by the last crash. Of these a prefix may have reached the disk all the same; the
  // node says how far when it has read its disk (StoreRecovered).
  std::deque<Change> torn;
};

// `unbroken`, `restarted` or `renewed`, as Violation::role has it.
[[nodiscard]] std::string_view role_of(const ShadowNode& node);

// All writes and deletes of a key, in order of invocation; never removed.
struct KeyHistory {
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  // Positions in the order of all facts.
  struct Order {
    std::uint64_t invoked = 0;
    std::uint64_t acknowledged = kNever;
    // The first acknowledgement of this write or of one whose context (or its context, ...)
    // contains it: whatever is invoked later is newer.
    std::uint64_t superseding = kNever;
  };

  PartitionId partition;
  std::vector<Operation> writes;          // returned is set once acknowledged
  std::vector<Order> orders;              // of `writes`, by position
  std::vector<std::size_t> acknowledged;  // positions in `writes`, in order of acknowledgement
  std::vector<std::size_t> deletes;       // positions in `writes`, in order of invocation
  bool contexts = false;                  // some write has a context
  std::set<Consistency> levels;           // of acknowledged writes
};

// How far an answer lay behind: what had been acknowledged when its read was invoked and is newer
// than everything that it shows.
struct Staleness {
  std::uint64_t versions = 0;
  const Operation* oldest = nullptr;  // of these; valid until the next absorb; null when 0
  Duration time{};                    // since that had been acknowledged
};

// What a reader of one replica would be told.
enum class Copy : std::uint8_t {
  current,
  stale,    // an old value, be it that of a deleted key
  missing,  // NOT FOUND
};

// What a cluster was made of, before anything happened to it. All at least 1.
struct ClusterShape {
  std::uint32_t nodes = 3;
  std::uint32_t partitions = 4;
  std::uint32_t copies = 3;  // of a partition, as asked for: N, of which levels ask for some
};

class World {
 public:
  explicit World(const ClusterShape& shape);

  void absorb(MonotonicTime at, std::uint64_t event, const FactSource& source, const Fact& fact);

  // ---- State ----
  [[nodiscard]] const ShadowNode& node(NodeId node) const;
  [[nodiscard]] const std::map<NodeId, ShadowNode>& nodes() const { return nodes_; }
  // The newest map that any node applied; never null (epoch 0, no owners, before the first).
  [[nodiscard]] const PartitionMap& map() const { return *map_; }
  [[nodiscard]] const std::vector<fact::MemberInfo>& members() const { return members_; }
  [[nodiscard]] std::uint32_t partition_count() const { return partitions_; }
  // Whether a read at one level and a write at the other must share a replica: W + R > N.
  [[nodiscard]] bool levels_meet(Consistency write, Consistency read) const;
  [[nodiscard]] PartitionId partition_of_key(const Key& key) const;
  // Null when the node holds nothing; a tombstone is held.
  [[nodiscard]] const ShadowRecord* stored(NodeId node, const Key& key) const;
  // The same, and also records that are `erased`.
  [[nodiscard]] const ShadowRecord* remembered(NodeId node, const Key& key) const;
  // Owners of the partition by the newest map that are members and up.
  [[nodiscard]] std::vector<NodeId> live_owners(PartitionId partition) const;
  // The node that leads the cluster group in the highest term; none when no node does.
  [[nodiscard]] NodeId leader() const;

  // ---- History ----
  [[nodiscard]] const std::map<Key, KeyHistory>& keys() const { return keys_; }
  // Valid until the next absorb, like every pointer to an operation below.
  [[nodiscard]] const Operation* find_write(RequestId id) const;
  // Invoked, and neither returned nor abandoned yet.
  [[nodiscard]] std::uint64_t open_operations() const { return open_.size(); }
  // When a node last stored or dropped data or started or ended a repair, the leader, a membership
  // or a map changed, or an operation was invoked or ended: for `quiet`.
  [[nodiscard]] MonotonicTime last_change() const { return last_change_; }

  // a is older than b (see invariant 2). Unknown ids, and writes of two keys, never are. A strict
  // partial order.
  [[nodiscard]] bool older(RequestId a, RequestId b) const;
  // Only by contexts: the writer of b had read a, or what had replaced it. What replicas can know.
  [[nodiscard]] bool seen_by(RequestId a, RequestId b) const;
  // The acknowledged writes and deletes of `key` with an acknowledgement before `time` that no
  // other such one is newer than: what a fresh read invoked at `time` may not be older than.
  // In order of acknowledgement.
  [[nodiscard]] std::vector<const Operation*> newest_acknowledged(const Key& key,
                                                                  MonotonicTime time) const;
  // The acknowledged write that makes an answer stale: one of newest_acknowledged(key, time) that
  // is newer than everything in `observed` (or, when nothing was observed, any that is a write,
  // unless a delete is concurrent with or newer than it). Null when the answer was fresh.
  [[nodiscard]] const Operation* missed_write(const Key& key,
                                              const std::vector<RequestId>& observed,
                                              MonotonicTime time) const;
  // The newest acknowledged so far, of a history that is at hand.
  [[nodiscard]] std::vector<const Operation*> newest_acknowledged(const KeyHistory& history) const {
    return newest(history, Cut{});
  }
  // On how many nodes that are up this write of the history, or one that is newer, is stored.
  [[nodiscard]] std::uint64_t copies(const KeyHistory& history, const Operation& write) const;
  // Whether a delete of the history still shows on one of these nodes: durably known there (with a
  // tombstone, or after it was erased or collected), or replaced by what is not older; or none of
  // them has an older value that it would have to hide.
  [[nodiscard]] bool delete_survives(const KeyHistory& history, const Operation& remove,
                                     const std::vector<NodeId>& among) const;
  // The same two for an operation that was invoked: exact also for acknowledgements at the very
  // instant of its invocation. missed_by is null when `read` has no answer (value or not-found).
  [[nodiscard]] std::vector<const Operation*> newest_acknowledged_before(
      const Operation& operation) const;
  [[nodiscard]] const Operation* missed_by(const Operation& read) const;
  // The same, but only what the read was promised to see: everything, when it is direct; else the
  // writes acknowledged by so many owners (W) that W + R > N, the copies asked for.
  [[nodiscard]] const Operation* promise_broken_by(const Operation& read) const;
  // Of an answered read (value or not-found); of any other, nothing. NOT FOUND without a tombstone
  // is explained in the way that makes it the least stale: by any delete, or by no write at all.
  [[nodiscard]] Staleness staleness(const Operation& read) const;
  // False when the read was promised nothing: no acknowledged write of the key is in its reach.
  [[nodiscard]] bool promises_freshness(const Operation& read) const;

  // ---- For tables ----
  // What a node that is down, no member or no owner holds is current: it serves nothing that anyone
  // was promised.
  [[nodiscard]] Copy copy_of(NodeId node, const Key& key) const;
  [[nodiscard]] NodeSnapshot snapshot(NodeId node, MonotonicTime now) const;

 private:
  // Which acknowledgements count: those before both, by at least so many replicas.
  struct Cut {
    MonotonicTime time = kForever;
    std::uint64_t order = KeyHistory::kNever;
    std::uint32_t replicas_min = 0;
  };

  ShadowNode& shadow(NodeId node);
  [[nodiscard]] Copy copy_of(const ShadowNode& node, const Key& key,
                             const KeyHistory& history) const;
  [[nodiscard]] static const ShadowRecord* remembered(const ShadowNode& node, PartitionId partition,
                                                      const Key& key);
  void absorb_node(MonotonicTime at, ShadowNode& node, const Fact& fact);
  void absorb_client(MonotonicTime at, const Fact& fact);
  void absorb_record(ShadowNode& node, const fact::RecordWritten& written);
  void absorb_map(const fact::MapApplied& applied);
  void absorb_members(const ShadowNode& node, const fact::MembersApplied& applied);
  void drop(ShadowNode& node, const fact::PartitionDropped& dropped);
  void crash(ShadowNode& node);
  void wipe(ShadowNode& node, const fact::DiskWiped& wiped);
  void recover(ShadowNode& node, std::uint64_t up_to);
  void invoke(const Operation& operation);
  void acknowledge(MonotonicTime at, const Operation& operation);
  void supersede(KeyHistory& history, std::size_t position, std::uint64_t order);

  [[nodiscard]] bool older(const KeyHistory& history, std::size_t a, std::size_t b) const;
  [[nodiscard]] bool seen_by(const KeyHistory& history, std::size_t a, std::size_t b) const;
  [[nodiscard]] std::optional<Cut> promised(const Operation& read) const;
  [[nodiscard]] std::uint64_t invocation(const Operation& operation) const;
  [[nodiscard]] const KeyHistory* history_of(const Key& key) const;
  [[nodiscard]] std::vector<const Operation*> newest(const KeyHistory& history,
                                                     const Cut& cut) const;
  [[nodiscard]] std::vector<const Operation*> newest(const Key& key, const Cut& cut) const;
  [[nodiscard]] const Operation* missed(const KeyHistory& history,
                                        std::span<const RequestId> observed, const Cut& cut) const;
  [[nodiscard]] const Operation* missed(const Key& key, const std::vector<RequestId>& observed,
                                        const Cut& cut) const;
  [[nodiscard]] Staleness newer_than(const KeyHistory& history, std::span<const RequestId> shown,
                                     std::uint64_t before) const;
  [[nodiscard]] bool delete_excuses(const KeyHistory& history, std::size_t write) const;

  std::uint32_t partitions_;
  std::uint32_t copies_;
  std::map<NodeId, ShadowNode> nodes_;
  std::shared_ptr<const PartitionMap> map_;
  std::vector<fact::MemberInfo> members_;
  LogIndex members_index_;
  std::map<Key, KeyHistory> keys_;
  std::map<RequestId, std::pair<KeyHistory*, std::size_t>> writes_;
  std::map<RequestId, std::uint64_t> read_orders_;  // of invocation
  std::set<RequestId> open_;
  std::uint64_t order_ = 0;  // of the fact being absorbed, from 1
  MonotonicTime last_change_{};
};

}  // namespace rejoin::sim
