// World: shadow state, rebuilt from facts alone: what each node stores, volatile and durable, who
// is a member, the maps, and the history of every key. Judges and tables read it.
//
// Invariants:
// 1. O(1) amortised a fact (O(records) for a wipe or drop).
// 2. The order of versions comes from the history: a is older than b if a's acknowledgement
//    reached its client before b was invoked, or b's context contains a. Otherwise they are
//    concurrent. A delete is a version. Acknowledged means that the client received it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/facts.hpp"
#include "model/history.hpp"
#include "model/partition_map.hpp"
#include "model/run_record.hpp"

namespace rejoin::sim {

// What a node holds for a key: the write it came from. A tombstone has `deleted`.
struct ShadowRecord {
  RequestId origin;
  bool deleted = false;
  std::uint64_t seq = 0;
};

struct ShadowNode {
  NodeId node;
  bool up = false;
  bool member = false;  // as of the newest applied membership anywhere
  bool leader = false;
  Incarnation incarnation;
  MonotonicTime started{};  // of this life
  std::uint32_t repairs_under_way = 0;
  std::uint64_t durable_seq = 0;
  std::map<PartitionId, std::map<Key, ShadowRecord>> records;  // volatile view, or disk when down
  // seq -> undo of writes not yet durable, oldest first.
  struct Undo {
    std::uint64_t seq;
    PartitionId partition;
    Key key;
    std::optional<ShadowRecord> before;
  };
  std::vector<Undo> undo;
};

// All writes and deletes of a key, in order of invocation; never removed.
struct KeyHistory {
  std::vector<Operation> writes;  // returned is set once acknowledged
};

class World {
 public:
  World(std::uint32_t nodes, std::uint32_t partitions);

  void absorb(MonotonicTime at, std::uint64_t event, const FactSource& source, const Fact& fact);

  // ---- State ----
  [[nodiscard]] const ShadowNode& node(NodeId node) const;
  [[nodiscard]] const std::map<NodeId, ShadowNode>& nodes() const { return nodes_; }
  // The newest map that any node applied; never null (epoch 0, no owners, before the first).
  [[nodiscard]] const PartitionMap& map() const { return *map_; }
  [[nodiscard]] std::uint32_t partition_count() const { return partitions_; }
  [[nodiscard]] PartitionId partition_of_key(const Key& key) const;
  [[nodiscard]] const ShadowRecord* stored(NodeId node, const Key& key) const;

  // ---- History ----
  [[nodiscard]] const std::map<Key, KeyHistory>& keys() const { return keys_; }
  [[nodiscard]] const Operation* find_write(RequestId id) const;
  [[nodiscard]] std::uint64_t open_operations() const { return open_; }
  [[nodiscard]] MonotonicTime last_change() const { return last_change_; }  // for `quiet`

  // a is older than b (see invariant 2). Unknown ids are never older.
  [[nodiscard]] bool older(RequestId a, RequestId b) const;
  // The acknowledged writes and deletes of `key` with an acknowledgement before `time` that no
  // other such one is newer than: what a fresh read invoked at `time` may not be older than.
  [[nodiscard]] std::vector<const Operation*> newest_acknowledged(const Key& key,
                                                                  MonotonicTime time) const;
  // The acknowledged write that makes an answer stale: one of newest_acknowledged(key, time) that
  // is newer than everything in `observed` (or, when nothing was observed, any that is a write,
  // unless a delete is concurrent with or newer than it). Null when the answer was fresh.
  [[nodiscard]] const Operation* missed_write(const Key& key,
                                              const std::vector<RequestId>& observed,
                                              MonotonicTime time) const;

  // ---- For tables ----
  [[nodiscard]] NodeSnapshot snapshot(NodeId node, MonotonicTime now) const;

 private:
  void absorb_record(ShadowNode& node, const fact::RecordWritten& written);
  void crash(ShadowNode& node);

  std::uint32_t partitions_;
  std::map<NodeId, ShadowNode> nodes_;
  std::shared_ptr<const PartitionMap> map_;
  std::map<Key, KeyHistory> keys_;
  std::map<RequestId, std::pair<Key, std::size_t>> writes_;
  std::uint64_t open_ = 0;
  MonotonicTime last_change_{};
};

}  // namespace rejoin::sim
