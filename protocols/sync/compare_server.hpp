// The answering side of comparisons: tells what this node's trees and lists say, gives the records
// that are asked for, and takes those that are pushed.
//
// Invariants: as of SourceServer. Records leave only when they are durable here, and a push is
// answered when all that it brought is. Digests and lists may be ahead of the disk: they say what
// to look at, and nothing is merged for their sake.
#pragma once

#include <deque>
#include <functional>

#include "protocols/sync/compare_messages.hpp"
#include "protocols/sync/tree_keeper.hpp"

namespace rejoin::sync_detail {

class CompareServer {
 public:
  static constexpr std::size_t kAnswersMax = 1024;
  static constexpr std::uint64_t kChunkBytesMax = 16 * 1024 * 1024;

  CompareServer(SyncContext& context, TreeKeeper& trees, std::function<bool(PartitionId)> repaired)
      : context_(context), trees_(trees), repaired_(std::move(repaired)) {}

  [[nodiscard]] bool on_merkle(Address from, const MerkleAsk& ask);
  [[nodiscard]] bool on_list(Address from, const ListAsk& ask);
  [[nodiscard]] bool on_pull(Address from, const PullRequest& request);
  [[nodiscard]] bool on_push(Address from, const PushRequest& request);
  void on_durable();

 private:
  struct Waiting {
    std::uint64_t seq = 0;
    Address to;
    Bytes frame;
    Tag tag;
  };

  [[nodiscard]] bool is_for_me(Address from, const CompareHead& head) const;
  [[nodiscard]] SourceState state(const CompareHead& head) const;
  template <class Reply>
  void answer(Address to, const Reply& reply, std::uint64_t seq, std::uint32_t part = 0);

  SyncContext& context_;
  TreeKeeper& trees_;
  std::function<bool(PartitionId)> repaired_;
  std::deque<Waiting> waiting_;  // seq ascends
};

// The items of a partition in order of key, as comparisons by lists read them.
[[nodiscard]] reconcile::OrderedReplica ordered_replica(const Store& store, PartitionId partition);

}  // namespace rejoin::sync_detail
