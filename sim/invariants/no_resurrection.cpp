#include <algorithm>

#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class NoResurrection final : public Invariant {
 public:
  NoResurrection() : Invariant(fact_set<fact::OperationReturned, fact::RecordWritten>()) {}

  void before(const FactEvent& event, const World& world) override {
    const auto* written = std::get_if<fact::RecordWritten>(&event.fact);
    if (written == nullptr) return;
    const NodeId node = event.source.node;
    const ShadowRecord* known = world.remembered(node, written->key);
    if (known == nullptr || !known->deleted || written->deleted || written->erased) return;
    count_judgement();
    if (!written->stored || !world.older(written->origin, known->origin)) return;
    if (!is_new(node, written->key)) return;
    const std::string cause =
        written->cause == fact::WriteCause::repair ? "a repair" : "a client's write";
    Evidence evidence;
    evidence.add(*world.find_write(written->origin))
        .add(*world.find_write(known->origin))
        .add(event.at, to_name(node),
             cause + " stores the " + version_text(written->origin, world) + " of " + written->key +
                 (known->erased ? ", after it had erased the key" : " over its tombstone"));
    report(event,
           {.node = node,
            .key = written->key,
            .says = "on " + to_name(node) + ", which had applied the " +
                    version_text(known->origin, world) + " of " + written->key + ", " + cause +
                    " brought back the older " + version_text(written->origin, world),
            .evidence = evidence.lines()});
  }

  void after(const FactEvent& event, const World& world) override {
    const auto* returned = std::get_if<fact::OperationReturned>(&event.fact);
    if (returned == nullptr) return;
    const Operation& read = returned->operation;
    if (read.kind != OperationKind::read) return;
    if (read.result != ResultKind::value && read.result != ResultKind::not_found) return;
    const Operation* deleted = nullptr;
    bool judged = false;
    for (const Operation* newest : world.newest_acknowledged_before(read)) {
      if (newest->kind != OperationKind::remove) continue;
      judged = true;
      const bool rose = read.result == ResultKind::value && !read.observed.empty() &&
                        std::all_of(read.observed.begin(), read.observed.end(),
                                    [&](RequestId id) { return world.older(id, newest->id); });
      if (rose) deleted = newest;
    }
    if (judged) count_judgement();
    const NodeId server = server_of(read);
    if (deleted == nullptr || !is_new(server, read.key)) return;
    Evidence evidence;
    for (const RequestId id : read.observed) evidence.add(*world.find_write(id));
    evidence.add(*deleted).add(read);
    report(event, {.node = server,
                   .key = read.key,
                   .says = read_text(read) + " returned " + seen_text(read.observed, world) +
                           ", although its " + version_text(deleted->id, world) +
                           " had been acknowledged at " + to_seconds_text(*deleted->returned) +
                           ", before the read was invoked at " + to_seconds_text(read.invoked),
                   .evidence = evidence.lines()});
  }
};

[[maybe_unused]] const bool registered = register_invariant<NoResurrection>(
    "no-resurrection", "a deleted key does not come back",
    "Judged at each answer of a read, at any level, of a key whose newest acknowledged version is "
    "a delete: it may not return a value written before that. And in each store that has applied "
    "a delete, with a tombstone or without: no older version may be stored after it, unless the "
    "disk was wiped.");

}  // namespace

}  // namespace rejoin::sim
