// What every part of the SyncManager stands on; one for each manager.
#pragma once

#include "model/options.hpp"
#include "protocols/membership/cluster_state.hpp"
#include "protocols/node/component.hpp"
#include "protocols/store/store.hpp"
#include "protocols/sync/gate.hpp"

namespace rejoin::sync_detail {

// Timers, by what they are for. Below 2^56, as SubEnv wants them.
inline constexpr TimerId kQueueTimer{1};                       // starts repairs that are due
inline constexpr TimerId kSettleTimer{2};                      // gained partitions without a hook
inline constexpr TimerId kTombstoneTimer{3};                   // sweeps tombstones
inline constexpr TimerId kHintTimer{4};                        // hints that are due
inline constexpr std::uint64_t kPauseTimers = 1ULL << 40U;     // + partition: between two rounds
inline constexpr std::uint64_t kQuestionTimers = 1ULL << 48U;  // + number of the question
inline constexpr std::uint64_t kCompareTimers = 1ULL << 50U;   // + number of the comparison
// + place of the mechanism << kMechanismShift + its own number.
inline constexpr std::uint64_t kMechanismTimers = 1ULL << 52U;
inline constexpr unsigned kMechanismShift = 40;

struct SyncContext {
  SubEnv env;
  NodeBus& bus;
  NodeId self;
  SyncOptions options;
  std::uint32_t replication;  // owners that a partition should have
  const ClusterStateMachine& cluster;
  Store& store;
  Gate& gate;

  [[nodiscard]] const PartitionMap& map() const { return *cluster.state().map; }
  [[nodiscard]] bool knows(PartitionId partition) const {
    return partition.value < gate.partition_count();
  }
  [[nodiscard]] bool is_owner(PartitionId partition) const {
    return partition.value < map().partition_count() && map().owns(self, partition);
  }
  [[nodiscard]] const Member* member(NodeId node) const { return cluster.state().find(node); }
  // Others may have owned in this node's place while it was away, and what they acknowledged needs
  // no majority that this node is one of. Where there never were more nodes than copies nobody did.
  [[nodiscard]] bool may_be_replaced() const {
    return cluster.state().incarnations.size() > replication;
  }
};

}  // namespace rejoin::sync_detail
