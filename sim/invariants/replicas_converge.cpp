#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

constexpr std::size_t kExamplesMax = 5;

// Where a node's copy of a key is not what it should be.
struct Difference {
  Key key;
  const Operation* missed = nullptr;  // the acknowledged write that it lacks, if any
  std::vector<RequestId> held;        // by this node; empty for nothing or a tombstone
  std::vector<RequestId> held_there;  // by most others, when no write was missed
  std::vector<NodeId> others;         // who hold what it should
};

struct Differences {
  std::uint64_t missing = 0;
  std::uint64_t stale = 0;
  std::uint64_t diverged = 0;
  std::vector<Difference> examples;
};

class ReplicasConverge final : public Invariant {
 public:
  ReplicasConverge() : Invariant(FactSet{0}) {}

  void at_end(const World& world, MonotonicTime at, std::uint64_t event) override {
    std::map<PartitionId, std::vector<Key>> acknowledged;
    for (const auto& [key, history] : world.keys()) {
      if (!history.acknowledged.empty()) acknowledged[history.partition].push_back(key);
    }
    std::map<NodeId, Differences> found;
    std::map<NodeId, std::uint64_t> keys_judged;
    for (std::uint32_t p = 0; p < world.partition_count(); ++p) {
      const std::vector<NodeId> owners = world.live_owners(PartitionId(p));
      if (owners.size() < 2) continue;
      count_judgement();
      const auto keys = keys_of(world, owners, PartitionId(p), acknowledged[PartitionId(p)]);
      for (const Key& key : keys) compare(world, owners, key, found);
      for (const NodeId owner : owners) keys_judged[owner] += keys.size();
    }
    for (const auto& [node, differences] : found) {
      report(at, event, finding(world, at, node, differences, keys_judged[node]));
    }
  }

 private:
  static std::set<Key> keys_of(const World& world, const std::vector<NodeId>& owners,
                               PartitionId partition, const std::vector<Key>& acknowledged) {
    std::set<Key> keys(acknowledged.begin(), acknowledged.end());
    for (const NodeId owner : owners) {
      const auto& records = world.node(owner).records;
      const auto at = records.find(partition);
      if (at == records.end()) continue;
      for (const auto& [key, record] : at->second) keys.insert(key);
    }
    return keys;
  }

  // What should be held is what most owners hold that miss no acknowledged write; ties go to the
  // owner named first in the map. Who holds something else differs.
  static void compare(const World& world, const std::vector<NodeId>& owners, const Key& key,
                      std::map<NodeId, Differences>& found) {
    struct Copy {
      NodeId node;
      std::vector<RequestId> live{};  // ordered; what is deleted is no different from nothing
      const Operation* missed = nullptr;
      bool absent = false;
    };
    std::vector<Copy> copies;
    for (const NodeId owner : owners) {
      Copy copy{.node = owner};
      std::vector<RequestId> held;
      if (const ShadowRecord* record = world.stored(owner, key)) {
        held = record->origins();
        if (!record->deleted) copy.live = held;
        std::stable_sort(copy.live.begin(), copy.live.end());
      }
      copy.absent = copy.live.empty();
      copy.missed = world.missed_write(key, held, kForever);
      copies.push_back(copy);
    }
    const auto equals = [&](const std::vector<RequestId>& live) {
      return static_cast<std::size_t>(std::count_if(
          copies.begin(), copies.end(),
          [&](const Copy& copy) { return copy.missed == nullptr && copy.live == live; }));
    };
    const Copy* right = nullptr;
    for (const Copy& copy : copies) {
      if (copy.missed != nullptr) continue;
      if (right == nullptr || equals(copy.live) > equals(right->live)) right = &copy;
    }
    for (const Copy& copy : copies) {
      const bool differs = right != nullptr && copy.live != right->live;
      if (copy.missed == nullptr && !differs) continue;
      Differences& differences = found[copy.node];
      ++(copy.missed == nullptr ? differences.diverged
         : copy.absent          ? differences.missing
                                : differences.stale);
      if (differences.examples.size() >= kExamplesMax) continue;
      Difference& example = differences.examples.emplace_back();
      example.key = key;
      example.missed = copy.missed;
      example.held = copy.live;
      if (right == nullptr) continue;
      example.held_there = right->live;
      for (const Copy& other : copies) {
        if (other.missed == nullptr && other.live == right->live) {
          example.others.push_back(other.node);
        }
      }
    }
  }

  static Finding finding(const World& world, MonotonicTime at, NodeId node,
                         const Differences& differences, std::uint64_t keys_judged) {
    const std::uint64_t total = differences.missing + differences.stale + differences.diverged;
    std::string says = "at the end " + to_name(node) + " differs from the other replicas in " +
                       std::to_string(total) + " of " + count_text(keys_judged, "key") + ": " +
                       std::to_string(differences.missing) + " missing, " +
                       std::to_string(differences.stale) + " stale";
    if (differences.diverged > 0) {
      says += ", " + std::to_string(differences.diverged) + " of concurrent writes";
    }
    const auto live_text = [&](const std::vector<RequestId>& live) {
      return live.empty() ? std::string("no value") : seen_text(live, world);
    };
    Evidence evidence;
    for (const Difference& each : differences.examples) {
      if (each.missed != nullptr) evidence.add(*each.missed);
      std::string line = each.key + " has " + live_text(each.held) + " here";
      if (!each.others.empty()) {
        line += ", and " + live_text(each.held_there) + " on " + list_text(each.others);
      } else {
        line += ", and no live replica has the acknowledged version";
      }
      evidence.add(at, to_name(node), line);
    }
    if (total > differences.examples.size()) {
      evidence.add(at, to_name(node),
                   "and " + count_text(total - differences.examples.size(), "more key"));
    }
    return {.node = node, .says = std::move(says), .evidence = evidence.lines()};
  }
};

[[maybe_unused]] const bool registered = register_invariant<ReplicasConverge>(
    "replicas-converge", "in the end the live replicas of a partition hold the same",
    "Judged at the end for each partition of which two or more owners, by the newest map, are "
    "members and up. They must hold the same version of each key, a tombstone being the same as "
    "nothing, and none may lack an acknowledged write. One violation a node, with counts and "
    "examples.",
    true);

}  // namespace

}  // namespace rejoin::sim
