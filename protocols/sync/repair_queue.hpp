// The repairs of this node: those that wait, and those under way.
//
// Invariants:
// 1. At most one repair of a partition is under way, and at most SyncOptions::fetches_in_flight in
//    all. Others wait in the order in which they were asked for.
// 2. Requests of one mechanism for one partition that wait are one: the later request with the
//    sources of both (the earlier ones may be the only ones that hold the data). Repairs start
//    from a timer, so that requests of one event are always one, and not before the node has
//    returned, so that what it asks for on the way is one with what it asks for then.
// 3. A repair ends once: completed (all durable), failed (then it waits again, with a backoff that
//    doubles), or abandoned.
// 4. Sources that are themselves unrepaired are refused, until a repair failed because no other
//    was left (two nodes that wait for each other would wait for ever): RepairFailed says so, and
//    the next try accepts them.
// 5. A wipe loses nothing that a majority holds. What the sources answer is kept in memory until
//    the last of them has answered whole; then, at once, the local records are dropped and the
//    answers put, if the partition has as many owners as it should (its replication), and every
//    owner but this node was copied whole (with the rule quorum: a majority of the owners that
//    does not count this node). Else the answers are merged. A try that accepts unrepaired sources
//    merges, always: nodes that copy from each other would drop what only they had.
//
// Not here: when a partition needs repair, and what a repaired one means for its gate.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/sync/reconciler.hpp"
#include "protocols/sync/source_client.hpp"

namespace rejoin::sync_detail {

class RepairQueue final : public SourceListener {
 public:
  // After the fact was published. `completed`: of a repair that claims to be one. `ended`: of a
  // pass of upkeep, however it ended.
  using Completed = std::function<void(PartitionId, MonotonicTime started)>;
  using Ended = std::function<void(PartitionId, const std::string& mechanism)>;
  // A comparison that began then has given the source what it lacked.
  using Met = std::function<void(PartitionId, NodeId source, MonotonicTime began)>;
  // Whether this node still has all that it ever acknowledged of the partition.
  using Vouches = std::function<bool(PartitionId)>;

  RepairQueue(SyncContext& context, TreeKeeper& trees, Completed completed, Ended ended, Met met,
              Vouches vouches)
      : context_(context),
        client_(context, *this),
        reconciler_(context, trees, *this),
        completed_(std::move(completed)),
        ended_(std::move(ended)),
        met_(std::move(met)),
        vouches_(std::move(vouches)) {}

  void add(RepairRequest request);
  // Ends what is under way and forgets what waits, for one partition or for all.
  void abandon(PartitionId partition, std::string_view reason);
  void abandon_all(std::string_view reason);
  // A repair that claims to be one waits or is under way.
  [[nodiscard]] bool pending(PartitionId partition) const;
  [[nodiscard]] std::size_t under_way() const { return active_.size(); }
  [[nodiscard]] SourceClient& client() { return client_; }
  [[nodiscard]] Reconciler& reconciler() { return reconciler_; }

  // Starts what may start now.
  void on_queue_timer();
  void on_pause_timer(PartitionId partition);
  void on_durable();
  // Whether repairs may start. While this node has not returned (its store is read back, its view
  // of the cluster is current) they wait: hooks that a replayed log fires are old ones, and the
  // return asks for the same again, which is then one.
  void let_start(bool may);

  void on_probed(std::uint64_t repair, const Freshness& freshness, Outcome outcome) override;
  void on_round(std::uint64_t repair) override;
  void on_records(std::uint64_t repair, std::vector<Record> records) override;
  void on_copied(std::uint64_t repair, NodeId source, Outcome outcome) override;

 private:
  struct Wanted {
    RepairRequest request;
    bool accept_unrepaired = false;
    std::uint32_t failures = 0;
    MonotonicTime not_before{};
    // When this was asked for, as a sequence of the store (none: it was not ready, until the first
    // try): a wipe spares what came later.
    std::optional<std::uint64_t> asked_at;
    // Whether this node had data then: what a failed try copied does not count for a quorum.
    bool had_data = false;
  };
  enum class Phase : std::uint8_t { probing, copying, settling };
  struct Repair {
    Wanted wanted;
    Question question;
    MonotonicTime started{};
    Phase phase{};
    std::vector<NodeId> next;     // to be asked, in order
    std::vector<NodeId> refused;  // asked in this round and to be asked again in the next
    std::vector<Freshness> fresh;
    std::size_t in_flight = 0;   // questions
    std::vector<NodeId> copied;  // whole
    std::vector<Record> buffer;  // of a request to wipe: what the sources answered
    std::size_t target = 0;      // sources to copy: complete at once when reached
    std::size_t least = 0;       // complete with these when there is nobody left to ask
    bool any_unrepaired = false;
    std::uint64_t records = 0;
    std::uint64_t changed = 0;
    std::uint64_t rounds = 0;
    std::uint64_t seq = 0;  // durable when this is
  };
  using Waiting = std::pair<PartitionId, std::string>;  // and the mechanism

  void tell_ended(const RepairRequest& request) const;
  void enqueue(Wanted wanted);
  void remember_store(Wanted& wanted) const;
  void schedule(MonotonicTime when);
  void start(Wanted wanted);
  [[nodiscard]] std::vector<NodeId> candidates(const Wanted& wanted) const;
  void ask(Repair& repair);
  void end_round(Repair& repair);
  void rank(Repair& repair);
  void merge(Repair& repair, const std::vector<Record>& records);
  [[nodiscard]] bool may_wipe(const Repair& repair) const;
  void wipe(Repair& repair);
  void settle(Repair& repair);
  void complete(PartitionId partition);
  void fail(PartitionId partition, std::string_view reason);
  [[nodiscard]] Repair* find(std::uint64_t repair);

  SyncContext& context_;
  SourceClient client_;
  Reconciler reconciler_;
  Completed completed_;
  Ended ended_;
  Met met_;
  Vouches vouches_;
  std::map<std::uint64_t, Wanted> waiting_;  // by order of asking
  std::map<Waiting, std::uint64_t> orders_;  // where each is in waiting_
  std::uint64_t last_order_ = 0;
  bool may_start_ = false;
  MonotonicTime armed_ = kForever;  // when the queue's timer fires
  std::map<PartitionId, Repair> active_;
  std::map<PartitionId, std::uint64_t> started_;  // how many repairs of it, in this process
};

}  // namespace rejoin::sync_detail
