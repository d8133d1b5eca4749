#include <map>
#include <optional>
#include <utility>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class NoStaleReadAfterRepair final : public Invariant {
 public:
  NoStaleReadAfterRepair()
      : Invariant(fact_set<fact::RepairCompleted, fact::GateOpened, fact::OperationReturned,
                           fact::ProcessStarted, fact::ProcessCrashed, fact::ProcessHalted,
                           fact::DiskWiped, fact::MapApplied>()) {}

  void after(const FactEvent& event, const World& world) override {
    const NodeId node = event.source.node;
    if (const auto* repaired = std::get_if<fact::RepairCompleted>(&event.fact)) {
      if (!repaired->claims) return;
      claim(node, repaired->partition, {event.at, repaired->started, false});
    } else if (const auto* opened = std::get_if<fact::GateOpened>(&event.fact)) {
      if (opened->claims_repaired) {
        claim(node, opened->partition, {event.at, opened->since, true});
      }
    } else if (const auto* applied = std::get_if<fact::MapApplied>(&event.fact)) {
      // Who does not own a partition is free to forget it.
      if (applied->map == nullptr) return;
      std::erase_if(claims_[node],
                    [&](const auto& each) { return !applied->map->owns(node, each.first); });
    } else if (const auto* returned = std::get_if<fact::OperationReturned>(&event.fact)) {
      judge(event, returned->operation, world);
    } else {
      claims_.erase(node);  // a claim is made by one life of the node
    }
  }

 private:
  struct Claim {
    MonotonicTime at{};
    MonotonicTime since{};
    bool by_gate = false;
  };

  void claim(NodeId node, PartitionId partition, const Claim& claim) {
    claims_[node][partition].push_back(claim);
  }

  // The strongest claim made before the read was invoked.
  [[nodiscard]] std::optional<Claim> claim_before(NodeId node, PartitionId partition,
                                                  MonotonicTime time) const {
    const auto of_node = claims_.find(node);
    if (of_node == claims_.end()) return std::nullopt;
    const auto of_partition = of_node->second.find(partition);
    if (of_partition == of_node->second.end()) return std::nullopt;
    std::optional<Claim> best;
    for (const Claim& each : of_partition->second) {
      if (each.at < time && (!best || each.since > best->since)) best = each;
    }
    return best;
  }

  void judge(const FactEvent& event, const Operation& read, const World& world) {
    if (read.kind != OperationKind::read) return;
    if (read.result != ResultKind::value && read.result != ResultKind::not_found) return;
    if (!read.direct && read.level != Consistency::one) return;
    const NodeId node = server_of(read);
    const PartitionId partition = world.partition_of_key(read.key);
    const std::optional<Claim> made = claim_before(node, partition, read.invoked);
    if (!made) return;
    count_judgement();
    const Operation* missed = world.missed_write(read.key, read.observed, made->since);
    if (missed == nullptr || !is_new(node, read.key)) return;
    Evidence evidence;
    for (const RequestId id : read.observed) {
      if (const Operation* seen = world.find_write(id)) evidence.add(*seen);
    }
    const std::string what =
        made->by_gate ? "opens " + to_name(partition) +
                            " without any repair, which claims that nothing was to be repaired "
                            "when it became a member at " +
                            to_seconds_text(made->since)
                      : "reports the repair of " + to_name(partition) + ", started at " +
                            to_seconds_text(made->since) + ", complete";
    evidence.add(*missed).add(made->at, to_name(node), what).add(read);
    std::string says = to_name(node);
    says += made->by_gate ? " served " + to_name(partition) + " as if repaired since "
                          : " reported " + to_name(partition) + " repaired as of ";
    says += to_seconds_text(made->since) + ", then answered " + read_text(read) + " with ";
    says += read.observed.empty() ? "NOT FOUND" : seen_text(read.observed, world);
    says += ", older than the " + version_text(missed->id, world) + " acknowledged at " +
            to_seconds_text(*missed->returned);
    report(event,
           {.node = node, .key = read.key, .says = std::move(says), .evidence = evidence.lines()});
  }

  std::map<NodeId, std::map<PartitionId, std::vector<Claim>>> claims_;
};

[[maybe_unused]] const bool registered = register_invariant<NoStaleReadAfterRepair>(
    "no-stale-read-after-repair",
    "a node that reported a partition repaired serves nothing older than when the repair started",
    "Judged at each answer of a direct read, or of a read at level one, by a node that had "
    "reported the key's partition repaired before the read was invoked: by RepairCompleted, as of "
    "the repair's start, or by opening its gate without a repair, as of when it became a member. "
    "A claim ends with the life of the process and with the ownership of the partition.");

}  // namespace

}  // namespace rejoin::sim
