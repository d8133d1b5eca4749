#include <algorithm>
#include <map>
#include <memory>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class OneMapAnEpoch final : public Invariant {
 public:
  OneMapAnEpoch()
      : Invariant(fact_set<fact::MapApplied, fact::RecordWritten, fact::ProcessStarted,
                           fact::ProcessCrashed, fact::ProcessHalted>()) {}

  void after(const FactEvent& event, const World& /*world*/) override {
    const NodeId node = event.source.node;
    if (const auto* written = std::get_if<fact::RecordWritten>(&event.fact)) {
      return judge_write(event, *written);
    }
    const auto* applied = std::get_if<fact::MapApplied>(&event.fact);
    if (applied == nullptr) {
      current_.erase(node);  // a new life may replay old maps
      return;
    }
    if (applied->map == nullptr) return;
    count_judgement();
    const Epoch epoch = applied->map->epoch;
    const auto [at, is_first] = maps_.try_emplace(epoch, Seen{*applied, node, event.at});
    if (at->second.applied.fingerprint != applied->fingerprint) {
      tell_two_maps(event, at->second, *applied->map);
    }
    const auto current = current_.find(node);
    if (current != current_.end() && epoch < current->second.epoch) {
      tell_backwards(event, current->second, epoch);
    }
    current_[node] = {epoch, event.at, applied->map};
  }

 private:
  struct Seen {
    fact::MapApplied applied;
    NodeId node;
    MonotonicTime at{};
  };
  struct Current {
    Epoch epoch;
    MonotonicTime at{};
    std::shared_ptr<const PartitionMap> map;
  };

  // Who knows better no longer takes what clients write. Who asks may know better still.
  void judge_write(const FactEvent& event, const fact::RecordWritten& written) {
    const NodeId node = event.source.node;
    if (!written.stored || written.cause != fact::WriteCause::foreground) return;
    const auto current = current_.find(node);
    if (current == current_.end()) return;
    const PartitionMap& map = *current->second.map;
    if (written.partition.value >= map.partition_count()) return;
    count_judgement();
    const auto gives = [&](const auto& each) {
      return each.second.applied.map->owns(node, written.partition);
    };
    if (std::any_of(maps_.lower_bound(map.epoch), maps_.end(), gives)) return;
    if (!is_new(node, written.key)) return;
    const std::string epoch = std::to_string(map.epoch.value);
    const std::string partition = to_name(written.partition);
    Evidence evidence;
    evidence
        .add(current->second.at, to_name(node),
             "applies the map of epoch " + epoch + ", by which " + partition + " belongs to " +
                 list_text(map.owners_of(written.partition)))
        .add(event.at, to_name(node), "stores a write of " + written.key + ", which lies there");
    report(event,
           {.node = node,
            .key = written.key,
            .says = to_name(node) + " took a write of " + written.key + " in " + partition +
                    ", which by the map of epoch " + epoch + ", applied here at " +
                    to_seconds_text(current->second.at) + ", is not its own, nor by a later one",
            .evidence = evidence.lines()});
  }

  void tell_two_maps(const FactEvent& event, const Seen& first, const PartitionMap& second) {
    const NodeId node = event.source.node;
    if (!is_new(node, {})) return;
    const std::string epoch = std::to_string(second.epoch.value);
    const auto& owners = first.applied.map->owners;
    Evidence evidence;
    evidence.add(first.at, to_name(first.node), "applies a map of epoch " + epoch)
        .add(event.at, to_name(node), "applies another map of epoch " + epoch);
    for (std::size_t p = 0; p < owners.size() && p < second.owners.size(); ++p) {
      if (owners[p] == second.owners[p]) continue;
      const std::string partition = to_name(PartitionId(static_cast<std::uint32_t>(p)));
      evidence.add(event.at, to_name(node),
                   "for example, " + partition + " belongs to " + list_text(second.owners[p]) +
                       " here and to " + list_text(owners[p]) + " on " + to_name(first.node));
      break;
    }
    report(event, {.node = node,
                   .says = "epoch " + epoch + " has two maps: " + to_name(first.node) +
                           " applied one at " + to_seconds_text(first.at) + " and " +
                           to_name(node) + " another at " + to_seconds_text(event.at),
                   .evidence = evidence.lines()});
  }

  void tell_backwards(const FactEvent& event, const Current& before, Epoch epoch) {
    const NodeId node = event.source.node;
    if (!is_new(node, {})) return;
    const std::string from = std::to_string(before.epoch.value);
    const std::string to = std::to_string(epoch.value);
    Evidence evidence;
    evidence.add(before.at, to_name(node), "applies the map of epoch " + from)
        .add(event.at, to_name(node), "applies the map of epoch " + to);
    report(event, {.node = node,
                   .says = to_name(node) + " went back from the map of epoch " + from +
                           " to that of epoch " + to + " without a restart",
                   .evidence = evidence.lines()});
  }

  std::map<Epoch, Seen> maps_;
  std::map<NodeId, Current> current_;
};

[[maybe_unused]] const bool registered = register_invariant<OneMapAnEpoch>(
    "one-map-an-epoch", "an epoch has one map, and no running node acts on an older one",
    "Judged at each map applied by a node, by the map's fingerprint: no other node may have "
    "applied "
    "another of that epoch, and this one none of a later epoch, unless its process has started "
    "since, which may replay older maps. And at each client's write that a node stores: the last "
    "map that it has applied gives it the partition, or a later one does, which a coordinator may "
    "have applied before it.");

}  // namespace

}  // namespace rejoin::sim
