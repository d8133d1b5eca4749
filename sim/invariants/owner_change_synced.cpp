#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class OwnerChangeSynced final : public Invariant {
 public:
  OwnerChangeSynced()
      : Invariant(fact_set<fact::MapApplied, fact::MembersApplied, fact::ProcessStarted,
                           fact::DiskWiped, fact::RepairStarted, fact::RepairCompleted>()) {}

  void before(const FactEvent& event, const World& /*world*/) override {
    const NodeId node = event.source.node;
    if (const auto* applied = std::get_if<fact::MapApplied>(&event.fact)) {
      if (applied->map != nullptr) apply(event, node, applied->map);
    } else if (const auto* members = std::get_if<fact::MembersApplied>(&event.fact)) {
      apply(event, node, members->members);
    } else if (std::holds_alternative<fact::ProcessStarted>(event.fact)) {
      come_back(event, node);
    } else if (const auto* wiped = std::get_if<fact::DiskWiped>(&event.fact)) {
      if (wiped->part != "data") nodes_[node].map = nullptr;
    } else if (const auto* started = std::get_if<fact::RepairStarted>(&event.fact)) {
      if (!started->claims) return;
      Holding& holding = holdings_[{node, started->partition}];
      holding.mechanism = started->mechanism;
      holding.started_after = holding.reasons;
    } else if (const auto* completed = std::get_if<fact::RepairCompleted>(&event.fact)) {
      if (completed->claims) complete(event, node, *completed);
    }
  }

  // A node that is down now, or no member, is not asked; it is when it is back.
  void at_end(const World& world, MonotonicTime at, std::uint64_t event) override {
    for (const auto& [place, holding] : holdings_) {
      if (!holding.gained) continue;
      const auto& [node, partition] = place;
      const ShadowNode& shadow = world.node(node);
      if (!shadow.up || !shadow.member || !world.map().owns(node, partition)) continue;
      count_judgement();
      if (!is_new(node, {})) continue;
      const std::string epoch = std::to_string(holding.gained->epoch.value);
      Evidence evidence;
      evidence.add(holding.gained->at, to_name(node),
                   "applies the map of epoch " + epoch + ", by which " + to_name(partition) +
                       " comes to it");
      report(at, event,
             {.node = node,
              .says = to_name(node) + " gained " + to_name(partition) + " at " +
                      to_seconds_text(holding.gained->at) + " by the map of epoch " + epoch +
                      ", and has completed no repair of it since",
              .evidence = evidence.lines()});
    }
  }

 private:
  struct Gain {
    Epoch epoch;
    MonotonicTime at{};
  };
  struct Holding {
    std::optional<Gain> gained;  // not repaired since
    std::uint64_t reasons = 0;   // to repair it
    MonotonicTime last_reason{};
    std::string mechanism;                        // of the repair under way, or the last
    std::uint64_t started_after = 0;              // how many reasons there were when it began
    std::map<std::string, std::uint64_t> served;  // by mechanism, reasons until its last repair
  };
  struct Node {
    std::shared_ptr<const PartitionMap> map;
    std::optional<Incarnation> incarnation;
  };

  void apply(const FactEvent& event, NodeId node, const std::shared_ptr<const PartitionMap>& map) {
    // A process that has started may replay what an earlier one had applied.
    auto before = nodes_[node].map;
    if (before != nullptr && map->epoch <= before->epoch) return;
    nodes_[node].map = map;
    if (founding_ == Epoch{}) founding_ = map->epoch;
    if (before == nullptr) {
      if (map->epoch == founding_) return;
      // It has joined a cluster that had maps before, and knew none.
      auto none = std::make_shared<PartitionMap>();
      none->owners.resize(map->partition_count());
      before = none;
    }
    if (before->partition_count() != map->partition_count()) return;
    for (std::uint32_t p = 0; p < map->partition_count(); ++p) {
      const PartitionId partition(p);
      if (before->owners_of(partition) == map->owners_of(partition)) continue;
      Holding& holding = holdings_[{node, partition}];
      if (!map->owns(node, partition)) {
        holding.gained.reset();
        continue;
      }
      add_reason(event, holding);
      if (!before->owns(node, partition)) holding.gained = {map->epoch, event.at};
    }
  }

  void apply(const FactEvent& event, NodeId node, const std::vector<fact::MemberInfo>& members) {
    const auto own = std::find_if(members.begin(), members.end(),
                                  [node](const fact::MemberInfo& m) { return m.node == node; });
    std::optional<Incarnation> now;
    if (own != members.end()) now = own->incarnation;
    if (std::exchange(nodes_[node].incarnation, now) != now) come_back(event, node);
  }

  void come_back(const FactEvent& event, NodeId node) {
    for (auto& [place, holding] : holdings_) {
      if (place.first == node) add_reason(event, holding);
    }
  }

  static void add_reason(const FactEvent& event, Holding& holding) {
    ++holding.reasons;
    holding.last_reason = event.at;
  }

  void complete(const FactEvent& event, NodeId node, const fact::RepairCompleted& completed) {
    Holding& holding = holdings_[{node, completed.partition}];
    count_judgement();
    if (holding.gained && completed.started >= holding.gained->at) holding.gained.reset();
    const auto [served, is_first] = holding.served.try_emplace(holding.mechanism);
    const std::uint64_t before = std::exchange(served->second, holding.started_after);
    // The first repair of a node's life has its return as a reason, whoever told of that.
    if (is_first || before < holding.started_after || !is_new(node, {})) return;
    Evidence evidence;
    evidence
        .add(holding.last_reason, to_name(node),
             "has the last reason to repair " + to_name(completed.partition))
        .add(completed.started, to_name(node), "repairs it by " + holding.mechanism + " once more")
        .add(event.at, to_name(node), "completes that");
    report(event,
           {.node = node,
            .says = to_name(node) + " has repaired " + to_name(completed.partition) + " by " +
                    holding.mechanism + " twice, although nothing has changed for it since " +
                    to_seconds_text(holding.last_reason) + ", before the first time",
            .evidence = evidence.lines()});
  }

  std::map<NodeId, Node> nodes_;
  Epoch founding_;  // of the first map of all
  std::map<std::pair<NodeId, PartitionId>, Holding> holdings_;
};

[[maybe_unused]] const bool registered = register_invariant<OwnerChangeSynced>(
    "owner-change-synced", "each change of owners is followed by exactly one completed repair",
    "Judged at each completed repair that claims to leave nothing to repair: since the last one of "
    "its partition by the same mechanism at this node, the owners of the partition have changed, "
    "or the node has started or was admitted anew. And at the end for each node that is up, a "
    "member, and has gained a partition by a map that it applied after another, be it in an "
    "earlier "
    "process, or as its first one of a cluster that had maps before, and has it still: it has "
    "completed a repair of it that began since, whoever led the cluster then and whichever "
    "process has crashed meanwhile. Passes of upkeep claim nothing and are not judged; a mechanism "
    "that repairs nobody breaks it.",
    true);

}  // namespace

}  // namespace rejoin::sim
