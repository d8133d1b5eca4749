#include "protocols/sync/tree_keeper.hpp"

#include "model/check.hpp"
#include "model/mutant.hpp"

namespace rejoin::sync_detail {

reconcile::MerkleReplica TreeKeeper::replica(PartitionId partition) {
  CHECK_THAT(options_.has_value());
  const auto [at, fresh] =
      trees_.try_emplace(partition, Kept{reconcile::LeafIndex(options_->shape), {}});
  Kept& kept = at->second;
  if (fresh || context_.env.now() - kept.built >= options_->rebuild_after) build(partition, kept);
  return {.tree = kept.index.tree(),
          .list = [&kept](std::span<const reconcile::LeafRange> ranges,
                          std::vector<reconcile::Item>& out) { kept.index.list(ranges, out); }};
}

void TreeKeeper::on_change(PartitionId partition, const Key& key, const Record* after) {
  const auto at = trees_.find(partition);
  if (at == trees_.end() || MUTANT("sync-stale-tree")) return;
  if (after == nullptr) {
    at->second.index.erase(key);
  } else {
    at->second.index.put(key, reconcile::fingerprint_of(*after));
  }
}

void TreeKeeper::build(PartitionId partition, Kept& kept) {
  kept.index.clear();
  kept.built = context_.env.now();
  context_.store.scan(partition, "", [&kept](const Record& record) {
    kept.index.put(record.key, reconcile::fingerprint_of(record));
    return true;
  });
}

}  // namespace rejoin::sync_detail
