#include <algorithm>
#include <map>
#include <set>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class ConflictsAccounted final : public Invariant {
 public:
  ConflictsAccounted() : Invariant(fact_set<fact::ConflictLost>()) {}

  void after(const FactEvent& event, const World& /*world*/) override {
    const auto& conflict = std::get<fact::ConflictLost>(event.fact);
    lost_[conflict.key].insert(conflict.lost);
  }

  void at_end(const World& world, MonotonicTime at, std::uint64_t event) override {
    for (const auto& [key, history] : world.keys()) {
      if (history.acknowledged.empty()) continue;
      const std::vector<NodeId> owners = world.live_owners(history.partition);
      if (owners.empty()) continue;  // nobody is there who could account for it
      count_judgement();
      judge(world, key, history, owners, at, event);
    }
  }

 private:
  void judge(const World& world, const Key& key, const KeyHistory& history,
             const std::vector<NodeId>& owners, MonotonicTime at, std::uint64_t event) {
    const Operation* vanished = nullptr;
    std::uint64_t count = 0;
    for (const std::size_t position : history.acknowledged) {
      const Operation& write = history.writes[position];
      if (is_accounted(world, key, history, write, owners)) continue;
      ++count;
      vanished = &write;  // the last one tells most
    }
    if (vanished == nullptr) return;
    Evidence evidence;
    evidence.add(*vanished);
    for (const NodeId owner : owners) {
      const ShadowRecord* held = world.stored(owner, key);
      if (held != nullptr && world.find_write(held->origin) != nullptr) {
        evidence.add(*world.find_write(held->origin));
      }
      evidence.add_held(at, owner, key, world);
    }
    std::string says = "the " + version_text(vanished->id, world) + " of " + key +
                       ", acknowledged to " + to_name(vanished->id.client) + " at " +
                       to_seconds_text(*vanished->returned) +
                       ", has vanished silently: no live owner (" + list_text(owners) +
                       ") holds it, not all of them hold something newer, and no merge counted it "
                       "as lost";
    if (count > 1) says += "; so have " + std::to_string(count - 1) + " others of this key";
    report(at, event, {.key = key, .says = std::move(says), .evidence = evidence.lines()});
  }

  [[nodiscard]] bool is_accounted(const World& world, const Key& key, const KeyHistory& history,
                                  const Operation& write, const std::vector<NodeId>& owners) const {
    const auto lost = lost_.find(key);
    if (lost != lost_.end()) {
      // What a counted one had replaced went with it.
      const bool counted = std::any_of(lost->second.begin(), lost->second.end(), [&](RequestId id) {
        return id == write.id || world.older(write.id, id);
      });
      if (counted) return true;
    }
    const bool deleted_since =
        std::any_of(history.deletes.begin(), history.deletes.end(),
                    [&](std::size_t d) { return world.older(write.id, history.writes[d].id); });
    bool replaced_everywhere = true;
    for (const NodeId owner : owners) {
      const ShadowRecord* held = world.remembered(owner, key);
      const std::vector<RequestId> origins =
          held == nullptr ? std::vector<RequestId>{} : held->origins();
      if (std::find(origins.begin(), origins.end(), write.id) != origins.end()) return true;
      // Nothing is what a delete leaves, in the end: of that delete, too.
      const bool gone = deleted_since || write.kind == OperationKind::remove;
      const bool replaced =
          held == nullptr ? gone
                          : std::any_of(origins.begin(), origins.end(), [&](RequestId origin) {
                              return world.older(write.id, origin);
                            });
      replaced_everywhere = replaced_everywhere && replaced;
    }
    return replaced_everywhere;
  }

  std::map<Key, std::set<RequestId>> lost_;
};

[[maybe_unused]] const bool registered = register_invariant<ConflictsAccounted>(
    "conflicts-accounted", "no acknowledged write vanishes silently",
    "Judged at the end for each key with an acknowledged write and a live owner. Each acknowledged "
    "write is stored by a live owner, or every live owner stores something newer (nothing, after "
    "a delete), or a merge counted it, or what had replaced it, as lost (ConflictLost). Rules "
    "that drop a concurrent write without counting it, such as last write wins, break this.",
    true);

}  // namespace

}  // namespace rejoin::sim
