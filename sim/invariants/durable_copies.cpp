#include <algorithm>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class DurableCopies final : public Invariant {
 public:
  DurableCopies() : Invariant(FactSet{0}) {}

  void at_end(const World& world, MonotonicTime at, std::uint64_t event) override {
    for (const auto& [key, history] : world.keys()) {
      if (history.acknowledged.empty()) continue;
      const std::vector<NodeId> owners = world.live_owners(history.partition);
      if (owners.empty()) continue;  // acknowledged-writes-survive tells whether a disk has it
      count_judgement();
      judge(world, key, owners, at, event);
    }
  }

 private:
  static bool has_copy(const World& world, const Key& key, NodeId owner) {
    const ShadowRecord* held = world.stored(owner, key);
    if (held == nullptr) return world.missed_write(key, {}, kForever) == nullptr;
    return held->seq <= world.node(owner).durable_seq &&
           world.missed_write(key, held->origins(), kForever) == nullptr;
  }

  void judge(const World& world, const Key& key, const std::vector<NodeId>& owners,
             MonotonicTime at, std::uint64_t event) {
    std::vector<NodeId> without;
    for (const NodeId owner : owners) {
      if (!has_copy(world, key, owner)) without.push_back(owner);
    }
    if (without.empty()) return;
    const std::vector<const Operation*> newest = world.newest_acknowledged(key, kForever);
    Evidence evidence;
    for (const Operation* write : newest) evidence.add(*write);
    for (const NodeId owner : owners) {
      const ShadowRecord* held = world.stored(owner, key);
      const bool is_volatile = held != nullptr && held->seq > world.node(owner).durable_seq;
      evidence.add(at, to_name(owner),
                   "its store holds " + held_text(held, world) + " for " + key +
                       (is_volatile ? ", not durably" : ""));
    }
    report(at, event,
           {.key = key,
            .says = "at the end the " + version_text(newest.back()->id, world) + " of " + key +
                    ", acknowledged at " + to_seconds_text(*newest.back()->returned) + ", has " +
                    std::to_string(owners.size() - without.size()) + " durable live of " +
                    std::to_string(owners.size()) + " copies: " + list_text(without) +
                    (without.size() == 1 ? " has" : " have") + " none",
            .evidence = evidence.lines()});
  }
};

[[maybe_unused]] const bool registered = register_invariant<DurableCopies>(
    "durable-copies", "in the end each acknowledged key has a durable copy on every live owner",
    "Judged at the end for each key with an acknowledged write and a live owner: as many copies as "
    "the smaller of replication and live owners, which is one on each owner, by the newest map, "
    "that is a member and up. A copy is durable and misses no acknowledged version; what is "
    "concurrent with the newest one counts as one. Of a deleted key, holding nothing is a copy.",
    true);

}  // namespace

}  // namespace rejoin::sim
