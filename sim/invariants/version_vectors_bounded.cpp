#include <map>
#include <set>
#include <utility>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class VersionVectorsBounded final : public Invariant {
 public:
  VersionVectorsBounded()
      : Invariant(fact_set<fact::StoreRecovered, fact::MapApplied, fact::RecordWritten>()) {}

  void before(const FactEvent& event, const World& world) override {
    if (const auto* recovered = std::get_if<fact::StoreRecovered>(&event.fact)) {
      lives_[event.source.node].insert(recovered->life);
    } else if (const auto* applied = std::get_if<fact::MapApplied>(&event.fact)) {
      for (std::uint32_t n = 0; n < world.partition_count(); ++n) {
        const PartitionId partition(n);
        const auto& owners = applied->map->owners_of(partition);
        owners_[partition].insert(owners.begin(), owners.end());
      }
    } else {
      judge(event, std::get<fact::RecordWritten>(event.fact));
    }
  }

 private:
  void judge(const FactEvent& event, const fact::RecordWritten& written) {
    if (!written.stored || written.actors == 0) return;
    count_judgement();
    std::size_t most = 0;
    for (const NodeId owner : owners_[written.partition]) most += lives_[owner].size();
    const NodeId node = event.source.node;
    if (written.actors <= most || !is_new(node, written.key)) return;
    Evidence evidence;
    for (const NodeId owner : owners_[written.partition]) {
      evidence.add(MonotonicTime{}, to_name(owner),
                   "it is or was an owner of " + to_name(written.partition) + ", and had " +
                       count_text(lives_[owner].size(), "store") + " in all");
    }
    const std::string vector = "a version vector of " + count_text(written.actors, "actor");
    evidence.add(event.at, to_name(node), "stores " + written.key + " with " + vector);
    report(event, {.node = node,
                   .key = written.key,
                   .says = to_name(node) + " stored " + written.key + " with " + vector +
                           ", but no more than " + count_text(most, "store") +
                           " can have counted writes of it",
                   .evidence = evidence.lines()});
  }

  std::map<NodeId, std::set<std::uint64_t>> lives_;
  std::map<PartitionId, std::set<NodeId>> owners_;  // by any map that anyone applied
};

[[maybe_unused]] const bool registered = register_invariant<VersionVectorsBounded>(
    "version-vectors-bounded", "version vectors grow with the replicas, not with clients or writes",
    "Judged at each record with a version vector that a store takes. A vector may have an entry "
    "for "
    "each life of the store of each node that any map has ever named as an owner of the partition: "
    "a node that lost its data counts anew. More means that somebody else was counted, as when "
    "every client is: then vectors grow for ever (actor explosion).");

}  // namespace

}  // namespace rejoin::sim
