// A sync mechanism: how a node gets data that it should have. One .cpp in protocols/sync/ each,
// with one registration; docs and parameters in its MechanismSpec.
//
// A mechanism decides when to repair which partition from whom and how to merge; the SyncManager
// (sync_manager.hpp) does it. It never touches the wire or the store itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/options.hpp"
#include "model/params.hpp"
#include "model/registry.hpp"
#include "protocols/node/component.hpp"

namespace rejoin {

class SyncManager;

// Why a node may need data.
struct PartitionNeeded {
  PartitionId partition;
  std::vector<NodeId> sources;  // old owners that are still members, itself not among them
  fact::ChangeReason reason{};
};

// A partition of a node that has returned.
struct Owned {
  PartitionId partition;
  // It came here while this process ran, by a map that ran no hook.
  bool gained = false;
};

class Mechanism {
 public:
  Mechanism() = default;
  Mechanism(const Mechanism&) = delete;
  Mechanism& operator=(const Mechanism&) = delete;
  virtual ~Mechanism() = default;

  // OnPartitionChange for this node.
  virtual void on_partition_change(const PartitionNeeded& /*change*/) {}
  // This process has started, or was admitted again, and its view of the cluster is current.
  // `owned`: the partitions that it owns; it may have missed writes of each. Also when maps came by
  // a snapshot, and ran no hooks: what was gained by them.
  virtual void on_return(const std::vector<Owned>& /*owned*/) {}
  // The process has started; nothing is known yet.
  virtual void start() {}
  virtual void on_timer(std::uint64_t /*number*/) {}
  // A pass of upkeep over the partition (RepairRequest::claims false) has ended, however it did.
  virtual void on_pass_ended(PartitionId /*partition*/) {}
  // True when this mechanism will repair the partition by itself after a return or a change: the
  // gate then waits for it. False: the gate opens at once, and by that claims to be repaired.
  [[nodiscard]] virtual bool repairs_on_return(const Owned& /*owned*/) const { return false; }
  [[nodiscard]] virtual bool repairs_on_change() const { return false; }
};

// What is known of a run before it runs. Conditions of promises are judged by it.
struct Terms {
  const NodeOptions& node;
  // With the weakest level of any write, and of any read that a coordinator serves.
  const ClientOptions& client;
  bool clocks_agree = true;   // no fault of the run is about clocks
  bool direct_reads = false;  // some read asks one node, and no coordinator
  bool owners_change = true;  // there are more nodes than copies
};

// Something that a promise takes. For each there is a scenario that shows what breaks without it.
struct Condition {
  std::string_view name;  // in the name of that scenario: `quorum-writes`
  std::string_view says;  // `every write at level quorum or all`
  // Null: no option shows it, and a run takes it for granted.
  bool (*met)(const Terms& terms, const Params& params) = nullptr;
  // Which of the promises take it. Empty: all.
  std::vector<std::string_view> promises = {};
};

struct MechanismSpec {
  std::string_view name;
  std::string_view help;     // one line: what it does
  std::string_view details;  // a paragraph: when it works and when not
  std::vector<ParamSpec> params;
  // Invariants that it promises by registered name, and under which conditions. A run judges what
  // is promised, whether its file asks for it or not.
  std::vector<std::string_view> promises = {};
  std::vector<Condition> conditions = {};
  // Whether it repairs who returns or gains a partition before that counts as repaired, so that a
  // gate waits for it. Null: never.
  bool (*repairs)(const Params& params) = nullptr;
  // Why it makes no sense with these options, as a sentence; empty: it does. Null: it always does.
  std::string (*refuses)(const NodeOptions& options, const Params& params) = nullptr;
  std::unique_ptr<Mechanism> (*make)(SyncManager& manager, const Params& params) = nullptr;
  bool exclusive = false;  // cannot be combined with another
};

using Mechanisms = Registry<MechanismSpec>;

}  // namespace rejoin
