#include <algorithm>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class LastCopySurvives final : public Invariant {
 public:
  LastCopySurvives() : Invariant(fact_set<fact::PartitionDropped, fact::RecordWritten>()) {}

  void before(const FactEvent& event, const World& world) override {
    if (const auto* dropped = std::get_if<fact::PartitionDropped>(&event.fact)) {
      const auto& stores = world.node(event.source.node).records;
      const auto records = stores.find(dropped->partition);
      if (records == stores.end()) return;
      for (const auto& [key, record] : records->second) {
        judge(event, key, record, "dropped " + to_name(dropped->partition), world);
      }
      return;
    }
    const auto& written = std::get<fact::RecordWritten>(event.fact);
    if (!written.stored || !written.replaced) return;
    const ShadowRecord* held = world.stored(event.source.node, written.key);
    // By a newer version it is replaced, not lost; by a concurrent one it is a conflict.
    if (held == nullptr || !world.older(written.origin, held->origin)) return;
    judge(event, written.key, *held,
          (written.erased ? "erased it for the older " : "overwrote it with the older ") +
              version_text(written.origin, world),
          world);
  }

 private:
  void judge(const FactEvent& event, const Key& key, const ShadowRecord& record,
             const std::string& what, const World& world) {
    const NodeId node = event.source.node;
    if (record.deleted || record.seq > world.node(node).durable_seq) return;
    const Operation* write = world.find_write(record.origin);
    if (write == nullptr || !write->returned) return;
    count_judgement();
    if (!is_last(world, key, node, *write) || !is_new(node, key)) return;
    Evidence evidence;
    evidence.add(*write).add(event.at, to_name(node), what);
    for (const auto& [id, shadow] : world.nodes()) {
      if (id == node) continue;
      const ShadowRecord* held = world.stored(id, key);
      std::string line = "its store holds " + held_text(held, world) + " for " + key;
      if (held != nullptr && held->seq > shadow.durable_seq) line += ", not durably";
      if (!shadow.up) line += ", and it is down";
      evidence.add(event.at, to_name(id), line);
    }
    report(event, {.node = node,
                   .key = key,
                   .says = to_name(node) + " held the last durable copy of the " +
                           version_text(write->id, world) + " of " + key + ", acknowledged at " +
                           to_seconds_text(*write->returned) + ", and " + what,
                   .evidence = evidence.lines()});
  }

  // Nobody else has it, or anything newer, on a disk, that of a node which is down included; and
  // no delete may explain that.
  static bool is_last(const World& world, const Key& key, NodeId node, const Operation& write) {
    const KeyHistory& history = world.keys().at(key);
    const bool deleted =
        std::any_of(history.deletes.begin(), history.deletes.end(),
                    [&](std::size_t d) { return !world.older(history.writes[d].id, write.id); });
    if (deleted) return false;
    return std::none_of(world.nodes().begin(), world.nodes().end(), [&](const auto& each) {
      const ShadowRecord* held = world.stored(each.first, key);
      if (each.first == node || held == nullptr || held->seq > each.second.durable_seq)
        return false;
      return held->origin == write.id || world.older(write.id, held->origin);
    });
  }
};

[[maybe_unused]] const bool registered = register_invariant<LastCopySurvives>(
    "last-copy-survives", "no node throws the last durable copy of an acknowledged write away",
    "Judged each time that a store drops a partition with durable copies of acknowledged writes, "
    "or puts an older version, or the erasure by an older delete, in place of one. Another node, "
    "up or down, must durably hold the same or a newer version, unless the key was deleted since "
    "or concurrently. A wiped disk is a fault, not a decision, and is not judged.");

}  // namespace

}  // namespace rejoin::sim
