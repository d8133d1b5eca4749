#include "sim/invariants/evidence.hpp"

namespace rejoin::sim {

namespace {

class NoStaleRead final : public Invariant {
 public:
  NoStaleRead() : Invariant(fact_set<fact::OperationReturned>()) {}

  void after(const FactEvent& event, const World& world) override {
    const Operation& read = std::get<fact::OperationReturned>(event.fact).operation;
    if (read.kind != OperationKind::read) return;
    if (read.result != ResultKind::value && read.result != ResultKind::not_found) return;
    if (!world.promises_freshness(read)) return;
    count_judgement();
    const Operation* missed = world.promise_broken_by(read);
    const NodeId server = server_of(read);
    if (missed == nullptr || !is_new(server, read.key)) return;
    Evidence evidence;
    for (const RequestId id : read.observed) {
      if (const Operation* seen = world.find_write(id)) evidence.add(*seen);
    }
    evidence.add(*missed).add(read);
    std::string says = read_text(read) + " returned ";
    says += read.observed.empty() ? "NOT FOUND" : seen_text(read.observed, world);
    says += ", but should have seen the " + version_text(missed->id, world) + ", which " +
            to_name(missed->id.client) + " had acknowledged at " +
            to_seconds_text(*missed->returned) + ", before the read was invoked at " +
            to_seconds_text(read.invoked);
    report(
        event,
        {.node = server, .key = read.key, .says = std::move(says), .evidence = evidence.lines()});
  }
};

[[maybe_unused]] const bool registered = register_invariant<NoStaleRead>(
    "no-stale-read",
    "a read returns nothing older than a write acknowledged before the read was invoked",
    "Judged at each answer (a value or NOT FOUND) of a direct read, and of a read through a "
    "coordinator that was promised freshness: read at R and acknowledged at W replicas, with R + W "
    "greater than the owners of the partition in the newest map. Reads of keys without such a "
    "write are not judged. The order of versions is that of the clients' history.");

}  // namespace

}  // namespace rejoin::sim
