// SyncManager: brings one partition of this node up to date from its replicas.
//
// An application that sits on a coordination library uses it in three steps, and so do the
// mechanisms here: find the freshest replica of the partition, call a fetch function, merge what
// it answers. The default fetch function asks the replica's SyncManager for every record, in
// chunks, over a stream.
// A source that is itself waiting for a repair of the partition is refused, and one that cannot
// answer yet is asked again, fetch_attempts times with retry_backoff in between. When a repair has
// failed because only unrepaired sources were left, RepairFailed says so and the next try accepts
// them: two nodes that returned together would wait for each other for ever.
//
// Invariants:
// 1. At most SyncOptions::fetches_in_flight partitions are under way; the others queue, in the
//    order in which they were asked for. A partition that is under way is not started twice: it
//    is repaired once more afterwards, with the later request.
// 2. A repair is complete when every answer was merged and is durable here. Its start S, as
//    published in RepairCompleted, is when it was started, before any source was asked.
// 3. A source that does not answer in time is tried again with backoff, fetch_attempts times, then
//    the next source; when none is left the repair has failed, is published as failed, and is
//    tried anew after a backoff for as long as this node owns the partition. A repair of a
//    partition that it no longer owns is abandoned, which is published as failed, too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/options.hpp"
#include "protocols/membership/cluster_state.hpp"
#include "protocols/node/component.hpp"
#include "protocols/store/store.hpp"
#include "protocols/sync/coordination.hpp"
#include "protocols/sync/gate.hpp"
#include "protocols/sync/hint_replay.hpp"
#include "protocols/sync/mechanism.hpp"
#include "protocols/sync/tree_keeper.hpp"

namespace rejoin {

// Which replicas a repair copies from.
enum class SourceRule : std::uint8_t {
  first,     // the first source that answers, in the order given
  freshest,  // asks all for their newest version, copies from the one that is ahead
  // A majority of the partition's owners. This node counts when it holds data, has lost none since
  // it was whole, and no other can have owned in its place: where there never were more nodes than
  // copies.
  quorum,
  all,  // every source that answers, at least what quorum asks for
};

// How a source's records come here.
enum class Means : std::uint8_t {
  copy,   // all of them
  lists,  // the keys and fingerprints of all are compared first, then those that differ come
  trees,  // Merkle trees are compared first; somebody has asked for them (keep_trees)
};
struct Transfer {
  Means means = Means::copy;
  bool pull = true;   // records come here
  bool push = false;  // and go there, where they are missing or older; not of a copy
  // Records of one version count as different, too; of lists.
  bool distrusts_equal = false;
};

struct RepairRequest {
  PartitionId partition;
  std::vector<NodeId> sources;  // may be empty: nobody has the data; completes with nothing
  SourceRule rule = SourceRule::freshest;
  MergeRule merge = MergeRule::merge;
  // Forget the local records when the last source has answered whole, except those written here
  // since the repair was asked for; until then the answers take memory. Merged instead, when that
  // could lose what a majority holds: owners are missing from the map, an owner other than this
  // node was not copied whole (rule quorum: a majority of them was not), or sources were accepted
  // that are unrepaired themselves. Records that only this node has are lost, even if they were
  // acknowledged (at level one). A crash before all is durable here leaves part of the data; the
  // sources hold it.
  bool wipe = false;
  Transfer transfer{};
  // What is reported complete: the partition is repaired. False: a pass of upkeep, with whoever it
  // is; it claims nothing, and is not tried again when it fails.
  bool claims = true;
  std::string mechanism;  // for facts and reports
};

// How fresh a replica is: compared by newest version, then by count of records.
struct Freshness {
  NodeId node;
  Version newest;
  std::uint64_t records = 0;
};

class SyncManager final : public Component {
 public:
  // `replication`: how many owners a partition should have; one that has fewer is not wiped.
  SyncManager(Env& machine, NodeBus& bus, NodeId self, SyncOptions options,
              std::uint32_t replication, const ClusterStateMachine& cluster, Store& store,
              Gate& gate, Coordination& coordination);
  ~SyncManager() override;

  // Starts or queues a repair.
  void repair(RepairRequest request);
  // From now on this node keeps Merkle trees of what it owns. Before start().
  void keep_trees(const sync_detail::TreeOptions& options);
  // From now on the coordinator of this node mends what its reads find to differ. Before start().
  void repair_reads(const ReadRepair& how);
  // From now on this node keeps hints, and takes those of the coordinator. Before start().
  void keep_hints(const sync_detail::HintOptions& options);
  // For mechanisms: a timer of their own, `number` below 2^40; it ends in Mechanism::on_timer.
  void arm(const Mechanism& mechanism, std::uint64_t number, MonotonicTime deadline);
  [[nodiscard]] MonotonicTime now() const;
  // A draw for a mechanism; `what` says what it is for.
  [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                     std::uint64_t attempt);
  // Partitions that this node owns in the current map, while it is a member and current.
  [[nodiscard]] std::vector<PartitionId> owned() const;
  // Members other than this node that own the partition in the current map, primary first.
  [[nodiscard]] std::vector<NodeId> replicas_of(PartitionId partition) const;

  // The application's fetch function: gets all records of a partition from one replica and gives
  // them, in any number of batches, to `merge`, then calls `done`. Replaces the default one.
  //
  //   manager.set_fetch_function([&app](PartitionId partition, NodeId source,
  //                                     SyncManager::MergeBatch merge, SyncManager::FetchDone done)
  //                                     {
  //     app.list_records(source, partition, [=](std::optional<std::vector<Record>> records) {
  //       if (records) merge(*std::move(records));
  //       done(records.has_value());
  //     });
  //   });
  //
  // Freshness is still asked of the replicas' SyncManagers. A call that gives neither a batch nor
  // its end for fetch_timeout has failed, like one that ends with `done(false)`: the function is
  // called again, fetch_attempts times, and what a call says after it has failed is ignored. Both
  // functions may be called from inside the fetch function, but not after the manager is gone.
  // Set it before start().
  using MergeBatch = std::function<void(std::vector<Record>)>;
  using FetchDone = std::function<void(bool ok)>;
  using FetchFunction =
      std::function<void(PartitionId, NodeId source, MergeBatch merge, FetchDone done)>;
  void set_fetch_function(FetchFunction fetch);

  [[nodiscard]] Channel channel() const override { return Channel::sync; }
  void start() override;
  [[nodiscard]] bool on_message(Address from, MessageKind kind, ByteView body) override;
  void on_timer(TimerId timer) override;
  void on_io(const IoDone& done) override;
  void on_local(const LocalEvent& event) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The file that tells a founding member's first start (there is nothing to repair) from a return.
[[nodiscard]] std::vector<DiskFile> sync_founding_files();

}  // namespace rejoin
