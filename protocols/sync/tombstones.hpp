// Forgetting that keys were deleted, by the cluster's rule: tombstones that every owner holds, or
// that are old, are collected.
//
// Invariants:
// 1. Only what is nothing but tombstones is collected, and only the very one that the rule allowed:
//    what was written since stays.
// 2. grace: by the wall clock, when the delete is so old. Whoever was away for longer and still has
//    the value brings it back: that is the price.
// 3. after-repair: when records went both ways between this node and every other owner after it had
//    the tombstone, and the delay has passed since the earliest of these comparisons began.
//    Without a mechanism that gives what others lack (direction both or push) it never is.
// 4. all-ack: the first owner of the partition gives its tombstones to every other owner; when all
//    have said that they hold them durably, and the delay has passed, it tells all to collect them.
// 5. A tombstone that was collected here and comes back from who had not collected it yet is known
//    (the last kKnownMax of them) and collected again at once.
//
// Not here: rules keep (nothing is ever collected) and none (the store erases at the delete).
// Sources: Cassandra's gc_grace_seconds; ScyllaDB's tombstone_gc mode repair; Garage's table_gc.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "model/message.hpp"
#include "protocols/sync/context.hpp"
#include "protocols/sync/messages.hpp"

namespace rejoin::sync_detail {

// From the first owner: these should be held by every owner. The answer says that they are.
struct TombstoneOffer {
  static constexpr MessageKind kind{Channel::sync, 40};
  PartitionId partition{};
  Epoch epoch{};                  // of the asker's map
  std::uint64_t round = 0;        // of the partition, in the asker's process
  std::vector<Record> records{};  // keys ascend; tombstones
  REJOIN_FIELDS(partition, epoch, round, records)
};
struct TombstoneHeld {
  static constexpr MessageKind kind{Channel::sync, 41};
  PartitionId partition{};
  std::uint64_t round = 0;
  NodeId owner{};
  REJOIN_FIELDS(partition, round, owner)
};
// Everyone holds them: whoever still holds just these may forget them.
struct TombstoneDrop {
  static constexpr MessageKind kind{Channel::sync, 42};
  PartitionId partition{};
  Epoch epoch{};
  std::uint64_t round = 0;
  std::vector<Key> keys{};
  std::vector<RequestId> origins{};  // of the deletes, as many
  REJOIN_FIELDS(partition, epoch, round, keys, origins)
};

class TombstoneKeeper {
 public:
  static constexpr std::size_t kKnownMax = 100'000;
  static constexpr std::size_t kOfferMax = 1'000;  // tombstones in a round

  explicit TombstoneKeeper(SyncContext& context) : context_(context) {}

  [[nodiscard]] bool collects() const;
  // The store has been read back.
  void on_store_ready();
  void on_change(PartitionId partition, const Key& key, const Record* after);
  // A comparison that began then has given this owner what it lacked.
  void on_met(PartitionId partition, NodeId owner, MonotonicTime began);
  void on_sweep_timer();
  void on_durable();
  [[nodiscard]] bool on_offer(Address from, const TombstoneOffer& offer);
  [[nodiscard]] bool on_held(Address from, const TombstoneHeld& held);
  [[nodiscard]] bool on_drop(Address from, const TombstoneDrop& drop);

 private:
  struct Tombstone {
    RequestId origin;
    MonotonicTime since{};                  // held here, in this process
    std::optional<MonotonicTime> acked{};   // by all owners
    bool again = false;                     // it was collected here before
    std::map<NodeId, MonotonicTime> met{};  // each owner, first
  };
  struct Round {
    std::uint64_t number = 0;
    std::map<Key, RequestId> offered;
    std::set<NodeId> silent;  // owners that have not answered
  };
  struct Waiting {
    std::uint64_t seq = 0;
    Address to;
    TombstoneHeld held;
  };
  using Partition = std::map<Key, Tombstone>;

  void schedule();
  [[nodiscard]] Duration delay() const;
  [[nodiscard]] bool is_ripe(PartitionId partition, const Key& key,
                             const Tombstone& tombstone) const;
  [[nodiscard]] bool all_met(PartitionId partition, const Tombstone& tombstone) const;
  [[nodiscard]] std::vector<NodeId> other_owners(PartitionId partition) const;
  [[nodiscard]] bool leads(PartitionId partition) const;
  void collect(PartitionId partition, const Key& key, RequestId origin);
  void offer(PartitionId partition, const Partition& held);
  void drop_acked(PartitionId partition, const Partition& held);
  template <class M>
  void send(NodeId to, const M& message, std::uint64_t round);

  SyncContext& context_;
  std::map<PartitionId, Partition> held_;
  std::map<PartitionId, Round> rounds_;
  std::map<Key, RequestId> known_;  // collected here
  std::deque<Key> known_order_;
  std::deque<Waiting> waiting_;                                 // seq ascends
  std::vector<std::tuple<PartitionId, Key, RequestId>> again_;  // came back, and go at once
  MonotonicTime next_sweep_{};
};

}  // namespace rejoin::sync_detail
