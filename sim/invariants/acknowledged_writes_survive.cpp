#include <algorithm>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class AcknowledgedWritesSurvive final : public Invariant {
 public:
  AcknowledgedWritesSurvive() : Invariant(FactSet{0}) {}

  void at_end(const World& world, MonotonicTime at, std::uint64_t event) override {
    for (const auto& [key, history] : world.keys()) {
      if (history.acknowledged.empty()) continue;
      const std::vector<NodeId> owners = world.live_owners(history.partition);
      if (owners.empty()) continue;  // nobody is there who could hold it
      count_judgement();
      if (const Operation* lost = lost_write(world, history, owners)) {
        report(at, event, finding(world, at, *lost, owners));
      }
    }
  }

 private:
  // The newest acknowledged write that no live owner holds, nor anything that may replace it: a
  // version that is not older, or the absence that a delete, newer or concurrent, leaves behind.
  // Or the newest delete, when older values are all that is left.
  static const Operation* lost_write(const World& world, const KeyHistory& history,
                                     const std::vector<NodeId>& owners) {
    const Key& key = history.writes.front().key;
    for (const Operation* write : world.newest_acknowledged(key, kForever)) {
      if (write->kind == OperationKind::remove) {
        if (!world.delete_survives(history, *write, owners)) return write;
        continue;
      }
      const auto& operations = history.writes;
      const bool deleted =
          std::any_of(history.deletes.begin(), history.deletes.end(),
                      [&](std::size_t d) { return !world.older(operations[d].id, write->id); });
      const bool held = std::any_of(owners.begin(), owners.end(), [&](NodeId owner) {
        const ShadowRecord* record = world.stored(owner, key);
        if (record == nullptr || record->seq > world.node(owner).durable_seq) return false;
        const std::vector<RequestId> origins = record->origins();
        return std::any_of(origins.begin(), origins.end(), [&](RequestId origin) {
          return world.find_write(origin) != nullptr && !world.older(origin, write->id);
        });
      });
      if (!held && !deleted) return write;
    }
    return nullptr;
  }

  static Finding finding(const World& world, MonotonicTime at, const Operation& lost,
                         const std::vector<NodeId>& owners) {
    Evidence evidence;
    evidence.add(lost);
    for (const auto& [node, shadow] : world.nodes()) {
      const ShadowRecord* record = world.stored(node, lost.key);
      const bool owner = std::find(owners.begin(), owners.end(), node) != owners.end();
      if (record == nullptr && !owner) continue;
      std::string what = "its store holds " + held_text(record, world) + " for " + lost.key;
      if (record != nullptr && record->seq > shadow.durable_seq) what += ", not durably";
      if (!shadow.up) what += ", and it is down";
      if (shadow.up && !owner) what += ", but it is no owner of the key";
      evidence.add(at, to_name(node), what);
    }
    return {.key = lost.key,
            .says = "the " + version_text(lost.id, world) + " of " + lost.key +
                    ", acknowledged to " + to_name(lost.id.client) + " at " +
                    to_seconds_text(*lost.returned) + ", is lost: at the end no live owner (" +
                    list_text(owners) + ") durably holds it or anything newer",
            .evidence = evidence.lines()};
  }
};

[[maybe_unused]] const bool registered = register_invariant<AcknowledgedWritesSurvive>(
    "acknowledged-writes-survive", "the newest acknowledged version of a key is never lost",
    "Judged at the end for each key with an acknowledged write and a live owner: each newest "
    "acknowledged version, or one that is newer or concurrent, is durable on at least one owner "
    "that is a member and up. A delete needs no holder, but one owner that knew of it where others "
    "still have, or have again, what it deleted.",
    true);

}  // namespace

}  // namespace rejoin::sim
