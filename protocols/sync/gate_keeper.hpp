// When this node is back, which partitions it has gained or lost, and whether it answers for them.
//
// A return is the moment at which a process knows who it is, has read its store back, has caught
// up with the cluster and is a member. There is one for each start and each readmission.
//
// Invariants:
// 1. GateMode::fence: a gate is open only while this node owns the partition and has nothing left
//    to repair in it. Every gate is closed from the start of the process and while evicted.
// 2. GateMode::open: no gate is ever closed; GateOpened says from when on the node answers, and
//    whether that is all that will happen (`claims_repaired`).
// 3. Mechanisms learn of each partition gained: by on_partition_change when a hook ran, else (the
//    map came by a snapshot) by on_return with just these partitions.
// 4. The first start of a founding member has nothing to repair: there was nothing before it. The
//    file `state` remembers that it was the first; a store that holds data contradicts it, and is
//    believed. Any other content of the file is reported and counts as a return, which is safe.
// 5. What is stored here is vouched for as long as nothing was lost of it: from the first start of
// a
//    founding member on, or once every partition was repaired, until the store begins another life.
//    The file names the life.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocols/sync/repair_queue.hpp"

namespace rejoin::sync_detail {

inline constexpr std::string_view kFilePrefix = "sync";
inline constexpr std::string_view kStateFile = "state";
inline constexpr std::string_view kFounding = "founding";
inline constexpr std::string_view kReturned = "returned";
inline constexpr std::string_view kWhole = "whole ";  // and the life of the store, as a number

class GateKeeper {
 public:
  using MechanismList = std::vector<std::unique_ptr<Mechanism>>;

  GateKeeper(SyncContext& context, RepairQueue& queue, const MechanismList& mechanisms)
      : context_(context), queue_(queue), mechanisms_(mechanisms) {}

  void start();
  void on_io(const IoDone& done);
  void on_settle_timer();
  void on_completed(PartitionId partition, MonotonicTime started);

  void on_event(const local::IdentityKnown& event);
  void on_event(const local::CaughtUp& event);
  void on_event(const local::ClusterChanged& event);
  void on_event(const local::StoreRecovered& event);
  void on_event(const local::Evicted& event);
  void on_event(const local::PartitionChanged& event);

  // This process is a member, and its view of the cluster is current.
  [[nodiscard]] bool has_returned() const { return returned_; }
  // Whether this node has nothing left to repair in the partition: it may be a source.
  [[nodiscard]] bool is_repaired(PartitionId partition) const {
    return holdings_[partition.value].claimed && !queue_.pending(partition);
  }
  // Invariant 5: whether this node still has all that it ever acknowledged of the partition.
  [[nodiscard]] bool vouches_for(PartitionId partition) const {
    return holdings_[partition.value].repaired_since.has_value() || is_whole();
  }

 private:
  enum class Start : std::uint8_t { unknown, founding, returning };
  struct Holding {
    bool handled = false;  // owned, and a mechanism or gate was told
    bool claimed = false;  // repaired, or open without anyone to repair it; survives a loss of
                           // ownership: the data of an old owner is what a new one copies
    std::optional<MonotonicTime> repaired_since;  // start of the last completed repair
  };

  [[nodiscard]] bool is_whole() const { return whole_life_ == context_.store.life(); }
  [[nodiscard]] bool is_repaired_everywhere() const;
  void vouch();
  // Writes the file, after what is being written now.
  void remember(std::string state);
  [[nodiscard]] bool fenced() const { return context_.options.gate != GateMode::open; }
  [[nodiscard]] bool any_repairs_on_return(const Owned& owned) const;
  [[nodiscard]] bool any_repairs_on_change() const;
  // When this life became a member: the start of the process, or its admission.
  [[nodiscard]] MonotonicTime member_since() const;
  void leave();
  void try_return();
  void return_with(const std::vector<Owned>& owned, MonotonicTime since);
  // Nobody will repair it: the gate opens with the claim; else it stays as it is, or waits.
  void admit(PartitionId partition, bool will_repair, MonotonicTime since);
  void open(PartitionId partition, bool claims_repaired, MonotonicTime since);
  void close(PartitionId partition);

  SyncContext& context_;
  RepairQueue& queue_;
  const MechanismList& mechanisms_;
  std::vector<Holding> holdings_;
  Start start_ = Start::unknown;
  std::optional<std::uint64_t> whole_life_;  // of the store, when it was whole
  std::optional<std::string> next_state_;    // to be written when what is being written is
  bool writing_ = false;
  bool had_records_ = false;  // in the store, at the start
  bool new_disk_ = false;     // no file: this process was not a member before it was admitted
  std::optional<Incarnation> incarnation_;
  MonotonicTime process_since_{};
  MonotonicTime identity_since_{};
  bool readmitted_ = false;  // in this process
  bool evicted_ = false;
  bool caught_up_ = false;
  bool returned_ = false;
};

}  // namespace rejoin::sync_detail
