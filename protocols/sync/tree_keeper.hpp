// The Merkle trees of the partitions that this node owns, kept in step with its store.
//
// Invariants:
// 1. A tree is that of exactly what the store holds of the partition, at every event: each change
//    of the store is one update of the tree (Store::set_change_listener). It is made by one scan
//    when it is first asked for, and again when it is older than `rebuild_after`, so that damage
//    to it does not last (Riak: an hour between builds, a week until expiry).
// 2. Partitions that nobody asks about cost nothing: a tree that was not asked for since the node
//    lost the partition is dropped.
//
// Not here: persistence. A tree is made anew in each life of the process, from the store.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "protocols/reconcile/leaf_index.hpp"
#include "protocols/reconcile/merkle_exchange.hpp"
#include "protocols/sync/context.hpp"

namespace rejoin::sync_detail {

struct TreeOptions {
  reconcile::MerkleShape shape;
  reconcile::MerkleOptions exchange;
  Duration rebuild_after = 24h * 7;
};

class TreeKeeper {
 public:
  explicit TreeKeeper(SyncContext& context) : context_(context) {}

  // From now on trees of this kind are kept.
  void keep(const TreeOptions& options) { options_ = options; }
  [[nodiscard]] bool keeps() const { return options_.has_value(); }
  [[nodiscard]] const TreeOptions& options() const { return *options_; }

  // One side of an exchange about the partition, valid until the next event. keeps() and the store
  // is ready.
  [[nodiscard]] reconcile::MerkleReplica replica(PartitionId partition);

  void on_change(PartitionId partition, const Key& key, const Record* after);
  void forget(PartitionId partition) { trees_.erase(partition); }

 private:
  struct Kept {
    reconcile::LeafIndex index;
    MonotonicTime built{};
  };
  void build(PartitionId partition, Kept& kept);

  SyncContext& context_;
  std::optional<TreeOptions> options_;
  std::map<PartitionId, Kept> trees_;
};

}  // namespace rejoin::sync_detail
